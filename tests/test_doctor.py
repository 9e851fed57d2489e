"""What the doctor finds of libraries: what is traced, what is not, and who else traces it."""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import otel_stream
from otel_stream import errors
from otel_stream.doctor import examine, others
from otel_stream.doctor.report import Instrumentor, Other
from otel_stream.testing import Captured

Install = Callable[..., None]

pytestmark = pytest.mark.sdk_matrix

STUB = """
from otel_stream.instrumentor import StreamInstrumentor

class StubInstrumentor(StreamInstrumentor):
    def instrumentation_dependencies(self):
        return ("stub-library >= 2.0",)

    def _wrap(self, patches):
        patches.wrap("stub_library:Client.request", lambda wrapped, *_: wrapped())
        patches.wrap("stub_library:Client.gone", lambda wrapped, *_: wrapped())
"""
RIVAL = """
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

class RivalInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _uninstrument(self, **kwargs):
        pass
"""


@pytest.fixture(autouse=True)
def no_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults of earlier tests are none of this one's."""
    monkeypatch.setattr(errors, "faults", Counter())


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a distribution for this test: its metadata, its entry points, its modules."""
    monkeypatch.syspath_prepend(tmp_path)
    modules: list[str] = []

    def install(name: str, version: str, points: str = "", **sources: str) -> None:
        metadata = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
        (metadata / "entry_points.txt").write_text(f"[opentelemetry_instrumentor]\n{points}\n")
        for module, source in sources.items():
            (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
            modules.append(module)

    yield install
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def stub(install: Install) -> None:
    """A library of version 2.0 that has one of the two methods that its instrumentor wraps."""
    install(
        "stub-tracer", "1.0", "otel_stream_stub = otel_stream_stub:StubInstrumentor",
        otel_stream_stub=STUB,
    )  # fmt: skip
    install("stub-library", "2.0", stub_library="class Client:\n    def request(self): pass")


@pytest.fixture
def rival(install: Install) -> None:
    """Somebody else's instrumentor of `openai`."""
    install("rival-openai", "3.0", "openai = rival:RivalInstrumentor", rival=RIVAL)


def instrumentor(name: str) -> Instrumentor:
    """What the doctor says of one of ours."""
    return next(each for each in examine().instrumentors if each.name == f"otel_stream_{name}")


def other(name: str) -> Other:
    """What the doctor says of somebody else."""
    return next(each for each in examine().others if each.name == name)


def said() -> str:
    """Everything that needs doing."""
    return "\n".join(f"{each.what} -> {each.remedy}" for each in examine().problems)


# --- versions and instrumentors -------------------------------------------------------------------


def test_all_is_well_here() -> None:
    """Without settings, in an environment with both SDKs, nothing needs doing."""
    report = examine()

    assert (report.problems, report.healthy) == ([], True)
    assert report.versions["otel-stream"] == otel_stream.__version__


def test_an_instrumentor_that_would_run_is_ready() -> None:
    """Before `instrument` the doctor says what would be wrapped, and that nothing is missing."""
    found = instrumentor("openai")

    assert (found.state, found.missing_hooks) == ("ready", [])
    assert found.version is not None


def test_an_instrumentor_that_runs_is_active(otel_stream_captured: Captured) -> None:
    """After `instrument` it says what is wrapped."""
    assert {each.state for each in examine().instrumentors} == {"active"}


def test_an_instrumentor_of_no_library(install: Install) -> None:
    """One that looks at HTTP requests, whoever makes them, needs no library to be ready."""
    import httpx

    install("more", "1.0", "otel_stream_evolution = otel_stream_evolution:EvolutionInstrumentor")
    before = dict(vars(httpx.Client))
    found = instrumentor("evolution")

    assert (found.library, found.state) == ("evolution", "ready")
    assert found.requires == "any of httpx, httpx2, requests, aiohttp"
    assert (found.version or "").startswith("through httpx ")
    assert dict(vars(httpx.Client)) == before


def test_looking_wraps_nothing(stub: None) -> None:
    """The library is as it was after the doctor has looked into it."""
    import stub_library  # type: ignore[import-not-found]

    before = dict(vars(stub_library.Client))
    examine()

    assert dict(vars(stub_library.Client)) == before


def test_a_library_that_is_absent_is_no_problem(install: Install, stub: None) -> None:
    """What is not installed is said, and needs no doing."""
    source = STUB.replace("stub-library", "absent-library")
    install("x", "1.0", "otel_stream_x = otel_stream_x:StubInstrumentor", otel_stream_x=source)

    assert instrumentor("x").state == "missing"
    assert "absent-library" not in said()


def test_a_library_that_is_too_old_needs_an_upgrade(install: Install) -> None:
    """The version that is there, the one that is needed, and the command."""
    install("openai", "0.28.0")

    assert instrumentor("openai").state == "too_old"
    assert "openai 0.28.0 is too old" in said()
    assert "pip install --upgrade openai" in said()


def test_hooks_that_a_library_lacks_are_named(stub: None) -> None:
    """A method that a new version has renamed is a problem, since its calls go untraced."""
    assert instrumentor("stub").missing_hooks == ["stub_library:Client.gone"]
    assert "stub-library 2.0 lacks stub_library:Client.gone" in said()


def test_a_library_that_cannot_be_imported_is_broken(install: Install, stub: None) -> None:
    """The doctor survives it and says why."""
    import stub_library

    del sys.modules["stub_library"]
    Path(stub_library.__file__).write_text("raise RuntimeError('no such GPU')")

    assert instrumentor("stub").state == "broken"
    assert "RuntimeError: no such GPU" in said()


@pytest.mark.parametrize("variable", ["OTEL_STREAM_EXCLUDE", "OTEL_STREAM_DISABLED"])
def test_what_settings_leave_out_is_said(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """`exclude` and `disabled` show at the instrumentor."""
    monkeypatch.setenv(variable, {"OTEL_STREAM_EXCLUDE": "openai"}.get(variable, "true"))

    assert instrumentor("openai").state == "left_out"


def test_what_the_loader_is_told_to_skip_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """`opentelemetry-instrument` does not load what its variable names; our one line does."""
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "flask, otel_stream_openai")
    found = instrumentor("openai")

    assert found.state == "ready"
    assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS" in found.notes[-1]


# --- others who trace the same calls --------------------------------------------------------------


def test_another_instrumentor_is_named_with_its_switch(rival: None) -> None:
    """One that is only installed is said, with what would switch it off, and is no problem yet."""
    found = other("rival-openai")

    assert found.state == "installed"
    assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=openai" in found.remedy
    assert said() == ""


def test_another_instrumentor_at_work_needs_doing(rival: None) -> None:
    """Two that make spans of the same calls are one too many."""
    import rival as module  # type: ignore[import-not-found]

    module.RivalInstrumentor().instrument()

    assert other("rival-openai").state == "active"
    assert "rival-openai 3.0 traces the same calls" in said()


def test_another_instrumentor_may_be_switched_off(
    rival: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor sees the variable that it recommends."""
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "openai")

    assert other("rival-openai").state == "disabled"


def test_official_instrumentations_go_together_with_ours(install: Install) -> None:
    """Theirs and ours are one span, so there is nothing to do."""
    module = "opentelemetry.instrumentation.genai.anthropic"
    install("genai-anthropic", "1.0", f"anthropic = {module}:AnthropicInstrumentor")

    assert other("genai-anthropic").remedy == ""


def test_the_official_one_for_agents_depends_on_the_order(install: Install) -> None:
    """Runs are no calls of a model, and are not shared; there is nothing to do all the same."""
    module = "opentelemetry.instrumentation.genai.agno"
    install("genai-agno", "1.0", f"agno = {module}:AgnoInstrumentor")

    found = next(each for each in others.examine({"agno"}) if each.name == "genai-agno")

    assert "started after ours" in found.what
    assert found.remedy == ""


def test_products_that_trace_are_named(install: Install) -> None:
    """Products that bring instrumentors of their own are known by their distributions."""
    install("sentry-sdk", "2.75.0")

    assert "sentry_sdk.init" in other("sentry-sdk").what
