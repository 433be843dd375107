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


def figures(name: str, folder: Path, **environment: str) -> list[dict[str, Any]]:
    """Run a benchmark's quick mode and return its results."""
    document = folder / "figures.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--quick", "--json", str(document)],
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


@pytest.mark.e2e
@pytest.mark.parametrize(
    "name", ["consume", "publish", "intake", "latency", "idle", "chain", "resource", "resources"]
)
def test_benchmark_runs_and_writes_its_figures(name, tmp_path):
    figures(name, tmp_path)


@pytest.mark.e2e
@pytest.mark.broker
@pytest.mark.parametrize("measure", ["consume", "publish", "client", "intake", "latency", "idle"])
def test_contest_on_rabbitmq_runs_and_writes_its_figures(measure, tmp_path, rabbitmq):
    place = {rabbit.VARIABLE: rabbitmq.url, rabbit.MANAGEMENT: rabbitmq.management}

    results = figures(f"rabbitmq.{measure}", tmp_path, **place)

    rivals = {result["name"].rpartition("/ ")[2] for result in results}
    wanted = {"intake": {"bare route"}, "client": {"the intake's bus"}}
    assert rivals >= wanted.get(measure, {"aio-pika", "aiormq"})


@pytest.mark.e2e
@pytest.mark.broker
@pytest.mark.parametrize("measure", ["consume", "publish"])
def test_measures_on_postgresql_run_and_write_their_figures(measure, tmp_path, postgres):
    assert figures(f"postgres.{measure}", tmp_path, WORKER_TEST_POSTGRES=postgres.url)


@pytest.mark.e2e
@pytest.mark.broker
@pytest.mark.parametrize("measure", size(["consume"], ["consume", "publish"]))
def test_contest_on_sqs_runs_and_writes_its_figures(measure, tmp_path, sqs):
    results = figures(f"sqs.{measure}", tmp_path, WORKER_TEST_SQS=sqs.endpoint)

    assert "aiobotocore" in {result["name"].rpartition("/ ")[2] for result in results}


@pytest.mark.e2e
@pytest.mark.broker
@pytest.mark.parametrize("measure", size(["consume"], ["consume", "publish"]))
def test_contest_on_pubsub_runs_and_writes_its_figures(measure, tmp_path, pubsub):
    results = figures(f"pubsub.{measure}", tmp_path, WORKER_TEST_PUBSUB=pubsub.host)

    assert {result["name"].rpartition("/ ")[2] for result in results} >= {"asyncio pull", "threaded"}


def test_unknown_benchmark_is_named():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nothing"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 2
    assert "nothing" in done.stderr
