"""The real programs behind otel-stream, run on this machine: for `make stack` and the tests.

Not part of the package. What each program is and where it comes from: `programs`.
"""
