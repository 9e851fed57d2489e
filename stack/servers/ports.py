"""Ports of this machine's loopback."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

__all__ = ["free", "is_free", "keep"]

_OURS = range(20_000, 32_000)
"""Below those that Linux gives to connections, so a server that is stopped keeps its port."""

_NOT_YET = set(_OURS)
"""Those that this process has not given to anybody, who may listen there only later."""


def free(count: int) -> list[int]:
    """So many ports that nobody listens on just now, and that were not given before."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(sorted(_NOT_YET))
        _NOT_YET.discard(port)
        if is_free(port):
            found.append(port)
    return found


def keep(numbers: Iterable[int]) -> None:
    """Give these to nobody: somebody has chosen them, who may listen there only later."""
    _NOT_YET.difference_update(numbers)


def is_free(port: int) -> bool:
    """Whether nobody listens on a port."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
