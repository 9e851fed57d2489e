"""Metrics for Prometheus to fetch: the SDK's reader with a small server of its own.

Imported only when asked for: it needs the extra `prometheus`. The registry is private, so neither
the application's metrics nor its own endpoint meet ours.
"""

from __future__ import annotations

import os
import socket
import socketserver
import threading
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from prometheus_client import CollectorRegistry, make_wsgi_app

__all__ = ["Endpoint"]

_POLL = 0.1
"""Seconds within which the server notices that it is to end."""


class Endpoint(PrometheusMetricReader):
    """Serves the metrics of one provider at `url`, from construction to `shutdown`.

    Args:
        host: The address to listen on.
        port: The port; 0 is any free one.

    Raises:
        OSError: The address cannot be listened on.
    """

    def __init__(self, host: str, port: int) -> None:
        registry = CollectorRegistry()
        self._server = _server(host, port)
        self._server.set_app(make_wsgi_app(registry))
        self._pid = os.getpid()
        super().__init__(registry=registry)
        shown = f"[{host}]" if ":" in host else host
        self.port = self._server.server_port
        self.url = f"http://{shown}:{self.port}/metrics"
        threading.Thread(
            target=self._server.serve_forever,
            args=(_POLL,),
            name="otel-stream-prometheus",
            daemon=True,
        ).start()

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing: who reads collects. (The SDK's own would pile collections up unread.)"""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """Stop serving."""
        super().shutdown(timeout_millis)
        if self._pid == os.getpid():
            self._server.shutdown()
        self.let_go()

    def let_go(self) -> None:
        """Close the listening socket; in a forked child, without ending what the parent runs."""
        self._server.server_close()


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind, without asking a name server for our own name as `http.server` does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is not worth a stack trace on the program's output."""


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the output is the program's."""


def _server(host: str, port: int) -> _Server:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    kind = type("_ServerOfFamily", (_Server,), {"address_family": family})
    server: _Server = kind((host, port), _Handler)
    return server
