"""Following one stream through a running pipeline: `otel-stream pipeline check`.

`jaeger`, `prometheus`, `influxdb` and `jsonfiles` ask the back ends, `collector` the tiers between;
`hop` says what each found, `check` sends the stream and asks them all.
"""
