"""Kafka and its members fail while keyed commands flow: nothing is lost, and each key keeps its order."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.brokers.kafka import OwnKafka
from tests.deep import size
from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.faults.keyed import SLOTS, Keyed
from tests.faults.pausing import outlives_workers_and_broker
from tests.faults.stopping import stop_between_writes

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.broker,
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.timeout(size(900, 3600)),
]

PARTITIONS = "partitions = 12"
CALM, STORM, STAY = size((3, 12, 3), (10, 60, 5))
"""Seconds without guests, with them, and that each guest stays and is away."""
LASTING, WORK = size((2400, 0.4), (20_000, 0.2))
"""Commands that last for the calm and the storm, and the seconds that each takes."""
DEATHS = size(2, 4)
"""Workers that are killed, one after the other."""
SESSION = 6.0
"""Seconds: the shortest session that brokers take as they are configured by default."""


@pytest.fixture(scope="module")
def broker(private_broker: Callable[..., Any]) -> OwnKafka:
    """A server that only these tests break."""
    own: OwnKafka = private_broker("kafka")
    return own


@pytest.fixture
def flow(broker: OwnKafka, tmp_path: Any) -> Any:
    """Makes a flow over topics of one test's own."""
    project = Project(tmp_path)

    with broker.fresh() as url:

        def make(options: str = "", **more: Any) -> Keyed:
            return Keyed(project, url, options=f"{PARTITIONS}\n{options}", **more)

        yield make
        project.close()


def test_broker_restarted(broker: OwnKafka, flow: Callable[..., Keyed]) -> None:
    """A broker that is stopped in order and started again gets its workers back, and keeps what it had."""
    with flow() as running:
        running.outlives(broker.stop, broker.start)


def test_broker_killed(broker: OwnKafka, flow: Callable[..., Keyed]) -> None:
    """What a broker had confirmed before ``kill -9`` is handled after it."""
    with flow() as running:
        running.outlives(broker.kill, broker.start)


def test_workers_killed_in_handlers(flow: Callable[..., Keyed]) -> None:
    """Workers killed with -9 in the middle of handlers: others do what they had in hand, in the order of its key."""
    chance = random.Random(2026)
    with flow(f"session_timeout = {SESSION}") as running:
        for number in range(DEATHS):
            running.until_share(0.15 + 0.6 * number / DEATHS)
            running.replace(chance.choice(running.workers))
        running.until_back()
        running.finish(bounded=True)


def test_members_come_and_go(flow: Callable[..., Keyed]) -> None:
    """While a member joins and leaves every few seconds, work goes on and nothing is lost."""
    with flow(work=WORK, long=WORK + 0.1, commands=LASTING) as running:
        running.until_back()
        calm = time.monotonic()
        time.sleep(CALM)
        storm = time.monotonic()
        rebalances = 0
        while time.monotonic() - storm < STORM:
            guest = running.consume()
            time.sleep(STAY)
            guest.stop(30)
            rebalances += 2
            time.sleep(max(0.0, min(STAY, storm + STORM - time.monotonic())))
        end = time.monotonic()
        before, during = running.rate(calm, storm), running.rate(storm, end)
        print(f"calm {before:.0f}/s, storm {during:.0f}/s ({during / before:.0%}), {rebalances} came or went")
        running.finish()
        assert during > 0


def test_handlers_outlast_the_session(flow: Callable[..., Keyed]) -> None:
    """Handlers that take longer than the session are run once: while they run the member stays in its group."""
    with flow(f"session_timeout = {SESSION}", work=0.002, long=SESSION + 2) as running:
        running.finish()
        again = len(running.notes) - len({(note.key, note.place) for note in running.notes})
        assert again == 0, f"{again} were handled again"


def test_worker_stopped_past_its_session(flow: Callable[..., Keyed]) -> None:
    """A worker that is stopped until others have its partitions, and goes on then, changes nothing any more."""
    with flow(f"session_timeout = {SESSION}", work=0.02) as running:
        running.until_share(0.2)
        stopped, *others = running.workers
        stop_between_writes(running.project, stopped)
        begun = time.monotonic()
        until(lambda: time.monotonic() - begun > 2 * SESSION, "the session has lapsed", 3 * SESSION)
        running.until_back(lambda: [worker.pid for worker in others])
        stopped.signal(signal.SIGCONT)
        running.until_back()
        running.finish()
        again = len(running.notes) - len({(note.key, note.place) for note in running.notes})
        print(f"{again} noted again, {SLOTS} ran at once")


def test_a_pause_outlives_workers_and_broker(broker: OwnKafka, project: Project) -> None:
    """Whatever is killed, nothing of a paused type starts; brokers find out soon who was killed."""
    outlives_workers_and_broker(project, broker, options="session_timeout = 6")
