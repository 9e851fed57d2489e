"""Which pieces belong to the same tool call, whatever a provider does with indexes and ids."""

from __future__ import annotations

from typing import Any

__all__ = ["ToolCallKeys"]


class ToolCallKeys:
    """Gives each tool call of a stream a key.

    OpenAI numbers calls by `index` and sends id and name with the first piece only. Others leave
    the index out, send null, or send 0 for every parallel call: then a new id begins a new call,
    and a piece that says nothing continues the latest.
    """

    __slots__ = ("_by_id", "_by_index", "_count", "_ids", "_latest", "_named")

    def __init__(self) -> None:
        self._count = 0
        self._latest: dict[int, int] = {}
        self._by_index: dict[tuple[int, Any], int] = {}
        self._by_id: dict[tuple[int, str], int] = {}
        self._ids: dict[int, str] = {}
        self._named: set[int] = set()

    def key(self, choice: int, index: Any, identity: Any, name: Any) -> int:
        """The key of the call that a piece with these marks belongs to."""
        identity = identity if isinstance(identity, str) and identity else None
        index = index if isinstance(index, (int, str)) else None
        key = self._known(choice, index, identity)
        if key is None or self._is_new(key, index, identity, name):
            key = self._count
            self._count += 1
        self._latest[choice] = key
        if index is not None:
            self._by_index[choice, index] = key
        if identity is not None:
            self._by_id[choice, identity] = key
            self._ids[key] = identity
        if name:
            self._named.add(key)
        return key

    def _known(self, choice: int, index: Any, identity: str | None) -> int | None:
        if identity is not None and (choice, identity) in self._by_id:
            return self._by_id[choice, identity]
        if index is not None:
            return self._by_index.get((choice, index))
        return self._latest.get(choice)

    def _is_new(self, key: int, index: Any, identity: str | None, name: Any) -> bool:
        """Whether the piece begins another call than the one that `key` stands for."""
        if identity is not None:
            return self._ids.get(key, identity) != identity
        # Without index and id, only a second name tells that another call begins.
        return index is None and bool(name) and key in self._named
