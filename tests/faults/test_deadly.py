"""A message that kills its workers is found out, on every transport; the others are handled, once and in order."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import closing

import pytest

from tests.deep import DEEP, size
from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.faults.deadly import Deadly, Fleet, Supervised

pytestmark = [pytest.mark.e2e, pytest.mark.fault, pytest.mark.timeout(300)]

KILLS = size(4, 50)
"""Random ones."""
COUNT = 200
COMMANDS = 40 * KILLS
WORKERS = size(3, 4)
SEED = 20_261
KILLED = [
    pytest.param(kind, options, id=kind, marks=[] if kind == "sqlite" else [pytest.mark.broker])
    for kind, options in {
        "sqlite": "lease = 2",
        "rabbitmq": 'queue_type = "classic"',
        **size({}, {"postgres": "lease = 2", "kafka": "partitions = 12\nsession_timeout = 6.0"}),
        **size({}, {"sqs": "lease = 5\nwait = 1", "pubsub": ""}),
    }.items()
]
"""Whose workers are killed at random; in the long form those of every broker."""
PLAIN, KEYED = 20, 21
"""Numbers of a command without a key, and of one with a key whose others wait behind it."""


def found_out(deadly: Deadly, guilty: int, lasts: float = 0.08, by: type[Fleet | Supervised] = Fleet) -> None:
    """Send commands, one of which kills, to several processes; assert that it is found out."""
    with closing(deadly):
        deadly.send(COUNT, guilty)
        fleet = by(deadly, lasts)
        deadly.until_done(COUNT - 1, 1, 150.0, fleet.tend)
        fleet.stop()
        deadly.check(COUNT, guilty, timed=DEEP)


@pytest.mark.broker
@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
def test_a_deadly_message_on_rabbitmq(project: Project, rabbitmq_url: str, queue_type: str) -> None:
    """Classic queues count no deliveries."""
    options = f'queue_type = "{queue_type}"'
    guilty = PLAIN if queue_type == "quorum" else KEYED
    found_out(Deadly(project, ("rabbitmq", rabbitmq_url, options)), guilty)


@pytest.mark.broker
def test_a_deadly_message_on_postgres(project: Project, postgres_url: str) -> None:
    """With the state in the same database."""
    found_out(Deadly(project, ("postgres", postgres_url, "lease = 2"), postgres_url), KEYED)


@pytest.mark.broker
def test_a_deadly_message_on_kafka(project: Project, kafka_url: str) -> None:
    """Whose brokers know of no single message; a dead worker's partitions wait for six seconds, the others go on."""
    options = "partitions = 12\nsession_timeout = 6.0"
    by: type[Fleet | Supervised] = Supervised if DEEP else Fleet  # SQLite's test always has a supervisor
    found_out(Deadly(project, ("kafka", kafka_url, options)), PLAIN, lasts=0.4, by=by)


@pytest.mark.parametrize("guilty", [PLAIN, KEYED] if DEEP else [KEYED])
def test_a_deadly_message_on_sqlite(project: Project, guilty: int) -> None:
    """With a key and without one."""
    found_out(Deadly(project, ("sqlite", "sqlite:///var/queue.db", "lease = 2")), guilty, by=Supervised)


def killed_at_random(deadly: Deadly) -> None:
    """Kill workers while innocent commands flow; assert that all are done once, and none failed."""
    chance = random.Random(SEED)
    deadly.send(COMMANDS)
    workers = [deadly.consume() for _ in range(WORKERS)]
    for kill in range(KILLS):
        goal = COMMANDS * kill // (KILLS + 2)
        until(lambda: deadly.done() >= goal, f"{goal} are done after {kill} kills", 150.0)  # noqa: B023
        place = chance.randrange(len(workers))
        workers[place].kill()
        workers[place] = deadly.consume()
    deadly.until_done(COMMANDS, 0, 300.0)
    for worker in workers:
        worker.stop()
    stored = Counter(number for (number,) in deadly.rows("SELECT number FROM effects"))
    assert set(stored) == set(range(COMMANDS))
    assert stored.total() == COMMANDS
    assert deadly.failed() == []
    again = Counter(number for number, _, _ in deadly.begun())
    print(
        f"{KILLS} kills, {sum(count - 1 for count in again.values())} begun again, at most {max(again.values())} times"
    )


@pytest.mark.timeout(size(600, 3600))
@pytest.mark.parametrize(("kind", "options"), KILLED)
def test_random_kills_fail_nobody(
    project: Project, request: pytest.FixtureRequest, kind: str, options: str
) -> None:
    """An operator, a deploy, a memory killer that chooses at random; also where a kill brings back at once all that was held."""
    url = "sqlite:///var/queue.db" if kind == "sqlite" else request.getfixturevalue(f"{kind}_url")
    killed_at_random(Deadly(project, (kind, url, options)))
