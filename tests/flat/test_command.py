"""`otel-stream streams`: what it prints where, and how it ends."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

import otel_stream
from otel_stream.testing import ProviderServer, Script, ToolCall, chat_text, chat_tools, chat_usage

from .batch import batch, span

COMMAND = [sys.executable, "-m", "otel_stream", "streams"]
HALF = batch(span(9))[:-30]

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command in an empty folder."""

    def run(
        *arguments: str, stdin: bytes = b"", **variables: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*COMMAND, *arguments],
            check=False,
            cwd=tmp_path,
            env={**os.environ, **variables},
            input=stdin,
            capture_output=True,
            timeout=60,
        )

    return run


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder that our own exporter wrote a stream of text and one of tool calls to."""
    scripts = [chat_text(["Hello", " you"], usage=chat_usage()), chat_tools([ToolCall()])]
    otel_stream.instrument(
        only="openai", service_name="bot", data_dir=str(tmp_path / "data"), capture_content=True
    )
    with ProviderServer() as server:
        client = openai.OpenAI(base_url=server.openai_url, api_key="k")
        for script in scripts:
            server.script(None, Script.stream(script))
            asked: Any = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
            list(client.chat.completions.create(stream=True, **asked))
    otel_stream.uninstrument()
    return tmp_path / "data"


def told(ended: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.stdout.splitlines()]


def numbers(ended: subprocess.CompletedProcess[bytes]) -> list[int]:
    return [int(one["span_id"], 16) for one in told(ended)]


class TestOurFiles:
    def test_facts(self, run: Run, written: Path) -> None:
        """What our exporter wrote comes out as facts, and no message with them."""
        ended = run(str(written / "traces.jsonl"))
        first, second = told(ended)
        keys = ("service", "operation", "request_model", "outcome", "chunks", "characters")

        assert (ended.returncode, ended.stderr) == (0, b"")
        assert [first[key] for key in keys] == ["bot", "chat", "m", "completed", 5, 9]
        assert 0 < first["time_to_first_token"] < first["duration"]
        assert second["tool_calls"] == [ToolCall().name]
        assert b"Hello" not in ended.stdout

    def test_content(self, run: Run, written: Path) -> None:
        """`--content` adds the messages."""
        first, _ = told(run("--content", str(written)))

        assert "Hi" in first["input_messages"] and "Hello you" in first["output_messages"]

    def test_default_folder(self, run: Run, written: Path) -> None:
        """Without a file the folder of the settings is read, a relative one from here."""
        written.rename(written.with_name("otel-stream-data"))
        ended = [run(), run(OTEL_STREAM_DATA_DIR=str(written.with_name("otel-stream-data")))]

        assert [(one.returncode, len(told(one))) for one in ended] == [(0, 2), (0, 2)]


class TestCollectorsFiles:
    def test_rotated(self, run: Run, tmp_path: Path) -> None:
        """Rotated siblings are read oldest first; what a retry wrote twice is told once."""
        folder = tmp_path / "collected"
        folder.mkdir()
        older = batch(span(1), span(2, {"http.route": "/"}), span(3))
        newer = batch(span(3), span(4))
        rotated = folder / "traces-2026-11-21T18-00-00.000-size.jsonl.gz"
        rotated.write_bytes(gzip.compress(older))
        (folder / "traces.jsonl").write_bytes(newer)
        ended = run("collected")

        assert (ended.returncode, numbers(ended)) == (0, [1, 3, 4])
        assert ended.stderr == b"otel-stream streams: left out 1 double\n"

    def test_restart_behind_a_half_line(self, run: Run) -> None:
        """Of a half line that was written on, the half is lost and said, the rest is told."""
        ended = run("-", stdin=HALF + batch(span(1)) + batch(span(2)))

        assert (ended.returncode, numbers(ended)) == (1, [1, 2])
        assert ended.stderr.endswith(b"1 broken line (the first: standard input, line 1)\n")


class TestEnds:
    def test_half_line_at_the_end(self, run: Run) -> None:
        """A half line at the end may still be growing: it is said, and nothing is wrong."""
        ended = run("-", stdin=batch(span(1)) + HALF)

        assert (ended.returncode, numbers(ended)) == (0, [1])
        assert ended.stderr == (b"otel-stream streams: left out 1 half line at the end of a file\n")

    def test_whole_line_without_an_end(self, run: Run) -> None:
        """A last line that only lacks its line end is whole."""
        ended = run("-", stdin=batch(span(1)).rstrip())

        assert (ended.returncode, numbers(ended), ended.stderr) == (0, [1], b"")

    def test_broken_line_in_the_middle(self, run: Run) -> None:
        """Lines that cannot be read are counted in one line; the others are told."""
        ended = run("-", stdin=b"\xff\n" + batch(span(1)) + b"\x00garbage\n" + batch(span(2)))

        assert (ended.returncode, numbers(ended)) == (1, [1, 2])
        assert ended.stderr == (
            b"otel-stream streams: left out 2 broken lines (the first: standard input, line 1)\n"
        )

    def test_very_long_line(self, run: Run, tmp_path: Path) -> None:
        """A line of 100 MB is broken, and the one behind it is told."""
        (tmp_path / "long").write_bytes(b'"' + b"x" * 100_000_000 + b'"\n' + batch(span(1)))
        ended = run("long")

        assert (ended.returncode, numbers(ended)) == (1, [1])
        assert ended.stderr.endswith(b"1 broken line (the first: long, line 1)\n")

    def test_missing_file(self, run: Run, tmp_path: Path) -> None:
        """A file that is missing costs a line and the status, not the others' streams."""
        (tmp_path / "there").write_bytes(batch(span(1)))
        ended = run("a\x1b[31m", "there", "-", "-")

        assert (ended.returncode, numbers(ended)) == (1, [1])
        assert ended.stderr == b"otel-stream streams: a\\x1b[31m: No such file or directory\n"

    def test_nothing_there(self, run: Run) -> None:
        """Where nothing was ever traced, one line says so."""
        ended = run()

        assert (ended.returncode, ended.stdout) == (1, b"")
        assert ended.stderr == b"otel-stream streams: otel-stream-data: No such file or directory\n"


class TestStreaming:
    def test_lines_as_they_come(self) -> None:
        """A stream is told as soon as its line is there, before the input ends."""
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen([*COMMAND, "-"], **pipes) as process:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(batch(span(7)))
            process.stdin.flush()
            flat = json.loads(process.stdout.readline())

            assert flat["span_id"] == "0000000000000007"

    def test_interrupted(self) -> None:
        """Ctrl-C, the usual end of a live input, is no traceback."""
        pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with subprocess.Popen([*COMMAND, "-"], **pipes) as process:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(batch(span(7), span(7)))
            process.stdin.flush()
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=60)

        assert process.returncode == 130
        assert stderr == b"otel-stream streams: left out 1 double\n"

    def test_reader_may_leave_early(self, tmp_path: Path) -> None:
        """`otel-stream streams | head -1` ends without a traceback."""
        (tmp_path / "many").write_bytes(batch(*map(span, range(1, 5000))))
        reading, writing = os.pipe()
        os.close(reading)
        ended = subprocess.run(
            [*COMMAND, "many"], check=False, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE
        )
        os.close(writing)

        assert (ended.returncode, ended.stderr) == (1, b"")

    def test_memory_is_bounded(self, tmp_path: Path) -> None:
        """A file's size does not matter: what is kept is a line and the ids of streams."""
        other = batch(*[span(n, {"http.route": "/" * 100}) for n in range(1, 200)])
        (tmp_path / "large").write_bytes(other * 500)
        program = (
            "import tracemalloc; from otel_stream.__main__ import main; tracemalloc.start();"
            "main(['streams', 'large']); print(tracemalloc.get_traced_memory()[1])"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program], check=True, cwd=tmp_path, capture_output=True
        )

        assert (tmp_path / "large").stat().st_size > 30_000_000
        assert int(ended.stdout) < 8_000_000


def test_only_loaded_when_it_runs() -> None:
    """Neither the package nor another command imports the reader."""
    program = "import sys, otel_stream.__main__ as m; m._parser(); print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)

    assert b"otel_stream.flat" not in ended.stdout
