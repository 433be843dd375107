"""Whatever fails while a message is judged or settled: it is charged, and ends in the failure store by the policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from msgspec import structs
from structlog.testing import capture_logs

from tests.unit.runtime.going import Go, fails, shop, stored
from tests.unit.runtime.house import House, Watched, house, until
from tests.unit.test_texts import ERRORS, LONE, NUL
from worker import Recoverable, Retry, Stamp
from worker.errors import HandlersFailed, Unavailable
from worker.messaging.failure import Failure
from worker.messaging.transport import Again, Delivery, Release
from worker.runtime.settling.keeping import LONGEST_HOLD, Keeper


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():  # each fault is logged with its trace
        yield


ONCE = Retry(max_retries=1, delay=1.0, jitter=0.0)


def broken(*_given: Any, **_more: Any) -> Any:
    """Fails as code with a fault does."""
    raise RuntimeError("broken inside")


async def later_broken(*_given: Any, **_more: Any) -> Any:
    """Likewise, awaited."""
    raise RuntimeError("broken inside")


async def run_to_the_end(it: House, attempts: int) -> list[str]:
    """Run a worker as often as there are attempts, each when it is due."""
    for _ in range(attempts):
        await it.run(burst=True)
        it.clock.advance(10)
    return it.outcomes()


async def test_any_error_is_charged_and_stored() -> None:
    """Whatever its text, class or trace is: retried by the policy, then kept."""
    errors = [error for error in ERRORS if isinstance(error, Exception)]

    async def go(command: Go) -> None:
        raise errors[command.number]

    async with house(shop(go, retry=ONCE)) as it:
        ids = await it.send(*(Go(number) for number in range(len(errors))))
        assert await run_to_the_end(it, 2) == ["retrying"] * len(ids) + ["failed"] * len(ids)
        rows = {row.failure.id: row.failure for row in await stored(it)}
        assert {(rows[id].attempts, len(rows[id].history)) for id in ids} == {(2, 2)}
        await it.service.status.writer.flush()
        shown = (await it.service.status.standing.get_many(ids)).values()
        assert {(status.status, status.attempts) for status in shown} == {("failed", 2)}
        assert len(shown) == len(ids)


class Later(Recoverable):
    """Sets its delay past every check."""

    def __init__(self, delay: Any) -> None:
        self.delay = delay


async def test_a_wrong_delay_is_wrong_use_and_not_retried() -> None:
    """It neither loops nor waits: the message is in the failure store, and says why."""
    delays = [float("nan"), "5", True, 1e300, -1, [5]]

    async def go(command: Go) -> None:
        raise Later(delays[command.number])

    async with house(shop(go)) as it:
        await it.send(*(Go(number) for number in range(len(delays))))
        assert await run_to_the_end(it, 1) == ["failed"] * len(delays)
        rows = await stored(it)
        assert [[attempt.error_type for attempt in row.failure.history] for row in rows] == [
            ["UsageError"]
        ] * len(delays)


def _encoding(it: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(it.service.sending.serializer, "onward", broken)


def _history(it: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(it.service.state.failures, "note", later_broken)


def _chance(it: House, patch: pytest.MonkeyPatch) -> None:
    process = it.service.process
    machine = structs.replace(process.machine, chance=broken)
    it.service = structs.replace(it.service, process=structs.replace(process, machine=machine))


def _breakers(it: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("worker.runtime.holding.breakers.Breakers.failed", broken)


def _status(it: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(it.service.status.writer, "record", broken)


def _publish(it: House, patch: pytest.MonkeyPatch) -> None:
    it.without_replaces()
    patch.setattr(it.service.sending.senders["memory"], "send", later_broken)


FAULTS: dict[str, tuple[Callable[[House, pytest.MonkeyPatch], None], list[str]]] = {
    "history": (_history, ["retrying", "failed"]),
    "chance": (_chance, ["retrying", "failed"]),
    "breakers": (_breakers, ["retrying", "failed"]),
    "status": (_status, ["retrying", "failed"]),
    "publish": (_publish, ["failed"]),
    "encoding": (_encoding, ["failed"]),
}
"""What is broken, and what becomes of a message whose handler fails; what can have no next attempt is kept at once."""


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_of_the_worker_itself_charges_an_attempt(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And ends in the failure store, with the message's bytes; nothing comes for ever at its first attempt."""
    spoil, expected = FAULTS[name]
    async with house(shop(fails, retry=ONCE)) as it:
        (message_id,) = await it.send(Go())
        spoil(it, monkeypatch)
        assert await run_to_the_end(it, 3) == expected
        (row,) = await stored(it)
        assert row.failure.id == message_id
        assert row.failure.attempts == len(expected)
        assert "OSError" in {attempt.error_type for attempt in row.failure.history}
        assert await it.waiting("shop-go") == []


async def test_a_fault_before_the_handler_charges_an_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the question whether a message is a stale copy of a replay fails inside the worker."""
    async with house(shop(fails, retry=ONCE)) as it:
        (message_id,) = await it.send(Go())
        await run_to_the_end(it, 2)
        await it.service.failed.retry(message_id)
        it.finished.clear()
        monkeypatch.setattr(it.service.state.failures, "stale", later_broken)
        assert await run_to_the_end(it, 3) == ["retrying", "failed"]
        (row,) = await stored(it)
        assert row.failure.attempts == 2
        assert "RuntimeError" in {attempt.error_type for attempt in row.failure.history}
        assert await it.waiting("shop-go") == []


async def test_a_message_that_cannot_even_be_looked_at_is_kept_with_its_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reading never raises; should it all the same, the message is kept and the queue flows on."""
    async with house(shop(fails)) as it:
        await it.send(Go())
        (body,) = [delivery.body for delivery in await it.waiting("shop-go")]
        it.clock.advance(100)
        monkeypatch.setattr(it.service.sending.serializer, "decode", broken)
        await it.run(burst=True)
        (row,) = await stored(it)
        assert (row.failure.decoded, row.failure.body) == (False, body)
        assert row.failure.history[0].error_type == "RuntimeError"
        assert await it.waiting("shop-go") == []


async def test_what_the_store_cannot_take_whole_is_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bytes as they came and a plain error."""
    async with house(shop(fails, retry=Retry(max_retries=0))) as it:
        await it.send(Go())
        add, tries = it.service.state.failures.add, []

        async def picky(failures: Any) -> None:
            tries.append(failures)
            if len(tries) == 1:
                raise ValueError(NUL)
            await add(failures)

        monkeypatch.setattr(it.service.state.failures, "add", picky)
        assert await run_to_the_end(it, 1) == ["failed"]
        (row,) = await stored(it)
        assert (row.failure.decoded, [a.error_type for a in row.failure.history]) == (False, ["OSError"])
        assert msgspec.json.decode(row.failure.body)["type"] == "Go"


async def test_what_the_store_does_not_take_at_all_is_held_back_longer_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is not lost, and does not spin."""
    async with house(shop(fails, retry=Retry(max_retries=0))) as it:
        message_id = "m1"
        monkeypatch.setattr(it.service.state.failures, "add", later_broken)
        holds: list[float] = []
        keeper = Keeper(it.service.state.failures, "w", it.clock)
        delivery = Delivery(queue="shop-go", id=message_id, body=b"{}", receipt=None)
        failure = Failure(
            id=message_id, type="Go", transport="memory", queue="shop-go", failed_at=1.0, attempts=1, decoded=True, body=b"{}"
        )  # fmt: skip
        for _ in range(12):
            verdict = await keeper.keep(delivery, failure, OSError("broken"), None)
            assert (type(verdict.settlement), verdict.outcome) == (Release, "returned")
            holds.append(verdict.settlement.delay)  # type: ignore[union-attr]
        assert holds[:4] == [1.0, 2.0, 4.0, 8.0]
        assert holds[-1] == LONGEST_HOLD


async def test_a_transport_that_cannot_swap_one_message_gets_its_next_attempt_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It does not come again after each lease for ever: the second time it is copied, then acknowledged."""
    settle = Watched.settle

    async def picky(self: Watched, items: Any) -> Any:
        if any(isinstance(item, Again) for item in items):
            raise ValueError("cannot swap")
        return await settle(self, items)

    monkeypatch.setattr(Watched, "settle", picky)
    async with house(shop(fails, retry=ONCE)) as it:
        (message_id,) = await it.send(Go())
        task = it.start()
        await until(lambda: len(it.outcomes()) == 1)
        it.clock.advance(100)  # its lease is over
        await until(lambda: len(it.outcomes()) == 2)
        it.clock.advance(10)
        await until(lambda: len(it.outcomes()) == 3)
        assert it.outcomes() == ["retrying", "retrying", "failed"]
        assert it.worker is not None
        it.worker.stop()
        await task
        (row,) = await stored(it)
        assert (row.failure.id, row.failure.attempts) == (message_id, 2)
        assert await it.waiting("shop-go") == []


class Wild(Stamp):
    """A stamp of the application's own that raises whatever it is asked."""

    value: str = ""

    def __eq__(self, other: object) -> bool:
        raise SystemExit(5)

    def __repr__(self) -> str:
        raise SystemExit(6)

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("broken_call", ["onward", "spares"])
async def test_what_is_no_exception_while_a_message_is_judged_is_charged_too(
    broken_call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stamps, and what writes them, are code of the application: it may want to end the process there as well."""

    def ends(*_given: Any, **_more: Any) -> Any:
        raise SystemExit(5)

    app = shop(fails, retry=ONCE)

    @app.middleware(on="consume")
    async def stamped(envelope: Any, call_next: Any) -> Any:
        return await call_next(envelope.with_(Wild(value="a")))

    async with house(app) as it:
        (message_id,) = await it.send(Go())
        if broken_call == "onward":
            monkeypatch.setattr(it.service.sending.serializer, "onward", ends)
        else:
            monkeypatch.setattr("worker.runtime.holding.breakers.Breakers.failed", ends)
        await run_to_the_end(it, 3)
        (row,) = await stored(it)
        assert row.failure.id == message_id
        assert await it.waiting("shop-go") == []


async def test_a_listener_that_fails_changes_nothing() -> None:
    """The message is settled once, whatever its listener raises."""

    async def go(command: Go) -> None: ...

    async with house(shop(go)) as it:
        it.finished = _Broken()  # type: ignore[assignment]
        (message_id,) = await it.send(Go())
        it.log.clear()
        await it.run(burst=True)
        assert it.log == [("ack", message_id)]


class _Broken(list[Any]):
    append = broken  # type: ignore[assignment]


async def test_an_error_of_another_message_is_this_handlers_failure() -> None:
    """Code may raise the bus's own error, naming other handlers or none at all."""

    async def go(command: Go) -> None:
        raise HandlersFailed(None, [("other", Unavailable(LONE))])

    async with house(shop(go, retry=Retry(max_retries=0))) as it:
        await it.send(Go())
        assert await run_to_the_end(it, 1) == ["failed"]
        (row,) = await stored(it)
        assert [attempt.error_type for attempt in row.failure.history] == ["HandlersFailed"]
