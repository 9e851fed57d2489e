"""`python -m otel_stream`, also installed as `otel-stream`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit status: 0 fine, 1 something needs doing, 2 wrong usage."""
    given = _parser().parse_args(arguments)
    try:
        status: int = given.run(given)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    import otel_stream

    parser = _Parser("otel-stream", description="Streamed answers of language models, traced.")
    parser.add_argument("--version", action="version", version=otel_stream.__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    doctor = commands.add_parser(
        "doctor",
        help="say what is traced here, where the data goes, and what is wrong",
        description="Say what is traced here, where the data goes, and what is wrong. "
        "The exit status is 1 when something needs doing.",
    )
    doctor.add_argument("--json", action="store_true", help="for machines")
    doctor.set_defaults(run=_doctor)
    streams = commands.add_parser(
        "streams",
        help="print the streams in files of OTLP JSON lines, a flat JSON line each",
        description="Print the streams in files of OTLP JSON lines, a flat JSON line each. "
        "The exit status is 1 when something could not be read.",
    )
    streams.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="a file, a folder, or - for the standard input; "
        "without any, the folder that instrument() writes to here",
    )
    streams.add_argument("--content", action="store_true", help="messages too")
    streams.set_defaults(run=_streams)
    _add_pipeline(commands)
    return parser


def _add_pipeline(commands: Any) -> None:
    from otel_stream.pipeline.options import add_options

    about = "follow a stream from here through the agent to its back ends"
    pipeline = commands.add_parser("pipeline", help=about, description=about.capitalize() + ".")
    steps = pipeline.add_subparsers(title="commands", metavar="COMMAND", required=True)
    check = steps.add_parser(
        "check",
        help="send a marked stream, say where it arrived and how late",
        description="Send a marked stream through a running pipeline. Say where it arrived and how "
        "late, or which hop lost it and what to look at. Each option can be a variable: --wait is "
        "OTEL_STREAM_CHECK_WAIT. The exit status is 1 when something did not arrive.",
    )
    add_options(check)
    check.set_defaults(run=_pipeline_check)


def _doctor(given: argparse.Namespace) -> int:
    from otel_stream.doctor import examine
    from otel_stream.doctor.page import page

    report = examine()
    print(report.as_json() if given.json else page(report))
    return 0 if report.healthy else 1


def _streams(given: argparse.Namespace) -> int:
    from otel_stream.flat.command import run

    return run(given.files, content=given.content)


def _pipeline_check(given: argparse.Namespace) -> int:
    from otel_stream.pipeline.command import run

    return run(vars(given))


if __name__ == "__main__":
    sys.exit(main())
