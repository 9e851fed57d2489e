"""Servers as child processes, alone and together."""
