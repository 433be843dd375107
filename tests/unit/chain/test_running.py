"""The runner: which steps of a chain run, in which order, and what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from worker import ChainContext, StepFailed, UsageError
from worker.chain.chain import Step, build
from worker.chain.conditions import parse_all
from worker.chain.lazy import LazyStep, as_call
from worker.chain.running import Runner

GROUPS = {"initialize": 30, "load": 20, "finalize": 10, "normalize_result": -10}
Does = Callable[[ChainContext], Any]


def note(name: str, does: Does | None = None) -> LazyStep[ChainContext]:
    """A step that notes its name as the result, then does something."""

    async def call(context: ChainContext) -> None:
        context.result = [*(context.result or []), name]
        if does is not None:
            does(context)

    return LazyStep(lambda: call)


def step(
    name: str, group: str | None = None, priority: int = 0, does: Does | None = None, **when: object
) -> Step[LazyStep[ChainContext]]:
    return Step(name, note(name, does), priority, group, parse_all(when))


def runner(
    *steps: Step[LazyStep[ChainContext]], groups: dict[str, int] | None = None
) -> Runner[ChainContext]:
    return Runner(build(steps, GROUPS if groups is None else groups))


async def run(*steps: Step[LazyStep[ChainContext]], **attributes: object) -> list[str]:
    context = ChainContext("export", attributes)
    await runner(*steps).run(context)
    return context.result or []


def fail(error: BaseException) -> Does:
    def raising(context: ChainContext) -> None:
        raise error

    return raising


async def test_steps_run_in_the_chains_order_where_their_conditions_hold() -> None:
    """What does not apply is passed over."""
    steps = (
        step("finalize", "finalize"),
        step("other", "load", format="csv"),
        step("load", "load", format="json"),
        step("first", priority=7),
    )
    assert await run(*steps, format="json") == ["first", "load", "finalize"]


async def test_a_condition_on_an_absent_attribute_lets_the_step_run() -> None:
    """Only ``exists`` asks for presence."""
    assert await run(step("a", format="json"), step("b", format="!json"), step("c", format="exists")) == [
        "a",
        "b",
    ]


async def test_conditions_are_asked_just_before_each_step() -> None:
    """An attribute that a step sets, changes or deletes counts for those after it."""

    def forget(context: ChainContext) -> None:
        del context["format"]

    assert await run(
        step("set", does=lambda context: context.update(format="json")),
        step("csv", format="csv"),
        step("json", does=forget, format="json"),
        step("csv again", format="csv"),
        format="csv",
    ) == ["set", "json", "csv again"]


@pytest.mark.parametrize("kind", [list, set])
async def test_a_list_that_a_step_changes_in_place_counts_for_those_after_it(kind: Any) -> None:
    """No step need set the attribute anew."""
    held = kind(["rest"])

    def add(context: ChainContext) -> None:
        (held.append if kind is list else held.add)("json_api")

    assert await run(
        step("add", does=add), step("api", kind="json_api"), step("no api", kind="!json_api"), kind=held
    ) == [
        "add",
        "api",
    ]


async def test_what_an_object_says_of_itself_is_asked_each_time() -> None:
    """An attribute may be an object that changes."""

    class State:
        text = "new"

        def __str__(self) -> str:
            return self.text

    state = State()
    assert await run(
        step("end", does=lambda context: setattr(state, "text", "old")),
        step("new", state="new"),
        step("old", state="old"),
        state=state,
    ) == ["end", "old"]


async def test_classes_compare_by_whether_one_is_a_subclass() -> None:
    """Given itself, by its full name, as the source writes it, or by its name alone."""

    class Base: ...

    class Book(Base): ...

    full = f"{__name__}.{Base.__qualname__}"
    assert await run(
        step("itself", **{"class": Base}),
        step("full", **{"class": full}),
        step("source", **{"class": full.replace(".", "\\")}),
        step("name", **{"class": "Base"}),
        step("any class", entity=Base),
        step("not", **{"class": "!Base"}),
        step("other", **{"class": StepFailed}),
        step("narrower", parent_class=Book),
        **{"class": Book, "entity": Book, "parent_class": Base},
    ) == ["itself", "full", "source", "name", "any class"]


async def test_a_group_can_be_skipped_and_taken_up_again() -> None:
    """Also the group of the step that says so; steps of no group run all the same."""
    assert await run(
        step("head", does=lambda context: context.skip_group("load")),
        step("one", "initialize", 1, lambda context: context.skip_group("initialize")),
        step("two", "initialize"),
        step("load", "load"),
        step("finalize", "finalize", does=lambda context: context.undo_skip_group("normalize_result")),
        step("tail", priority=-1),
    ) == ["head", "one", "finalize", "tail"]
    assert await run(
        step("one", "initialize", 1, lambda context: context.skip_group("load")),
        step("two", "initialize", 0, lambda context: context.undo_skip_group("load")),
        step("load", "load"),
    ) == ["one", "two", "load"]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("load", None, ["head", "load", "finalize", "tail"]),
        (None, "load", ["head", "initialize", "load", "tail"]),
        ("load", "load", ["head", "load", "tail"]),
        ("finalize", "load", ["head", "tail"]),
        ("unknown", "unknown", ["head", "initialize", "load", "finalize", "tail"]),
    ],
)
async def test_a_range_of_groups_is_inclusive_and_spares_what_has_no_group(
    first: str | None, last: str | None, expected: list[str]
) -> None:
    """A name that the action has not means nothing."""
    context = ChainContext("export")
    context.first_group, context.last_group = first, last
    steps = (
        *(step(group, group) for group in ("initialize", "load", "finalize")),
        step("head"),
        step("tail", None, -1),
    )
    await runner(*steps).run(context)
    assert context.result == expected


async def test_a_step_can_end_the_range() -> None:
    """The last group may be set while it runs."""
    assert await run(
        step("one", "initialize", does=lambda context: setattr(context, "last_group", "initialize")),
        step("load", "load"),
    ) == ["one"]


async def test_a_step_can_end_the_run_and_the_next_run_begins_anew() -> None:
    """``stop`` holds for the run that it was said in."""
    both = runner(step("a", does=ChainContext.stop), step("b"))
    context = ChainContext("export")
    await both.run(context)
    assert (context.result, context.stopped) == (["a"], True)
    await runner(step("c")).run(context)
    assert (context.result, context.stopped) == (["a", "c"], False)


async def test_a_step_is_made_when_it_first_applies_and_once() -> None:
    """A step that never applies is never made."""
    made: list[str] = []

    def lazy(name: str) -> LazyStep[ChainContext]:
        def make() -> Any:
            made.append(name)
            return note(name).run

        return LazyStep(make)

    shared = lazy("shared")
    chain = build(
        [Step("a", shared), Step("b", shared), Step("c", lazy("never"), when=parse_all({"format": "csv"}))]
    )
    for _ in range(2):
        context = ChainContext("export", {"format": "json"})
        await Runner(chain).run(context)
        assert context.result == ["shared", "shared"]
    assert made == ["shared"]


async def test_runs_at_once_share_what_is_made() -> None:
    """Two that have begun before anything was made get one."""
    made: list[int] = []

    def make() -> Any:
        made.append(1)
        return note("a").run

    lazy = LazyStep(make)
    first, second = lazy.run(ChainContext("one")), lazy.run(ChainContext("two"))
    await asyncio.gather(first, second)
    assert made == [1]


async def test_a_step_that_cannot_be_made_fails_its_run_and_is_made_anew_by_the_next() -> None:
    """What its constructor raises is the step's failure."""
    answers = [ValueError("not yet"), None]

    def make() -> Any:
        error = answers.pop(0)
        if error is not None:
            raise error
        return note("a").run

    single = Runner(build([Step("a", LazyStep(make))]))
    with pytest.raises(StepFailed, match="not yet"):
        await single.run(ChainContext("export"))
    await single.run(ChainContext("export"))


async def test_a_plain_function_runs_in_a_thread() -> None:
    """It does not hold up the loop."""
    loop_thread = asyncio.get_running_loop()

    def call(context: ChainContext) -> None:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        context.result = loop_thread is not None

    context = ChainContext("export")
    await Runner(build([Step("a", LazyStep(lambda: as_call(call)))])).run(context)
    assert context.result is True


async def test_what_a_plain_function_returns_to_be_awaited_is_awaited() -> None:
    """A decorator may hide that a function is async."""

    async def inner(context: ChainContext) -> None:
        context.result = "awaited"

    def outer(context: ChainContext) -> Any:
        return inner(context)

    context = ChainContext("export")
    await Runner(build([Step("a", LazyStep.of(outer))])).run(context)
    assert context.result == "awaited"


async def test_an_exception_is_a_failed_step_that_says_where_and_why() -> None:
    """Those after it do not run."""
    error = ValueError("no such book")
    context = ChainContext("export")
    with pytest.raises(StepFailed) as caught:
        await runner(
            step("load", "load", does=fail(error)),
            step("finalize", "finalize"),
            groups={"load": 2, "finalize": 1},
        ).run(context)
    failed = caught.value
    assert (failed.step, failed.action, failed.group, failed.cause) == ("load", "export", "load", error)
    assert failed.__cause__ is error
    assert str(failed) == "step load of action 'export', group 'load' failed: ValueError: no such book"
    assert (context.result, context.errors) == (["load"], [])


async def test_what_is_no_exception_is_a_failure_too() -> None:
    """A step cannot end the process."""
    with pytest.raises(StepFailed, match="SystemExit"):
        await runner(step("a", does=fail(SystemExit(3))), groups={}).run(ChainContext("export"))


async def test_a_cancelled_run_is_no_failure() -> None:
    """Cancelling goes through."""
    started = asyncio.Event()

    async def wait(context: ChainContext) -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(
        Runner(build([Step("a", LazyStep.of(wait), group="load")], GROUPS)).run(ChainContext("export"))
    )
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_exception_joins_the_errors_and_the_chain_goes_on_at_normalize_result() -> None:
    """Nothing runs again, and what follows that group runs too."""
    context = ChainContext("export")
    await runner(
        step("head"),
        step("load", "load", 1, fail(ValueError("gone"))),
        step("more", "load"),
        step("finalize", "finalize"),
        step("normalize", "normalize_result"),
        step("after", "after"),
        step("tail", priority=-1),
        groups={**GROUPS, "after": -20},
    ).run(context)
    assert context.result == ["head", "load", "normalize", "after", "tail"]
    (error,) = context.errors
    assert isinstance(error, StepFailed)
    assert isinstance(error.cause, ValueError)
    assert error.__cause__ is error.cause


async def test_an_added_error_ends_the_chain_after_its_step() -> None:
    """With a jump where the group exists, and the caller gets the context either way."""
    error = ValueError("wrong")
    context = ChainContext("export")
    steps = (step("load", "load", 1, lambda context: context.add_error(error)), step("more", "load"))
    await runner(*steps, step("normalize", "normalize_result")).run(context)
    assert (context.result, context.errors) == (["load", "normalize"], [error])
    context = ChainContext("export")
    await runner(*steps, groups={"load": 1}).run(context)
    assert (context.result, context.errors) == (["load"], [error])


async def test_in_normalize_result_added_errors_end_nothing_and_exceptions_are_raised() -> None:
    """The group that puts an end to a chain is not jumped to from inside, nor from behind."""
    context = ChainContext("export")
    await runner(
        step("one", "normalize_result", 1, lambda context: context.add_error(ValueError("noted"))),
        step("two", "normalize_result"),
    ).run(context)
    assert context.result == ["one", "two"]
    for place in ("normalize_result", None):
        context = ChainContext("export")
        with pytest.raises(StepFailed, match="broken"):
            await runner(
                step("load", "load", does=fail(ValueError("first"))),
                step("end", place, -1, fail(ValueError("broken"))),
            ).run(context)
        assert (context.result, len(context.errors)) == (["load", "end"], 1)


async def test_where_normalize_result_is_out_of_reach_there_is_no_jump() -> None:
    """It may be skipped, or lie behind the last group."""
    for limit in (
        lambda context: context.skip_group("normalize_result"),
        lambda context: setattr(context, "last_group", "finalize"),
    ):
        context = ChainContext("export")
        limit(context)
        with pytest.raises(StepFailed):
            await runner(step("load", "load", does=fail(ValueError())), step("end", "normalize_result")).run(
                context
            )
        assert context.result == ["load"]


async def test_a_group_without_steps_is_jumped_to_all_the_same() -> None:
    """That the action has it is enough: the error is in the context."""
    context = ChainContext("export")
    await runner(step("load", "load", does=fail(ValueError()))).run(context)
    assert len(context.errors) == 1


async def test_errors_of_a_run_before_do_not_end_this_one() -> None:
    """A chain may run part after part."""
    context = ChainContext("export")
    context.add_error(ValueError())
    await runner(step("a"), step("b"), groups={}).run(context)
    assert context.result == ["a", "b"]


async def test_a_part_of_a_chain_runs_by_itself() -> None:
    """From a group on, or up to one."""
    chain = build([step("head"), *(step(group, group) for group in GROUPS), step("tail", None, -1)], GROUPS)
    parts = [chain.part(None, "load"), chain.part("load", "normalize_result"), chain.part("normalize_result")]
    found = []
    for part in parts:
        context = ChainContext("export")
        await Runner(part).run(context)
        found.append(context.result)
    assert found == [["head", "initialize"], ["load", "finalize"], ["normalize_result", "tail"]]
    with pytest.raises(KeyError):
        chain.part("nowhere")


def test_a_context_is_a_mapping_whose_action_stays() -> None:
    """Missing attributes raise as in any mapping, or are None by ``get``."""
    context = ChainContext("export", {"class": 1, "nothing": None})
    context["more"] = 2
    del context["class"]
    assert dict(context) == {"nothing": None, "action": "export", "more": 2}
    assert ("nothing" in context, context.get("class"), context.action) == (True, None, "export")
    with pytest.raises(KeyError):
        context["class"]
    with pytest.raises(UsageError, match="cannot be changed"):
        context["action"] = "import"
    with pytest.raises(UsageError):
        del context["action"]


def test_a_result_may_be_none_and_be_taken_away() -> None:
    """That there is one is another question than what it is."""
    context = ChainContext("export")
    assert (context.has_result, context.result) == (False, None)
    context.result = None
    assert context.has_result
    del context.result
    assert not context.has_result


def test_a_context_shows_no_values() -> None:
    """They may be secret."""
    assert "hunter2" not in repr(ChainContext("export", {"password": "hunter2"}))


async def test_plans_are_kept_for_few_combinations_only() -> None:
    """A client that chooses the values cannot make a chain grow."""
    single = Runner(build([step("a", **{"class": "x"})]))
    for number in range(500):
        await single.run(ChainContext("export", {"class": f"y{number}"}))
    assert len(single._plans._found) <= 32


@pytest.mark.parametrize("number", [10, 17, 100])
async def test_a_chain_in_which_each_step_changes_what_follows_costs_their_sum(number: int) -> None:
    """What all of them ask is not asked anew after each."""
    asked: list[str] = []

    class Noting(dict[str, Any]):
        """Attributes that note what is read of them."""

        def get(self, name: str, default: Any = None) -> Any:
            asked.append(name)
            return super().get(name, default)

    def setting(at: int) -> Callable[[ChainContext], Any]:
        async def step(context: ChainContext) -> None:
            ran.append(at)
            context[f"a{at}"] = "x"
            if at % 2:
                context["odd"] = at

        return step

    ran: list[int] = []
    steps = [
        Step(str(at), LazyStep.of(setting(at)), when=parse_all({f"a{at - 1}": "x", "odd": f"!{at - 2}"}))
        for at in range(number)
    ]
    context = ChainContext("export")
    context._facts = Noting(context._facts)
    await Runner(build(steps)).run(context)
    expected, facts = [], dict[str, Any]()
    for at, step in enumerate(steps):
        if step.applies(facts):
            expected.append(at)
            facts[f"a{at}"] = "x"
            if at % 2:
                facts["odd"] = at
    assert ran == expected
    assert len(asked) < 80 * number


async def test_skipped_groups_errors_and_stops_count_also_where_much_has_changed() -> None:
    seen: list[str] = []

    def step(name: str, group: str, *does: Callable[[ChainContext], Any]) -> Any:
        async def run(context: ChainContext) -> None:
            seen.append(name)
            context[name] = name
            for one in does:
                one(context)

        return Step(name, LazyStep.of(run), group=group, when=parse_all({"class": "!x"}))

    groups = {"a": 40, "b": 30, "c": 20, "d": 15, "normalize_result": 10, "e": 5}
    many = [step(f"a{at}", "a") for at in range(30)]

    def fail(context: ChainContext) -> None:
        raise ValueError

    steps = [
        *many,
        step("skips", "a", lambda context: context.skip_group("b")),
        step("skipped", "b"),
        step("fails", "c", fail),
        step("never", "d"),
        step("ends", "normalize_result", lambda context: context.stop()),
        step("stopped", "e"),
    ]
    context = ChainContext("export")
    await Runner(build(steps, groups)).run(context)
    assert seen[30:] == ["skips", "fails", "ends"]
    assert len(context.errors) == 1
