"""Laws of the chain: its order, its conditions against a naive model, and that compiling changes nothing."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from worker.chain.chain import Chain, Step, build
from worker.chain.compiled import Narrowed
from worker.chain.conditions import parse, parse_all

GROUPS = {"a": 200, "b": 0, "c": -200}
VALUES = st.sampled_from(["x", "y", "z", "1"])
ATTRIBUTES = st.sampled_from(["p", "q", "r"])


@st.composite
def steps(draw: st.DrawFn) -> list[Step[int]]:
    """Steps of few priorities, so that equals are common; each runs its place of registration."""
    count = draw(st.integers(0, 12))
    made = []
    for place in range(count):
        group = draw(st.sampled_from([None, *GROUPS]))
        common = group is None and draw(st.booleans())
        made.append(Step(f"s{place}", place, draw(st.integers(-2, 2)), group, common=common))
    return made


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Conditions as they are written."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(["exists", "!exists"]))
    parts = draw(st.lists(st.tuples(st.booleans(), VALUES), min_size=1, max_size=3))
    return draw(st.sampled_from("&|")).join(f"{'!' if negated else ''}{value}" for negated, value in parts)


VALUE_OF_ATTRIBUTE = st.none() | VALUES | st.just(1) | st.lists(VALUES | st.just(1), max_size=3)
FACTS = st.dictionaries(ATTRIBUTES, VALUE_OF_ATTRIBUTE)


def section(step: Step[int]) -> tuple[int, int]:
    """Where a step belongs: before the groups, in one of them, or after; and common ones around it all."""
    if step.group is not None:
        return 2, -GROUPS[step.group]
    if step.priority >= 0:
        return (0, 0) if step.common else (1, 0)
    return (4, 0) if step.common else (3, 0)


def model(text: str, facts: dict[str, Any], name: str) -> bool:
    """The rules as one would say them; True lets the step run."""
    if text == "exists":
        return facts.get(name) is not None
    if text == "!exists":
        return name not in facts
    if facts.get(name) is None:
        return True
    value = facts[name]
    held = [str(item) for item in (value if isinstance(value, list) else [value])]
    together = all if "&" in text else any
    return together(
        (part[1:] not in held) if part.startswith("!") else (part in held)
        for part in text.replace("|", "&").split("&")
    )


@given(steps())
def test_the_order_is_section_then_priority_then_registration(listed: list[Step[int]]) -> None:
    """However steps were registered, the chain is sorted by these three and holds each step once."""
    expected = sorted(listed, key=lambda step: (section(step), -step.priority, step.run))
    assert list(build(listed, GROUPS).steps) == expected


@given(steps(), st.randoms(use_true_random=False))
def test_any_permutation_gives_the_same_order_by_priority(
    listed: list[Step[int]], chance: random.Random
) -> None:
    """Registration decides among equals only."""
    shuffled = list(listed)
    chance.shuffle(shuffled)
    first, second = build(listed, GROUPS), build(shuffled, GROUPS)
    assert [(section(s), s.priority) for s in first.steps] == [(section(s), s.priority) for s in second.steps]
    places = {step.name: place for place, step in enumerate(shuffled)}
    for one, other in zip(second.steps, second.steps[1:], strict=False):
        if (section(one), one.priority) == (section(other), other.priority):
            assert places[one.name] < places[other.name]


@given(texts(), FACTS)
def test_conditions_agree_with_the_model(text: str, facts: dict[str, Any]) -> None:
    """Every text gives the model's answer for every set of facts."""
    assert (parse("p", text).verdict(facts) is not False) is model(text, facts, "p")


@given(st.dictionaries(ATTRIBUTES, texts()), FACTS)
def test_a_step_runs_where_the_model_lets_every_condition_pass(
    when: dict[str, str], facts: dict[str, Any]
) -> None:
    """Conditions are joined by and; their order does not matter."""
    expected = all(model(text, facts, name) for name, text in when.items())
    backwards = dict(reversed(when.items()))
    assert [Step("s", 0, when=parse_all(it)).applies(facts) for it in (when, backwards)] == [expected] * 2


@given(st.lists(st.dictionaries(ATTRIBUTES, texts()), max_size=6), FACTS, FACTS)
def test_compiling_never_changes_what_runs(
    conditions: list[dict[str, str]], fixed: dict[str, Any], further: dict[str, Any]
) -> None:
    """For any facts among which the fixed ones hold, the compiled chain runs the same steps in the same order."""
    chain = Chain(tuple(Step(str(n), n, when=parse_all(when)) for n, when in enumerate(conditions)))
    facts = {**further, **fixed}
    compiled = chain.where(fixed)
    assert [s.run for s in compiled.steps if s.applies(facts)] == [
        s.run for s in chain.steps if s.applies(facts)
    ]


NAMES = st.lists(VALUES, unique=True)


@given(st.lists(st.dictionaries(ATTRIBUTES, texts()), max_size=6), FACTS, NAMES, st.lists(NAMES, min_size=1))
def test_narrowing_never_changes_what_runs(
    conditions: list[dict[str, str]], facts: dict[str, Any], names: list[str], held: list[list[str]]
) -> None:
    """For any names that an attribute may hold and any part of them, as if each condition had been asked."""
    chain = Chain(tuple(Step(str(n), n, when=parse_all(when)) for n, when in enumerate(conditions)))
    narrowed = Narrowed(chain, "p", names, lambda some: list(chain.where({"p": some}).steps))

    def asked(some: list[str]) -> list[int]:
        return [s.run for s in chain.steps if s.applies({**facts, "p": some})]

    assert [s.run for s in narrowed.whole if s.applies(facts)] == asked(names)
    for some in held:
        found = [s.run for s in narrowed.to(some) if s.applies(facts)]
        assert found == asked([name for name in names if name in some])
        assert narrowed.varies or found == asked(names)
