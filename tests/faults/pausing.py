"""A pause over a real broker: it outlives all workers and the broker."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.e2e.project import Project
from tests.e2e.waiting import ASKED, until

TOML = """\
app = "tests.e2e.herd:app"

[database]
url = "{database}"

[transports.jobs]
url = "{jobs}"
{options}

[routing]
"*" = "jobs"
"""
STATE = "sqlite:///var/worker.db"
CALM = 90.0
"""Seconds that a broker's restart may take until all workers work again."""


def configure(project: Project, jobs: str, database: str = STATE, options: str = "") -> None:
    (project.folder / "worker.toml").write_text(TOML.format(jobs=jobs, database=database, options=options))


def numbers(project: Project, name: str, kind: str) -> list[int]:
    return [int(line.split()[1]) for line in project.lines(name) if line.startswith(f"{kind} ")]


def send(project: Project, kind: str, *given: int) -> None:
    project.send_many(*((kind, {"number": number}) for number in given))


def ready(project: Project, kind: str) -> object:
    found = project.json("status")["consumers"]
    return next(one["ready"] for one in found if one["type"] == kind)


def outlives_workers_and_broker(
    project: Project, broker: Any, *, state: bool = False, options: str = ""
) -> None:
    """All workers killed, the broker killed and started again, one worker started again and one added: zero starts.

    ``state``: the broker is a database that holds it, too.
    """
    with broker.fresh() as url:
        configure(project, url, url if state else STATE, options)
        try:
            _outlives(project, broker)
        finally:
            project.close()


def _outlives(project: Project, broker: Any) -> None:
    workers = project.consume_all(3, "-c", "2")
    send(project, "Ant", *range(5))
    until(lambda: len(numbers(project, "finished", "Ant")) == 5, "the workers work", CALM)
    answer = project.json("pause", "Ant", "--wait", "60")
    assert (answer["applied"], answer["lagging"]) == ("3/3", [])
    send(project, "Ant", *range(5, 25))
    until(
        lambda: ready(project, "Ant") == 20,
        "what was handled before is settled, the rest waits",
        CALM,
        ASKED,
    )
    for worker in workers:
        worker.kill()
    broker.stop()
    broker.start()
    project.consume_all(2, "-c", "2")
    send(project, "Bee", *range(20))
    until(lambda: len(numbers(project, "finished", "Bee")) == 20, "the new workers work", CALM)
    assert len(numbers(project, "started", "Ant")) == 5
    until(lambda: ready(project, "Ant") == 20, "all of it waits still", CALM, ASKED)
    project.ok("resume", "Ant")
    until(lambda: len(numbers(project, "finished", "Ant")) == 25, "all run", CALM)
    assert Counter(numbers(project, "started", "Ant")) == Counter(range(25))
