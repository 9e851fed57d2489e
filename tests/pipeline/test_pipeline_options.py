"""The options of `otel-stream pipeline check`: from the command line, from variables, refused."""

from __future__ import annotations

import pytest

from otel_stream.pipeline.options import Options, UsageError


def refused(variables: dict[str, str] | None = None, **given: object) -> str:
    """What is said of options that cannot be used."""
    with pytest.raises(UsageError) as error:
        Options.read(given, variables or {})
    return str(error.value)


def test_an_option_wins_over_its_variable() -> None:
    """Each option may be a variable; what the command line says counts first."""
    variables = {
        "OTEL_STREAM_CHECK_JAEGER": "http://one:1",
        "OTEL_STREAM_CHECK_WAIT": "5",
        "OTEL_STREAM_CHECK_GATEWAY_TELEMETRY": "http://g1:1 http://g2:1",
    }
    found = Options.read({"jaeger": "http://two:2"}, variables)

    assert found == Options(
        jaeger="http://two:2", wait=5.0, gateway_telemetry=("http://g1:1", "http://g2:1")
    )


def test_no_back_end_is_wrong_usage() -> None:
    """What can be named is said."""
    assert refused(agent_telemetry="http://a:1").startswith("name what to ask: --jaeger")


@pytest.mark.parametrize(
    "url", ["jaeger:16686", "ftp://a", "http://", "http://a:b", "http://[::1", "http://a/?t=geheim",
            "http://user:ge/heim@a:1"],
)  # fmt: skip
def test_a_url_that_cannot_be_used_is_not_repeated(url: str) -> None:
    """There may be a password in it."""
    assert refused(jaeger=url) == "--jaeger: expected http://host:port, or https"


@pytest.mark.parametrize("wait", ["soon", "0", "-1", "nan", "inf"])
def test_a_wait_is_a_number_of_seconds(wait: str) -> None:
    """Anything else is wrong usage."""
    assert refused(jaeger="http://a:1", wait=wait).startswith("--wait: expected")


def test_an_endpoint_of_grpc_is_not_mistaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check speaks http/protobuf: a variable that says gRPC needs --endpoint beside it."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4317")

    assert "--endpoint" in refused(jaeger="http://a:1")
    assert Options.read({"jaeger": "http://a:1", "endpoint": "http://a:4318"}, {}).endpoint
