from __future__ import annotations

import os
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from otel_stream import __version__, semconv
from otel_stream.export.route import Route, Signal


class Provider:
    """A provider as the API wants one: each call makes another tracer."""

    def get_tracer(self, *scope: str) -> object:
        return SimpleNamespace(provider=self, scope=scope)


class ProxyTracerProvider(Provider):
    """What the API hands out while there is no global provider."""


class Api(ModuleType):
    """The part of the OpenTelemetry API that keeps the global provider."""

    def __init__(self) -> None:
        super().__init__("api")
        self._TRACER_PROVIDER: Provider | None = None

    def get_tracer_provider(self) -> Provider:
        if self._TRACER_PROVIDER is None and "OTEL_PYTHON_TRACER_PROVIDER" in os.environ:
            self._TRACER_PROVIDER = Provider()
        return self._TRACER_PROVIDER or ProxyTracerProvider()

    def set_tracer_provider(self, provider: Provider) -> None:
        self._TRACER_PROVIDER = provider


class NewerApi(ModuleType):
    """An API that keeps it in a place that we do not know."""

    kept: Provider | None = None

    def get_tracer_provider(self) -> Provider:
        return self.kept or ProxyTracerProvider()

    def set_tracer_provider(self, provider: Provider) -> None:
        self.kept = provider


NOTHING = SimpleNamespace(provider=None)


class Private:
    """Makes private providers, and knows how many."""

    def __init__(self) -> None:
        self.made: list[Provider] = []

    def __call__(self, signal: str) -> Provider:
        self.made.append(Provider())
        return self.made[-1]


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def private() -> Private:
    return Private()


def route_of(api: ModuleType, private: Any, given: Any = None, found: Any = bool) -> Route[Any]:
    return Route(Signal("traces", api, "tracer", NOTHING), given, private, found)


def test_given(api: Api, private: Private) -> None:
    """The provider that was given is used, whatever else there is."""
    api.set_tracer_provider(Provider())
    given = Provider()

    assert route_of(api, private, given).get().provider is given


def test_global(api: Api, private: Private) -> None:
    """The application's global provider is used, and no private one is made."""
    api.set_tracer_provider(Provider())

    assert route_of(api, private).get().provider is api._TRACER_PROVIDER
    assert private.made == []


def test_private(api: Api, private: Private) -> None:
    """Without either, a private one is made, once."""
    route = route_of(api, private)

    assert route.get().provider is route.get().provider is private.made[0]


def test_global_set_later(api: Api, private: Private) -> None:
    """A global provider that the application sets later is used from then on."""
    found: list[Provider] = []
    route = route_of(api, private, found=found.append)
    before = route.get()
    api.set_tracer_provider(Provider())

    assert before.provider is private.made[0]
    assert route.get().provider is api._TRACER_PROVIDER
    assert found == [api._TRACER_PROVIDER]


@pytest.mark.parametrize("there_is_a_global_one", [False, True])
def test_same_while_the_provider_is(
    api: Api, private: Private, there_is_a_global_one: bool
) -> None:
    """What is handed out stays the same object until the provider changes."""
    if there_is_a_global_one:
        api.set_tracer_provider(Provider())
    route = route_of(api, private)

    assert route.get() is route.get()


def test_scope(api: Api, private: Private) -> None:
    """Telemetry carries our name, version and the convention's version."""
    scope = route_of(api, private).get().scope

    assert scope == (semconv.SCOPE, __version__, semconv.SCHEMA_URL)


def test_named_by_a_variable(api: Api, private: Private, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that the API's variable names is the global one, though nobody asked before."""
    monkeypatch.setenv("OTEL_PYTHON_TRACER_PROVIDER", "some")

    assert route_of(api, private).get().provider is api._TRACER_PROVIDER is not None


def test_unknown_api(private: Private) -> None:
    """An API that keeps its provider elsewhere is asked, so that a later one is still seen."""
    api = NewerApi("api")
    route = route_of(api, private)
    before = route.get().provider
    api.set_tracer_provider(Provider())

    assert before is private.made[0]
    assert route.get().provider is api.kept


@pytest.mark.usefixtures("lenient")
def test_private_one_that_fails(api: Api) -> None:
    """When none can be made, the API's own nothing is used; nothing is raised or tried again."""
    tried: list[str] = []

    def fail(signal: str) -> Provider:
        tried.append(signal)
        raise OSError("no")

    route = route_of(api, fail)

    assert [route.get(), route.get()] == [NOTHING, NOTHING]
    assert tried == ["traces"]


def test_closed(api: Api, private: Private) -> None:
    """Once closed, no private provider is used any more; the application's still is."""
    route = route_of(api, private)
    route.get()
    route.close()
    after = route.get()
    api.set_tracer_provider(Provider())

    assert after is NOTHING
    assert route.get().provider is api._TRACER_PROVIDER


def test_switched_off(api: Api, private: Private) -> None:
    """Switched off, nothing is used at all."""
    route = route_of(api, private)
    route.switch_off()
    api.set_tracer_provider(Provider())

    assert route.get() is NOTHING


def test_started_anew(api: Api, private: Private) -> None:
    """In a forked child another private provider is made."""
    route = route_of(api, private)
    before = route.get().provider
    route.start_anew()

    assert route.get().provider is not before
