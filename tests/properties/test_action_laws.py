"""Laws of actions: any chain, whatever its steps do, runs as a small model of the rules says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from worker import App, ChainContext, StepFailed

GROUPS = ("initialize", "load", "finalize", "normalize_result", "late")
VALUES = ("a", "b", "1", "true")


class Base: ...


class Derived(Base): ...


class Made(NamedTuple):
    """A step: where it stands, when it runs, and what it does."""

    common: bool
    group: str | None
    priority: int
    when: dict[str, str | type]
    does: tuple[str, Any]


_TERM = st.sampled_from(VALUES)
_PART = st.tuples(st.sampled_from(["", "!"]), _TERM).map("".join)
_TEXT = st.one_of(
    _PART,
    st.lists(_PART, min_size=2, max_size=3).map("&".join),
    st.lists(_PART, min_size=2, max_size=3).map("|".join),
    st.sampled_from(["exists", "!exists"]),
)
_NAMES = st.sampled_from(["x", "y"])
_VALUE = st.one_of(
    st.none(),
    st.sampled_from(["a", "b", 1, True, 1.0, "c"]),
    st.lists(st.sampled_from(["a", "b", 1, True]), max_size=3),
)
_DOES = st.one_of(
    st.just(("nothing", None)),
    st.tuples(st.just("set"), st.tuples(_NAMES, _VALUE)),
    st.tuples(st.just("delete"), _NAMES),
    st.tuples(st.just("append"), st.tuples(_NAMES, st.sampled_from(["a", 1]))),
    st.tuples(st.sampled_from(["skip", "undo", "first", "last"]), st.sampled_from([*GROUPS, "unknown"])),
    st.just(("error", None)),
    st.just(("raise", None)),
)
_CLASS = st.dictionaries(
    st.just("class"),
    st.sampled_from([Base, Derived, f"{__name__}.Base", "!Base", "Derived|Base", "exists"]),
    max_size=1,
)
_STEPS = st.lists(
    st.builds(
        lambda common, group, priority, when, cls, does: Made(
            common, None if common else group, priority, {**when, **cls}, does
        ),
        st.booleans(),
        st.none() | st.sampled_from(GROUPS),
        st.integers(-3, 3),
        st.dictionaries(_NAMES, _TEXT, max_size=2),
        _CLASS,
        _DOES,
    ),
    max_size=12,
)
_ATTRIBUTES = st.fixed_dictionaries(
    {}, optional={"x": _VALUE, "y": _VALUE, "class": st.sampled_from([Base, Derived, App, None])}
)
_PRIORITIES = st.permutations([40, 30, 0, -7, -255])


def text(value: object) -> str:
    """A value as conditions compare it, by value."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) else str(value)


def holds(name: str, written: str | type, attributes: Mapping[str, Any]) -> bool:
    """One condition; what cannot tell lets the step run."""
    if written == "exists":
        return attributes.get(name) is not None
    if written == "!exists":
        return name not in attributes
    if attributes.get(name) is None:
        return True
    if name == "class":
        names = {"Base": Base, f"{__name__}.Base": Base, "Derived": Derived}
        if isinstance(written, type):
            return issubclass(attributes[name], written)
        parts = [(part.lstrip("!"), part.startswith("!")) for part in written.split("|")]
        return any(issubclass(attributes[name], names[part]) is not no for part, no in parts)
    value, asked = attributes[name], str(written)
    held = {text(one) for one in value} if isinstance(value, list) else {text(value)}
    joined = all if "&" in asked else any
    return joined(
        (part.lstrip("!") in held) is not part.startswith("!")
        for part in asked.split("&" if "&" in asked else "|")
    )


def ordered(steps: Sequence[Made], groups: Mapping[str, int]) -> list[int]:
    """Common, ungrouped, grouped, ungrouped below 0, common below 0; higher first, equals as registered."""

    def place(number: int) -> tuple[int, int, int]:
        step = steps[number]
        if step.group is not None:
            return 2, -groups[step.group], -step.priority
        if step.priority >= 0:
            return 0 if step.common else 1, 0, -step.priority
        return 4 if step.common else 3, 0, -step.priority

    return sorted(range(len(steps)), key=place)


class Model:
    """What should run, and what should have become of it."""

    def __init__(self, attributes: dict[str, Any]) -> None:
        self.attributes = attributes
        self.ran: list[int] = []
        self.errors = 0
        self.skipped: set[str] = set()
        self.first: str | None = None
        self.last: str | None = None
        self.failed: int | None = None

    def within(self, group: str | None, order: Sequence[str]) -> bool:
        """Skipped groups and the range; a name that the action has not means nothing."""
        if group is None:
            return True
        if group in self.skipped:
            return False
        place = order.index(group)
        return not (self.first in order and place < order.index(self.first)) and not (
            self.last in order and place > order.index(self.last)
        )

    def run(self, steps: Sequence[Made], groups: Mapping[str, int]) -> None:
        """Ask everything just before each step; an error leads to ``normalize_result``, or ends it."""
        if all(step.common for step in steps):
            return
        order = sorted(groups, key=lambda name: -groups[name])
        ending = order.index("normalize_result") if "normalize_result" in order else None

        def before(step: Made) -> bool:
            if step.group is None:
                return step.priority >= 0
            return ending is not None and order.index(step.group) < ending

        jumped = False
        for number in ordered(steps, groups):
            step = steps[number]
            if jumped and before(step):
                continue
            if not self.within(step.group, order):
                continue
            if not all(holds(name, written, self.attributes) for name, written in step.when.items()):
                continue
            self.ran.append(number)
            ahead = ending is not None and before(step)
            if step.does[0] in {"error", "raise"}:
                jump = ahead and self.within("normalize_result", order)
                if step.does[0] == "raise" and not jump:
                    self.failed = number
                    return
                self.errors += 1
                if jump:
                    jumped = True
                elif ahead or ending is None:
                    return
            else:
                self.do(*step.does)

    def do(self, what: str, given: Any) -> None:
        """What a step does."""
        if what == "set":
            self.attributes[given[0]] = given[1]
        elif what == "delete":
            self.attributes.pop(given, None)
        elif what == "append" and isinstance(self.attributes.get(given[0]), list):
            self.attributes[given[0]].append(given[1])
        elif what == "skip":
            self.skipped.add(given)
        elif what == "undo":
            self.skipped.discard(given)
        elif what in {"first", "last"}:
            setattr(self, what, given)


def really(what: str, given: Any, context: ChainContext) -> None:
    """The same, done to a context."""
    if what == "set":
        context[given[0]] = given[1]
    elif what == "delete":
        context.pop(given, None)
    elif what == "append" and isinstance(context.get(given[0]), list):
        context[given[0]].append(given[1])
    elif what == "skip":
        context.skip_group(given)
    elif what == "undo":
        context.undo_skip_group(given)
    elif what == "first":
        context.first_group = given
    elif what == "last":
        context.last_group = given
    elif what == "error":
        context.add_error(ValueError())
    elif what == "raise":
        raise ValueError


def copied(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, list) else value for name, value in attributes.items()}


def unshared(steps: Sequence[Made]) -> list[Made]:
    """Steps of which none sets a list that another run holds."""
    return [
        step._replace(does=("set", (step.does[1][0], copied({"": step.does[1][1]})[""])))
        if step.does[0] == "set"
        else step
        for step in steps
    ]


@given(_STEPS, _PRIORITIES, st.sets(st.sampled_from(GROUPS)), st.lists(_ATTRIBUTES, min_size=2, max_size=2))
def test_any_chain_runs_as_the_rules_say(
    steps: list[Made], priorities: list[int], left_out: set[str], runs: list[dict[str, Any]]
) -> None:
    """Order, conditions, skipped groups, ranges, errors; also in a second run, which finds what the first has looked up."""
    groups = {name: at for name, at in zip(GROUPS, priorities, strict=True) if name not in left_out}
    steps = [step for step in steps if step.group is None or step.group in groups]
    app = App("laws")
    export = app.action("export", groups=groups)
    ran: list[int] = []
    current: list[Made] = []
    for number, made in enumerate(steps):

        async def run(context: ChainContext, number: int = number) -> None:
            ran.append(number)
            really(*current[number].does, context)

        options: dict[str, Any] = {} if made.common else {"action": "export", "group": made.group}
        app.step(priority=made.priority, when=made.when, **options)(run)
    for attributes in runs:
        ran.clear()
        current[:] = unshared(steps)
        model = Model(copied(attributes))
        model.run(unshared(steps), groups)
        failed, errors = asyncio.run(_really(export, copied(attributes)))
        assert (ran, failed, errors) == (model.ran, model.failed is not None, model.errors)


async def _really(export: Any, attributes: dict[str, Any]) -> tuple[bool, int]:
    seen: list[ChainContext] = []
    try:
        seen.append(await export.run(**attributes))
    except StepFailed as failed:
        trace = failed.__traceback__
        while trace is not None:
            context = trace.tb_frame.f_locals.get("context")
            if isinstance(context, ChainContext):
                return True, len(context.errors)
            trace = trace.tb_next
        return True, 0
    return False, len(seen[0].errors)
