"""A compiled chain: what can never apply is left out, the rest is called in order, whatever travels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from worker.chain.chain import Step, build
from worker.chain.compiled import ROOM, Around, Narrowed, Onward, Part, nested
from worker.chain.conditions import parse_all


class Request(dict[str, Any]):
    """What travels here: attributes, and the names of the steps that it passed."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(attributes)
        self.passed: list[str] = []


def passing(name: str, **sets: Any) -> Around[Request]:
    async def run(request: Request, onward: Onward[Request]) -> Request:
        request.passed.append(name)
        request.update(sets)
        return await onward(request)

    return run


def step(name: str, run: Part[Request] | None = None, **when: object) -> Step[Part[Request]]:
    return Step(name, run or passing(name), when=parse_all(when))


def attributes(request: Request) -> Mapping[str, Any]:
    return request


async def test_steps_are_called_in_order_around_the_rest() -> None:
    """The last one's rest gives back what travelled."""
    order: list[str] = []

    async def around(request: Request, onward: Onward[Request]) -> Request:
        order.append("in")
        outcome = await onward(request)
        order.append(f"out after {outcome.passed}")
        return outcome

    run = nested(build([step("around", around), step("a"), step("b")]), {}, attributes)
    request = Request()
    assert await run(request) is request
    assert order == ["in", "out after ['a', 'b']"]


async def test_an_empty_chain_gives_back_what_travels() -> None:
    """There is nothing to call."""
    request = Request()
    assert await nested(build([]), {}, attributes)(request) is request


async def test_a_step_that_does_not_call_on_ends_the_chain() -> None:
    """The steps before it see what it gives back."""
    answer = Request()

    async def ends(request: Request, onward: Onward[Request]) -> Request:
        return answer

    run = nested(build([step("a"), step("ends", ends), step("b")]), {}, attributes)
    assert await run(Request()) is answer
    assert answer.passed == []


async def test_what_facts_do_not_decide_is_asked_just_before_the_step() -> None:
    """What an earlier step set decides about a later one; attributes never overrule the facts."""
    steps = [
        step("sets", passing("sets", format="json")),
        step("json", format="json"),
        step("xml", format="xml"),
        step("creates", action="create"),
        step("deletes", action="delete"),
    ]
    request = Request(action="delete")
    await nested(build(steps), {"action": "create"}, attributes)(request)
    assert request.passed == ["sets", "json", "creates"]


async def test_a_step_may_prepare_itself_for_the_facts() -> None:
    """Once, when its chain is compiled; where it has nothing to do it is left out."""
    prepared: list[str] = []

    class Prepares:
        def for_facts(self, facts: Mapping[str, Any], onward: Onward[Request]) -> Onward[Request] | None:
            prepared.append(facts["action"])
            own = passing(f"for {facts['action']}")
            return (lambda request: own(request, onward)) if facts["action"] == "create" else None

    chain = build([step("prepares", Prepares()), step("a")])
    request = Request()
    run = nested(chain, {"action": "create"}, attributes)
    for _ in range(2):
        await run(request)
    await nested(chain, {"action": "get"}, attributes)(request)
    assert request.passed == ["for create", "a", "for create", "a", "a"]
    assert prepared == ["create", "get"]


class Shop:
    """A chain whose steps are called one after the other, as those of an action: what it comes to are the steps."""

    def __init__(self, names: tuple[str, ...], **plugin_of: str) -> None:
        self.made: list[tuple[str, ...]] = []
        chain = build([step(name, plugins=plugin) for name, plugin in plugin_of.items()])

        def make(held: tuple[str, ...]) -> list[str]:
            self.made.append(held)
            return [step.name for step in chain.where({"plugins": held}).steps]

        self.narrowed = Narrowed(chain, "plugins", names, make)


def test_a_chain_is_made_once_for_each_set_that_occurs() -> None:
    """Whatever the order of its names, and with none that no condition asks for."""
    shop = Shop(("a", "b", "c"), one="a", two="b", neither="!a")
    assert shop.narrowed.whole == ["one", "two"]
    found = [shop.narrowed.to(names) for names in (["a"], ["a", "c"], ["b", "a"], ("a", "b"), [], ["other"])]
    assert found == [["one"], ["one"], ["one", "two"], ["one", "two"], ["neither"], ["neither"]]
    assert shop.made == [("a", "b", "c"), ("a",), ("a", "b"), ()]


@pytest.mark.parametrize(("plugin_of", "varies"), [({"one": "a"}, True), ({"one": "z"}, False), ({}, False)])
def test_a_chain_varies_where_a_condition_asks_for_a_name_that_there_is(
    plugin_of: dict[str, str], varies: bool
) -> None:
    """Else there is one chain, and nothing to choose."""
    assert Shop(("a", "b"), **plugin_of).narrowed.varies is varies


def test_any_number_of_sets_takes_bounded_room() -> None:
    """The set that was not used for longest is made again when it comes back; the whole is always there."""
    names = tuple(f"p{n}" for n in range(ROOM * 2))
    shop = Shop(names, **{f"s{name}": name for name in names})
    for name in names:
        assert shop.narrowed.to([name]) == [f"s{name}"]
    made = len(shop.made)
    for name in names[ROOM:]:
        shop.narrowed.to([name])
    assert len(shop.made) == made
    shop.narrowed.to([names[0]])
    assert len(shop.made) == made + 1
