"""A server on loopback that answers every request with a script of its own, in time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from typing import NamedTuple

__all__ = ["Answer", "Served", "WireServer", "stream"]

STREAM = "text/event-stream; charset=utf-8"


class Answer(NamedTuple):
    """Status, content type, and pieces of the body, each with its time since the request (s)."""

    pieces: Sequence[tuple[float, bytes]]
    status: int = 200
    kind: str = STREAM
    cut_short: bool = False
    """The connection is closed in the middle of the body."""
    header: str = ""
    """One more line of the head."""


def stream(*pieces: bytes, gap: float = 0.0) -> Answer:
    """A stream of these pieces, with a gap before each (s)."""
    return Answer([(gap * (number + 1), piece) for number, piece in enumerate(pieces)])


class Served(NamedTuple):
    """One request: its head and its body, when it came, and when each piece of the answer left."""

    head: str
    body: bytes
    came: float
    sent: list[float]


class WireServer:
    """Serves until it is closed. `answer` is asked with the request's path.

    Attributes:
        served: The requests in the order in which they came.
    """

    def __init__(self, answer: Callable[[str], Answer]) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.served: dict[str, Served] = {}
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Stop, once all that has begun is over."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in [self._accepting, *self._threads]:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=[connection], daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with closing(connection), suppress(OSError):
            head, body = _request(connection)
            came = time.perf_counter()
            path = head.split(" ")[1]
            answer = self._answer(path)
            served = self.served[path] = Served(head, body, came, [])
            start = f"HTTP/1.1 {answer.status} X\r\ncontent-type: {answer.kind}\r\n"
            start += answer.header and f"{answer.header}\r\n"
            start += "transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
            connection.sendall(start.encode())
            for at, piece in answer.pieces:
                time.sleep(max(0.0, came + at - time.perf_counter()))
                served.sent.append(time.perf_counter())  # Later it may have been read already.
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            if not answer.cut_short:
                connection.sendall(b"0\r\n\r\n")


def _request(connection: socket.socket) -> tuple[str, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    size = next((int(line[15:]) for line in lines if line.startswith("content-length:")), 0)
    while len(body) < size:
        body += connection.recv(65536)
    return head.decode(), body
