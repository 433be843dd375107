"""What steps and attributes may do that is not expected of them: it fails the step that did it, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextvars import copy_context
from typing import Any

import pytest

from worker import ChainContext, StepFailed, UsageError
from worker.chain.actions import surrounded
from worker.chain.chain import Step, build
from worker.chain.conditions import parse, parse_all
from worker.chain.lazy import LazyStep
from worker.chain.running import Runner


def runner(*calls: Callable[[ChainContext], Any], **when: object) -> Runner[ChainContext]:
    """A chain of these steps, with the same conditions."""
    return Runner(
        build([Step(str(at), LazyStep.of(call), when=parse_all(when)) for at, call in enumerate(calls)])
    )


async def ran(context: ChainContext) -> None:
    context.result = "ran"


async def test_a_plain_function_that_raises_stop_iteration_fails_as_an_async_one_does() -> None:
    """No future can hold that error: a caller that waited for it would wait for ever."""

    def stop(context: ChainContext) -> None:
        raise StopIteration("nothing left")

    with pytest.raises(StepFailed, match="StopIteration") as caught:
        await asyncio.wait_for(runner(stop).run(ChainContext("export")), 30)
    assert isinstance(caught.value.cause, RuntimeError)
    assert isinstance(caught.value.cause.__cause__, StopIteration)


class Unwritable:
    """Has no text."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __str__(self) -> str:
        raise self._error


@pytest.mark.parametrize(
    "value",
    [
        Unwritable(ValueError()),
        Unwritable(SystemExit(3)),
        [Unwritable(ValueError()), "other"],
        10**5000,
    ],
    ids=["raises", "exits", "in a list", "huge"],
)
async def test_a_value_that_cannot_be_written_is_none_that_a_condition_names(value: Any) -> None:
    """It is no reason for a chain to break."""
    for text, expected in (("a", None), ("!a", "ran")):
        for attribute in ("x", "class"):
            context = ChainContext("export", {attribute: value})
            await runner(ran, **{attribute: text}).run(context)
            assert context.result == expected


class Unhashable(type):
    __hash__ = None  # type: ignore[assignment]


class Alike(type):
    """Whose classes are all equal."""

    def __eq__(cls, other: object) -> bool:
        return True

    def __hash__(cls) -> int:
        return 1


class Raising(type):
    def __hash__(cls) -> int:
        raise SystemExit(3)


@pytest.mark.parametrize("kind", [Unhashable, Alike, Raising])
@pytest.mark.parametrize("held", ["itself", "in a list", "in a tuple"])
async def test_a_class_is_told_from_others_whatever_its_metaclass_says(kind: type[type], held: str) -> None:
    wanted, other = kind("Wanted", (), {}), kind("Other", (), {})
    chain = runner(ran, **{"class": wanted})
    for cls, expected in ((wanted, "ran"), (other, None), (wanted, "ran")):
        value = {"itself": cls, "in a list": [cls], "in a tuple": (cls,)}[held]
        context = ChainContext("export", {"class": value})
        await chain.run(context)
        assert context.result == expected


def test_a_class_that_cannot_be_asked_for_its_subclasses_is_itself_alone() -> None:
    """Whatever it raises."""

    class Meta(type):
        def __subclasscheck__(cls, other: type) -> bool:
            raise RuntimeError

    class Base(metaclass=Meta): ...

    condition = parse("class", Base)
    assert (condition.verdict({"class": int}), condition.verdict({"class": Base})) == (False, True)


@pytest.mark.parametrize(
    "does",
    [
        lambda context: setattr(context, "first_group", ["load"]),
        lambda context: setattr(context, "last_group", 3),
        lambda context: context.skip_group(None),
        lambda context: context.undo_skip_group(["load"]),
        lambda context: context.add_error("text"),
        lambda context: context.add_error(ValueError),
    ],
)
async def test_what_a_context_cannot_take_fails_the_step_that_gave_it(
    does: Callable[[ChainContext], Any],
) -> None:
    """Not one that comes later, and not the chain."""

    async def step(context: ChainContext) -> None:
        does(context)

    with pytest.raises(StepFailed, match=r"step 0 .*expected") as caught:
        await runner(step, ran).run(ChainContext("export"))
    assert isinstance(caught.value.cause, UsageError)


def test_a_cleared_context_keeps_its_action() -> None:
    """All else is gone."""
    for context in (ChainContext("export", {"x": 1, "y": 2}), ChainContext("export")):
        changes = context.changes
        context.clear()
        assert dict(context) == {"action": "export"}
        assert context.changes > changes


def test_what_surrounds_actions_may_be_closed_from_elsewhere() -> None:
    """As a coroutine is that is not awaited to its end."""

    class Waits:
        def __await__(self) -> Generator[None]:
            yield

    async def surrounding() -> None:
        with surrounded(plugins=()):
            await Waits()

    coroutine = surrounding()
    copy_context().run(coroutine.send, None)
    coroutine.close()
