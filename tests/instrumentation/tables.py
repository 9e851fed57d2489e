"""All ways to go: every call to every end that it can come to."""

from __future__ import annotations

from asyncio import CancelledError

import anthropic
import openai

from . import wires
from .calls import CALLS
from .clients import HAS_NATIVE, http
from .endings import Mishap
from .ways import Ending, Way

__all__ = ["WAYS"]

STREAMS = frozenset({"events"})
MARKED = STREAMS | {"raw"}
LOOPS = MARKED | {"texts"}
ALL = LOOPS | {"final"}
ANSWERS = frozenset({"answer"})

INTERRUPTIONS = (KeyboardInterrupt, CancelledError)
FAILURES = (openai.OpenAIError, anthropic.AnthropicError, http.HTTPError, http.StreamError)
UNFINISHED = (RuntimeError,)
"""What a helper raises that is asked for an answer that is not whole."""

ENDINGS = [
    Ending("exhausted", "completed", wires.whole, "exhausted", ALL),
    Ending("read_on", "completed", wires.whole, "read_on", STREAMS),
    Ending("read_elsewhere", "completed", wires.whole, "read_elsewhere", ALL),
    Ending("at_terminal", "completed", wires.open_at_terminal, "left_at_terminal", MARKED),
    Ending("left_and_held", "closed_early", wires.hanging, "left_and_held", MARKED),
    *(
        Ending(name, "closed_early", wires.hanging, name, LOOPS)
        for name in (
            "left",
            "closed",
            "left_with",
            "response_closed",
            "unread_and_closed",
            "passed_on",
        )
    ),
    Ending("failing", "closed_early", wires.hanging, "failing_body", LOOPS, (Mishap,)),
    Ending("failing_with", "closed_early", wires.hanging, "failing_body_with", LOOPS, (Mishap,)),
    Ending("closed_elsewhere", "closed_early", wires.paused, "closed_elsewhere", ALL, FAILURES),
    Ending("waiting", "cancelled", wires.hanging, "interrupted_waiting", ALL, INTERRUPTIONS),
    Ending("in_body", "cancelled", wires.hanging, "interrupted_in_body", LOOPS, INTERRUPTIONS),
    Ending("unread_and_dropped", "abandoned", wires.hanging, "unread_and_dropped", LOOPS),
    Ending("begun_and_dropped", "abandoned", wires.hanging, "begun_and_dropped", STREAMS),
    Ending("ended_early", "truncated", wires.ending_early, "exhausted", ALL, UNFINISHED),
    Ending("error_event", "error", wires.failing, "exhausted", ALL, FAILURES + UNFINISHED),
    Ending("cut", "error", wires.cut, "exhausted", ALL, FAILURES),
    Ending("reset", "error", wires.reset, "exhausted", ALL, FAILURES),
    Ending("refused", "error", wires.refused, "exhausted", ALL, FAILURES),
    Ending("asking", "cancelled", wires.silent, "interrupted_asking", ALL, INTERRUPTIONS),
    Ending("answered", "completed", wires.answered, "answered", ANSWERS),
    Ending("answer_refused", "error", wires.refused, "answered", ANSWERS, FAILURES),
    Ending("answer_cut", "error", wires.answer_cut, "answered", ANSWERS, FAILURES),
    Ending("answer_reset", "error", wires.answer_reset, "answered", ANSWERS, FAILURES),
    Ending(
        "answer_waiting", "cancelled", wires.silent, "interrupted_asking", ANSWERS, INTERRUPTIONS
    ),
]

WAYS = [
    Way(call, ending, asynchronous, native)
    for call in CALLS
    for asynchronous in (False, True)
    for ending in ENDINGS
    if call.kind in ending.kinds
    for native in ((False, True) if call.sdk == "anthropic" and HAS_NATIVE else (False,))
]
