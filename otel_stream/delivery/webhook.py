"""The one call in a webhook: what a person has sent begins a turn, and statuses find theirs."""

from __future__ import annotations

from types import TracebackType

from otel_stream import runtime, semconv
from otel_stream.content import as_json, bounded
from otel_stream.delivery.entries import MOST, Entries, entries_of
from otel_stream.delivery.hold import Hold
from otel_stream.delivery.identity import hidden, hidden_id, hidden_instance
from otel_stream.delivery.incoming import Incoming, incoming_of
from otel_stream.delivery.open_turns import open_turns
from otel_stream.delivery.receipts import receipts
from otel_stream.delivery.status import statuses_of
from otel_stream.delivery.turn import Turn
from otel_stream.entry import Entry, enter, leave
from otel_stream.errors import guard
from otel_stream.settings import say_once
from otel_stream.span import class_name

__all__ = ["process_webhook", "record_delivery_status"]

_MOST = 100
"""Turns that one webhook may begin."""


def record_delivery_status(body: object) -> int:
    """Join the statuses of a webhook to the messages that they are about. Never raises or blocks.

    Args:
        body: The webhook's parsed JSON: Evolution API's `messages.update`, or a Cloud API webhook
            with `statuses`. Check its signature first, as you would without us; a status of a
            message that was not sent here changes nothing.

    Returns:
        How many statuses the body holds.
    """
    with guard("reading delivery statuses"):
        return 0 if runtime.is_suppressed() else _tell(_read(body))
    return 0


class process_webhook:
    """A block that handles a webhook: use it as a context manager, in sync or async code.

        with otel_stream.process_webhook(body):
            queue.put(…)

    A person's message begins a turn, whose span (`process whatsapp`) is current in the block and
    wherever `otel_stream.carry` takes it; it ends when all that answers the message is done.
    Statuses are joined to their messages (`record_delivery_status`). Any other webhook passes. The
    same message told twice, while it is being answered, goes on in the turn that it has.

    Where one body brings several messages, those of one chat begin one turn, and each chat has its
    own. That of the first message is current in the block: enter `otel_stream.resume(message_id)`
    to handle another.

    Args:
        body: The webhook's parsed JSON.
        system: The channel.
    """

    def __init__(self, body: object, *, system: str = "whatsapp") -> None:
        self._body = body
        self._system = system
        self._holds: list[tuple[Turn, Hold]] = []
        self._entry: Entry | None = None

    def __enter__(self) -> Turn | None:
        with guard("beginning a turn"):
            if runtime.is_suppressed():
                return None
            entries = _read(self._body)
            with guard("reading delivery statuses"):
                _tell(entries)
            turns = _turns_of(incoming_of(entries), self._system)
            self._holds = [(turn, Hold(turn)) for turn in turns]
            if turns:
                self._entry = enter(turns[0].context)
                return turns[0]
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        entry, self._entry = self._entry, None
        with guard("leaving a webhook"):
            if entry is not None:
                leave(entry, block=True)
        holds, self._holds = self._holds, []
        for turn, hold in holds:
            with guard("leaving a turn"):
                # To be cancelled is no failure: who has the work goes on, or nobody has it.
                if isinstance(error, Exception):
                    turn.failed(class_name(error))
                hold.release()


def _read(body: object) -> Entries:
    """As much of it as is looked at. What is beyond that is counted."""
    entries = entries_of(body)
    if entries.beyond:
        reason = {semconv.DROP_REASON: "webhook_entries"}
        runtime.current().instruments.dropped.add(entries.beyond, reason)
        say_once(f"a webhook held more than {MOST:,} entries: those beyond were not looked at")
    return entries


def _tell(entries: Entries) -> int:
    """The statuses. Returns how many there are."""
    found = statuses_of(entries)
    for told in found:
        receipts.tell(told)
    return len(found)


def _turns_of(messages: list[Incoming], system: str) -> list[Turn]:
    """The turns that these messages belong to, each once, in their order."""
    found: dict[tuple[str, ...], Turn] = {}
    begun: list[Turn] = []
    for message in messages:
        where = (message.instance, *message.chat)
        known = open_turns.of_message(message.message_id, message.instance)
        turn = known or found.get(where)
        if turn is None and len(found) < _MOST and not _is_aside(message):
            turn = _begun(message, system)
            begun.append(turn)
        if turn is None:
            continue
        found.setdefault(where, turn)
        if known is None:  # An older message that is told again is not the person's last one.
            turn.people.add(message.sender)
            open_turns.add(turn, message.message_id, *message.chat)
    if len(begun) > 1:
        for turn in begun:
            turn.batch = begun[0]
    return list(dict.fromkeys(found.values()))


def _is_aside(message: Incoming) -> bool:
    """Whether it asks for nothing while something else is being answered: a reaction."""
    return message.kind == "reaction" and any(
        open_turns.of_person(name, message.instance) for name in message.chat
    )


def _begun(message: Incoming, system: str) -> Turn:
    found = {
        semconv.MESSAGING_MESSAGE_ID: _shown_id(message) or None,
        semconv.CHANNEL_INSTANCE: hidden_instance(message.instance) or None,
        semconv.CHANNEL_MESSAGE_TYPE: message.kind,
        semconv.CHANNEL_SENDER: hidden(message.sender) or None,
        **_content(message),
    }
    attributes = {name: value for name, value in found.items() if value is not None}
    return Turn(system, attributes, instance=message.instance)


def _shown_id(message: Incoming) -> str:
    """As it may leave: it may speak of the person by any of their names."""
    plain = hidden_id(message.message_id)
    shown = (hidden_id(message.message_id, name) for name in (message.sender, *message.chat))
    return next((each for each in shown if each != plain), plain)


def _content(message: Incoming) -> dict[str, str]:
    settings = runtime.current().settings
    if settings.capture_content not in ("span", "both") or not message.text:
        return {}
    said = [{"role": "user", "parts": [{"type": "text", "content": message.text}]}]
    kept = bounded({semconv.INPUT_MESSAGES: said}, settings.content_limit, settings.redact)
    return {} if kept is None else {name: as_json(value) for name, value in kept[0].items()}
