"""What a conversation failed at, in a line for a person: what, why, and what to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import anthropic
import openai

__all__ = ["complaints"]

UNREACHED = (openai.APIConnectionError, anthropic.APIConnectionError)
REFUSED = (openai.APIStatusError, anthropic.APIStatusError)


def complaints(errors: Iterable[Exception], vendor: str | None) -> list[str]:
    """What is to be said of these errors, each once; one stands for all that found no way.

    Args:
        errors: What the SDKs raised.
        vendor: Whose service was asked. None for the provider on this machine.
    """
    found: dict[str, str] = {}
    for error in errors:
        complaint = _complaint(error, vendor)
        found.setdefault("no way" if isinstance(error, UNREACHED) else complaint, complaint)
    return list(found.values())


def _complaint(error: Exception, vendor: str | None) -> str:
    asked = vendor or "the local provider"
    if isinstance(error, UNREACHED):
        host = error.request.url.host
        return f"{asked} cannot be reached at {host}: {_why(error)}; check {_way(vendor)}"
    if isinstance(error, REFUSED):
        words = _words(error.body) or _why(error)
        return f"{asked} answers {error.status_code}: {words}{_check(error.status_code, vendor)}"
    return f"the conversation with {asked} failed: {type(error).__name__}: {_why(error)}"


def _way(vendor: str | None) -> str:
    if vendor is None:
        return "HTTP_PROXY, and that NO_PROXY names 127.0.0.1"
    return f"the network, HTTPS_PROXY and {vendor.upper()}_BASE_URL"


def _check(status: int, vendor: str | None) -> str:
    """What the user can look at for this status, if there is something."""
    if vendor is None:
        return ""
    checks = {
        400: "--model and --prompt",
        401: f"{vendor.upper()}_API_KEY",
        403: f"what {vendor.upper()}_API_KEY may do",
        404: f"--model and {vendor.upper()}_BASE_URL",
        429: "the limits of your account",
    }
    return f"; check {checks[status]}" if status in checks else ""


def _words(body: object) -> str:
    """The provider's own, if its answer has them where both services put them."""
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict) and isinstance(inner.get("message"), str):
            return " ".join(inner["message"].split()).rstrip(".")
    return ""


def _why(error: BaseException) -> str:
    """The error and what caused it, without repetitions."""
    return ": ".join(dict.fromkeys(_texts(error)))


def _texts(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield " ".join(str(error).split()).rstrip(".") or type(error).__name__
        error = error.__cause__
