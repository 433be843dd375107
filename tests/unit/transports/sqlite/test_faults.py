"""The SQLite file in trouble: every wait is bounded and every error names the file and the cause."""

import asyncio
import sqlite3

import pytest

from transports import registry
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, OutcomeKind, Outgoing, QueueSpec, Settled

QUEUE = QueueSpec(name="jobs", types=("Job",))


def message(number=1, **changes):
    return Outgoing(**({"queue": "jobs", "id": f"m{number}", "type": "Job", "body": b"{}"} | changes))


@pytest.fixture
async def transport(tmp_path):
    made = registry.create("file", "sqlite:///queue.db", {"busy_timeout": 0.2}, base=tmp_path)
    await made.connect()
    await made.setup([QUEUE])
    yield made
    await made.close()


@pytest.fixture
def lock(tmp_path, transport):
    """Another process that holds the write lock, as one that was stopped in the middle of a transaction."""
    other = sqlite3.connect(tmp_path / "queue.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


async def test_a_lock_that_is_never_released_is_an_outage_that_names_the_file(transport, lock):
    async with asyncio.timeout(30):
        with pytest.raises(TransportUnavailable, match=r"queue\.db.*lock"):
            await transport.publish([message()])
        with pytest.raises(TransportUnavailable, match=r"queue\.db"):
            await transport.ping()
    lock.execute("ROLLBACK")
    assert [outcome.accepted for outcome in await transport.publish([message()])] == [True]


async def test_looking_at_an_empty_queue_needs_no_lock(transport, lock):
    subscription = await transport.subscribe(QUEUE, slots=1)
    assert list(await subscription.receive(1, 0.05)) == []


async def test_settling_under_a_lock_is_unknown_and_never_raises(transport, tmp_path):
    await transport.publish([message()])
    subscription = await transport.subscribe(QUEUE, slots=1)
    (delivery,) = await subscription.receive(1, 1.0)
    other = sqlite3.connect(tmp_path / "queue.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert list(await subscription.settle([Ack(delivery)])) == [Settled.UNKNOWN]
    assert list(await subscription.extend([delivery])) == [Settled.UNKNOWN]
    other.close()
    assert list(await subscription.settle([Ack(delivery)])) == [Settled.DONE]


async def test_one_bad_job_of_a_turn_fails_alone(transport):
    bad = message(2, delay="soon")
    good, failed = await asyncio.gather(
        transport.publish([message(1)]), transport.publish([bad]), return_exceptions=True
    )
    assert good[0].accepted
    assert isinstance(failed, Exception)
    assert (await transport.depth(["jobs"]))["jobs"].ready == 1


@pytest.mark.parametrize("prepare", ["text", "folder", "file for a folder"])
async def test_what_is_no_database_is_named_at_connect(tmp_path, prepare):
    path = tmp_path / "queue.db"
    if prepare == "text":
        path.write_text("this is not a database, whatever its name says" * 100)
    elif prepare == "folder":
        path.mkdir()
    else:
        path.write_text("")
    url = "sqlite:///queue.db/inner.db" if prepare == "file for a folder" else "sqlite:///queue.db"
    with pytest.raises(TransportUnavailable, match=r"queue\.db"):
        await registry.create("file", url, {}, base=tmp_path).connect()


async def test_a_file_of_a_newer_release_is_left_alone(tmp_path, transport):
    other = sqlite3.connect(tmp_path / "queue.db", isolation_level=None)
    other.execute("UPDATE transport_schema SET version = 99")
    other.close()
    with pytest.raises(TransportUnavailable, match="newer release"):
        await registry.create("file", "sqlite:///queue.db", {}, base=tmp_path).connect()


async def test_bodies_too_large_to_be_read_together_are_read_one_by_one(transport):
    bodies = {f"m{number}": bytes([number]) * 1_000 for number in range(5)}
    await transport.publish([message(id=name, body=body) for name, body in bodies.items()])
    transport.writer._sqlite.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 3_000)
    subscription = await transport.subscribe(QUEUE, slots=5)
    got = await subscription.receive(5, 1.0)
    assert {delivery.id: delivery.body for delivery in got} == bodies


async def test_a_loop_that_never_rests_does_not_starve_the_writer(transport):
    async def burn():
        while True:
            sum(range(20_000))
            await asyncio.sleep(0)

    burning = asyncio.ensure_future(burn())
    async with asyncio.timeout(10):
        for number in range(20):
            await transport.publish([message(number)])
    burning.cancel()


async def test_a_file_that_was_removed_or_replaced_is_opened_anew(tmp_path, transport, monkeypatch):
    """A process that had the old file open and one that comes now use the same file: nothing waits where no process looks."""
    monkeypatch.setattr("transports.sqlite.writer._LOOK", 0.0)
    subscription = await transport.subscribe(QUEUE, slots=5)
    for path in tmp_path.glob("queue.db*"):
        path.unlink()
    other = registry.create("file", "sqlite:///queue.db", {}, base=tmp_path)
    await other.connect()
    await other.setup([QUEUE])
    assert (await other.publish([message(1)]))[0].kind is OutcomeKind.ACCEPTED
    assert [one.id for one in await subscription.receive(1, 10.0)] == ["m1"]
    await transport.publish([message(2)])
    assert (await other.depth([QUEUE.name]))[QUEUE.name].ready == 1
    await other.close()


async def test_what_is_asked_fails_while_no_file_can_be_made_in_its_place(tmp_path, monkeypatch):
    """And goes on as soon as one can."""
    monkeypatch.setattr("transports.sqlite.writer._LOOK", 0.0)
    folder = tmp_path / "in"
    transport = registry.create("file", "sqlite:///in/queue.db", {}, base=tmp_path)
    await transport.connect()
    await transport.setup([QUEUE])

    async def outcomes(number: int) -> list[OutcomeKind]:
        return [one.kind for one in await transport.publish([message(number)])]

    folder.rename(tmp_path / "away")
    folder.write_text("a file")
    with pytest.raises(TransportUnavailable, match=r"queue\.db"):
        await outcomes(1)
    folder.unlink()
    (tmp_path / "away").rename(folder)
    assert await outcomes(2) == [OutcomeKind.ACCEPTED]
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert await outcomes(3) == [OutcomeKind.ACCEPTED]
    assert (await transport.depth([QUEUE.name]))[QUEUE.name].ready == 1
    await transport.close()
