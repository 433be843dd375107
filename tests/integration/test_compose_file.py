"""The compose file and the image's recipe keep what the documentation promises; no engine is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from worker.settings import load

ROOT = Path(__file__).parents[2]
OWN = ("intake", "scheduler", "worker")
HOW = "needs the Docker command with its compose plugin (no engine): https://docs.docker.com/compose/install/"


@pytest.fixture(scope="module")
def file() -> dict[str, Any]:
    """The compose file."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


@pytest.fixture(scope="module")
def dockerfile() -> list[str]:
    """The instructions of the Dockerfile, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def seconds(text: str) -> float:
    """A duration of the file."""
    assert text.endswith("s")
    return float(text.removesuffix("s"))


def test_the_default_services_are_intake_worker_broker_and_database(file):
    """Without a profile exactly these start."""
    default = [name for name, service in file["services"].items() if "profiles" not in service]
    assert sorted(default) == ["intake", "postgres", "rabbitmq", "scheduler", "worker"]


def test_every_port_is_published_on_loopback(file):
    """Nothing can be reached from another machine."""
    ports = [port for service in file["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(str(port).startswith("127.0.0.1:") for port in ports)


def test_every_service_says_whether_it_is_healthy_and_comes_back(file):
    """Start order and ``--wait`` are by health; a process that ends is started again."""
    for name, service in file["services"].items():
        assert service["healthcheck"].get("test"), name  # `up --wait` fails without
        assert service["restart"] == "unless-stopped", name


def test_our_services_wait_until_broker_and_database_are_healthy(file):
    """Neither starts on what only runs."""
    for name in OWN:
        wanted = file["services"][name]["depends_on"]
        healthy = {"condition": "service_healthy"}
        assert wanted == {
            "postgres": healthy,
            "rabbitmq": healthy,
            "kafka": healthy | {"required": False},  # there with its profile only
            "pubsub": healthy | {"required": False},
            "sqs": healthy | {"required": False},
        }


def test_a_stopping_worker_gets_more_than_its_graceful_timeout(file, tmp_path):
    """Docker kills no worker that keeps to its own timeouts."""
    settings = load(environ={}, cwd=tmp_path)
    for name in OWN:
        assert seconds(file["services"][name]["stop_grace_period"]) > settings.worker.graceful_timeout + 30


def test_our_containers_can_be_many_and_may_do_little(file):
    """Any number of workers runs beside each other; no container of ours writes to itself or gains rights."""
    worker = file["services"]["worker"]
    assert not worker.keys() & {"container_name", "hostname", "ports"}
    for name in OWN:
        service = file["services"][name]
        assert service["init"] is True
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", OWN)
def test_the_environment_of_a_service_is_a_configuration(file, name, tmp_path):
    """What stands under ``environment`` loads together with the configuration in the image."""
    given = {
        key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        for key, value in file["services"][name]["environment"].items()
    }
    (tmp_path / "worker.toml").write_text((ROOT / "worker.toml").read_text())
    settings = load(environ=given, cwd=tmp_path)
    assert settings.routing["*"] == "rabbitmq"
    assert settings.transports["rabbitmq"].url == "amqp://worker:worker@rabbitmq:5672/"
    assert settings.database.url.startswith("postgresql://worker:worker@postgres:5432/")
    assert settings.http.trust_gateway is False


def test_the_intake_asks_for_a_token_from_its_first_start_on(file):
    """It listens for every client that reaches it, and the root token's file outlives the container."""
    intake = file["services"]["intake"]
    assert intake["entrypoint"][-1] == "/usr/local/lib/worker/with_root_token.py"
    assert intake["environment"]["WORKER_HTTP__HOST"] == "0.0.0.0"
    assert [mount.split()[0] for mount in intake["volumes"]] == ["intake:/var/lib/worker"]
    assert "intake" in file["volumes"]


def test_what_is_kept_is_in_named_volumes(file):
    """``down`` and ``up`` keep what broker and database hold."""
    for name in ("rabbitmq", "postgres", "kafka"):
        (mount,) = file["services"][name]["volumes"]
        assert mount.partition(":")[0] in file["volumes"]


def test_images_of_others_are_pinned_by_version(file, dockerfile):
    """The same files give the same containers next year."""
    images = [service["image"] for service in file["services"].values() if "build" not in service]
    images += [line.split()[1] for line in dockerfile if line.startswith("FROM ")]
    for image in images:
        assert re.search(r":\d+\.\d+(\.\d+)?(-|$)", image), image


def test_the_image_runs_as_a_user_of_its_own_and_gets_signals_itself(dockerfile):
    """No root, no shell between the engine and the worker."""
    last = dockerfile[max(place for place, line in enumerate(dockerfile) if line.startswith("FROM ")) :]
    assert "USER 10001:10001" in last
    assert 'ENTRYPOINT ["worker"]' in last
    assert any(line.startswith("HEALTHCHECK") for line in last)


def test_the_image_installs_what_the_lock_names_by_hash(dockerfile):
    """Nothing comes into the image that no lock file knows."""
    installs = [
        part for line in dockerfile for part in line.split("&&") if " install -" in part and "pip" in part
    ]
    assert installs
    for command in installs:
        assert "--require-hashes" in command or ("--no-deps" in command and "--no-index" in command), command


def test_only_what_the_image_needs_gets_into_its_build(dockerfile):
    """The build sees what is named, and everything that the recipe copies is named."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    named = [line.removeprefix("!") for line in lines if line.startswith("!")]
    assert "*" in lines
    for line in dockerfile:
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert any(source == name or source.startswith(f"{name}/") for name in named), source


@pytest.mark.parametrize("more", [(), ("docker-compose.kafka.yml",)], ids=["one file", "three brokers"])
def test_compose_takes_the_files(more):
    """``docker compose config`` finds no fault."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip(HOW)
    files = [part for name in ("docker-compose.yml", *more) for part in ("-f", name)]
    done = subprocess.run(
        [docker, "compose", *files, "--profile", "*", "config", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
