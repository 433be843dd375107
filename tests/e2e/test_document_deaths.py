"""``kill -9`` of the intake between a document and its answer: the client repeats with its key, and there is one document."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.e2e.project import Intake, Project
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.fault]

APP = """\
import os
import signal
from pathlib import Path

import msgspec

from worker import App, Hook
from worker.resources import Documents

app = App("notes")


@app.resource(store=Documents("notes"))
class Note(msgspec.Struct, kw_only=True):
    id: str
    title: str


@app.listener(Hook.POST_WRITE)
def die(event):
    if Path("die").exists():
        Path("die").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def project(tmp_path: Path, mongo_url: str) -> Iterator[Project]:
    project = Project(tmp_path)
    (tmp_path / "notes.py").write_text(APP)
    project.configure(app="notes:app", more=f'[documents]\nurl = "{mongo_url}"')
    try:
        yield project
    finally:
        project.close()


def lapse(project: Project) -> None:
    """Let the time of what the dead intake had claimed be over."""
    with closing(sqlite3.connect(project.database)) as connection, connection:
        assert connection.execute("UPDATE worker_idempotency SET leased_until = 0").rowcount >= 1


def killed(project: Project, intake: Intake, method: str, path: str, title: str) -> Intake:
    """Ask; the intake dies after it has stored. Start it again."""
    (project.folder / "die").touch()
    with pytest.raises(httpx.TransportError):
        intake.client.request(method, path, json={"title": title}, headers={"Idempotency-Key": method})
    until(lambda: not intake.process.running, "the intake is dead")
    lapse(project)
    return project.serve(port=intake.port)


def test_a_repeat_finds_the_document_that_a_dead_intake_has_stored(project: Project) -> None:
    """A POST's is answered as stored; a PUT changes nothing again."""
    intake = killed(project, project.serve(), "POST", "/notes", "Dune")
    (stored,) = intake.client.get("/notes").json()["items"]
    again = intake.client.post("/notes", json={"title": "Dune"}, headers={"Idempotency-Key": "POST"})
    assert (again.status_code, again.json()) == (201, stored), again.text
    path = again.headers["location"]
    assert intake.client.get("/notes").json() == {"items": [stored], "total": 1, "next": None}
    intake = killed(project, intake, "PUT", path, "Emma")
    again = intake.client.put(path, json={"title": "Emma"}, headers={"Idempotency-Key": "PUT"})
    assert (again.status_code, again.json()) == (200, {**stored, "title": "Emma"}), again.text
    assert intake.client.get("/notes").json()["total"] == 1
    intake.process.stop()
