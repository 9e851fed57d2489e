"""`make demo-stack`: the demo goes through a stack, and each back end says what it has of it.

`sent` is what was sent by the demo's own account; `traces`, `figures`, `points` and `lines` are
what Jaeger, Prometheus, InfluxDB and the agent's JSON files have; `page` waits for all and prints
it.
"""
