"""compose.yaml, as docker compose reads it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stack.made.programs import JAEGER
from stack.servers.collector import CONFIG
from tests.collector_config.configuration import FOLDER, loaded, mandatory

FILE = FOLDER / "compose.yaml"
PROFILES = ["tempo", "fleet"]
RUN_BY_THE_TESTS = {"agent.yaml", "gateway.yaml", "to-gateways.yaml", "jaeger/jaeger.yaml",
                    "prometheus/prometheus.yml", "prometheus/rules"}  # fmt: skip
OF_COMPOSE_ALONE = {"tempo/tempo.yaml", "compose/targets", "grafana/provisioning",
                    "grafana/dashboards"}  # fmt: skip
NO_SERVER = {"prepare", "demo", "health", "tempo-health", "fleet-health"}
SECRET = re.compile(r"PASSWORD|TOKEN|KEY|SECRET")


def read(program: Path, *profiles: str, **variables: str) -> dict[str, dict[str, Any]]:
    """The services, variables filled in."""
    kept = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run(
        [str(program), str(FILE), *profiles], env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)["services"]
    return found


@pytest.fixture(scope="module")
def services(compose: Path) -> dict[str, dict[str, Any]]:
    """All services, those of the profiles too."""
    return read(compose, *PROFILES)


def mounts(service: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """What a service mounts."""
    return [each for each in service.get("volumes", ()) if each["type"] == kind]


def test_without_a_profile(compose: Path) -> None:
    """What starts by itself is one agent, its back ends, Grafana and the demo."""
    assert set(read(compose)) == {
        "prepare", "agent", "health", "jaeger", "prometheus", "influxdb", "grafana", "demo"
    }  # fmt: skip


def test_every_mounted_file_is_there(services: dict[str, dict[str, Any]]) -> None:
    """What is mounted from here exists, is read only, and is what the tests of the stack run."""
    found = [each for service in services.values() for each in mounts(service, "bind")]
    names = {Path(each["source"]).relative_to(FOLDER).as_posix() for each in found}

    assert CONFIG == FOLDER
    assert [each["source"] for each in found if not Path(each["source"]).exists()] == []
    assert all(each["read_only"] for each in found)
    assert names == RUN_BY_THE_TESTS | OF_COMPOSE_ALONE


def test_a_command_names_what_is_mounted(services: dict[str, dict[str, Any]]) -> None:
    """Each configuration in a command is mounted at that place."""
    for service in services.values():
        files = re.findall(r"/etc/[\w./-]+\.ya?ml", " ".join(service.get("command") or ()))
        assert set(files) <= {each["target"] for each in mounts(service, "bind")}


def test_ports_are_on_loopback(services: dict[str, dict[str, Any]]) -> None:
    """No port can be reached from elsewhere, and none is used twice."""
    found = [port for service in services.values() for port in service.get("ports", ())]

    assert {port["host_ip"] for port in found} == {"127.0.0.1"}
    assert len({port["published"] for port in found}) == len(found)


def test_versions_are_pinned(services: dict[str, dict[str, Any]]) -> None:
    """Each image has a full version, and names no registry."""
    images = {service["image"] for service in services.values() if "image" in service}

    assert {i for i in images if not re.fullmatch(r"([\w-]+/)?[\w-]+:v?\d+\.\d+\.\d+", i)} == set()


def test_versions_are_those_of_the_stack(services: dict[str, dict[str, Any]]) -> None:
    """The collector is the version of our distribution; Jaeger is the release of its module."""
    collector = loaded("distribution/manifest.yaml")["dist"]["version"]

    assert services["agent"]["image"].endswith(f":{collector}")
    assert services["gateway-1"]["image"] == services["agent"]["image"]
    assert (JAEGER.split("@")[1], services["jaeger"]["image"]) == (
        "v1.76.0",
        "jaegertracing/jaeger:2.13.0",  # one release, in two numbers
    )


def test_secrets_have_no_real_default(services: dict[str, dict[str, Any]]) -> None:
    """A secret's default is one that says for what it is good."""
    secrets = {
        value
        for service in services.values()
        for name, value in (service.get("environment") or {}).items()
        if SECRET.search(name)
    }

    assert secrets
    assert [secret for secret in secrets if not secret.startswith("local-only")] == []


def test_everything_is_limited(services: dict[str, dict[str, Any]]) -> None:
    """Each service has limits, cannot gain rights, and rotates its logs or ends at once."""
    for name, service in services.items():
        assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if name != "prepare":
            assert service["restart"] == "unless-stopped", name
            assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}, name


def test_nobody_is_root(services: dict[str, dict[str, Any]]) -> None:
    """Only InfluxDB, whose image knows no other user, and what gives the volumes away are root.

    The demo's image says its user itself.
    """
    dockerfile = (FOLDER / "compose" / "demo" / "Dockerfile").read_text()
    root = {name for name, service in services.items() if "user" not in service}

    assert root == {"influxdb", "prepare", "demo"}
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", dockerfile, re.MULTILINE)


def test_every_server_is_asked_for_its_health(services: dict[str, dict[str, Any]]) -> None:
    """Each server has a check of its own, or a service beside it asks."""
    asked = {
        host
        for service in services.values()
        for host in re.findall(r"[\w-]+", str(service.get("healthcheck", {}).get("test", "")))
    }
    own = {name for name, service in services.items() if "healthcheck" in service}

    assert set(services) - NO_SERVER - own - asked == set()


def test_data_is_in_named_volumes(services: dict[str, dict[str, Any]]) -> None:
    """Each server keeps its data in a volume of its own; those of user 10001 are given to it."""
    kept = {
        name: [each["source"] for each in mounts(service, "volume")]
        for name, service in services.items()
    }
    given = set(kept.pop("prepare"))
    chown = set(services["prepare"]["command"][2:])

    assert {name for name, volumes in kept.items() if len(volumes) != 1} == NO_SERVER - {"prepare"}
    assert given == {f"{name}-data" for name, service in services.items()
                     if service.get("user") == "10001:10001" and name != "tempo"}  # fmt: skip
    assert chown == {each["target"] for each in mounts(services["prepare"], "volume")}


def test_mandatory_variables_are_set(services: dict[str, dict[str, Any]]) -> None:
    """Each service sets the variables that its configurations cannot do without."""
    for name, service in services.items():
        files = [Path(each["source"]).stem for each in mounts(service, "bind")]
        needed = {variable for file in files for variable in mandatory(file)}
        assert needed - set(service.get("environment") or {}) == set(), name


@pytest.mark.parametrize("name", ["agent", "fleet-agent", "gateway-1", "gateway-2", "jaeger"])
def test_a_program_accepts_what_it_is_given(
    name: str,
    services: dict[str, dict[str, Any]],
    collector: Path,
    jaeger: Path,
    tmp_path: Path,
) -> None:
    """The program itself finds the files and variables of its service valid."""
    service = services[name]
    source = {each["target"]: each["source"] for each in mounts(service, "bind")}
    arguments = [source.get(part, part) for part in service["command"]]
    own = {variable: str(tmp_path) for variable in ("OTEL_STREAM_COLLECTOR_DATA", "JAEGER_DATA")}
    done = subprocess.run(
        [str(jaeger if name == "jaeger" else collector), "validate", *arguments],
        env=service["environment"] | own, cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout if name != "jaeger" else "") == (0, ""), done.stdout


@pytest.mark.parametrize("folder", ["compose/targets", "compose/targets-fleet"])
def test_targets_are_services(folder: str, services: dict[str, dict[str, Any]]) -> None:
    """Prometheus scrapes services that are there, by the files that its jobs name."""
    jobs = loaded("prometheus/prometheus.yml")["scrape_configs"]
    files = {name for job in jobs for each in job["file_sd_configs"] for name in each["files"]}
    hosts = {
        target.partition(":")[0]
        for name in files
        for group in json.loads((FOLDER / folder / Path(name).name).read_text())
        for target in group["targets"]
    }

    assert hosts
    assert hosts <= set(services)


def test_the_example_has_every_variable() -> None:
    """.env.example has each variable of compose.yaml with its default, and no others."""
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", FILE.read_text()))
    shown = dict(re.findall(r"^#(\w+)=(.*)$", (FOLDER / ".env.example").read_text(), re.MULTILINE))
    other_choices = {"TRACES_ENDPOINT", "TARGETS", "DEMO_ENDPOINT"}

    assert set(shown) - {"COMPOSE_PROFILES"} == set(used)
    assert {name for name in used if used[name] != shown[name]} == other_choices


def test_the_choices_of_the_example_fit(compose: Path) -> None:
    """What .env.example says for Tempo and the fleet leads to services that are then there."""
    shown = re.findall(r"^#(\w+)=(.*)$", (FOLDER / ".env.example").read_text(), re.MULTILINE)
    tempo = read(compose, "tempo", TRACES_ENDPOINT=dict(shown)["TRACES_ENDPOINT"])
    fleet = read(compose, "fleet", DEMO_ENDPOINT=dict(shown)["DEMO_ENDPOINT"],
                 TARGETS=dict(shown)["TARGETS"])  # fmt: skip

    assert (
        tempo["agent"]["environment"]["OTEL_STREAM_COLLECTOR_TRACES_ENDPOINT"]
        == "http://tempo:4318"
    )
    assert "tempo" in tempo
    assert fleet["demo"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://fleet-agent:4318"
    assert "fleet-agent" in fleet
    assert [Path(each["source"]).name for each in mounts(fleet["prometheus"], "bind")][2] == (
        "targets-fleet"
    )
