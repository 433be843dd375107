"""The way of a command, through an intake and a worker that are processes of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT
from tests.e2e.project import Project
from tests.e2e.waiting import SOON, until

pytestmark = pytest.mark.e2e

BOOKS = ROOT / "examples" / "search" / "data" / "books.ndjson"


def test_posted_command_is_handled_and_its_event_subscribed(project: Project) -> None:
    """A posted command is answered 202 with its place, ends done, and its event reaches the subscriber once."""
    intake = project.serve()
    worker = project.consume()
    answer = intake.post("Deposit", number=7)
    assert answer.status_code == 202, answer.text
    document = answer.json()
    assert answer.headers["location"] == document["status"] == f"/commands/{document['id']}"
    assert document["type"] == "Deposit"
    status = intake.status(document["id"], wait=50)
    assert (status["status"], status["attempts"], status["error"]) == ("done", 1, None)
    assert (status["transport"], status["queue"]) == ("sqlite", "bank-deposit")
    assert project.rows("SELECT number, message_id FROM deposits") == [(7, document["id"])]
    bookings = until(lambda: project.rows("SELECT number, attempt FROM bookings"), "the event is booked")
    assert bookings == [(7, 1)]
    assert intake.client.get("/queries/Ask").json() == {"deposits": 1}
    project.until_empty()
    worker.stop()
    intake.process.stop()


def test_event_waits_on_its_own_queue(project: Project) -> None:
    """An event lies on its own queue, in the order of the contract's names, until a worker takes that queue."""
    project.send("Deposit", number=1)
    worker = project.consume("-Q", "bank-deposit", "--burst")
    assert worker.wait() == 0
    names = project.rows(
        "SELECT q.name FROM transport_messages m JOIN transport_queues q ON q.id = m.queue",
        file=project.queue_file,
    )
    assert names == [("bank-deposited",)]
    assert project.rows("SELECT * FROM bookings") == []
    assert project.consume("-Q", "bank-deposited", "--burst").wait() == 0
    assert project.rows("SELECT number FROM bookings") == [(1,)]


def test_books_are_sent_indexed_and_found(project: Project) -> None:
    """The example's catalog of real books, sent as NDJSON, is found by a query over HTTP."""
    project.configure(app="examples.search.app:app")
    intake = project.serve()
    worker = project.consume()
    project.ok("send", "CreateIndex", "index=books", "--wait", "50")
    lines = BOOKS.read_text().splitlines()
    ids = project.ok("send", "--ndjson", str(BOOKS)).split()
    assert len(ids) == len(set(ids)) == len(lines)
    for command_id in ids:
        assert intake.status(command_id, wait=50)["status"] == "done"
    items = sum(len(json.loads(line)["data"]["items"]) for line in lines)
    found = intake.client.get("/queries/Query", params={"index": "books", "q": "whal"})
    assert found.status_code == 200, found.text
    assert any("Whale" in item["title"] or "Moby" in item["title"] for item in found.json()["items"])
    project.until_empty()
    (stats,) = intake.client.post("/queries/GetIndices", json={}).json()
    assert stats["items"] == items
    assert stats["activity"]["ItemsWereAdded"]["count"] == len(lines)
    assert stats["activity"]["ItemsWereAdded"]["items"] == items
    worker.stop()
    intake.process.stop()


def test_one_process_from_an_empty_folder(tmp_path: Path) -> None:
    """``worker run`` in a folder that holds only a ``worker.toml`` serves, consumes and ends with 0 on TERM."""
    project = Project(tmp_path)
    (tmp_path / "worker.toml").write_text('app = "tests.e2e.app:app"\n')
    try:
        intake = project.serve(verb="run")
        command = intake.accepted("Deposit", number=3)
        assert intake.status(command, wait=50)["status"] == "done"
        until(lambda: project.rows("SELECT number FROM bookings") == [(3,)], "the event is booked")
        assert intake.process.stop() < SOON
    finally:
        project.close()


def test_send_by_fields_with_wait(project: Project) -> None:
    """``send`` takes a command field by field, and with ``--wait`` tells the outcome by its exit code."""
    project.consume()
    assert project.cli("send", "Deposit", "number:=5", "--wait", "50").returncode == 0
    assert project.rows("SELECT number FROM deposits") == [(5,)]
    failing = project.cli("send", "Broken", "name=x", "how=reject", "--wait", "50")
    assert failing.returncode == 1, failing.stderr
    assert "no thanks" in failing.stderr + failing.stdout


def test_full_queue_does_not_starve_others(project: Project) -> None:
    """Queues of one priority take turns: events are handled while many commands still wait."""
    project.send_many(*[("Deposit", {"number": number, "before": 0.1}) for number in range(300)])
    project.consume("-c", "2")
    until(lambda: project.rows("SELECT count(*) > 0 FROM bookings") == [(1,)], "the first event is booked")
    assert project.rows("SELECT count(*) < 250 FROM deposits") == [(1,)], (
        "events had to wait for all commands"
    )
