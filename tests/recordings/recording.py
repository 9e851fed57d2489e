"""Recorded answers of providers, in the folder that OTEL_STREAM_RECORDINGS names.

They are other people's data: read and replayed here, never copied into this repository.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["FOLDER", "Recording", "recordings"]

_FOLDER = os.environ.get("OTEL_STREAM_RECORDINGS")
FOLDER = Path(_FOLDER) if _FOLDER else None
"""Where the recordings lie; None without the variable."""

_APIS = {
    "/chat/completions": "chat",
    "/completions": "completions",
    "/responses": "responses",
    "/v1/messages": "messages",
}
_NOT_REPLAYED = {"connection", "content-encoding", "content-length", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Recording:
    """One request and its answer.

    Attributes:
        api: `chat`, `completions`, `responses` or `messages`.
        body: The answer's bytes, as they came over the wire.
        expected: What a reader that uses no SDK has found in them.
    """

    name: str
    api: str
    url: str
    request: dict[str, Any]
    status: int
    headers: dict[str, str]
    body: bytes
    expected: dict[str, Any]

    @property
    def choices(self) -> int:
        """How many choices were asked for."""
        return int(self.request.get("n") or 1)

    @property
    def is_beta(self) -> bool:
        """Whether it went to Anthropic's beta resource."""
        return "beta=true" in self.url

    @property
    def is_azure(self) -> bool:
        """Whether it went to an Azure deployment."""
        return "/deployments/" in self.url

    @property
    def is_stream(self) -> bool:
        """Whether the answer is a stream of events, not an HTTP error."""
        return self.status == 200


def recordings() -> list[Recording]:
    """The recordings of the APIs that are instrumented; the others are somebody else's."""
    files = sorted(FOLDER.glob("*.json")) if FOLDER else []
    found = (_read(path) for path in files)
    return [one for one in found if one is not None]


def _read(path: Path) -> Recording | None:
    data = json.loads(path.read_text())
    url = data["request"]["url"]
    place = urlsplit(url)
    api = next((api for end, api in _APIS.items() if place.path.endswith(end)), None)
    if api is None:
        return None
    encoded = data.get("body_encoding") == "base64"
    headers = {name.lower(): value for name, value in data["response_headers"].items()}
    return Recording(
        name=path.stem,
        api=api,
        url=url,
        request=data["request"]["json"] or {},
        status=data["status"],
        headers={n: v for n, v in headers.items() if n not in _NOT_REPLAYED},
        body=base64.b64decode(data["body"]) if encoded else data["body"].encode(),
        expected=data["expected"],
    )
