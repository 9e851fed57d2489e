"""Following one stream through a running pipeline: `otel-stream pipeline check`.

`marked` makes the stream and `sending` sends it. `places` says what of it is in a back end, by the
clients in `jaeger`, `prometheus`, `influxdb` and `jsonfiles`; `collector` asks the tiers between.
`check` drives them, `diagnosis` says which hop is at fault, `hop` holds what was found.
"""
