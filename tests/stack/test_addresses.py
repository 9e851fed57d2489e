"""Which ports a stack takes."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from stack.addresses import STANDARD, PortError, choose, moved, parsed
from stack.servers import ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_standard_ports_where_they_are_free() -> None:
    """A standard port is taken where it is free, else another; no port is used twice."""
    free = {name for name, number in STANDARD.items() if ports.is_free(number)}
    found = choose({})

    assert {name for name in STANDARD if found[name] == STANDARD[name]} == free
    assert len(set(found.values())) == len(STANDARD)


def test_a_given_port_is_taken() -> None:
    """A port that was given is used, and the standard port of another one gives way to it."""
    [free] = ports.free(1)

    assert choose({"grpc": free})["grpc"] == free
    if ports.is_free(STANDARD["http"]):
        found = choose({"grpc": STANDARD["http"]})
        assert found["grpc"] == STANDARD["http"]
        assert found["http"] != STANDARD["http"]


def test_a_given_port_that_is_taken(taken: int) -> None:
    """A given port on which somebody listens is an error that names both."""
    with pytest.raises(PortError, match=f"port {taken} for jaeger"):
        choose({"jaeger": taken})


def test_a_port_given_twice() -> None:
    """Two names cannot have one port."""
    [free] = ports.free(1)

    with pytest.raises(PortError, match=f"port {free} was given twice"):
        choose({"grpc": free, "http": free})


def test_a_name_and_a_number() -> None:
    """A port is given as NAME=N."""
    assert parsed("jaeger=26686") == ("jaeger", 26686)


@pytest.mark.parametrize(
    "text", ["tempo=1", "jaeger", "jaeger=", "jaeger=x", "jaeger=65536", "²=1"]
)
def test_neither_name_nor_number(text: str) -> None:
    """Anything else is an error that repeats it."""
    with pytest.raises(PortError, match=f"^'{text}'"):
        parsed(text)


def test_a_port_that_has_moved_is_said() -> None:
    """A line tells where a standard port went, unless it was asked for."""
    chosen = {"http": 20_000, "grpc": STANDARD["grpc"], "jaeger": 20_001}

    assert moved(chosen, {"jaeger": 20_001}) == ["port 4318 is taken: http is on 20000 instead"]
