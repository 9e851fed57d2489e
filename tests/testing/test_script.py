"""What the steps of a script do to a client, and what the server notices of the client."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable

import pytest

from otel_stream.testing import (
    Cut,
    Hang,
    HoldHeaders,
    ProviderServer,
    Reset,
    Script,
    Send,
    Signal,
    Wait,
    WaitFor,
)

Client = http.client.HTTPConnection
Get = Callable[..., http.client.HTTPResponse]

LONG = 10.0


def test_each_send_leaves_at_once(server: ProviderServer, get: Get) -> None:
    """What was sent arrives although the script waits, and nothing more does."""
    go = threading.Event()
    server.script(None, Script([Send(b"first"), WaitFor(go), Send(b"second")]))
    response = get()

    assert response.read1() == b"first"
    assert len(server.request.sent) == 1

    go.set()

    assert response.read() == b"second"


def test_headers_are_held(server: ProviderServer, client: Client) -> None:
    """`HoldHeaders` keeps the headers back until its event."""
    go = threading.Event()
    server.script(None, Script([HoldHeaders(go), Send(b"late")]))
    client.request("GET", "/")
    [request] = server.wait_for_requests()

    assert request.headers_sent is None

    go.set()

    assert client.getresponse().read() == b"late"


def test_headers_leave_before_the_first_wait(server: ProviderServer, get: Get) -> None:
    """A wait comes after the headers, as providers send them long before the first token."""
    server.script(None, Script([Wait(0), Hang()]))

    assert get().status == 200


def test_signal_tells_how_far_it_is(server: ProviderServer, client: Client) -> None:
    """`Signal` sets its event once the steps before it are done."""
    reached, never = threading.Event(), threading.Event()
    server.script(None, Script([Send(b"one"), Signal(reached), WaitFor(never)]))
    client.request("GET", "/")

    assert reached.wait(LONG)
    assert [size for _, size in server.request.sent] == [3]


def test_sent_has_the_times(server: ProviderServer, get: Get) -> None:
    """The time of a `Send` lies between the request and the client's read; sizes are the data's."""
    called = time.perf_counter()
    server.script(None, Script([Send(b"one"), Wait(0.01), Send(b"three")]))
    get().read()
    read = time.perf_counter()

    request = server.request
    (first, one), (second, three) = request.sent
    assert (one, three) == (3, 5)
    assert called <= request.received <= first <= second - 0.01 <= read


def test_cut_ends_without_the_last_chunk(server: ProviderServer, get: Get, client: Client) -> None:
    """`Cut` closes the connection in the middle of the body."""
    server.script(None, Script([Send(b"half"), Cut()]))
    response = get()

    with pytest.raises(http.client.IncompleteRead) as raised:
        response.read()
    assert raised.value.partial == b"half"


def test_reset_resets(server: ProviderServer, get: Get) -> None:
    """`Reset` is a connection error in the middle of the body."""
    go = threading.Event()
    server.script(None, Script([Send(b"half"), WaitFor(go), Reset()]))
    response = get()

    assert response.read1() == b"half"

    go.set()

    with pytest.raises(ConnectionResetError):
        response.read()


@pytest.mark.parametrize("step", [Cut(), Reset()])
def test_connection_ends_before_the_headers(
    server: ProviderServer, client: Client, step: Cut | Reset
) -> None:
    """`Cut` and `Reset` as the first step leave the client without any reply."""
    server.script(None, Script([step]))
    client.request("GET", "/")

    with pytest.raises(ConnectionError):
        client.getresponse()
    assert server.request.headers_sent is None


def test_client_that_leaves_is_noticed(server: ProviderServer, get: Get, client: Client) -> None:
    """A client that closes in the middle sets `disconnected`, and the script stops."""
    server.script(None, Script.stream([b"one"], ending="hang"))
    response = get()
    response.read1()
    assert not server.request.disconnected.is_set()

    response.close()
    client.close()

    assert server.request.disconnected.wait(LONG)
    assert server.request.finished.wait(LONG)


def test_client_that_leaves_a_wait_is_noticed(server: ProviderServer, client: Client) -> None:
    """A client that gives up before the headers is noticed as well."""
    server.script(None, Script([HoldHeaders(threading.Event())]))
    client.request("GET", "/")
    [request] = server.wait_for_requests()

    client.close()

    assert request.disconnected.wait(LONG)
    assert request.headers_sent is None


def test_whole_reply_is_no_disconnection(server: ProviderServer, get: Get, client: Client) -> None:
    """A client that leaves after the whole reply has not gone away early."""
    server.script(None, Script.stream([b"one"]))
    get().read()
    client.close()
    server.wait_for_connections(0)

    assert server.request.finished.is_set()
    assert not server.request.disconnected.is_set()


def test_body_may_end_with_the_connection(server: ProviderServer, get: Get) -> None:
    """With framing `close` the end of the connection is the end of the body."""
    server.script(None, Script([Send(b"all")], framing="close"))
    response = get()

    assert response.read() == b"all"
    server.wait_for_connections(0)


def test_stream_script_has_waits_between_its_events() -> None:
    """`Script.stream` waits before the first event and between two, and ends as it is told."""
    script = Script.stream([b"a", b"b"], every=0.5, first_after=2.0, ending="cut")

    assert list(script.steps) == [Wait(2.0), Send(b"a"), Wait(0.5), Send(b"b"), Cut()]
    assert script.headers["content-type"].startswith("text/event-stream")
