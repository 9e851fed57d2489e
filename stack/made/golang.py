"""The Go toolchain, and builds that look nothing up that is not pinned."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from stack.made.command import CommandError, output, run

__all__ = ["Go"]

_OLDEST = (1, 25)
_NEEDED = "Go 1.25 or newer is needed for the collector and Jaeger"
_SMALL = ("-trimpath", "-ldflags", "-s -w")


class Go:
    """Builds Go programs into a folder.

    Args:
        room: Where the log of it goes.
    """

    def __init__(self, room: Path) -> None:
        self._log = room / "build.log"

    @cached_property
    def _environment(self) -> dict[str, str]:
        """As it is set up, but a missing module fails at once, and so does a missing toolchain."""
        if shutil.which("go") is None:
            raise CommandError(f"{_NEEDED}: there is no `go` on PATH")
        said = output(["go", "env", "GOVERSION"]).strip()
        found = re.match(r"go(\d+)\.(\d+)", said)
        if found is None or tuple(map(int, found.groups())) < _OLDEST:
            raise CommandError(f"{_NEEDED}; `go` here is {said}")
        proxy = output(["go", "env", "GOPROXY"]).strip()
        only = re.sub(r"[,|]direct\b", "", proxy)
        return {"GOPROXY": only, "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}

    def install(self, package: str, into: Path) -> None:
        """Install a tool by package and version, as `go install` does."""
        env = {**self._environment, "GOBIN": str(into)}
        run(f"Installing {package}", ["go", "install", package], env=env, log=self._log)

    def download(self, module: str, checksum: str) -> Path:
        """The source of a module in Go's own cache.

        Raises:
            CommandError: It cannot be had, or is not what the checksum (`h1:…`) says.
        """
        said = output(["go", "mod", "download", "-json", module], env=self._environment)
        found = json.loads(said)
        if found["Sum"] != checksum:
            raise CommandError(f"{module} is {found['Sum']}, not {checksum}")
        return Path(found["Dir"])

    def build(
        self, what: str, source: Path, program: Path, package: Sequence[str] = (".",)
    ) -> None:
        """Build a program from a folder with go.mod and go.sum, which hold all that it may use."""
        command = ["go", "build", "-mod=readonly", *_SMALL, "-o", str(program), *package]
        run(f"Building {what}", command, cwd=source, env=self._environment, log=self._log)
