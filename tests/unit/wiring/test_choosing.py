"""Which queues a worker consumes, and in which order."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from worker import App, ConfigurationError
from worker.messaging.routing import Routes
from worker.messaging.transport import QueueSpec
from worker.runtime.options import ConsumeOptions
from worker.wiring.choosing import choose, unaliased

ROUTES = Routes(
    {},
    {
        "a": [
            QueueSpec(name="shop-go", types=("Go",)),
            QueueSpec(name="shop-stay", types=("Stay",), priority=5),
        ],
        "b": [QueueSpec(name="mail", types=("Send", "Resend"))],
    },
)


def chosen(**options: Any) -> list[str]:
    """Queues in the order in which a free slot looks at them, priorities aside."""
    found = choose(ROUTES, ConsumeOptions(**options))
    return [f"{transport}/{spec.name}" for transport, spec, _ in sorted(found, key=lambda it: it[2])]


def test_all_are_consumed_unless_chosen() -> None:
    """Without options every queue of every transport is taken, all of one rank."""
    assert chosen() == ["a/shop-go", "a/shop-stay", "b/mail"]
    assert {rank for _, _, rank in choose(ROUTES, ConsumeOptions())} == {0}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"queues": ("mail", "shop-stay")}, ["b/mail", "a/shop-stay"]),
        ({"queues": ("*stay", "shop-*")}, ["a/shop-stay", "a/shop-go"]),
        ({"exclude_queues": ("shop-*",)}, ["b/mail"]),
        ({"types": ("Re*",)}, ["b/mail"]),
        ({"transports": ("b", "a")}, ["b/mail", "a/shop-go", "a/shop-stay"]),
        ({"transports": ("a",), "types": ("Go",)}, ["a/shop-go"]),
        ({"queues": ("shop-*",), "exclude_queues": ("*go",)}, ["a/shop-stay"]),
    ],
)
def test_names_and_patterns_choose_and_rank(options: dict[str, Any], expected: list[str]) -> None:
    """What is named is taken in the order of naming; what is excluded is not."""
    assert chosen(**options) == expected


def test_a_type_may_be_given_by_an_alias() -> None:
    """As everywhere on the command line; a pattern stays a pattern."""
    app = App("shop")
    app.event(aliases=("Put",))(msgspec.defstruct("Stay", [("n", int, 0)], frozen=True))
    options = ConsumeOptions(types=("Put", "S*", "Go"))
    assert unaliased(options, app.registry()).types == ("Stay", "S*", "Go")


def test_all_unknown_names_come_in_one_error() -> None:
    """Each name that matches nothing is a fault that lists what is known."""
    options = ConsumeOptions(transports=("c",), queues=("no",), exclude_queues=("nay",), types=("Nope",))
    with pytest.raises(ConfigurationError) as caught:
        choose(ROUTES, options)
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "transport 'c'",
        "--queue 'no'",
        "--exclude-queue 'nay'",
        "--type 'Nope'",
    ]
    assert caught.value.faults[0].endswith(
        """WORKER_ROUTING='{"TYPE": "c"}' routes a type there for this process alone"""
    )
    assert "mail, shop-go, shop-stay" in caught.value.faults[1]


def test_nothing_left_is_a_fault() -> None:
    """Options that leave no queue say so instead of consuming nothing."""
    with pytest.raises(ConfigurationError, match="no queue is left"):
        chosen(queues=("mail",), exclude_queues=("mail",))


def test_a_process_that_does_other_things_needs_no_queue() -> None:
    """Where none is there; one that the options leave out is a fault all the same."""
    nothing = Routes(by_type={}, queues={})
    assert choose(nothing, ConsumeOptions(idle=True)) == []
    with pytest.raises(ConfigurationError, match="no queue is left"):
        choose(nothing, ConsumeOptions())
    with pytest.raises(ConfigurationError, match="no queue is left"):
        chosen(queues=("mail",), exclude_queues=("mail",), idle=True)
