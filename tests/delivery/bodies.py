"""Webhooks, in the shapes that channels send them."""

from __future__ import annotations

from typing import Any

__all__ = ["NUMBER", "cloud", "cloud_message", "cloud_status", "evolution", "record", "update"]

NUMBER = "5511999990000"


def record(
    text: str = "Tell me a joke",
    *,
    number: str = NUMBER,
    identity: str = "3EB0C767D26A1B2C3D4E",
    **key: Any,
) -> dict[str, Any]:
    """What Evolution tells of one message."""
    return {
        "key": {"remoteJid": f"{number}@s.whatsapp.net", "fromMe": False, "id": identity, **key},
        "pushName": "Ana Souza",
        "status": "DELIVERY_ACK",
        "message": {"conversation": text, "messageContextInfo": {"deviceListMetadata": {}}},
        "contextInfo": None,
        "messageType": "conversation",
        "messageTimestamp": 1741001371,
        "instanceId": "b3f6d0a2-0000-4000-8000-000000000000",
        "source": "android",
    }


def evolution(data: Any, event: str = "messages.upsert") -> dict[str, Any]:
    """A webhook of Evolution API."""
    return {
        "event": event,
        "instance": "testonho",
        "data": data,
        "destination": "https://bot.example/webhook/evolution/testonho",
        "date_time": "2026-03-03T11:29:31.000Z",
        "sender": "5511888880000@s.whatsapp.net",
        "server_url": "https://evolution.example",
        "apikey": "B6D711FCDE4D4FD5936544120E713976",
    }


def update(identity: str, status: Any, *, number: str = NUMBER, **more: Any) -> dict[str, Any]:
    """A webhook of Evolution API 2 with a status."""
    data = {
        "messageId": "cm7t1f0aa0001",
        "keyId": identity,
        "remoteJid": f"{number}@s.whatsapp.net",
        "fromMe": True,
        "participant": f"{number}@s.whatsapp.net",
        "status": status,
        "instanceId": "b3f6d0a2-0000-4000-8000-000000000000",
        **more,
    }
    return evolution(data, "messages.update")


def cloud(*, messages: Any = None, statuses: Any = None) -> dict[str, Any]:
    """A webhook of WhatsApp's Cloud API."""
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": "Ana Souza"}, "wa_id": NUMBER}],
    }
    if messages is not None:
        value["messages"] = messages
    if statuses is not None:
        value["statuses"] = statuses
    changes = [{"value": value, "field": "messages"}]
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": changes}],
    }


def cloud_message(
    text: str = "Tell me a joke", *, number: str = NUMBER, identity: str = "wamid.HBgMNTUxMTk="
) -> dict[str, Any]:
    """What the Cloud API tells of one message."""
    return {
        "from": number,
        "id": identity,
        "timestamp": "1741001371",
        "type": "text",
        "text": {"body": text},
    }


def cloud_status(
    identity: str, status: str, *, number: str = NUMBER, **more: Any
) -> dict[str, Any]:
    """What the Cloud API tells of one status."""
    return {
        "id": identity,
        "status": status,
        "timestamp": "1741001372",
        "recipient_id": number,
        "conversation": {"id": "c0ffee", "origin": {"type": "service"}},
        "pricing": {"billable": True, "pricing_model": "PMP", "category": "service"},
        **more,
    }
