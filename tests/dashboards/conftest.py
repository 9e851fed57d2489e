"""Grafana's schema is a tool of development: the environment of the oldest SDKs lacks it."""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("grafana_foundation_sdk") is None:
    collect_ignore = ["test_boards.py", "test_committed.py"]
