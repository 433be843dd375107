"""``docker compose up``: the whole service from nothing, several workers, what dies and comes back, containers anew."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.stack import HOW, Stack, missing
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(900)]

_NEIGHBOUR = """
import json, urllib.error, urllib.request
request = urllib.request.Request("http://intake:8000/health", headers={"Host": "127.0.0.1:8000"})
try:
    print(json.dumps(urllib.request.urlopen(request, timeout=10).status))
except urllib.error.HTTPError as error:
    print(json.dumps(error.code))
"""
_HOLDS = """
import importlib.util, json, os
names = ("pip", "setuptools", "hatchling", "pytest", "pamqp", "aiokafka", "asyncpg", "worker", "examples")
print(json.dumps({"user": os.getuid(), "has": [name for name in names if importlib.util.find_spec(name)]}))
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    """The service, built from this folder and healthy."""
    if missing():
        pytest.skip(HOW)
    stack = Stack()
    try:
        stack.compose("build", timeout=600)
        stack.up()
        stack.create_indexes()
        yield stack
    finally:
        stack.close()


@pytest.fixture
def stack(running: Stack) -> Stack:
    """The service, healthy whatever the test before did to it."""
    running.until_healthy()
    return running


def test_one_command_starts_a_service_that_handles_what_is_posted(stack: Stack) -> None:
    """From a start on, a post with the root token is taken, handled, and its effect is there."""
    stack.until_handled(stack.accepted(range(20)))
    assert stack.client.get("/health").json()["status"] == {
        "database": True,
        "transport.rabbitmq": True,
        "catalog": True,
    }


def test_nobody_is_answered_without_a_token(stack: Stack) -> None:
    """Neither this machine nor another container, whatever Host it names."""
    assert httpx.get(f"http://127.0.0.1:{stack.port}/health").status_code == 401
    assert stack.in_worker("python", "-c", _NEIGHBOUR) == 401


def test_the_root_token_is_its_owners_and_is_said_once(stack: Stack) -> None:
    """Its file is readable by the worker's user alone, the log names it and has no secret, and it stays the same."""
    secret = stack.client.headers["Authorization"].removeprefix("Bearer ")
    mode = stack.compose("exec", "-T", "intake", "stat", "-c", "%a %u", "/var/lib/worker/root-token").split()
    assert mode == ["600", "10001"]
    stack.compose("restart", "intake")
    stack.until_healthy()
    log = stack.compose("logs", "intake")
    assert log.count("a root token was made") == 1
    assert secret not in log
    assert stack.client.get("/health").status_code == 200


def test_the_image_holds_what_runs_and_no_tools(stack: Stack) -> None:
    """Drivers, worker and example are there; no installer, no build tool, no root."""
    assert stack.in_worker("python", "-c", _HOLDS) == {
        "user": 10001,
        "has": ["pamqp", "aiokafka", "asyncpg", "worker", "examples"],
    }


def test_several_workers_share_the_work(stack: Stack) -> None:
    """``--scale worker=3`` gives three workers that take from the same queues, and they can be taken away again."""
    stack.up("--scale", "worker=3")
    until(lambda: len(set(stack.workers())) == 3, "three workers are alive")
    commands = stack.accepted(range(100, 140))
    stack.up("--scale", "worker=1")
    stack.until_handled(commands)


def test_a_broker_that_is_killed_loses_nothing(stack: Stack) -> None:
    """Each command that was answered with 202 while the broker died and came back is handled, without an operator's help."""
    with stack.posting(range(200, 500)) as accepted:
        until(lambda: len(accepted) > 50, "commands flow", 60)
        stack.compose("kill", "rabbitmq")
        stack.compose("start", "rabbitmq")
        before = len(accepted)
        until(lambda: len(accepted) > before + 20, "commands flow again", 120)
    stack.until_healthy()
    stack.until_handled(accepted)
    later = stack.accepted(range(500, 505))
    stack.until_handled(later)


def test_worker_and_intake_that_are_killed_lose_nothing(stack: Stack) -> None:
    """Killed amid commands and started again, they go on; each 202 ends done, also what was done and not yet noted."""
    with stack.posting(range(510, 600)) as accepted:
        until(lambda: len(accepted) > 30, "commands flow", 60)
        stack.compose("kill", "worker")
        until(lambda: len(accepted) > 50, "commands are taken without a worker", 60)
        stack.compose("start", "worker")
        stack.compose("kill", "intake")
        stack.compose("start", "intake")
    stack.until_healthy()
    stack.until_handled(accepted)


def test_containers_made_anew_go_on_with_what_was_queued(stack: Stack) -> None:
    """``down`` and ``up`` keep commands that wait, and what is known of those that are done."""
    done = stack.accepted(range(600, 605))
    stack.until_handled(done)
    stack.compose("stop", "worker")
    waiting = stack.accepted(range(605, 625))
    stack.compose("down")
    stack.up()
    stack.until_handled({**done, **waiting})


def test_a_stopped_worker_ends_well(stack: Stack) -> None:
    """``stop`` reaches the worker and the intake as TERM: they finish and exit 0, long before they would be killed."""
    containers = [*stack.containers("worker"), *stack.containers("intake")]
    stack.compose("stop", "worker", "intake")
    for container in containers:
        assert stack.inspect(container, "{{.State.ExitCode}}") == "0"
