"""OTLP receivers on loopback that answer by script: as HTTP, and as gRPC."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Answer = Callable[[BaseHTTPRequestHandler], None]


class Got(NamedTuple):
    """One request."""

    path: str
    body: bytes
    encoding: str | None
    at: float


class Receiver:
    """Answers one request after the other by `answers`, then with 200.

    Args:
        answers: What to do, in order.
        port: Where to listen; 0 is anywhere.
    """

    def __init__(self, *answers: Answer, port: int = 0) -> None:
        self.got: list[Got] = []
        self.accepted: list[Got] = []
        self.answers = list(answers)
        self.released = threading.Event()
        kind = type("_Handler", (_Handler,), {"receiver": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), kind)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Be gone. What hangs is let go."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def spans(self) -> list[str]:
        """The names of the spans in the requests that were accepted."""
        return [name for got in self.accepted for name in names_of(got.body)]


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        encoding = self.headers["content-encoding"]
        if encoding is not None:
            body = (gzip.decompress if encoding == "gzip" else zlib.decompress)(body)
        got = Got(self.path, body, encoding, time.monotonic())
        self.receiver.got.append(got)
        if self.receiver.answers:
            self.receiver.answers.pop(0)(self)
            return
        self.receiver.accepted.append(got)
        status(200)(self)

    def log_message(self, format: str, *args: object) -> None:
        pass


def names_of(body: bytes) -> list[str]:
    """The names of the spans in a request."""
    return [
        span.name
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """Answers with a status."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Resets the connection instead of an answer."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()


def half(handler: BaseHTTPRequestHandler) -> None:
    """Breaks off in the middle of the answer."""
    handler.send_response(200)
    handler.send_header("content-length", "100")
    handler.end_headers()
    handler.wfile.write(b"ten bytes.")


def hang(handler: Any) -> None:
    """Does not answer before the receiver is closed."""
    handler.receiver.released.wait(60)


class GrpcReceiver:
    """Answers one export of spans after the other by `codes` (and details), then accepts.

    Args:
        codes: Status codes with details, in order.
        port: Where to listen; 0 is anywhere.
        largest: Bytes of a message that is accepted.
    """

    def __init__(self, *codes: tuple[str, str], port: int = 0, largest: int = 2**22) -> None:
        import grpc

        self.codes = list(codes)
        self.spans: list[str] = []
        method = grpc.unary_unary_rpc_method_handler(self._export)
        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        self._grpc = grpc
        self._server = grpc.server(
            ThreadPoolExecutor(2), options=[("grpc.max_receive_message_length", largest)]
        )
        handler = grpc.method_handlers_generic_handler(service, {"Export": method})
        self._server.add_generic_rpc_handlers((handler,))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self.url = f"http://127.0.0.1:{self.port}"
        self._server.start()

    def close(self) -> None:
        """Be gone."""
        self._server.stop(0).wait()

    def _export(self, request: bytes, context: Any) -> bytes:
        if self.codes:
            code, details = self.codes.pop(0)
            context.abort(getattr(self._grpc.StatusCode, code), details)
        self.spans += names_of(request)
        return b""
