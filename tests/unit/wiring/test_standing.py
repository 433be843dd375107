"""Tests of ``worker.wiring.standing``: a crash leaves no command unfinished for ever."""

import msgspec
import pytest

from worker.messaging.status import CommandStatus, StatusChange
from worker.wiring.standing import PATIENCE, Standing

STARTED = 1_700_000_000.0
ID = "018bcfe5-6800-7000-8000-000000000001"


class Statuses:
    """Holds one status; what is recorded replaces its state."""

    def __init__(self, status: str) -> None:
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

    def record(self, change: StatusChange) -> None:
        self.found = msgspec.structs.replace(self.found, status=change.state)


class Queue:
    """A transport that can look messages up."""

    def __init__(self, *ids: str) -> None:
        self.ids = frozenset(ids)

    async def holds(self, queue: str, ids: list[str]) -> frozenset[str]:
        return self.ids.intersection(ids)


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
) -> Standing:
    statuses = Statuses(status)

    async def finished(type_name: str, message_id: str) -> bool:
        return message_id in done

    return Standing(
        statuses, statuses, {"sqlite": transport}, failures, lambda: STARTED + later, unpaused, finished
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
    """Without a committed work nobody can tell."""
    found = await standing("accepted", object(), Failures()).get(ID)
    assert found is not None
    assert found.status == "accepted"


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
