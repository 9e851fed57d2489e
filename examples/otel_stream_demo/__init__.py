"""The parts of `examples/demo.py`: a small chat service, a provider to talk to, and pictures."""
