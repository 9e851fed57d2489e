"""Prometheus, with the configuration and the rules of collector-config."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.servers import ports
from stack.servers.collector import CONFIG
from stack.servers.process import Process

__all__ = ["PrometheusServer"]


class PrometheusServer:
    """One Prometheus.

    Args:
        program: The server.
        room: Its folder; the configuration is copied there, beside files of targets.
        targets: `host:port` by the scrape job's name in prometheus.yml.
        port: Where it listens; None to have one chosen.
        every: Seconds between two scrapes, and between two evaluations of the rules.
    """

    def __init__(
        self,
        program: Path,
        room: Path,
        targets: Mapping[str, Sequence[str]],
        port: int | None = None,
        every: float = 15.0,
    ) -> None:
        self.port = port or ports.free(1)[0]
        self.config = room / "config"
        self._prepare(targets, every)
        self.process = Process(
            "prometheus",
            [
                str(program),
                f"--config.file={self.config / 'prometheus.yml'}",
                f"--storage.tsdb.path={room / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--web.enable-remote-write-receiver",
                "--enable-feature=exemplar-storage",
            ],
            room=room,
            ready=f"http://127.0.0.1:{self.port}/-/ready",
        )

    @property
    def url(self) -> str:
        """The page and the API."""
        return f"http://127.0.0.1:{self.port}"

    def _prepare(self, targets: Mapping[str, Sequence[str]], every: float) -> None:
        """The shipped configuration, with these targets, and more often."""
        shutil.copytree(CONFIG / "prometheus", self.config, dirs_exist_ok=True)
        for job, addresses in targets.items():
            listed = [{"targets": list(addresses)}]
            (self.config / "targets" / f"{job}.json").write_text(json.dumps(listed))
        path = self.config / "prometheus.yml"
        often = re.sub(r"(_interval|_timeout): \S+", rf"\1: {every:g}s", path.read_text())
        path.write_text(often)
