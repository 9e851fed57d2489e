"""The HTTP library that the installed provider SDKs are built on: httpx2, or httpx in old ones."""

from __future__ import annotations

import importlib
from typing import Any

import openai

__all__ = ["http"]

_ROOT = next(
    kind.__module__.partition(".")[0]
    for kind in openai.DefaultHttpxClient.__mro__
    if kind.__name__ == "Client"
)

http: Any = importlib.import_module(_ROOT)
