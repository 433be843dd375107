"""The suite's own score on Kafka: planted bugs are caught there too, and those that only a log can have."""

import asyncio

import pytest

from tests.conformance import bench as benches
from tests.conformance import planted
from tests.conformance.bench import Bench
from tests.conformance.catching import CATCHES, shorten
from tests.conformance.clock import Clock
from tests.conformance.kafka_space import kafka_space
from tests.conformance.score import CAUGHT_BY
from tests.conformance.suite import TransportSuite
from transports import registry
from transports.kafka import progress
from transports.kafka.window import Window

pytestmark = [pytest.mark.broker, pytest.mark.conformance]

SHORT = 5.0
"""Seconds after which what a bug withholds is not going to come."""
LEASED = {"test_a_lost_lease_brings_the_message_back_and_counts", "test_a_give_back_uncounts_itself_only"}
LEASED |= {scenario for _, scenario in CAUGHT_BY if scenario.startswith(("test_f16", "test_c33"))}
CAUGHT_HERE = [(bug, scenario) for bug, scenario in CAUGHT_BY if scenario not in LEASED]
CAUGHT_HERE += [(planted.AcceptsStaleAcks, "test_c34_a_receipt_of_an_earlier_connection_is_harmless")]


@pytest.fixture
async def make(kafka_url, tmp_path, monkeypatch):
    monkeypatch.setattr(benches, "QUIET", 1.0)
    options = {"partitions": 2, "rebalance_timeout": 1, "max_bytes": 300_000}
    async with kafka_space(kafka_url) as url:
        yield lambda clock: registry.create("kafka", url, options, base=tmp_path, clock=clock)


async def run(scenario, make, bug=lambda good: good):
    """Run one scenario; no tasks are cancelled, as the driver has some that must end by themselves."""
    clock = Clock()
    bench = Bench(lambda: bug(make(clock)), clock)
    await bench.open()
    try:
        async with asyncio.timeout(60):
            await getattr(TransportSuite(), scenario)(bench)
    finally:
        await bench.close()


@pytest.mark.parametrize("scenario", sorted({scenario for _, scenario in CAUGHT_HERE}))
async def test_the_scenario_passes_without_the_bug(scenario, make):
    await run(scenario, make)


@pytest.mark.parametrize(
    ("bug", "scenario"), CAUGHT_HERE, ids=lambda value: getattr(value, "__name__", value)
)
async def test_the_planted_bug_is_caught(bug, scenario, make, monkeypatch):
    shorten(monkeypatch, SHORT)
    with pytest.raises(CATCHES):
        await run(scenario, make, bug)


@pytest.mark.parametrize(
    "scenario",
    [
        "test_c30_what_was_accepted_outlives_the_process",
        "test_finishing_out_of_order_loses_and_repeats_nothing",
    ],
)
async def test_watermark_overrun_is_caught(scenario, make, monkeypatch):
    """Committing up to what was read, as most consumers do, loses what is unfinished in front."""
    shorten(monkeypatch, SHORT)
    monkeypatch.setattr(Window, "start", property(lambda self: self.position))
    monkeypatch.setattr(Window, "progress", lambda self: "")
    with pytest.raises(CATCHES):
        await run(scenario, make)


async def test_notes_that_are_thrown_away_are_caught(make, monkeypatch):
    """Without notes of the messages that are done beyond a commit, these are handled again."""
    shorten(monkeypatch, SHORT)
    monkeypatch.setattr(progress, "decode", lambda base, text: [])
    with pytest.raises(CATCHES):
        await run("test_finishing_out_of_order_loses_and_repeats_nothing", make)


def test_every_bug_that_can_be_here_is_planted_here():
    assert {bug for bug, _ in CAUGHT_BY} - {bug for bug, _ in CAUGHT_HERE} == {planted.LiesAboutLeases}
