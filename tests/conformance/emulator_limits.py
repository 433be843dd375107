"""What Google's emulator cannot show, each shown without our transport, and the test that shows it otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import pytest

from tests.conformance.raw_pubsub import Raw, body

UNIT = "tests/unit/transports/pubsub"


class Limit(NamedTuple):
    """Something that the emulator does otherwise than the service.

    Attributes:
        shown: asserts that it does; when it fails, the emulator is mended, and the suite may ask more of it.
        instead: tests that show our part in it by a stand-in for the service, ``file::test``.
    """

    shown: Callable[[Raw], Awaitable[None]]
    instead: tuple[str, ...]


async def acknowledged_again(emulator: Raw) -> None:
    """After a give-back with a delay it sends all again that was published later, the acknowledged too."""
    await emulator.publish(6, "a")
    first = await emulator.pull(6)
    await emulator.acknowledge(first[3:])
    await emulator.postpone(first[:3], 1)
    assert [body(each) for each in await emulator.pull(6)] == [b"%d" % n for n in range(6)]


async def out_of_order(emulator: Raw) -> None:
    """What is given back at once comes after what was published later with its key."""
    await emulator.publish(10, "a")
    first = await emulator.pull(6)
    await emulator.postpone(first, 0)
    assert [body(each) for each in await emulator.pull(10)] != [b"%d" % n for n in range(10)]


async def put_aside(emulator: Raw) -> None:
    """Where order is kept it fails at putting a message aside, and from then on answers no pull, whatever waits."""
    emulator.puts_aside(after=5)
    await emulator.publish(1, "a")
    for _ in range(5):
        await emulator.postpone(await emulator.pull(1), 0)
    await emulator.publish(1, "b")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await emulator.pull(1)


async def late_acknowledgements(emulator: Raw) -> None:
    """It says yes to an acknowledgement whose lease is over, and does nothing. So does the service."""
    await emulator.publish(20)
    first = await emulator.pull(20)
    await emulator.postpone(first, 0)
    second = await emulator.pull(20)
    await emulator.acknowledge(first)
    await emulator.postpone(second, 0)
    assert len(await emulator.pull(20)) == 20


async def filters(emulator: Raw) -> None:
    """It takes a filter and hands out what does not pass it."""
    emulator.options["filter"] = 'attributes.wanted = "yes"'
    await emulator.publish(3)
    assert len(await emulator.pull(3)) == 3


async def large_attributes(emulator: Raw) -> None:
    """It takes an attribute of any length."""
    emulator.attributes["long"] = "x" * 1100
    await emulator.publish(1)
    assert len(await emulator.pull(1)) == 1


async def rights(emulator: Raw) -> None:
    """It takes everything from every client, also from one that has shown no credentials."""
    await emulator.publish(1)
    await emulator.acknowledge(await emulator.pull(1))


LIMITS: Mapping[str, Limit] = {
    "what is acknowledged stays away where order is kept": Limit(
        acknowledged_again, (f"{UNIT}/test_subscription.py::test_a_head_that_goes_back_takes_along_in_order",)
    ),
    "order after a give-back": Limit(
        out_of_order,
        (
            f"{UNIT}/test_subscription.py::test_of_one_key_only_the_first_is_handed_out",
            f"{UNIT}/test_publishing.py::test_a_failed_request_of_a_key_is_sent_again_before_what_came_after_it",
        ),
    ),
    "what was handed out too often is put aside where order is kept": Limit(
        put_aside,
        (f"{UNIT}/test_topology.py::test_an_emulator_that_keeps_order_is_not_asked_to_put_anything_aside",),
    ),
    "late acknowledgements without exactly_once": Limit(
        late_acknowledgements,
        (f"{UNIT}/test_subscription.py::test_what_is_answered_when_the_lease_is_over_is_believed",),
    ),
    "filters": Limit(filters, (f"{UNIT}/test_topology.py::test_what_a_subscription_has_otherwise_is_told",)),
    "limits of attributes": Limit(
        large_attributes,
        (
            f"{UNIT}/test_publishing.py::test_an_id_above_the_limit_is_refused_with_both_sizes",
            f"{UNIT}/test_publishing.py::test_a_key_above_the_limit_goes_by_its_hash",
        ),
    ),
    "refused rights": Limit(
        rights, (f"{UNIT}/test_subscription.py::test_a_subscription_that_may_not_be_made_again_is_told",)
    ),
}
"""By what it cannot show."""

NOWHERE: Mapping[str, tuple[str, ...]] = {
    "how much waits, as Cloud Monitoring tells it": (f"{UNIT}/test_monitoring.py::",),
    "messages that outlive a restart": ("tests/faults/test_outages_pubsub.py::",),
    "credentials, quotas, and how quick the service is": (),
}
"""What it does not have at all; without a test: it is shown nowhere."""
