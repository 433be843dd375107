"""The collection of declarations takes entries of any kind, also of one that it has never heard of."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from worker.application.app import App
from worker.messaging.declaring.declarations import Declarations, Declares
from worker.messaging.declaring.draft import Draft
from worker.messaging.declaring.registry import WrongDeclarations, check


class Timer(msgspec.Struct, frozen=True):
    call: Any
    every: float = 1.0


class Label(msgspec.Struct, frozen=True):
    text: str


class Timers(Declares):
    """A kind of declaration with a decorator of its own."""

    def timer(self, call: Any = None, **options: Any) -> Any:
        known = self._declared.known("timer", options, ("every",))
        return self._decorate(lambda it: Timer(it, **known), call)


def check_timers(draft: Draft) -> None:
    entries = draft.declared.of(Timer)
    draft.faults += [f"timer: every={one.every}, expected more than 0" for one in entries if one.every <= 0]
    draft.keep(Timer, entries)


def tick() -> None: ...


def tock() -> None: ...


def test_a_decorator_of_a_new_kind_works_bare_and_with_arguments() -> None:
    """And returns what it decorated; nothing else has to know its kind."""
    it = Timers()
    assert it.timer(tick) is tick
    assert it.timer(every=2.0)(tock) is tock
    assert it._declared.of(Timer) == [Timer(tick), Timer(tock, 2.0)]


def test_an_option_that_there_is_not_is_a_fault_and_left_out() -> None:
    """With what was probably meant."""
    it = Timers()
    it.timer(evry=2.0)(tick)
    assert it._declared.of(Timer) == [Timer(tick)]
    assert it._declared.faults == ["timer: unknown option evry=2.0; did you mean 'every'?"]


def test_joined_collections_keep_kinds_apart_in_order_with_their_faults() -> None:
    """What is included comes after what includes it."""
    one, two = Declarations(), Declarations()
    one.add(Timer(tick))
    two.add(Label("a"))
    two.add(Timer(tock))
    two.faults.append("wrong")
    joined = Declarations.joined([one, two])
    assert joined.of(Timer) == [Timer(tick), Timer(tock)]
    assert joined.of(Label) == [Label("a")]
    assert joined.faults == ["wrong"]
    assert one.of(Label) == []


def test_a_new_kind_is_checked_with_all_others_and_kept_in_the_registry() -> None:
    """Its own check says what is wrong with it, in the same error as all that is wrong."""
    it = Timers()
    it.timer(tick)
    assert check("shop", it._declared, (), [check_timers]).entries_of(Timer) == (Timer(tick),)
    it.timer(every=0.0)(tock)
    with pytest.raises(WrongDeclarations) as told:
        check("no name", it._declared, (), [check_timers])
    assert len(told.value.faults) == 2
    assert App("shop").registry().entries_of(Timer) == ()
