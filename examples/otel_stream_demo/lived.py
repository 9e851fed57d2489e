"""What the person lived through, beside what the models took, read from the spans of the trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.text import Text

from otel_stream_demo.figures import Figures
from otel_stream_demo.look import counted
from otel_stream_demo.tree import Tree

__all__ = ["lived"]

_LABEL, _COLUMN = 16, 22


def lived(tree: Tree) -> list[Text]:
    """The lines: since the message came, the person and the models; what took how long; the rest.

    None is wider than 60 columns.
    """
    lines = [Text(_row("since it came", "the person", "the models"), "bold", no_wrap=True)]
    person, models = _person(tree), _models(tree)
    for what in ("the first sign", "the first words", "all of it", "delivered", "read"):
        cells = [_seconds(*side.get(what, (None, ""))) for side in (person, models)]
        lines.append(Text(_row(what, *cells), no_wrap=True))
    return [*lines, Text(), *(Text(line, no_wrap=True) for line in _sums(tree))]


def _person(tree: Tree) -> dict[str, tuple[float | None, str]]:
    """When the person had what; last deliveries and reads."""
    root, typing = tree.root, tree.named("type")
    later = {
        status: [told[status] for told in map(tree.receipts, tree.named("send")) if status in told]
        for status in ("delivered", "read")
    }
    return {
        "the first sign": (tree.since(typing[0].start) if typing else None, "typing"),
        "the first words": (root.get("delivery.time_to_first_message"), "accepted"),
        "all of it": (root.get("delivery.time_to_last_message"), "accepted"),
        **{
            status: (max(told, default=None), f"{len(told)} of {_sent(tree)}")
            for status, told in later.items()
        },
    }


def _models(tree: Tree) -> dict[str, tuple[float | None, str]]:
    """When the models had said what. The answer's text is that of the outermost run."""
    runs, calls = tree.named("invoke_agent"), tree.named("chat")
    outer = [call for call in calls if runs and call.parent == runs[0].id]
    return {
        "the first sign": (_first(tree, calls, "time_to_first_token"), "first token"),
        "the first words": (_first(tree, outer, "time_to_first_text"), "first text"),
        "all of it": (tree.since(runs[0].end) if runs else None, "run ended"),
    }


def _first(tree: Tree, calls: Iterable[Figures], name: str) -> float | None:
    found = [tree.since(call.start) + call.get(name) for call in calls if call.get(name)]
    return min(found, default=None)


def _sums(tree: Tree) -> Iterator[str]:
    """What took how long, and what arrived."""
    root, sends, calls = tree.root, tree.named("send"), tree.named("chat")
    tools = [tool for tool in tree.named("execute_tool") if not tree.below(tool)]
    models = sum(call.duration - (call.get("consumer_time") or 0.0) for call in calls)
    yield (
        f"queue {root.get('delivery.queue_wait') or 0.0:.2f} s, models {models:.2f} s,"
        f" tools {_took(tools):.2f} s, sends {_took(sends):.2f} s"
    )
    again = sum((send.get("delivery.attempts") or 1) - 1 for send in sends)
    share = root.get("delivery.share") or 0.0
    yield (
        f"{counted(len(sends), 'message')}: {share:.0%} accepted, {again} sent again,"
        f" {counted(root.get('delivery.lost') or 0, 'character')} lost"
    )


def _took(spans: Iterable[Figures]) -> float:
    return sum(span.duration for span in spans)


def _sent(tree: Tree) -> int:
    return len(tree.named("send"))


def _seconds(seconds: float | None, what: str) -> str:
    return "" if seconds is None else f"{seconds:5.2f} s  {what}"


def _row(label: str, person: str, models: str) -> str:
    return f"{label:{_LABEL}}{person:{_COLUMN}}{models}".rstrip()
