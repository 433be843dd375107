"""Status of commands: written in batches, read at once, the later step winning."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.errors import DatabaseUnavailable
from worker.messaging.status import StatusChange
from worker.state.status_reader import StatusReader
from worker.state.status_row import StatusRow, join, row_of
from worker.state.status_writer import StatusWriter
from worker.state.waits import Waits

AT = 1_800_000_000.0


def step(state, at=0.0, **facts) -> StatusChange:
    facts.setdefault("accepted_at", "2027-01-15T08:00:00.000Z")
    facts.setdefault("attempt", 0 if state == "accepted" else 1)
    return StatusChange(
        **{
            "id": "m1",
            "type": "T",
            "state": state,
            "at": AT + at,
            "transport": "sqlite",
            "queue": "q",
            **facts,
        }
    )


@pytest.fixture
def writer(database):
    return StatusWriter(database)


@pytest.fixture
def reader(database):
    """Of another process: sees only what is written."""
    return StatusReader(database)


async def after(writer, reader, *steps, each=True):
    for change in steps:
        writer.record(change)
        if each:
            await writer.flush()
    await writer.flush()
    return await reader.get("m1")


@pytest.mark.parametrize("each", [True, False])
async def test_the_usual_way(writer, reader, each):
    """Accepted, running, done: every time is kept, written one by one or together."""
    found = await after(
        writer, reader, step("accepted"), step("running", 1, started_at=AT + 1), step("done", 2), each=each
    )
    assert (found.status, found.attempts, found.transport, found.queue) == ("done", 1, "sqlite", "q")
    assert found.accepted_at == "2027-01-15T08:00:00.000Z"
    assert found.started_at == "2027-01-15T08:00:01.000Z"
    assert found.finished_at == "2027-01-15T08:00:02.000Z"
    assert found.error is None


@pytest.mark.parametrize("each", [True, False])
async def test_a_retry_shows_its_error_until_it_is_done(writer, reader, each):
    """While a command is tried again its last error is shown; once it is done there is none."""
    steps = [
        step("running", 1, started_at=AT + 1),
        step("retrying", 2, error_type="ValueError", error_message="no"),
        step("running", 3, attempt=2, started_at=AT + 3),
    ]
    found = await after(writer, reader, *steps, each=each)
    assert (found.status, found.attempts, found.error.type) == ("running", 2, "ValueError")
    assert found.started_at == "2027-01-15T08:00:01.000Z"
    found = await after(writer, reader, step("done", 4, attempt=2))
    assert (found.status, found.error) == ("done", None)


@pytest.mark.parametrize("each", [True, False])
async def test_a_late_acceptance_hides_nothing(writer, reader, each):
    """The intake's step may be written after the worker's, with a clock that is ahead: the end stays the end."""
    steps = [
        step("running", 1, started_at=AT + 1, accepted_at=None),
        step("done", 2, accepted_at=None),
        step("accepted", 5),
    ]
    found = await after(writer, reader, *steps, each=each)
    assert (found.status, found.accepted_at) == ("done", "2027-01-15T08:00:00.000Z")
    found = await after(writer, reader, step("accepted", 5, id="m2"), step("done", 2, id="m2"))
    assert (await reader.get("m2")).status == "done"


@pytest.mark.parametrize("each", [True, False])
async def test_a_message_given_back_is_accepted_again(writer, reader, each):
    """A worker that gives a message back says so, and its attempts stay counted."""
    found = await after(
        writer, reader, step("running", 1, attempt=2), step("accepted", 2, attempt=2), each=each
    )
    assert (found.status, found.attempts) == ("accepted", 2)


@pytest.mark.parametrize("each", [True, False])
async def test_a_replay_counts_anew(writer, reader, each):
    """Put back from the failure store, a command is accepted again and its attempts count from 1."""
    failed = step("failed", 2, attempt=4, error_type="E", error_message="m")
    found = await after(writer, reader, step("accepted"), failed, step("accepted", 3, again=True), each=each)
    assert (found.status, found.attempts, found.error, found.finished_at) == ("accepted", 0, None, None)
    assert found.accepted_at is not None
    found = await after(writer, reader, step("running", 4, started_at=AT + 4))
    assert (found.status, found.attempts, found.started_at) == ("running", 1, "2027-01-15T08:00:04.000Z")


@pytest.mark.parametrize("each", [True, False])
async def test_a_replay_that_runs_before_it_is_noted_runs(writer, reader, each):
    """The replay may write its status after a worker has begun the message: then nothing is taken back."""
    steps = [
        step("failed", 2, attempt=4, error_type="E", error_message="m"),
        step("running", 4, started_at=AT + 4, again=True),
        step("accepted", 3, again=True),
    ]
    found = await after(writer, reader, *steps, each=each)
    assert (found.status, found.attempts, found.started_at) == ("running", 1, "2027-01-15T08:00:04.000Z")
    assert found.error is None


async def test_an_older_step_changes_nothing(writer, reader):
    """A step that is written late does not undo a later one."""
    found = await after(writer, reader, step("done", 5), step("running", 1, started_at=AT + 1))
    assert (found.status, found.started_at) == ("done", "2027-01-15T08:00:01.000Z")


@pytest.mark.parametrize("each", [True, False])
@pytest.mark.parametrize("late", [True, False])
async def test_a_message_that_comes_again_stays_done(writer, reader, each, late):
    """Its ack was lost, and the worker that has it now dies before it can say that it is done: it was, whichever wrote first."""
    done, again = step("done", 2), step("running", 3, started_at=AT + 3)
    steps = [again, done] if late else [done, again]
    found = await after(writer, reader, step("running", 1, started_at=AT + 1), *steps, each=each)
    assert (found.status, found.finished_at) == ("done", "2027-01-15T08:00:02.000Z")
    failed = step("failed", 4, attempt=2, error_type="E", error_message="m")
    found = await after(writer, reader, failed)
    assert (found.status, found.error.type) == ("failed", "E")


async def test_what_waits_is_seen_in_the_same_process(database, writer):
    """A status can be read in the process that noted it before it is written."""
    writer.record(step("accepted"))
    assert (await StatusReader(database, writer).get("m1")).status == "accepted"
    assert await StatusReader(database).get("m1") is None
    await writer.flush()
    writer.record(step("running", 1))
    assert (await StatusReader(database, writer).get("m1")).status == "running"
    assert await StatusReader(database, writer).get("m2") is None


async def test_many_are_read_together(writer, reader):
    """Only those that are known are returned."""
    for number in range(1200):
        writer.record(step("accepted", id=f"m{number}"))
    await writer.flush()
    asked = [f"m{number}" for number in range(1300)]
    assert set(await reader.get_many(asked)) == set(asked[:1200])


async def test_an_outage_keeps_what_waits(database, connect, tmp_path):
    """While the database does not answer nothing is lost, and the next flush writes it."""
    hasty = await connect(Waits(lock=0.05, pool=0.05))
    writer = StatusWriter(hasty)
    writer.record(step("running", 1))
    async with hasty.begin_write():
        with pytest.raises(DatabaseUnavailable):
            async with asyncio.timeout(30):
                if not hasty.is_sqlite:
                    raise DatabaseUnavailable("rows of others do not block")
                await writer.flush()
        writer.record(step("done", 2))
    await writer.flush()
    assert (await StatusReader(database).get("m1")).status == "done"


async def test_what_waits_is_bounded(database):
    """Beyond its capacity the oldest commands are dropped."""
    writer = StatusWriter(database, capacity=3)
    for number in range(5):
        writer.record(step("accepted", id=f"m{number}"))
    assert set(writer.waiting(f"m{number}" for number in range(5))) == {"m2", "m3", "m4"}
    await writer.flush()


async def test_the_writer_writes_by_itself(database):
    """Steps are written in the background, a full batch at once."""
    writer = StatusWriter(database, interval=3600.0)
    running = asyncio.create_task(writer.run())
    for number in range(1000):
        writer.record(step("accepted", id=f"m{number}"))
    reader = StatusReader(database)
    async with asyncio.timeout(20):
        while len(await reader.get_many(["m0", "m999"])) < 2:
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_fault_of_the_writer_itself_does_not_end_it(database, reader, monkeypatch):
    """What was noted is written by the next try."""
    at_once = SimpleNamespace(**{**vars(asyncio), "sleep": lambda _: asyncio.sleep(0)})
    monkeypatch.setattr("worker.state.status_writer.asyncio", at_once)
    writer, faults = StatusWriter(database, interval=0.0), [RuntimeError("a bug")]
    flush = writer.flush

    async def failing():
        if faults:
            raise faults.pop()
        await flush()

    writer.flush = failing
    running = asyncio.create_task(writer.run())
    writer.record(step("done"))
    async with asyncio.timeout(20):
        while await StatusReader(database).get("m1") is None:
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_ended_commands_are_pruned(database, writer, reader, clock):
    """What ended long ago goes; what waits stays, until nothing was heard of it for much longer."""
    clock.now = AT
    writer.record(step("done", id="old"))
    writer.record(step("accepted", id="waiting"))
    await writer.flush()
    clock.advance(1000.0)
    assert await reader.prune(500.0) == 1
    assert set(await reader.get_many(["old", "waiting"])) == {"waiting"}
    assert await reader.prune(500.0, unfinished=900.0) == 1


class Life:
    """Draws what several processes note of one command that is done in the end, in the order in which it happens."""

    def __init__(self, draw) -> None:
        self.draw = draw
        self.noted: list[tuple[int, StatusChange]] = []
        self.now = 0.0

    def note(self, process: int, state: str, attempt: int = 1, **facts) -> None:
        self.now += 1.0
        skew = (3.5, 2.5, -2.5, 0.3)[process]  # clocks are not the same everywhere
        facts = {"accepted_at": None, **facts}
        self.noted.append((process, step(state, self.now + skew, attempt=attempt, **facts)))

    def attempt(self, number: int, end: str) -> None:
        """Handed out, perhaps again and again, until one process says how it ended."""
        for _ in range(self.draw(st.integers(0, 1))):
            self.note(self.draw(st.integers(1, 3)), "running", number)
        process = self.draw(st.integers(1, 3))
        self.note(process, "running", number)
        self.note(process, end, number)
        for _ in range(self.draw(st.integers(0, 1))):  # the ack was lost
            self.note(self.draw(st.integers(1, 3)), "running", number)


@st.composite
def arrivals(draw):
    """The steps of a life in an order in which they may be written: each process's own in theirs."""
    life = Life(draw)
    life.note(0, "accepted", 0, accepted_at="then")
    attempts = draw(st.integers(1, 3))
    for number in range(1, attempts):
        life.attempt(number, "retrying")
    life.attempt(attempts, draw(st.sampled_from(["done", "failed"])))
    queues = {process: [change for p, change in life.noted if p == process] for process in range(4)}
    arrived = []
    while waiting := [process for process in queues if queues[process]]:
        arrived.append(queues[draw(st.sampled_from(waiting))].pop(0))
    return arrived


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(arrived=arrivals())
def test_no_order_of_writing_shows_a_step_back_or_a_hole(arrived):
    """Whichever process writes first: what has begun has a start, attempts never shrink, an attempt that ended stays so."""
    row = row_of(arrived[0])
    for change in arrived[1:]:
        before, row = row, join(row, row_of(change))
        assert row.state == "accepted" or row.started_at is not None
        assert row.attempts >= before.attempts
        if before.state == "done":
            assert (row.state, row.finished_at is None) == ("done", False)
        if before.state == "failed":
            assert row.state == "failed"
        if before.started_at is not None:
            assert row.started_at <= before.started_at
    assert row.state in {"done", "failed"}


@pytest.mark.parametrize("each", [True, False])
async def test_what_is_done_has_started(writer, reader, each):
    """Found out without its start, it started when it was done at the latest; the worker's own word corrects that."""
    found = await after(writer, reader, step("accepted"), step("done", 5), each=each)
    assert found.started_at == found.finished_at == "2027-01-15T08:00:05.000Z"
    late = [step("running", 1, started_at=AT + 1), step("done", 4)]
    found = await after(writer, reader, *late, each=each)
    assert (found.status, found.started_at) == ("done", "2027-01-15T08:00:01.000Z")


@pytest.mark.parametrize("each", [True, False])
async def test_what_is_from_before_a_replay_counts_no_more(writer, reader, each):
    """A worker that writes late what it did before the command was put back changes nothing of it."""
    steps = [
        step("failed", 3, attempt=4),
        step("accepted", 5, again=True),
        step("running", 4, attempt=4),
    ]
    found = await after(writer, reader, *steps, each=each)
    assert (found.status, found.attempts, found.started_at) == ("accepted", 0, None)


changes = st.builds(
    StatusChange,
    id=st.just("m1"),
    type=st.just("T"),
    state=st.sampled_from(["accepted", "running", "retrying", "done", "failed"]),
    at=st.integers(1, 6).map(float),
    transport=st.sampled_from(["", "a", "b"]),
    queue=st.sampled_from(["", "q"]),
    attempt=st.integers(0, 4),
    again=st.booleans(),
    accepted_at=st.sampled_from([None, "x"]),
    started_at=st.sampled_from([None, 1.0, 2.0]),
    error_type=st.sampled_from([None, "E"]),
    error_message=st.sampled_from([None, "m"]),
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.lists(changes, min_size=1, max_size=3), second=st.lists(changes, min_size=1, max_size=3))
async def test_the_database_joins_rows_as_the_writer_does(database, first, second):
    """One rule, said twice: joining in memory and joining in SQL give the same row."""

    def joined(parts) -> StatusRow:
        row = row_of(parts[0])
        for change in parts[1:]:
            row = join(row, row_of(change))
        return row

    async with database.begin_write() as connection:
        await connection.run("DELETE FROM worker_statuses")
    writer = StatusWriter(database)
    for part in (first, second):
        for change in part:
            writer.record(change)
        await writer.flush()
    async with database.begin_read() as connection:
        (found,) = await connection.rows(
            f"SELECT {', '.join(StatusRow.__struct_fields__)} FROM worker_statuses"
        )
    assert StatusRow(**found) == join(joined(first), joined(second))
    # what failed to be written as a whole is written again, and may have been written in part
    assert join(StatusRow(**found), joined(second)) == StatusRow(**found)


@pytest.mark.parametrize("text", ["a NUL \0", "lone \udc80"])
async def test_a_step_that_no_database_takes_as_it_is_stops_nothing(writer, reader, text):
    """Its texts are written out; the steps of other commands are written beside it."""
    writer.record(step("failed", error_type="ValueError", error_message=text, accepted_at=text))
    writer.record(step("done", id="m2"))
    await writer.flush()
    found = await reader.get_many(["m1", "m2"])
    assert {name: status.status for name, status in found.items()} == {"m1": "failed", "m2": "done"}
