"""The one call in a webhook: which turn it begins, and how it leaves what it found."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import StatusCode

import otel_stream
from otel_stream import errors
from otel_stream.delivery import webhook
from otel_stream.delivery.identity import hidden
from otel_stream.delivery.open_turns import open_turns
from otel_stream.delivery.send import Message, Send
from otel_stream.delivery.turn import turn_in
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured
from otel_stream.watcher import watcher
from tests.delivery.bodies import (
    NUMBER,
    cloud,
    cloud_message,
    cloud_status,
    evolution,
    record,
    update,
)

HELLO = evolution(record())


def send(recipient: str = NUMBER) -> None:
    """A message to a person, accepted."""
    Send(Message(recipient=recipient, text="Hi")).accepted()


def end() -> None:
    """End the turns that wait."""
    watcher.end_all(Outcome.ABANDONED)


def test_begins_a_turn(captured: Captured) -> None:
    """A person's message begins a span that hides who wrote and what."""
    with otel_stream.process_webhook(HELLO) as turn:
        inside = trace.get_current_span()
    end()
    span = captured.span()

    assert turn is not None
    assert inside is turn.span
    assert trace.get_current_span() is not inside
    assert {name: value for name, value in (span.attributes or {}).items()} == {
        "messaging.system": "whatsapp",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.message.id": "3EB0C767D26A1B2C3D4E",
        "otel_stream.channel.instance": "testonho",
        "otel_stream.channel.message_type": "text",
        "otel_stream.channel.sender": hidden(NUMBER),
        "otel_stream.delivery.messages": 0,
        "otel_stream.delivery.failed": 0,
    }


@pytest.mark.parametrize(
    "body",
    [None, [], {}, "x", update("BAE5", "READ"), evolution(record(fromMe=True)), cloud(statuses=[])],
)
def test_begins_none(captured: Captured, body: Any) -> None:
    """Any other webhook passes, and the context is as before."""
    before = otel_context.get_current()
    with otel_stream.process_webhook(body) as turn:
        inside = otel_context.get_current()

    assert (turn, inside is before, captured.spans()) == (None, True, [])


def test_child_of_the_request(captured: Captured) -> None:
    """Where the web framework is traced, the turn is part of the request's trace."""
    tracer = captured.tracer_provider.get_tracer("web")
    with tracer.start_as_current_span("POST") as request, otel_stream.process_webhook(HELLO):
        pass
    end()

    assert captured.span("process whatsapp").parent == request.get_span_context()


@pytest.mark.parametrize("where", ["attach", "span"])
def test_restores_what_it_found(captured: Captured, where: str) -> None:
    """The context is exactly what it was, also where the block leaves something current."""
    token = otel_context.attach(otel_context.set_value("mine", 1))
    before = otel_context.get_current()
    with otel_stream.process_webhook(HELLO):
        otel_context.attach(otel_context.set_value("left", where))
    after = otel_context.get_current()
    otel_context.detach(token)
    end()

    assert after is before


def test_a_generator_around_it(captured: Captured, caplog: pytest.LogCaptureFixture) -> None:
    """As a framework's dependency it may be left in another context: nothing is said of that."""

    async def dependency() -> Any:
        with otel_stream.process_webhook(HELLO) as turn:
            yield turn

    async def main() -> Any:
        made = dependency()
        turn = await asyncio.create_task(anext(made))
        await asyncio.create_task(made.aclose())
        return turn, turn_in()

    turn, left = asyncio.run(main())
    end()

    assert (turn.ended, left, caplog.records) == (True, None, [])


def test_the_program_fails(captured: Captured) -> None:
    """What the block raises passes, and the turn says so."""
    with pytest.raises(ZeroDivisionError), otel_stream.process_webhook(HELLO):
        1 / 0  # noqa: B018
    end()
    span = captured.span()

    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "ZeroDivisionError"


def test_the_program_is_cancelled(captured: Captured) -> None:
    """A request that is cancelled is no error."""
    with pytest.raises(asyncio.CancelledError), otel_stream.process_webhook(HELLO):
        raise asyncio.CancelledError
    end()

    assert captured.span().status.status_code is StatusCode.UNSET


def test_told_twice(captured: Captured) -> None:
    """The same message again, while it is answered, is the same turn."""
    with otel_stream.process_webhook(HELLO) as first:
        pass
    with otel_stream.process_webhook(HELLO) as second:
        pass
    end()
    with otel_stream.process_webhook(HELLO) as third:
        pass
    end()

    assert first is second
    assert third is not first
    assert len(captured.spans()) == 2


def test_several_messages_of_one_person(captured: Captured) -> None:
    """What one person wrote in one go is one turn, found by each message."""
    messages = [cloud_message(identity="wamid.1"), cloud_message(identity="wamid.2")]
    with otel_stream.process_webhook(cloud(messages=messages)) as turn:
        found = [open_turns.of_message(each["id"]) for each in messages]
    end()

    assert found == [turn, turn]
    assert len(captured.spans()) == 1


def test_several_people(captured: Captured) -> None:
    """Each of several people in one webhook has a turn, and gets what is sent to them; what is sent
    to somebody else counts for none.
    """
    people = [NUMBER, "5511777770000", "5511666660000"]
    messages = [cloud_message(number=each, identity=f"wamid.{each}") for each in people]
    with otel_stream.process_webhook(cloud(messages=messages)) as turn:
        for each in people:
            send(each)
        with otel_stream.resume(f"wamid.{people[1]}"):
            send(people[1])
        send("5511555550000")
    end()
    turns = captured.spans("process whatsapp")
    counted = {
        str((each.attributes or {})["otel_stream.channel.sender"]): (each.attributes or {})[
            "otel_stream.delivery.messages"
        ]
        for each in turns
    }

    assert turn is not None
    assert turn.people.first == NUMBER
    assert counted == {hidden(people[0]): 1, hidden(people[1]): 2, hidden(people[2]): 1}


def test_a_forged_webhook_begins_no_flood(captured: Captured) -> None:
    """One webhook begins at most a hundred turns."""
    messages = [cloud_message(number=str(10**11 + n), identity=f"w{n}") for n in range(500)]
    with otel_stream.process_webhook(cloud(messages=messages)):
        pass
    end()

    assert len(captured.spans()) == 100


def test_statuses_beside_messages(captured: Captured) -> None:
    """A body may bring both."""
    Send(Message(recipient=NUMBER)).accepted("wamid.A")
    body = cloud(messages=[cloud_message()], statuses=[cloud_status("wamid.A", "read")])
    with otel_stream.process_webhook(body):
        pass
    end()

    assert [span.name for span in captured.spans()] == [
        "send whatsapp",
        "receipt whatsapp",
        "process whatsapp",
    ]


def test_suppressed(captured: Captured) -> None:
    """In a block of `suppress` nothing begins and no status counts."""
    with otel_stream.suppress(), otel_stream.process_webhook(HELLO) as turn:
        told = otel_stream.record_delivery_status(update("BAE5", "READ"))

    assert (turn, told, captured.spans()) == (None, 0, [])


@pytest.mark.otel_stream(capture_content="span")
def test_content_on_request(captured: Captured) -> None:
    """With content captured, what the person said is on the turn."""
    with otel_stream.process_webhook(HELLO):
        pass
    end()

    assert (captured.span().attributes or {})["gen_ai.input.messages"] == (
        '[{"role":"user","parts":[{"type":"text","content":"Tell me a joke"}]}]'
    )


def test_nothing_personal(captured: Captured, caplog: pytest.LogCaptureFixture) -> None:
    """No number, name, text, JID or key of a webhook is in any signal or log line."""
    for body in (HELLO, cloud(messages=[cloud_message()])):
        with otel_stream.process_webhook(body):
            send()
    otel_stream.record_delivery_status(update("BAE5", "READ"))
    end()
    everything = "".join(
        [*(each.to_json() for each in captured.spans()), str(captured.metrics()), caplog.text]
    )

    for secret in (NUMBER, "Ana", "joke", "@s.whatsapp", "B6D711FCDE", "5511888880000"):
        assert secret not in everything


def test_broken_telemetry(
    captured: Captured, lenient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a turn cannot begin, the block runs all the same."""
    monkeypatch.setattr(webhook, "incoming_of", None)
    with otel_stream.process_webhook(HELLO) as turn:
        ran = True

    assert (turn, ran, errors.faults["beginning a turn"]) == (None, True, 1)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_ends_no_turn(captured: Captured) -> None:
    """The parent's turn ends in the parent only, and the child may begin its own."""
    read, write = os.pipe()
    with otel_stream.process_webhook(HELLO) as turn:
        child = os.fork()
        if child == 0:
            send()
            with otel_stream.process_webhook(evolution(record(id="OTHER"))) as other:
                send()
            end()
            own = other is not turn and [span.name for span in captured.spans()]
            os.write(write, repr(own).encode())
            os._exit(0)
        os.waitpid(child, 0)
    told = os.read(read, 1_000).decode()
    for each in (read, write):
        os.close(each)
    end()

    assert told == "['send whatsapp', 'send whatsapp', 'process whatsapp']"
    assert len(captured.spans("process whatsapp")) == 1
