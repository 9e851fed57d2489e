"""What stands on the wires: a channel's webhooks, an agent's events."""

from __future__ import annotations

import json
from typing import Any

from otel_stream.testing import Script
from otel_stream.testing.script import Send, Wait

__all__ = ["INSTANCE_KEY", "NAME", "NUMBER", "receipt", "run", "run_events", "webhook"]

NUMBER = "5511999990000"
NAME = "Maria Quitéria"
INSTANCE_KEY = "the-secret-of-the-instance"
ANSWERED_EVERY = 0.02


def webhook(text: str, message_id: str = "3EB0AAAA", number: str = NUMBER) -> dict[str, Any]:
    """A person's message, as Evolution tells it."""
    key = {"remoteJid": f"{number}@s.whatsapp.net", "fromMe": False, "id": message_id}
    return {
        "event": "messages.upsert",
        "instance": "bot",
        "data": {
            "key": key,
            "pushName": NAME,
            "message": {"conversation": text},
            "messageType": "conversation",
        },
        "sender": f"{number}@s.whatsapp.net",
        "apikey": INSTANCE_KEY,
    }


def receipt(message_id: str, status: str, number: str = NUMBER) -> dict[str, Any]:
    """What became of a message, as Evolution tells it."""
    data = {
        "keyId": message_id,
        "remoteJid": f"{number}@s.whatsapp.net",
        "fromMe": True,
        "status": status,
    }
    return {"event": "messages.update", "instance": "bot", "data": data, "apikey": INSTANCE_KEY}


def event(name: str, **fields: Any) -> bytes:
    """An event of the wire that is no SSE: pretty JSON, nothing between two of them."""
    ids = {"agent_id": "genie", "agent_name": "Genie", "run_id": "r1", "session_id": "s1"}
    return json.dumps({"created_at": 1, "event": name, **ids, **fields}, indent=2).encode()


def run(answer: str, *, first_after: float = 0.2, every: float = ANSWERED_EVERY) -> Script:
    """A run on the old wire, whose answer comes in deltas of six characters."""
    steps: list[Any] = [Send(event("RunStarted")), Wait(first_after)]
    steps.append(Send(event("RunResponseContent", content="")))
    for start in range(0, len(answer), 6):
        steps += [Send(event("RunResponseContent", content=answer[start : start + 6])), Wait(every)]
    steps.append(Send(event("RunCompleted", content=answer)))
    return Script(steps, 200, {"content-type": "text/event-stream; charset=utf-8"})


def run_events(answer: str) -> Script:
    """A run on the new wire, server-sent events, as fast as it goes."""
    events = [("RunStarted", {}), *(("RunContent", {"content": c}) for c in answer.split("|"))]
    events.append(("RunCompleted", {"content": answer.replace("|", "")}))
    ids = {"agent_id": "genie", "agent_name": "Genie", "run_id": "r1", "session_id": "s1"}
    return Script.stream(
        f"event: {name}\ndata: {json.dumps({'event': name, **ids, **fields})}\n\n".encode()
        for name, fields in events
    )
