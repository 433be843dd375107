"""What a worker does with a transport's messages: concurrency, attempts, failures, and stopping."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.conformance.pausing import Pausing
from tests.conformance.ranking import Ranking
from tests.conformance.shop import Shop, opened_shop
from tests.conformance.waiting import eventually, settled_turns


@pytest.mark.conformance
class WorkerSuite(Pausing, Ranking):
    """Ranks and bursts as in ``Ranking``; C27 and C28 as in ``Pausing``; C03, C07, C09, C13, C14, C24, C25, C39 and F09, for a worker over one transport."""

    url: str = ""
    options: Mapping[str, Any] = {}
    pace: float | None = None
    """Where the broker has a clock of its own: how long a second of the scenarios lasts, in seconds."""

    @pytest.fixture
    def broker_url(self) -> str:
        """Address of the broker under test, empty of messages; override it where there is one."""
        return self.url

    @pytest.fixture
    async def shop(self, tmp_path: Path, broker_url: str) -> AsyncIterator[Shop]:
        async with opened_shop(tmp_path, broker_url, options=self.options, pace=self.pace) as shop:
            yield shop

    async def test_c03_no_more_handlers_run_than_there_are_slots(self, shop: Shop) -> None:
        """C03: of twice as many blocked messages as slots exactly the slots run; released, all finish once."""
        shop.gate.clear()
        await shop.send(*range(10))
        async with shop.worker(concurrency=5):
            await eventually(lambda: shop.running == 5, "five handlers running")
            await settled_turns(100)
            assert shop.running == 5
            shop.gate.set()
            await shop.until_handled(10)
        assert shop.most == 5
        assert dict(shop.handled) == dict.fromkeys(range(10), 1)

    async def test_c07_a_failed_attempt_is_tried_again_and_counted(self, shop: Shop) -> None:
        """C07: the first attempt is number 1, its retry number 2, and not before its delay has passed."""
        shop.failing = lambda command, context: context.attempt == 1
        await shop.send(7)
        async with shop.worker():
            await eventually(lambda: len(shop.finished) == 1, "the first attempt")
            await shop.until_settled()
            assert shop.attempts == [(7, 1)]
            shop.passes(9.0)
            await settled_turns(100)
            assert shop.attempts == [(7, 1)]
            shop.passes(1.5)
            await shop.until_handled(1)
        assert shop.attempts == [(7, 1), (7, 2)]
        assert [finished.outcome for finished in shop.finished] == ["retrying", "done"]

    async def test_c09_attempts_do_not_multiply_by_workers(self, shop: Shop) -> None:
        """C09: with three workers a message has its attempts once, then it is in the failure store."""
        shop.failing = lambda command, context: True
        await shop.send(9)
        async with shop.worker(), shop.worker(), shop.worker():
            for attempt in range(1, 4):
                await eventually(lambda count=attempt: len(shop.finished) >= count, f"attempt {attempt}")
                await shop.until_settled()
                shop.passes(100.0)
        assert shop.attempts == [(9, 1), (9, 2), (9, 3)]
        (failed,) = (await shop.service.failed.list()).items
        assert failed.attempts == 3
        assert not await shop.waiting()

    async def test_c13_what_cannot_be_read_is_kept_and_the_queue_flows_on(self, shop: Shop) -> None:
        """C13: undecodable bytes go to the failure store unchanged, at once, and hold nothing up."""
        body = b"\xff\x00 this is no JSON \r\n"
        await shop.raw(body)
        await shop.send(1, 2, 3)
        async with shop.worker(concurrency=1):
            await shop.until_handled(3)
            await eventually(lambda: len(shop.finished) == 4, "all four settled")
        (failed,) = (await shop.service.failed.list()).items
        shown = await shop.service.failed.show(failed.id)
        assert base64.b64decode(shown.body_base64 or "") == body
        assert not await shop.waiting()

    async def test_c14_an_unknown_type_is_kept_under_its_name(self, shop: Shop) -> None:
        """C14: a message of a type that is not declared goes to the failure store under its name."""
        await shop.raw(b'{"specversion":"1.0","id":"u1","type":"Unheard","source":"x","data":{}}')
        await shop.send(1)
        async with shop.worker():
            await shop.until_handled(1)
            await eventually(lambda: len(shop.finished) == 2, "both settled")
        (failed,) = (await shop.service.failed.list()).items
        assert failed.type == "Unheard"

    async def test_c39_what_comes_back_is_what_came(self, shop: Shop) -> None:
        """C39: retries, the failure store and a replay keep what this application does not know, and the data byte for byte.

        Only what the way of the message changes is changed: its attempt, and the ticket of its replay.
        """
        data = b'{ "new": {"n": 1.0, "big": 123456789012345678901234567890, "e": 1e3} ,\n "number":7}'
        event = (
            b'{"specversion":"1.0","newextension":"n","id":"c39","type":"PlaceOrder","data":'
            + data
            + b',"dataversion":3}'
        )
        bodies: list[bytes] = []
        decode = shop.service.sending.serializer.decode

        def noting(body: bytes, *given: Any, **more: Any) -> Any:
            bodies.append(body)
            return decode(body, *given, **more)

        shop.service.sending.serializer.decode = noting  # type: ignore[method-assign]
        shop.failing = lambda command, context: len(shop.finished) < 3
        await shop.raw(event, "c39")
        async with shop.worker():
            for attempt in range(1, 4):
                await eventually(lambda count=attempt: len(shop.finished) >= count, f"attempt {attempt}")
                await shop.until_settled()
                shop.passes(100.0)
            shown = await shop.service.failed.show("c39")
            assert shown.envelope == {**msgspec.json.decode(event), "attempt": 3}
            seen = list(bodies)
            await shop.service.failed.retry("c39")
            shop.passes(1.0)
            await shop.until_handled(1)
        assert seen[0] == event
        came = msgspec.json.decode(event, type=dict[str, msgspec.Raw])
        replayed = msgspec.json.decode(bodies[-1], type=dict[str, msgspec.Raw])
        again = [msgspec.json.decode(body, type=dict[str, msgspec.Raw]) for body in seen[1:]]
        assert {bytes(members["data"]) for members in (*again, replayed)} == {data}
        assert again == [{**came, "attempt": msgspec.Raw(b"%d" % number)} for number in (2, 3)]
        stamps = replayed.pop("stamps")
        assert replayed == {**came, "attempt": msgspec.Raw(b"1")}
        assert list(msgspec.json.decode(msgspec.json.decode(stamps))) == ["replay"]

    async def test_f09_a_poisonous_message_holds_nothing_up(self, shop: Shop) -> None:
        """F09: while one message fails and waits for its retries, the others are handled."""
        shop.failing = lambda command, context: command.number == 0
        await shop.send(*range(20))
        async with shop.worker(concurrency=1):
            await shop.until_handled(19)
        assert shop.started[0] == 1

    async def test_c24_a_graceful_stop_finishes_what_runs_and_starts_nothing(self, shop: Shop) -> None:
        """C24: at stop, running handlers finish and are acked once; what was prefetched waits for others."""
        shop.gate.clear()
        await shop.send(*range(8))
        async with shop.worker(concurrency=2) as worker:
            await eventually(lambda: shop.running == 2, "two handlers running")
            await eventually(lambda: any(one.buffer for one in worker.consumers), "something is prefetched")
            worker.stop()
            await settled_turns(100)
            shop.gate.set()
        assert sum(shop.handled.values()) == 2
        assert not shop.cancelled
        waiting = await shop.until_waiting(6)
        assert {delivery.deaths for delivery in waiting} == {0}

    async def test_c25_what_outlives_the_grace_is_given_back_uncharged(self, shop: Shop) -> None:
        """C25: a handler that exceeds the grace is cancelled and its message given back: same attempt, no failure."""
        shop.gate.clear()
        await shop.send(1)
        async with shop.worker(grace=0.05):
            await eventually(lambda: shop.running == 1, "the handler running")
        assert shop.cancelled == {1: 1}
        assert [delivery.deaths for delivery in await shop.until_waiting(1)] == [0]
        shop.gate.set()
        async with shop.worker():
            await shop.until_handled(1)
        assert shop.attempts == [(1, 1), (1, 1)]
        assert not (await shop.service.failed.list()).items

    async def test_c26_a_second_worker_in_one_process_goes_on(self, shop: Shop) -> None:
        """C26: after start, stop and start again, consumption resumes."""
        for number in range(3):
            await shop.send(number)
            async with shop.worker():
                await shop.until_handled(number + 1)
        assert dict(shop.handled) == {0: 1, 1: 1, 2: 1}
