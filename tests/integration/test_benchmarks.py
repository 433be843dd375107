"""The benchmarks run; what they measure is not looked at here."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import rabbitmq as rabbit
from tests.deep import size

ROOT = Path(__file__).parents[2]


def figures(names: list[str], folder: Path, **environment: str) -> list[dict[str, Any]]:
    """Run benchmarks' quick mode, in one process, and return their results."""
    document = folder / "figures.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *names, "--quick", "--json", str(document)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(document.read_text())["results"]
    assert results
    for result in results:
        assert result["name"] in done.stdout
        assert all(figure >= 0 for figure in result["ours"])
        assert len(result["bare"]) in {0, len(result["ours"])}
    return list(results)


EMBEDDED = {
    "consume": {"consume", "consume, tracked"},
    "publish": {"publish"},
    "latency": {
        f"latency, {process} process, p{percent}" for process in ("same", "other") for percent in (50, 99)
    },
    "idle": {"start to first message handled", "idle memory", "idle processor"},
    "chain": {"chain, 5 of 40 steps by conditions", "chain, 5 of 40 steps known at start"},
    "intake": {"intake, 8 connections", "intake, tracked, 8 connections"},
    "resource": {"resource, no output, 8 connections", "resource, with output, 8 connections"},
    "resources": {"GET one, 8 connections", "GET page, 8 connections"},
}
"""The figures of each that needs no broker."""
CONTESTS = {
    "consume": {
        "rabbitmq consume: worker / aio-pika",
        "rabbitmq consume: worker / aiormq",
        "rabbitmq consume: worker tracked / worker",
    },
    "publish": {"rabbitmq publish: worker / aio-pika", "rabbitmq publish: worker / aiormq"},
    "client": {"rabbitmq client: client.send / the intake's bus"},
    "intake": {"rabbitmq intake, 8 connections: worker / bare route"},
    "latency": {
        f"rabbitmq latency p{percent}: worker / {rival}"
        for percent in (50, 99)
        for rival in ("aio-pika", "aiormq")
    },
    "idle": {
        f"rabbitmq idle {what}: worker / {rival}"
        for what in ("start", "memory", "processor")
        for rival in ("aio-pika", "aiormq")
    },
}
"""Those of each measure on RabbitMQ."""


def wanted(names: list[str], of: dict[str, set[str]]) -> set[str]:
    return {figure for name in names for figure in of[name]}


@pytest.mark.e2e
@pytest.mark.parametrize(
    "names",
    [["consume", "publish", "latency", "idle", "chain"], ["intake"], ["resource"], ["resources"]],
    ids=",".join,
)
def test_benchmarks_run_and_write_their_figures(names, tmp_path):
    assert {result["name"] for result in figures(names, tmp_path)} == wanted(names, EMBEDDED)


@pytest.mark.e2e
@pytest.mark.broker
@pytest.mark.parametrize(
    "measures", [["consume"], ["publish", "client"], ["intake", "latency", "idle"]], ids=",".join
)
def test_contest_on_rabbitmq_runs_and_writes_its_figures(measures, tmp_path, rabbitmq):
    place = {rabbit.VARIABLE: rabbitmq.url, rabbit.MANAGEMENT: rabbitmq.management}

    results = figures([f"rabbitmq.{measure}" for measure in measures], tmp_path, **place)

    assert {result["name"] for result in results} == wanted(measures, CONTESTS)


@pytest.mark.e2e
@pytest.mark.broker
def test_measures_on_postgresql_run_and_write_their_figures(tmp_path, postgres):
    results = figures(["postgres"], tmp_path, WORKER_TEST_POSTGRES=postgres.url)

    names = {result["name"] for result in results}
    assert names == {"consume / asyncpg", "consume, tracked / asyncpg", "publish / asyncpg"}


@pytest.mark.e2e
@pytest.mark.broker
@pytest.mark.parametrize("measure", size(["consume"], ["consume", "publish"]))
def test_contest_on_sqs_runs_and_writes_its_figures(measure, tmp_path, sqs):
    results = figures([f"sqs.{measure}"], tmp_path, WORKER_TEST_SQS=sqs.endpoint)

    assert "aiobotocore" in {result["name"].rpartition("/ ")[2] for result in results}


@pytest.mark.e2e
@pytest.mark.broker
@pytest.mark.parametrize("measure", size(["consume"], ["consume", "publish"]))
def test_contest_on_pubsub_runs_and_writes_its_figures(measure, tmp_path, pubsub):
    results = figures([f"pubsub.{measure}"], tmp_path, WORKER_TEST_PUBSUB=pubsub.host)

    assert {result["name"].rpartition("/ ")[2] for result in results} >= {"asyncio pull", "threaded"}


def test_unknown_benchmark_is_named():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nothing"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 2
    assert "nothing" in done.stderr
