"""What one stream did: times, counts, the answer, its end. No I/O, no telemetry, fixed memory."""
