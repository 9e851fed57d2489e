"""What collectors sustain, and what they cost."""
