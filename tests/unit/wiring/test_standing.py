"""Tests of ``worker.wiring.standing``: a crash leaves no command unfinished for ever."""

from collections.abc import Iterator

import msgspec
import pytest

from worker.messaging.status import CommandStatus, StatusChange
from worker.messaging.transport import Depth, Position
from worker.wiring.standing import PATIENCE, Standing

STARTED = 1_700_000_000.0
ID = "018bcfe5-6800-7000-8000-000000000001"


class Statuses:
    """Holds one status; what is recorded replaces its state."""

    def __init__(self, status: str, worker: str = "") -> None:
        self.worker = worker
        self.found = CommandStatus(
            id=ID,
            type="Pay",
            status=status,
            transport="sqlite",
            queue="shop-pay",
            attempts=1,
            accepted_at="2023-11-14T22:13:20.000Z",
            started_at=None,
            finished_at=None,
            error=None,
        )

    async def get(self, command_id: str) -> CommandStatus | None:
        return self.found if command_id == ID else None

    async def holder(self, command_id: str) -> str:
        return self.worker

    def record(self, change: StatusChange) -> None:
        self.found = msgspec.structs.replace(self.found, status=change.state)


@pytest.mark.parametrize(
    "time", ["yesterday", "", "2023-11-14", "0001-01-01T00:00:00", "9999-12-31T23:59:59+00:00"]
)
async def test_any_text_may_stand_as_a_time(time: str) -> None:
    """A producer of another make wrote no ISO time, or one beyond what a clock can say: it is no error."""
    asked = standing("accepted", Queue(), Failures())
    statuses = Statuses("accepted")
    statuses.found = msgspec.structs.replace(statuses.found, accepted_at=time)
    asked._reader = statuses
    assert (await asked.get(ID)) is not None


class Queue:
    """A transport that can look messages up."""

    def __init__(self, *ids: str) -> None:
        self.ids = frozenset(ids)

    async def holds(self, queue: str, ids: list[str]) -> frozenset[str]:
        return self.ids.intersection(ids)


class Counted:
    """A transport that can only count."""

    def __init__(self, **figures: object) -> None:
        self.figures = Depth(**figures)

    async def depth(self, queues: list[str]) -> dict[str, Depth]:
        return dict.fromkeys(queues, self.figures)


class Empty:
    """A transport that can only tell whether a queue is empty."""

    def __init__(self, empty: bool) -> None:
        self.empty = empty

    async def is_empty(self, queue: str) -> bool:
        return self.empty


class Failures:
    """A failure store that has the message or not."""

    def __init__(self, row: object = None) -> None:
        self.row = row

    async def get(self, failure_id: str) -> object:
        return self.row


async def unpaused(type_name: str) -> bool:
    return False


def standing(
    status: str,
    transport: object,
    failures: Failures,
    later: float = PATIENCE + 1,
    done: frozenset[str] = frozenset(),
    worker: str = "",
    parked: bool = False,
) -> Standing:
    statuses = Statuses(status, worker)

    async def finished(type_name: str, message_id: str) -> bool:
        return message_id in done

    async def alive(name: str) -> bool:
        return name == "alive"

    async def waits(message_id: str) -> bool:
        return parked

    return Standing(
        statuses,
        statuses,
        {"sqlite": transport},
        failures,
        lambda: STARTED + later,
        unpaused,
        finished,
        alive,
        waits,
    )


@pytest.mark.parametrize("status", ["accepted", "running", "retrying"])
async def test_a_command_that_left_its_queue_unnoticed_is_done(status: str) -> None:
    """Gone from its queue and not in the failure store, it has been handled."""
    found = await standing(status, Queue(), Failures()).get(ID)
    assert found is not None
    assert found.status == "done"


async def test_a_command_on_its_queue_stays_as_it_is() -> None:
    """What waits, is delayed or runs is held by its queue."""
    found = await standing("running", Queue(ID), Failures()).get(ID)
    assert found is not None
    assert found.status == "running"


async def test_a_command_in_the_failure_store_is_not_done() -> None:
    """Its status is being written."""
    found = await standing("running", Queue(), Failures(object())).get(ID)
    assert found is not None
    assert found.status == "running"


async def test_a_clock_that_was_set_back_leaves_no_command_unfinished() -> None:
    """What seems to have been accepted in an hour is looked at now."""
    found = await standing("running", Queue(), Failures(), later=-3600).get(ID)
    assert found is not None
    assert found.status == "done"


async def test_a_recent_command_is_not_asked_about() -> None:
    """Its status may be on the way."""
    found = await standing("accepted", Queue(), Failures(), later=PATIENCE / 2).get(ID)
    assert found is not None
    assert found.status == "accepted"


@pytest.mark.parametrize("status", ["accepted", "running", "retrying"])
async def test_a_command_whose_work_is_committed_is_done(status: str) -> None:
    """Where the transport cannot look messages up, the inbox tells what a worker had finished when it was killed."""
    found = await standing(status, object(), Failures(), done=frozenset({ID})).get(ID)
    assert found is not None
    assert found.status == "done"


async def test_a_transport_that_cannot_look_up_leaves_the_status() -> None:
    """Without a committed unit of work it is not known what became of it."""
    found = await standing("accepted", object(), Failures()).get(ID)
    assert found is not None
    assert found.status == "accepted"


DRAINED = [
    {"ready": 0, "delayed": 0, "in_flight": 0},
    {"ready": 0, "delayed": 0, "positions": (Position(partition=0, committed=7, end=7),)},
]
UNSURE = [
    {"ready": 1, "delayed": 0, "in_flight": 0},
    {"ready": 0, "delayed": 0, "in_flight": 1},
    {"ready": 0, "delayed": 0, "in_flight": None},  # it is not known what is handed out
    {"ready": 0, "delayed": None, "in_flight": 0},  # it may wait for its next attempt
    {"ready": 0, "delayed": 3, "positions": (Position(partition=0, committed=7, end=7),)},
    {},
]


@pytest.mark.parametrize("figures", DRAINED)
async def test_what_a_dead_worker_had_is_done_when_its_queue_holds_nothing(
    figures: dict[str, object],
) -> None:
    """Its message can be nowhere else: it was acked."""
    found = await standing("running", Counted(**figures), Failures(), worker="dead").get(ID)
    assert found is not None
    assert found.status == "done"


@pytest.mark.parametrize(("empty", "status"), [(True, "done"), (False, "accepted")])
async def test_a_transport_that_tells_a_queue_empty_is_believed(empty: bool, status: str) -> None:
    """Where it cannot count what is handed out."""
    found = await standing("running", Empty(empty), Failures(), worker="dead").get(ID)
    assert found is not None
    assert found.status == status


@pytest.mark.parametrize("status", ["accepted", "retrying"])
async def test_what_a_worker_had_that_died_before_it_could_say_so_is_done_when_its_queue_holds_nothing(
    status: str,
) -> None:
    """It was not written then that it had begun."""
    for transport in (Empty(True), Counted(**DRAINED[1])):
        found = await standing(status, transport, Failures()).get(ID)
        assert found is not None
        assert found.status == "done"
    for unsure in (Empty(False), Counted(**UNSURE[0])):
        found = await standing(status, unsure, Failures()).get(ID)
        assert found is not None
        assert found.status == status


async def test_what_is_on_its_way_to_its_queue_is_not_done() -> None:
    """It is in the outbox before the queue is looked at, and no more afterwards."""
    for transport in (Queue(), Counted(**DRAINED[0])):
        standing_ = standing("accepted", transport, Failures())
        looks = iter([True, False])

        async def parked(message_id: str, looks: Iterator[bool] = looks) -> bool:
            return next(looks)

        standing_._parked = parked
        found = await standing_.get(ID)
        assert found is not None
        assert found.status == "accepted"


@pytest.mark.parametrize("figures", UNSURE)
async def test_what_a_dead_worker_had_waits_as_long_as_nobody_can_tell(figures: dict[str, object]) -> None:
    """It does not run, and nothing shows that it was handled: never a false done."""
    found = await standing("running", Counted(**figures), Failures(), worker="dead").get(ID)
    assert found is not None
    assert found.status == "accepted"


async def test_what_a_dead_worker_had_and_its_queue_has_waits() -> None:
    """Where messages can be looked up that is known."""
    found = await standing("running", Queue(ID), Failures(), worker="dead").get(ID)
    assert found is not None
    assert found.status == "accepted"


@pytest.mark.parametrize("worker", ["alive", ""])
async def test_what_a_live_worker_has_runs(worker: str) -> None:
    """Also where it is not known which worker has it."""
    for transport in (Queue(ID), Counted(**DRAINED[0])):
        found = await standing("running", transport, Failures(), worker=worker).get(ID)
        assert found is not None
        assert found.status == "running"


async def test_what_is_parked_is_not_done() -> None:
    """It left its queue to wait for a long delay in the database."""
    for transport in (Queue(), Counted(**DRAINED[0])):
        found = await standing("running", transport, Failures(), worker="dead", parked=True).get(ID)
        assert found is not None
        assert found.status != "done"


async def test_an_unknown_command_stays_unknown() -> None:
    """There is nothing to complete."""
    assert await standing("accepted", Queue(), Failures()).get("other") is None


async def test_a_waiting_command_of_a_paused_type_says_so() -> None:
    """It stays accepted, and is shown as paused; what runs is not."""
    for status, paused in (("accepted", True), ("retrying", True), ("running", False)):
        found = standing(status, Queue(ID), Failures())
        found._paused = always
        shown = await found.get(ID)
        assert shown is not None
        assert (shown.status, shown.paused) == (status, paused)


async def always(type_name: str) -> bool:
    return True
