"""A cell: a process that handles one message at a time, and whose end is seen."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.runtime.house import until
from worker.messaging.transport import Ack, Again, Delivery, Outgoing, Release
from worker.runtime.deadly.cell import Cell, CellDied, NoCell
from worker.runtime.deadly.exchange import Answer, Order, Question
from worker.runtime.process.beginning import Beginning

SCRIPT = """
import os, signal, sys, time
import msgspec
pipe = int(os.environ["WORKER_CELL"].split()[0])
def write(data):
    os.write(pipe, len(data).to_bytes(4, "big") + data)
def answer(order):
    write(msgspec.msgpack.encode({"is": "Answer", "outcome": "done", "type": "Go", "id": order["id"]}))
write(b"ready")
while len(size := sys.stdin.buffer.read(4)) == 4:
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(int.from_bytes(size, "big")))
    write(b"begun")
    match order["body"]:
        case b"exit":
            os._exit(7)
        case b"kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case b"fork":
            gate = os.open(order["id"], os.O_RDONLY)
            if os.fork() == 0:  # keeps the pipes open, and ends with the test that holds the other end
                os.read(gate, 1)
                os._exit(0)
            os.write(2, b"forked")
            os._exit(9)
        case b"last word":
            answer(order)
            os._exit(1)
        case b"deaf":
            os.close(pipe)
            time.sleep(60)
        case b"where":
            os.write(2, os.getcwd().encode() + b" " + os.environ.get("SHOP", "").encode())
            answer(order)
        case b"hang":
            time.sleep(60)
        case _:
            answer(order)
"""


def order(body: bytes = b"go", id: str = "m") -> Order:
    return Order(transport="t", queue="q", id=id, body=body, headers={}, key=None)


async def no(question: Question) -> str:
    return "no"


@pytest.fixture
async def cell() -> AsyncIterator[Cell]:
    made = Cell([sys.executable, "-c", SCRIPT], "me", Beginning.now())
    yield made
    await made.close()


async def test_messages_are_handled_by_one_process_after_the_other(cell: Cell) -> None:
    """That process stays as long as there is something to do."""
    for _ in range(3):
        assert (await cell.handle(order(), no)).outcome == "done"
        process = cell._process
        assert process is not None
    await cell.close()
    assert process.returncode == 0


async def test_it_begins_as_its_worker_did(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A handler may have changed the folder and the environment of all."""
    begun = Path.cwd()
    monkeypatch.setenv("SHOP", "closed")
    monkeypatch.chdir(tmp_path)
    assert (await cell.handle(order(b"where"), no)).outcome == "done"
    assert capfd.readouterr().err.strip() == str(begun)


@pytest.mark.parametrize(
    ("body", "how"),
    [(b"exit", "exit code 7"), (b"kill", "signal 9"), (b"deaf", "pipe")],
)
async def test_its_end_is_seen_and_the_next_message_gets_another_one(
    cell: Cell, body: bytes, how: str
) -> None:
    """However the process ended."""
    with pytest.raises(CellDied, match=how):
        await cell.handle(order(body), no)
    assert (await cell.handle(order(), no)).outcome == "done"


async def test_what_it_said_last_counts_and_its_end_is_not_the_next_ones_fault(cell: Cell) -> None:
    """It died after it was done, and before the next was begun."""
    assert (await cell.handle(order(b"last word"), no)).outcome == "done"
    assert (await cell.handle(order(), no)).outcome == "done"


@pytest.mark.filterwarnings("ignore:This process")
async def test_what_it_has_forked_does_not_hide_its_end(cell: Cell, tmp_path: Path) -> None:
    """Though the forked process keeps the cell's pipe open."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    held = os.open(gate, os.O_RDWR)
    try:
        with pytest.raises(CellDied, match="exit code 9"):
            await cell.handle(order(b"fork", str(gate)), no)
    finally:
        os.close(held)  # the forked process comes to the end of it, and ends


async def test_cancelling_ends_the_process(cell: Cell) -> None:
    """Nothing is handled twice at once."""
    handling = asyncio.create_task(cell.handle(order(b"hang"), no))
    await until(lambda: cell._process is not None and cell._ready)
    process = cell._process
    assert process is not None
    handling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handling
    assert process.returncode == -9


async def test_it_is_ended_when_nothing_was_for_a_while(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is for others then."""
    monkeypatch.setattr("worker.runtime.deadly.cell.IDLE", 0.01)
    await cell.handle(order(), no)
    process = cell._process
    assert process is not None
    await until(lambda: process.returncode == 0)


@pytest.mark.parametrize(
    ("command", "why"),
    [(["/nowhere"], "could not|could be started"), ([sys.executable, "-c", "exit(2)"], "exit code 2")],
)
async def test_what_cannot_be_started_is_no_death(command: list[str], why: str) -> None:
    """No message was in it."""
    cell = Cell(command, "me", Beginning.now())
    open_before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    with pytest.raises(NoCell, match=why):
        await cell.handle(order(), no)
    await cell.close()
    if open_before:
        assert len(os.listdir("/proc/self/fd")) <= open_before + 1


def test_an_answer_is_made_a_settlement_of_the_delivery_that_was_handled() -> None:
    """As it would have been settled there."""
    delivery = Delivery(queue="q", id="m", body=b"", receipt=None)
    outgoing = Outgoing(queue="q", id="m", type="Go", body=b"2")
    answer = Answer(outcome="done", type="Go", id="m")
    assert answer.settlement(delivery) == Ack(delivery)
    again = Answer(outcome="retrying", type="Go", id="m", settled="again", outgoing=outgoing)
    assert again.settlement(delivery) == Again(delivery, outgoing)
    released = Answer(outcome="returned", type="Go", id="m", settled="release", delay=1.0)
    assert released.settlement(delivery) == Release(delivery, 1.0)
