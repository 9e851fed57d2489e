"""Reads OTLP JSON lines of traces and writes one flat JSON line for each stream in them.

    otel-stream streams [FILE ...]

What comes out depends on the files alone, so it stays true however often their writers were
restarted: doubles that a retry left are dropped, and halves that a kill left are passed over.
"""
