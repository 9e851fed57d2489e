"""Where each program comes from: a variable, PATH, or made once into the cache.

| program | variable | else |
|---|---|---|
| the collector | `OTEL_STREAM_STACK_COLLECTOR` | built from collector-config/distribution |
| Jaeger | `OTEL_STREAM_STACK_JAEGER` | built from its Go module |
| Prometheus | `OTEL_STREAM_STACK_PROMETHEUS` | PATH, else Debian's package |
| promtool | `OTEL_STREAM_STACK_PROMTOOL` | PATH, else Debian's package |
| InfluxDB | `OTEL_STREAM_STACK_INFLUXD` | PATH, else Debian's package |
| PostgreSQL | `OTEL_STREAM_STACK_POSTGRES` | PATH, where Debian installs it, else its packages |
| what reads compose files | `OTEL_STREAM_STACK_COMPOSE` | built from stack/made/compose |

Debian's packages are unpacked, not installed: no service starts, and no rights are needed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from stack.made.cache import Cache
from stack.made.command import CommandError, run
from stack.made.golang import Go

__all__ = ["Programs"]

DISTRIBUTION = Path(__file__).parents[2] / "collector-config" / "distribution"
BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.152.0"
COMPOSE = Path(__file__).parent / "compose"
POSTGRESQL = ("postgresql-15", "libpq5", "libxml2", "libicu72")
"""What a Debian with Python and git does not have anyway."""
_INSTALLED = "lib/postgresql/*/bin/postgres"
JAEGER = "github.com/jaegertracing/jaeger@v1.76.0"
JAEGER_SUM = "h1:sWCOOF1dr+NL0PLil7mFo3BqqQL8k4WiM7aguFbc14g="


class Programs:
    """Finds programs, or makes them.

    Args:
        cache: Where what was made is kept.
        may_make: False to take only what is there: then a missing one is an error at once.
    """

    def __init__(self, cache: Cache | None = None, *, may_make: bool = True) -> None:
        self._cache = cache or Cache()
        self._may_make = may_make

    def collector(self) -> Path:
        """Our distribution of the OpenTelemetry Collector."""
        lock = [DISTRIBUTION / name for name in ("manifest.yaml", "go.mod", "go.sum")]
        pinned = b"".join(path.read_bytes() for path in lock)
        name = "otel-stream-collector"
        return self._given("COLLECTOR") or self._made("collector", name, pinned, _build_collector)

    def jaeger(self) -> Path:
        """Jaeger 2, without its page."""
        pinned = f"{JAEGER} {JAEGER_SUM}".encode()
        return self._given("JAEGER") or self._made("jaeger", "jaeger", pinned, _build_jaeger)

    def compose(self) -> Path:
        """What reads a compose file as `docker compose` does, with its own library."""
        pinned = b"".join((COMPOSE / name).read_bytes() for name in ("main.go", "go.mod", "go.sum"))
        return self._given("COMPOSE") or self._made("compose", "compose", pinned, _build_compose)

    def prometheus(self) -> Path:
        """The Prometheus server."""
        return self._debian("prometheus", "prometheus")

    def promtool(self) -> Path:
        """What checks and tests the rules of Prometheus."""
        return self._debian("promtool", "prometheus")

    def influxd(self) -> Path:
        """The InfluxDB 1 server."""
        return self._debian("influxd", "influxdb")

    def postgres(self) -> Path:
        """The PostgreSQL server, with `initdb` beside it."""
        found = self._given("POSTGRES") or shutil.which("postgres")
        installed = [Path(found)] if found else sorted(Path("/usr").glob(_INSTALLED))
        if installed:
            return installed[-1]
        pinned = " ".join(POSTGRESQL).encode()
        room = self._made("postgresql", "usr", pinned, _unpack(*POSTGRESQL))
        return next(room.glob(_INSTALLED))

    def _debian(self, program: str, package: str) -> Path:
        found = self._given(program.upper()) or shutil.which(program)
        if found:
            return Path(found)
        return self._made(package, f"usr/bin/{program}", package.encode(), _unpack(package))

    def _given(self, name: str) -> Path | None:
        variable = f"OTEL_STREAM_STACK_{name}"
        said = os.environ.get(variable)
        if said and not os.access(said, os.X_OK):
            raise CommandError(f"{variable}={said}: there is no such program")
        return Path(said) if said else None

    def _made(self, what: str, name: str, pinned: bytes, make: Callable[[Path], None]) -> Path:
        if not self._may_make and not self._cache.folder(what, pinned).exists():
            raise CommandError(f"{what} is not here yet: `make collector` gets it, once a machine")
        return self._cache.made(what, pinned, make) / name


def _build_collector(room: Path) -> None:
    go = Go(room)
    go.install(BUILDER, room / "bin")
    shutil.copy(DISTRIBUTION / "manifest.yaml", room)
    command = [str(room / "bin" / "builder"), "--skip-get-modules", "--skip-compilation",
               "--config", "manifest.yaml"]  # fmt: skip
    run("Generating the collector", command, cwd=room, log=room / "build.log")
    for name in ("go.mod", "go.sum"):
        shutil.copy(DISTRIBUTION / name, room / "build" / name)
    go.build("the collector (about 4 minutes)", room / "build", room / "otel-stream-collector")
    shutil.rmtree(room / "bin")


def _build_jaeger(room: Path) -> None:
    go = Go(room)
    source = go.download(JAEGER, JAEGER_SUM)
    go.build("Jaeger (about 3 minutes)", source, room / "jaeger", ["./cmd/jaeger"])


def _build_compose(room: Path) -> None:
    Go(room).build("what reads compose files", COMPOSE, room / "compose")


def _unpack(*packages: str) -> Callable[[Path], None]:
    what = packages[0]

    def unpack(room: Path) -> None:
        log = room / "build.log"
        try:
            run(f"Fetching {what}", ["apt-get", "download", *packages], cwd=room, log=log)
        except CommandError:
            for name in ("lists/partial", "archives/partial"):
                (room / name).mkdir(parents=True)
            own = ["-o", f"Dir::State::Lists={room}/lists", "-o", f"Dir::Cache={room}"]
            run("Reading Debian's list of packages", ["apt-get", *own, "update"], log=log)
            command = ["apt-get", *own, "download", *packages]
            run(f"Fetching {what}", command, cwd=room, log=log)
            shutil.rmtree(room / "lists")
        for package in packages:
            for file in room.glob(f"{package}_*.deb"):
                run(f"Unpacking {package}", ["dpkg", "-x", str(file), str(room)], log=log)
                file.unlink()

    return unpack
