"""``kill -9`` of the intake under load: what was accepted is handled, what is repeated is one message."""

from __future__ import annotations

import asyncio
import random
import socket
from collections import Counter

import httpx
import pytest

from tests.deep import size
from tests.e2e.project import Project
from tests.e2e.repeating import Repeating, kill_intakes

pytestmark = [pytest.mark.e2e, pytest.mark.fault, pytest.mark.slow]

COMMANDS = size(600, 1500)
DEATHS = size(3, 6)
LANES = 16
SEED = 77


class Deposits(Repeating):
    """Clients that post commands."""

    async def ask(self, client: httpx.AsyncClient, number: int) -> httpx.Response:
        key = {"Idempotency-Key": f"deposit-{number}"}
        return await client.post("/commands/Deposit", json={"number": number}, headers=key)


@pytest.mark.timeout(size(300, 1800))
def test_intake_killed_under_load(project: Project) -> None:
    """Every 202 that a client received is handled, and no repeated key makes a second message."""
    chance = random.Random(SEED)
    intake = project.serve()
    worker = project.consume()
    load = Deposits(str(intake.client.base_url), range(COMMANDS), LANES)
    goals = [COMMANDS * death // (DEATHS + 2) + chance.randrange(40) for death in range(1, DEATHS + 1)]
    intake = asyncio.run(kill_intakes(project, intake, load, goals, patience=70))
    assert len(load.accepted) == COMMANDS
    assert load.repeats > 0, "no request was under way when the intake died"
    project.until_empty(timeout=60)
    stored = Counter(number for (number,) in project.rows("SELECT number FROM deposits"))
    assert set(stored) == set(range(COMMANDS)), f"lost: {set(range(COMMANDS)) - set(stored)}"
    assert stored.total() == COMMANDS, f"twice: {[n for n, c in stored.items() if c > 1]}"
    assert dict(project.rows("SELECT number, message_id FROM deposits")) == {
        number: answer["id"] for number, answer in load.accepted.items()
    }
    print(f"{DEATHS} deaths, {load.repeats} repeats, {load.in_progress} of them told 409 meanwhile")
    worker.stop()
    intake.process.stop()


def test_repeated_key_is_one_message_across_a_restart(project: Project) -> None:
    """The same key gets the same answer from the next intake, and another body under that key is refused."""
    intake = project.serve()
    first = intake.post("Deposit", key="once", number=1)
    assert first.status_code == 202
    intake.process.kill()
    intake = project.serve(port=intake.port)
    again = intake.post("Deposit", key="once", number=1)
    assert (again.status_code, again.json()) == (202, first.json())
    assert intake.post("Deposit", key="once", number=2).status_code == 422
    assert project.waiting() == 1
    project.consume("--burst").wait()
    third = intake.post("Deposit", key="once", number=1)
    assert (third.status_code, third.json()) == (202, first.json())
    assert project.waiting() == 0
    assert project.rows("SELECT number FROM deposits") == [(1,)]


def test_intake_finishes_requests_under_way_on_term(project: Project) -> None:
    """TERM to the intake lets a request whose body is still coming be answered, and exits with 0."""
    intake = project.serve()
    body = b'{"number": 41}'
    head = (
        "POST /commands/Deposit HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", intake.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert b" 100 " in connection.recv(1000)  # it is being read: the request is under way
        intake.process.term()
        intake.process.until_logged("stopping")
        assert intake.process.running
        connection.sendall(body)
        assert b" 202 " in connection.recv(4000)
    assert intake.process.wait() == 0
    assert project.waiting() == 1
