"""What the requests of all libraries have in common."""

from __future__ import annotations

from typing import Any

__all__ = ["Located", "in_memory"]

_DEFAULT_PORTS = {"http": 80, "https": 443}

_LARGEST = 1024 * 1024


class Located:
    """Where a request goes, by the URL that its library has: of httpx, of yarl, or split."""

    __slots__ = ()

    @property
    def _where(self) -> Any:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return str(self._where)

    @property
    def scheme(self) -> str:
        return self._where.scheme  # type: ignore[no-any-return]

    @property
    def host(self) -> str:
        return self._where.host or ""

    @property
    def port(self) -> int:
        return self._where.port or _DEFAULT_PORTS.get(self.scheme, 0)


def in_memory(body: Any) -> bytes:
    """`body` as bytes if it is bytes or text and not too large, else `b""`."""
    if isinstance(body, str):
        body = body.encode() if len(body) <= _LARGEST else b""
    if isinstance(body, (bytes, bytearray)) and len(body) <= _LARGEST:
        return bytes(body)
    return b""
