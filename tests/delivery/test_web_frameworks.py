"""The webhook in real web frameworks, on loopback: background tasks, threads, pools, WSGI."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any
from urllib.request import Request, urlopen

import pytest
import uvicorn
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse

import otel_stream
from otel_stream.delivery.send import Message, Send
from otel_stream.delivery.turn import turn_in
from otel_stream.testing import Captured
from tests.delivery.bodies import NUMBER, evolution, record

app = FastAPI()


def answer() -> None:
    """An answer of two messages, which takes its time."""
    for number in range(2):
        send = Send(Message(recipient=NUMBER, text="Hi"))
        time.sleep(0.01)
        send.accepted(f"ID{number}")


@app.post("/async/background")
async def in_background(body: dict[str, Any], tasks: BackgroundTasks) -> None:
    """Work for after the reply, taken along."""
    with otel_stream.process_webhook(body):
        tasks.add_task(otel_stream.carried(answer))


@app.post("/async/background/lost")
async def in_background_without_a_word(body: dict[str, Any], tasks: BackgroundTasks) -> None:
    """Work for after the reply, and nothing taken along: the person is known."""
    with otel_stream.process_webhook(body):
        tasks.add_task(answer)


@app.post("/async/task")
async def in_a_task(body: dict[str, Any]) -> None:
    """A task takes the context by itself."""
    with otel_stream.process_webhook(body):
        app.state.task = asyncio.create_task(asyncio.to_thread(answer))


@app.post("/sync/thread")
def in_a_thread(body: dict[str, Any]) -> None:
    """A thread, from a handler that runs in the framework's pool."""
    with otel_stream.process_webhook(body):
        threading.Thread(target=otel_stream.carried(answer)).start()


@app.post("/sync")
def at_once(body: dict[str, Any]) -> None:
    """All of it before the reply."""
    with otel_stream.process_webhook(body):
        answer()


@app.post("/stream")
async def while_it_replies(body: dict[str, Any]) -> StreamingResponse:
    """Work in the body of the reply, which begins after the handler."""
    with otel_stream.process_webhook(body):
        carrier = otel_stream.carry()

    def parts() -> Iterator[bytes]:
        with carrier:
            answer()
        yield b"done"

    return StreamingResponse(parts())


def dependency(body: dict[str, Any]) -> Iterator[Any]:
    """The block around a whole handler: entered and left by other threads than it."""
    with otel_stream.process_webhook(body) as turn:
        yield turn


@app.post("/dependency")
async def within_a_dependency(turn: Annotated[Any, Depends(dependency)]) -> None:
    """The context does not reach the handler from there; the turn does."""
    assert turn_in() is None
    answer()


@app.post("/fails")
async def fails(body: dict[str, Any]) -> None:
    """A handler that raises."""
    with otel_stream.process_webhook(body):
        raise ValueError("no")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the application listens."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def post(url: str, body: Any) -> int:
    """The status of the reply."""
    data, headers = json.dumps(body).encode(), {"content-type": "application/json"}
    try:
        with urlopen(Request(url, data, headers), timeout=10) as reply:
            reply.read()
            return int(reply.status)
    except OSError as error:
        return int(getattr(error, "code", 0))


def facts(captured: Captured, eventually: Callable[..., bool]) -> tuple[Any, ...]:
    """Of the one turn: its messages, its share, and whether its sends are in it."""
    assert eventually(lambda: captured.spans("process whatsapp") and not captured.open_spans())
    root = captured.span("process whatsapp")
    found = root.attributes or {}
    return (
        found["otel_stream.delivery.messages"],
        found["otel_stream.delivery.share"],
        all(span.parent == root.context for span in captured.spans("send whatsapp")),
    )


@pytest.mark.otel_stream(grace=0.1)
@pytest.mark.parametrize(
    "path",
    ["async/background", "async/background/lost", "async/task", "sync/thread", "sync", "stream",
     "dependency"],
)  # fmt: skip
def test_wherever_the_work_is_done(
    captured: Captured, address: str, eventually: Any, caplog: Any, path: str
) -> None:
    """The answer is in the turn of the webhook that has asked for it."""
    status = post(f"{address}/{path}", evolution(record()))

    assert status == 200
    assert facts(captured, eventually) == (2, 1.0, True)
    assert caplog.records == []


@pytest.mark.otel_stream(grace=0.1)
def test_many_at_once(captured: Captured, address: str, eventually: Any) -> None:
    """Requests side by side on one loop keep their turns apart."""
    numbers = [str(5511900000000 + number) for number in range(40)]
    bodies = [evolution(record(number=each, identity=f"ID{each}")) for each in numbers]
    threads = [threading.Thread(target=post, args=(f"{address}/slow", each)) for each in bodies]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    done = eventually(lambda: len(captured.spans("process whatsapp")) == 40, 10.0)
    messages = {(span.attributes or {})["otel_stream.delivery.messages"]
                for span in captured.spans("process whatsapp")}  # fmt: skip

    assert (done, messages) == (True, {3})


@app.post("/slow")
async def slowly(body: dict[str, Any]) -> None:
    """Three messages, with waits in between in which others come."""
    number = body["data"]["key"]["remoteJid"]
    with otel_stream.process_webhook(body):
        for _ in range(3):
            send = Send(Message(recipient=number, text="Hi"))
            await asyncio.sleep(0.01)
            send.accepted()


def test_a_handler_that_raises(captured: Captured, address: str, eventually: Any) -> None:
    """The framework replies as ever, and the turn says what was raised."""
    status = post(f"{address}/fails", evolution(record()))
    otel_stream.runtime.end_streams()

    assert status == 500
    assert (captured.span().attributes or {})["error.type"] == "ValueError"


def test_wsgi(captured: Captured) -> None:
    """A WSGI application, as Flask's are: a function, on a thread of its server."""
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        with otel_stream.process_webhook(body):
            worker = threading.Thread(target=otel_stream.carried(answer))
            worker.start()
        worker.join()
        start_response("200 OK", [])
        return [b"done"]

    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        status = post(f"http://127.0.0.1:{server.server_port}/", evolution(record()))
        thread.join()

    assert status == 200
    assert (captured.span("process whatsapp").attributes or {})["otel_stream.delivery.share"] == 1.0
