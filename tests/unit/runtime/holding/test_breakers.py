"""Breakers: a dependency that is down costs no message an attempt, is tried with one message, and is used again by itself."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager

import msgspec
import pytest

from tests.unit.runtime.house import house, until
from worker import App, Breaker, ConfigurationError, Context, PauseConsumers, Reject, ResumeConsumers, Retry
from worker.runtime.holding.breaker_count import BreakerCount
from worker.wiring.consumers_document import consumers_document

MAIL = Breaker(failures=3, errors=(ConnectionError,), dependency="mail", pause=10.0, max_pause=40.0)


class Welcome(msgspec.Struct, frozen=True):
    number: int


class Remind(msgspec.Struct, frozen=True):
    number: int


class Post:
    """Two commands that send mail, by a server that may be down."""

    def __init__(self, breaker=MAIL):
        self.app = App("post")
        self.down = True
        self.error = ConnectionError("the mail server does not answer")
        self.poison = None
        """Number of a command that always fails."""
        self.calls = []
        self.attempts = []
        for cls in (Welcome, Remind):
            self.app.command(retry=Retry(max_retries=0))(cls)
            self.app.handler(breaker=breaker)(self._handler(cls))

    def _handler(self, cls):
        async def mail(command, context):
            self.calls.append((cls.__name__, command.number))
            self.attempts.append(context.attempt)
            if self.down or command.number == self.poison:
                raise self.error

        mail.__annotations__ = {"command": cls, "context": Context}
        mail.__qualname__ = f"mail_{cls.__name__}"
        return mail


@asynccontextmanager
async def working(post, **options):
    """A worker with its control; ``it.look`` lets both go on after time has passed."""
    async with house(post.app) as it:
        running = it.start(**{"concurrency": 2, **options})
        control = it.consumers.control

        async def look(seconds=0.0):
            it.clock.advance(seconds)
            it.broker.wake()
            await it.consumers.breakers.close()
            await control.look()

        it.look = look
        try:
            await look()
            yield it
        finally:
            it.worker.stop()
            await running
            for consumer in it.worker.consumers:
                await consumer.close(1.0)


async def opened(it, post, count=3):
    await until(lambda: len(post.calls) >= count)
    await it.look()
    shown = await shown_of(it)
    assert all(item["paused"] for item in shown.values())


async def shown_of(it):
    return {item["type"]: item for item in (await consumers_document(it.service))["consumers"]}


async def test_a_dependency_that_is_down_costs_nothing_and_is_taken_up_again():
    """Three failures pause both types; one message is tried now and then; then all run, on their first attempt."""
    post = Post()
    async with working(post) as it:
        ids = await it.send(*(Welcome(n) for n in range(10)), *(Remind(n) for n in range(10)))
        await opened(it, post)
        shown = await shown_of(it)
        assert {item["pause"]["actor"] for item in shown.values()} == {"breaker"}
        assert "ConnectionError" in shown["Remind"]["pause"]["reason"]
        for expected, wait in (
            (1, 10.0),
            (2, 20.0),
            (3, 40.0),
            (4, 40.0),
        ):  # twice as long each time, at most 40 s
            calls = len(post.calls)
            await it.look(wait - 1.0)
            assert len(post.calls) == calls
            await it.look(1.0)
            await until(lambda seen=calls: len(post.calls) == seen + 1)
            await until(lambda: not any(one.pace.throttle and one.running for one in it.worker.consumers))
            await it.look()
            assert expected
        post.down = False
        await it.look(40.0)
        await until(lambda: "done" in it.outcomes())
        await it.look(2.0)  # what was given back is due
        await until(lambda: it.outcomes().count("done") == 20)
        assert set(post.attempts) == {1}
        assert (await it.service.failed.list()).total == 0
        assert {(await it.service.status.standing.get(id)).status for id in ids} == {"done"}
        assert not any(item["paused"] for item in (await shown_of(it)).values())


async def test_an_operator_overrides_it():
    """Resuming lets everything run, and the breaker counts anew."""
    post = Post()
    async with working(post) as it:
        await it.send(*(Welcome(n) for n in range(5)))
        await opened(it, post)
        post.down = False
        await it.service.buses.dispatch["command"].dispatch(ResumeConsumers(types=("Welcome", "Remind")))
        await it.look(1.0)
        await until(lambda: it.outcomes().count("done") == 5)


async def test_an_operators_pause_outlives_it():
    """While the operator's pause holds, no message is tried, and it does not end with the breaker."""
    post = Post()
    async with working(post) as it:
        await it.send(*(Welcome(n) for n in range(5)))
        await opened(it, post)
        calls = len(post.calls)
        await it.service.buses.dispatch["command"].dispatch(PauseConsumers(types=("Welcome",), actor="anna"))
        post.down = False
        for _ in range(5):
            await it.look(40.0)
            await asyncio.sleep(0)
        assert len(post.calls) == calls
        assert (await shown_of(it))["Welcome"]["pause"]["actor"] == "anna"


async def test_a_message_that_always_fails_is_charged_in_the_end():
    """While the others go well a message is spared a few times, then it fails like any other."""
    post = Post(Breaker(failures=3))
    post.down, post.poison, post.error = False, 0, ValueError("poison")
    async with working(post, concurrency=1) as it:
        await it.send(Welcome(0))
        for number in range(1, 20):
            await it.send(Welcome(number))
            await until(lambda seen=number: it.outcomes().count("done") == seen)
            await it.look(1.5)
            await until(lambda: all(one.idle for one in it.worker.consumers))
        assert it.outcomes().count("failed") == 1
        assert post.calls.count(("Welcome", 0)) == 4
        assert not any(item["paused"] for item in (await shown_of(it)).values())


async def test_what_says_something_about_the_message_does_not_count():
    """A rejected message goes to the failure store, whatever the breaker counts."""
    post = Post(Breaker(failures=1))
    post.error = Reject("no such address")
    async with working(post) as it:
        await it.send(Welcome(1))
        await until(lambda: it.outcomes() == ["failed"])
        await it.look()
        assert not any(item["paused"] for item in (await shown_of(it)).values())


def test_failures_in_a_row_open_it_and_a_success_in_between_does_not():
    """They are counted anew after each success."""
    count = BreakerCount("x", Breaker(failures=3), ("A",))
    assert [count.failed(0.0) for _ in range(2)] == [False, False]
    count.succeeded(0.0)
    assert [count.failed(0.0) for _ in range(3)] == [False, False, True]


def test_a_share_of_failures_opens_it():
    """Half of the calls within the window, and at least as many as ``failures`` says."""
    count = BreakerCount("x", Breaker(failures=4, rate=0.5, window=10.0), ("A",))
    found = []
    for second in range(20):
        count.succeeded(float(second))
        found.append(count.failed(float(second)))
    assert found[:3] == [False] * 3
    assert found[3]


@pytest.mark.parametrize(
    "wrong",
    [
        *({"failures": wrong} for wrong in (0, 1.5, True)),
        *({"rate": wrong} for wrong in (0.0, 1.1, math.nan, "1")),
        *({name: wrong} for name in ("window", "pause") for wrong in (0, math.nan, math.inf, True, "5")),
        *({"max_pause": wrong} for wrong in (1, math.nan, math.inf, 1e300)),
    ],
)
def test_a_breaker_that_makes_no_sense_is_refused(wrong):
    """The error names field and value."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Breaker(**wrong)


def test_one_dependency_has_one_breaker():
    """Two handlers that name it with different numbers are a fault at start."""
    post = Post()
    other = msgspec.defstruct("Other", [("n", int)], frozen=True)
    post.app.command(name="Other")(other)

    async def handle(command): ...

    handle.__annotations__ = {"command": other}
    post.app.handler(breaker=Breaker(dependency="mail"))(handle)
    with pytest.raises(ConfigurationError, match="'mail' differ"):
        post.app.registry()


async def test_failures_of_another_process_are_judged_as_its_own():
    """A message that is handled alone is spared as any other when what it calls is down."""
    post = Post()
    async with working(post) as it:
        breakers = it.consumers.breakers
        handler = next(iter(breakers._by_handler))
        failures = breakers.failures([(handler, post.error), (handler, Reject("no")), ("other", post.error)])
        assert [failure.breaker for failure in failures] == ["mail", None, None]
        assert breakers.note("m", failures[:1])
        assert not breakers.note("m", failures)
        assert not breakers.note("m", ())
