"""What otel-stream sees: a small chat service, answers that go well and badly, and their pictures.

    make demo
    make demo ARGS='--live openai --model gpt-4o-mini'

The service talks to a provider on this machine that speaks the wires of OpenAI and Anthropic, or
with `--live` to the real one, with your key from the usual variable.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NoReturn

try:
    from otel_stream_demo.complaint import complaints
    from otel_stream_demo.conversation import Conversation, converse
    from otel_stream_demo.export import Export, keep_files_too
    from otel_stream_demo.look import Look
    from otel_stream_demo.progress import Progress
    from otel_stream_demo.report import (
        Said,
        doctor,
        loading,
        message,
        pictures,
        places,
        say,
        steps,
    )
    from otel_stream_demo.scene import Scene, live_scenes, local_scenes
    from otel_stream_demo.screen import Lines, Screen
    from otel_stream_demo.service import Service
    from otel_stream_demo.stage import behind, play
    from rich.console import Console

    import otel_stream
    from otel_stream.testing import ProviderServer
except ImportError as missing:
    sys.exit(f"demo: {missing}; `make demo` installs what it needs")

KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
STALL = 1.0
"""Seconds of silence that count as a stall here. The default is 2."""


class Refused(Exception):
    """The demo cannot run; says why in a line."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"demo: {message}; see --help\n")


def main() -> int:
    """Run the demo. Returns the exit status."""
    given = arguments()
    console = Console(highlight=False)
    if given.plain or not console.is_terminal or console.is_dumb_terminal:
        console = Console(highlight=False, force_terminal=False, no_color=True)
    try:
        return run(given, console)
    except Refused as reason:
        print(f"demo: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nstopped; streams that were open are exported as abandoned", console)
        return 130


def arguments() -> argparse.Namespace:
    """What the command line says. Ends the program when that makes no sense."""
    parser = Parser(prog="demo", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--live", choices=sorted(KEYS), help="ask the real service, with your key")
    parser.add_argument("--model", help="the model to ask there")
    parser.add_argument("--prompt", help="what to ask there")
    parser.add_argument("--plain", action="store_true", help="plain lines, as in a pipe")
    given = parser.parse_args()
    if given.live and not given.model:
        parser.error(f"--live {given.live} needs a model: --model NAME")
    if given.live and not os.environ.get(KEYS[given.live]):
        parser.error(f"--live {given.live} needs your key in the variable {KEYS[given.live]}")
    if not given.live and (given.model or given.prompt):
        parser.error("--model and --prompt go with --live")
    return given


def run(given: argparse.Namespace, console: Console) -> int:
    """Instrument, let all scenes play, and show what their spans say."""
    scenes = live_scenes(given.live, given.model, given.prompt) if given.live else local_scenes()
    look = Look.of(console.encoding, color=bool(console.color_system) and not console.no_color)
    progress = Screen(scenes, console, look) if console.is_terminal else Lines(scenes, console)
    said = Said()
    export = instrument(progress, "sampled" if given.live else "all", console, look)
    say(greeting(given, scenes), console)
    failures, whatsapp = perform(progress, console, look, local=not given.live)
    meant = {scene.title for scene in scenes if scene.fails}
    wrong = [error for title, error in failures.items() if title not in meant]
    problems = [*complaints(wrong, given.live), *whatsapp.problems]
    streams, written = export.read(progress.ids, [scene.title for scene in scenes])
    if any(stream.get("chunk.count") for stream in streams):
        pictures(streams, console, look)
        if whatsapp.trace_id and (answer := export.trace(whatsapp.trace_id)):
            message(answer, console, look)
        if written:
            places(export.where, console)
        if not given.live:
            steps(console)
    if not written or not (streams or problems):
        problems.append(f"{unwritten(said, export)}; see {doctor()}")
    else:
        for line in said.lines:
            say(f"warning  {line}", console)
    for problem in problems:
        print(f"demo: {problem}", file=sys.stderr)
    return 1 if problems else 0


def unwritten(said: Said, export: Export) -> str:
    """Why the spans are not where they should be."""
    sampler = os.environ.get("OTEL_TRACES_SAMPLER", "")
    if said.lines:
        return "; ".join(said.lines)
    if sampler:
        return f"no stream was exported, with OTEL_TRACES_SAMPLER={sampler}"
    return f"the spans did not arrive at {export.where['traces']}"


def instrument(progress: Progress, chunk_events: str, console: Console, look: Look) -> Export:
    """The one line, with what a demo wants beside the defaults. Returns where the spans go."""
    keep_files_too()
    try:
        with loading(console, look):
            otel_stream.instrument(
                service_name="demo",
                stall_after=STALL,
                chunk_events=chunk_events,
                set_global=True,
                callbacks=progress.callbacks(),
            )
    except otel_stream.OtelStreamError as error:
        raise Refused(str(error)) from None
    export = Export()
    if not export.works:
        raise Refused(f"the environment switches traces off; see {doctor()}")
    return export


def perform(
    progress: Screen | Lines, console: Console, look: Look, *, local: bool
) -> tuple[dict[str, Exception], Conversation]:
    """Let all scenes play and show them live.

    Returns:
        What was raised, by the scene's title; and the conversation over WhatsApp, if it is local.
    """
    with ExitStack() as stack:
        service, conversation = Service({}, {}), Conversation()
        if local:
            scenes = [row.scene for row in progress.rows]
            service = behind(stack.enter_context(ProviderServer()), scenes)
        try:
            with progress.shown():
                failures = play(progress.rows, service, progress.expect)
            if local:
                say("", console)
                conversation = converse(console, look)
        except KeyboardInterrupt:
            # Conversations that are under way end after that, and the SDK would say so of each.
            logging.getLogger("opentelemetry.sdk").setLevel(logging.ERROR)
            otel_stream.shutdown()  # before the provider goes away
            raise
        otel_stream.flush()
    return failures, conversation


def greeting(given: argparse.Namespace, scenes: Sequence[Scene]) -> str:
    """What is about to happen."""
    where = f" with {given.live}" if given.live else ", then one over WhatsApp"
    return f"{len(scenes)} conversations{where}, traced by otel_stream.instrument()\n"


if __name__ == "__main__":
    sys.exit(main())
