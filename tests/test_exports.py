"""What is public: exactly what the lists say."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import otel_stream
import otel_stream.testing

MODULES = sorted(
    info.name
    for package in ("otel_stream", "otel_stream_openai", "otel_stream_anthropic")
    for info in pkgutil.walk_packages(
        importlib.import_module(package).__path__, prefix=f"{package}."
    )
    if not info.name.endswith("__main__")
)


def natural(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, each by the alphabet."""
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, name


def test_the_list_is_complete() -> None:
    """Every name of the package that is no module and not private is in `__all__`."""
    passing = {"annotations", "Any", "TYPE_CHECKING"}
    names = {
        name
        for name in dir(otel_stream)
        if not name.startswith("_") and name not in passing
        if not isinstance(getattr(otel_stream, name), ModuleType)
    }

    assert names == set(otel_stream.__all__)


def test_the_list_is_sorted() -> None:
    """`__all__` is in order, and names nothing twice."""
    assert otel_stream.__all__ == sorted(set(otel_stream.__all__), key=natural)


def test_everything_public_is_described() -> None:
    """Each public name has a docstring."""
    assert [n for n in otel_stream.__all__ if not getattr(otel_stream, n).__doc__] == []


@pytest.mark.parametrize("name", [*MODULES, "otel_stream.testing"])
def test_modules_name_what_they_have(name: str) -> None:
    """What a module's `__all__` names exists, and stands in order."""
    module = importlib.import_module(name)
    names = getattr(module, "__all__", [])

    assert [each for each in names if not hasattr(module, each)] == []
    assert list(names) == sorted(names, key=natural)


def test_import_needs_no_provider() -> None:
    """Importing the package imports no SDK of a provider, no exporter and no event loop server."""
    code = "import sys, otel_stream; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    roots = {name.partition(".")[0] for name in run.stdout.split()}

    assert (
        roots & {"openai", "anthropic", "httpx", "httpx2", "requests", "grpc", "pydantic"} == set()
    )
    assert "opentelemetry.sdk" not in run.stdout.split()
