"""The scripted provider: which script answers, and what it records."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable

import pytest

from otel_stream.testing import (
    ProviderServer,
    Script,
    Send,
    Wait,
    WaitFor,
)

Client = http.client.HTTPConnection
Get = Callable[..., http.client.HTTPResponse]


def test_script_is_the_reply(server: ProviderServer, get: Get) -> None:
    """Status, headers and body come from the script."""
    server.script("/a", Script([Send(b"tea"), Send(b"pot")], 418, {"x-colour": "blue"}))

    response = get("/a")

    assert (response.status, response.headers["x-colour"]) == (418, "blue")
    assert response.read() == b"teapot"


def test_request_is_recorded(server: ProviderServer, client: Client) -> None:
    """A request is kept with its method, path, query, headers and body."""
    client.request("POST", "/v1/chat?beta=true", b'{"model": "m"}', {"X-Key": "k"})
    client.getresponse().read()

    request = server.request
    assert (request.method, request.path, request.query) == ("POST", "/v1/chat", "beta=true")
    assert (request.headers["x-key"], request.json) == ("k", {"model": "m"})


def test_chunked_request_is_read(server: ProviderServer, client: Client) -> None:
    """A body that comes in chunks is put together."""
    client.request("POST", "/", iter([b"one ", b"two"]), encode_chunked=True)
    client.getresponse().read()

    assert server.request.body == b"one two"


def test_connection_is_kept_alive(server: ProviderServer, get: Get) -> None:
    """A connection takes one request after the other, whatever the framing of the replies."""
    server.script(None, Script.stream([b"one"]))
    server.script(None, Script.json({"two": 2}))
    bodies = [get().read(), get().read()]

    assert bodies == [b"one", b'{"two": 2}']
    server.wait_for_connections(1)


def test_requests_sent_at_once_are_answered_in_turn(server: ProviderServer) -> None:
    """A client need not wait for the first reply to send the next request (pipelining)."""
    server.handler = lambda request: Script([Send(request.path.encode())], framing="close")
    server.script("/a", Script([Wait(0.01), Send(b"first ")], framing="length"))
    with socket.create_connection(("127.0.0.1", server.port), 10.0) as connection:
        connection.sendall(b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(4096), b""))

    assert received.index(b"first ") < received.index(b"/b")


def test_path_goes_before_any_path(server: ProviderServer, get: Get) -> None:
    """A script for the path is taken before one for any path, and that before the handler."""
    server.handler = lambda request: Script.json("handler")
    server.script(None, Script.json("any"))
    server.script("/a", Script.json("path"), times=2)
    replies = [get("/a").read() for _ in range(4)]

    assert replies == [b'"path"', b'"path"', b'"any"', b'"handler"']


def test_missing_script_is_told(server: ProviderServer, get: Get) -> None:
    """A request without a script gets an error that SDKs do not retry and that says why."""
    response = get("/v1/messages")

    assert response.status == 404
    assert b"no script is left for GET /v1/messages" in response.read()


def test_failing_handler_is_told(server: ProviderServer, get: Get) -> None:
    """An exception of the handler reaches the client as an error with its traceback."""
    server.handler = lambda request: Script.json(request.headers["missing"])
    response = get()

    assert response.status == 400
    assert b"KeyError: 'missing'" in response.read()


def test_replies_have_request_ids(server: ProviderServer, get: Get, client: Client) -> None:
    """Replies carry request ids, counted by the server, unless the script has its own."""
    server.script(None, Script.json({}))
    server.script(None, Script.json({}, headers={"X-Request-Id": "mine"}))
    first = get()
    first.read()
    second = get()

    assert (first.headers["x-request-id"], first.headers["request-id"]) == ("req_1", "req_1")
    assert (second.headers["x-request-id"], second.headers["request-id"]) == ("mine", "req_2")


def providers() -> list[threading.Thread]:
    """The threads of all servers that run now, those of other tests too."""
    return [t for t in threading.enumerate() if t.name == "otel-stream-provider"]


def test_close_ends_what_is_open(server: ProviderServer, get: Get, client: Client) -> None:
    """Closing the server drops clients that wait, and leaves no thread behind."""
    threads = providers()
    server.script(None, Script([Send(b"one"), WaitFor(threading.Event())]))
    response = get()
    server.close()

    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        response.read()
    assert len(providers()) == len(threads) - 1
    server.close()


def test_several_requests_are_not_one(server: ProviderServer, get: Get) -> None:
    """`request` is clear about what it found instead of the only one."""
    with pytest.raises(AssertionError, match="got 0: none"):
        _ = server.request
    get("/a").read()
    get("/b").read()

    with pytest.raises(AssertionError, match="got 2: GET /a, GET /b"):
        _ = server.request


def test_waiting_has_an_end(server: ProviderServer) -> None:
    """Waiting for a request that never comes ends with an error that says how many came."""
    with pytest.raises(TimeoutError, match="0 of 1 requests"):
        server.wait_for_requests(timeout=0.01)
