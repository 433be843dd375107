"""The chain: in which order steps run, and which of them can be left out beforehand."""

from __future__ import annotations

import dataclasses

import pytest

from worker.chain.chain import Chain, Step, build
from worker.chain.conditions import parse_all
from worker.errors import ConfigurationError

GROUPS = {"early": 100, "late": -100}


def step(
    name: str, priority: int = 0, group: str | None = None, *, common: bool = False, **when: object
) -> Step[str]:
    return Step(name, name, priority, group, parse_all(when), common)


def names(chain: Chain[str]) -> list[str]:
    return [step.name for step in chain.steps]


def test_steps_run_head_groups_tail_and_higher_first() -> None:
    """Ungrouped steps from 0 up come first, then groups by their priority, then ungrouped steps below 0."""
    chain = build(
        [
            step("tail", -1),
            step("late high", 255, "late"),
            step("head low"),
            step("early low", -255, "early"),
            step("head high", 9000),
            step("early high", 3, "early"),
            step("tail end", -9000),
        ],
        GROUPS,
    )
    assert names(chain) == [
        "head high",
        "head low",
        "early high",
        "early low",
        "late high",
        "tail",
        "tail end",
    ]


def test_common_steps_stand_outside_all_others() -> None:
    """From 0 up before everything, below 0 after everything, whatever the priorities of the others."""
    chain = build(
        [
            step("last", -1, common=True),
            step("tail", -9000),
            step("head", 9000),
            step("first", common=True),
            step("second", common=True),
            step("grouped", 0, "early"),
        ],
        GROUPS,
    )
    assert names(chain) == ["first", "second", "head", "grouped", "tail", "last"]


def test_a_common_step_is_in_no_group() -> None:
    """A group belongs to a chain, a common step to none."""
    with pytest.raises(
        ConfigurationError, match=r"step 'a': common, and in group 'early'; expected one of them"
    ):
        build([step("a", group="early", common=True)], GROUPS)


def test_the_values_that_conditions_ask_for_are_known() -> None:
    """Of one attribute, over all steps; ``exists`` asks for none."""
    chain = build([step("a", plugins="x&!y"), step("b", plugins="exists", type="z"), step("c", plugins="x")])
    assert chain.values_of("plugins") == {"x", "y"}


def test_groups_are_listed_in_the_order_they_run() -> None:
    """The chain names its groups by priority, however they were declared."""
    assert build([], {"late": -100, "first": 255, "early": 100}).groups == ("first", "early", "late")


def test_equals_keep_the_order_of_registration() -> None:
    """Steps of one priority run as they were registered."""
    assert names(build([step(name) for name in "cab"])) == ["c", "a", "b"]


def test_no_steps_make_an_empty_chain() -> None:
    """A chain may be empty."""
    assert build([]) == Chain()


def test_all_faults_come_in_one_error() -> None:
    """An unknown group, priorities out of range and shared group priorities are reported together."""
    with pytest.raises(ConfigurationError) as caught:
        build(
            [step("a", group="middle"), step("b", 256, "one"), step("c", -256, "one")],
            {"one": 1, "two": 1, "far": 300},
        )
    assert caught.value.faults == (
        "group 'far': priority 300 is outside ±255",
        "groups {'one': 1, 'two': 1, 'far': 300}: two groups share a priority",
        "step 'a': unknown group 'middle'; known: one, two, far",
        "step 'b': priority 256 in a group is outside ±255",
        "step 'c': priority -256 in a group is outside ±255",
    )


def test_a_group_without_any_declared_says_so() -> None:
    """An unknown group among none names that there are none."""
    with pytest.raises(ConfigurationError, match="known: none"):
        build([step("a", group="early")])


def test_a_chain_is_frozen() -> None:
    """Nothing can be added after it was built."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        build([]).steps = ()  # type: ignore[misc]


def test_facts_leave_out_what_can_never_run() -> None:
    """A step whose condition a fixed fact denies is gone, the others keep their order."""
    chain = build([step("all"), step("a", type="A"), step("b", type="B"), step("not a", type="!A")])
    assert names(chain.where({"type": "A"})) == ["all", "a"]


def test_facts_drop_decided_conditions_and_keeps_open_ones() -> None:
    """What a fixed fact decides is not asked again; what is open is asked just before the step."""
    chain = build([step("a", type="A", region="eu", token="exists")])
    (left,) = chain.where({"type": "A"}).steps
    assert left.when == parse_all({"region": "eu", "token": "exists"})
    assert [left.applies({"region": region, "token": "t"}) for region in ("eu", "us")] == [True, False]


def test_facts_decide_presence_only_where_the_fact_is_fixed() -> None:
    """``exists`` on an attribute that is not fixed stays open: a stamp may still come."""
    chain = build([step("has", region="exists"), step("has not", region="!exists")])
    assert names(chain.where({"type": "A"})) == ["has", "has not"]
    assert names(chain.where({"region": "eu"})) == ["has"]


def test_what_is_left_keeps_name_group_and_priority() -> None:
    """A step that is left can still be printed as it was declared."""
    (left,) = build([step("a", 7, "early", type="A")], GROUPS).where({"type": "A"}).steps
    assert (left.name, left.priority, left.group, left.run) == ("a", 7, "early", "a")
