"""Observing: what happens to a message is told, in order, to each observer that wants to hear it."""

from __future__ import annotations

import dataclasses
from typing import Any

from structlog.testing import capture_logs

from tests.unit.runtime.going import Go, fails, shop
from tests.unit.runtime.house import house
from worker import PauseConsumers, ResumeConsumers
from worker.messaging.observing import UNHEARD, Observer, all_of
from worker.runtime.options import ConsumeOptions
from worker.wiring.consuming import make_consumers


class Ear:
    """Notes everything that it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, tuple[Any, ...]]] = []
        names = [field.name for field in dataclasses.fields(Observer)]
        self.observer = Observer(**{name: self._note(name) for name in names})

    def _note(self, name: str) -> Any:
        return lambda *facts: self.heard.append((name, facts))

    def names(self) -> list[str]:
        return [name for name, _ in self.heard]

    def facts(self, name: str) -> list[tuple[Any, ...]]:
        return [facts for known, facts in self.heard if known == name]


def test_where_nobody_wants_to_hear_there_is_nothing_to_call() -> None:
    """So that the place that would call needs a single look."""
    assert all_of([]) == UNHEARD
    assert all_of([Observer(), Observer(began=print)]).ended is None


def test_an_observer_that_raises_keeps_nothing_from_the_others() -> None:
    """It is logged, and the work goes on."""
    heard: list[object] = []

    def fail(name: str, reason: str | None) -> None:
        raise ZeroDivisionError

    both = all_of([Observer(stopped=fail), Observer(stopped=lambda *facts: heard.append(facts))])
    assert both.stopped is not None
    with capture_logs() as logs:
        both.stopped("w1", "limit")
    assert heard == [("w1", "limit")]
    assert [(line["event"], line["what"]) for line in logs] == [("an observer failed", "stopped")]


async def test_the_way_of_a_message_is_heard_in_order() -> None:
    """From its sending to its settlement, with place, attempt, outcome and duration."""
    ear = Ear()

    async def go(command: Go) -> None: ...

    async with house(shop(go), observers=(ear.observer,)) as it:
        (sent,) = await it.send(Go())
        await it.run(burst=True)
    assert ear.names() == ["sent", "received", "started", "ended", "settled"]
    ((transport, (outgoing,), (outcome,)),) = ear.facts("sent")
    assert (transport, outgoing.id, outcome.accepted) == ("memory", sent, True)
    ((place, envelope),) = ear.facts("started")
    assert (place.transport, place.queue, envelope.id) == ("memory", "shop-go", sent)
    ((ended,),) = ear.facts("ended")
    assert (ended.outcome, ended.type, ended.message_id, ended.attempt) == ("done", "Go", sent, 1)
    assert ended.place == place
    assert ended.duration is not None
    assert ended.duration >= 0


async def test_a_failed_attempt_is_heard_with_what_becomes_of_it() -> None:
    """``retrying`` or ``failed``, as many times as it was started."""
    ear = Ear()
    async with house(shop(fails), observers=(ear.observer,)) as it:
        await it.send(Go())
        await it.run(limit=1)
        await it.put("shop-go", b"nonsense", "n1")
        await it.run(limit=1)
    ended = [one for (one,) in ear.facts("ended")]
    assert [(one.outcome, one.type) for one in ended][:1] == [("retrying", "Go")]
    assert (ended[1].outcome, ended[1].envelope, ended[1].duration) == ("failed", None, None)
    assert len(ear.facts("started")) == 1


async def test_pauses_and_their_ends_are_heard() -> None:
    """With the queue, and why."""
    ear = Ear()

    async def go(command: Go) -> None: ...

    async with house(shop(go), observers=(ear.observer,)) as it:
        control = make_consumers(it.service, ConsumeOptions(concurrency=1)).control
        dispatch = it.service.buses.dispatch["command"].dispatch
        await control.look()
        await dispatch(PauseConsumers(types=("Go",), reason="lunch"))
        await control.look()
        await dispatch(ResumeConsumers(types=("Go",)))
        await control.look()
        ((place, pause),) = ear.facts("paused")
        assert (place.queue, pause.reason) == ("shop-go", "lunch")
        assert ear.facts("resumed") == [(place,)]


async def test_a_burst_that_is_heard_is_handled_all_the_same() -> None:
    """Every message is started and ended once."""
    ear = Ear()

    async def go(command: Go) -> None: ...

    async with house(shop(go), observers=(ear.observer,)) as it:
        ids = await it.send(*(Go() for _ in range(40)))
        await it.run(burst=True, concurrency=4)
    assert sorted(one.message_id for (one,) in ear.facts("ended")) == sorted(ids)
