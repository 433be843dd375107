"""Pausing with real workers: it holds under load, through kill -9, and when the database is away."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from tests.deep import size
from tests.e2e.herd import NAMES
from tests.e2e.project import Project
from tests.e2e.waiting import ASKED, stays, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture
def herd(project: Project) -> Project:
    project.configure(app="tests.e2e.herd:app", transport="lease = 5")
    return project


def lines(project: Project, name: str, kind: str) -> list[list[str]]:
    """Lines of a type that handlers have written."""
    return [line.split() for line in project.lines(name) if line.startswith(f"{kind} ")]


def numbers(project: Project, name: str, kind: str) -> list[int]:
    return [int(line[1]) for line in lines(project, name, kind)]


def send(project: Project, kind: str, *given: int, seconds: float = 0.0) -> None:
    project.send_many(*((kind, {"number": number, "seconds": seconds}) for number in given))


def item(project: Project, kind: str) -> dict[str, object]:
    found = project.json("status")["consumers"]
    return next(one for one in found if one["type"] == kind)


def test_one_of_five_types_is_paused_under_load(herd: Project) -> None:
    """After the acknowledgement of three workers nothing of it starts, the others go on, and it resumes in order."""
    total = size(240, 800)
    for kind in NAMES:
        send(herd, kind, *range(total), seconds=0.08)
    herd.consume_all(3, "-c", "4")
    until(lambda: len(numbers(herd, "finished", "Bee")) > 10, "Bees are handled")
    answer = herd.json("pause", "Bee", "--wait", "60", "--reason", "swarm")
    assert (answer["types"], answer["applied"], answer["lagging"]) == (["Bee"], "3/3", [])
    started = len(numbers(herd, "started", "Bee"))
    done = {kind: len(numbers(herd, "finished", kind)) for kind in NAMES}
    assert started < total
    until(
        lambda: all(
            len(numbers(herd, "finished", kind)) > min(done[kind] + 20, total - 1)
            for kind in NAMES
            if kind != "Bee"
        ),
        "the others go on",
    )
    assert len(numbers(herd, "started", "Bee")) == started
    until(
        lambda: item(herd, "Bee")["ready"] == total - started,
        "all others can be had by any worker",
        every=ASKED,
    )
    shown = item(herd, "Bee")
    assert (shown["paused"], shown["applied"], shown["in_flight"]) == (True, "3/3", 0)
    until(
        lambda: all(len(numbers(herd, "finished", kind)) == total for kind in NAMES if kind != "Bee"),
        "the others are done",
        60,
    )
    assert len(numbers(herd, "started", "Bee")) == started
    herd.ok("resume", "Bee", "--wait")
    herd.until_empty()
    for kind in NAMES:
        assert Counter(numbers(herd, "finished", kind)) == Counter(range(total))
    assert Counter(numbers(herd, "started", "Bee")) == Counter(range(total))
    later = numbers(herd, "started", "Bee")[started:]
    # three workers take turns: each takes in order, so that a message is overtaken by few
    assert all(b > a - 100 for a, b in itertools.pairwise(later))


def test_a_pause_outlives_kill_9_and_holds_for_new_workers(herd: Project) -> None:
    """All workers killed, one started again, one added: zero starts; resumed once, all run, once each."""
    workers = herd.consume_all(3, "-c", "2")
    send(herd, "Ant", *range(5))
    until(lambda: len(numbers(herd, "finished", "Ant")) == 5, "the workers work")
    herd.ok("pause", "Ant", "--wait")
    for worker in workers:
        worker.kill()
    send(herd, "Ant", *range(5, 25))
    herd.consume_all(2, "-c", "2")
    send(herd, "Bee", *range(20))
    until(lambda: len(numbers(herd, "finished", "Bee")) == 20, "the new workers work")
    assert len(numbers(herd, "started", "Ant")) == 5
    assert item(herd, "Ant")["paused"]
    herd.ok("resume", "Ant")
    herd.until_empty()
    assert Counter(numbers(herd, "started", "Ant")) == Counter(range(25))


def test_a_pause_lets_a_running_job_finish(herd: Project) -> None:
    """It is acked, though its type is paused, and its lease is extended meanwhile."""
    herd.configure(app="tests.e2e.herd:app", transport="lease = 1")
    herd.consume("-c", "1")
    send(herd, "Cow", 1, seconds=-1)
    send(herd, "Cow", 2)
    until(lambda: numbers(herd, "started", "Cow") == [1], "it runs")
    herd.ok("pause", "--wait")
    stays(lambda: numbers(herd, "started", "Cow") == [1], "nothing else starts, nor it again", 2.0)
    (herd.folder / "release").touch()
    until(lambda: numbers(herd, "finished", "Cow") == [1], "it finishes")
    until(lambda: item(herd, "Cow")["in_flight"] == 0, "it is settled", every=ASKED)
    assert item(herd, "Cow")["ready"] == 1
    assert numbers(herd, "started", "Cow") == [1]
    herd.ok("resume")
    herd.until_empty()
    assert numbers(herd, "started", "Cow") == [1, 2]


def test_a_timed_pause_ends_by_itself(herd: Project) -> None:
    """Without a resume, and not before its time."""
    herd.consume()
    herd.ok("pause", "Dog", "--for", "3", "--wait")
    send(herd, "Dog", 1)
    until(lambda: numbers(herd, "finished", "Dog") == [1], "it runs")
    ((end,),) = herd.rows("SELECT until FROM worker_audit")
    assert float(lines(herd, "started", "Dog")[0][2]) >= end
    assert not item(herd, "Dog")["paused"]


def test_unknown_types_change_nothing(herd: Project) -> None:
    """Exit 4 on the command line, 400 over HTTP; the known type beside it is not paused."""
    assert herd.cli("pause", "Ant", "Fox").returncode == 4
    intake = herd.serve()
    answer = intake.client.post("/consumers/pause", json={"types": ["Ant", "Fox"]})
    assert answer.status_code == 400
    document = intake.client.get("/consumers").json()
    assert document["version"] == 0
    assert not any(one["paused"] for one in document["consumers"])


def test_the_intake_goes_on_and_says_what_waits(herd: Project) -> None:
    """202 while everything is paused; the status says that it is."""
    intake = herd.serve()
    herd.consume()
    paused = intake.client.post("/consumers/pause", headers={"Prefer": "wait=50"})
    assert (paused.status_code, paused.json()["applied"]) == (202, "1/1")
    id = intake.accepted("Eel", number=1)
    until(lambda: intake.status(id)["paused"], "the status says so")
    assert intake.status(id)["status"] == "accepted"
    assert intake.client.post("/consumers/resume").status_code == 202
    done = intake.status(id, wait=50)
    assert (done["status"], done["paused"]) == ("done", False)


def test_nothing_is_consumed_without_the_database(herd: Project) -> None:
    """A worker that cannot ask what is paused at its start takes nothing, and exits 3."""
    herd.ok("pause", "Ant")
    send(herd, "Ant", 1)
    herd.database.rename(herd.folder / "aside.db")
    herd.database.mkdir()  # a folder cannot be opened as a database
    worker = herd.start("consume", extra={"WORKER_WORKER__CONNECT_TIMEOUT": "1"})
    assert worker.wait() == 3
    herd.database.rmdir()
    (herd.folder / "aside.db").rename(herd.database)
    assert numbers(herd, "started", "Ant") == []
    assert item(herd, "Ant")["paused"]
