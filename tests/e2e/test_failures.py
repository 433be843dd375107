"""Failing handlers: retries, the failure store, and the way back out of it, by command line and HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.project import Project
from tests.e2e.waiting import until

pytestmark = pytest.mark.e2e


def failed(project: Project) -> list[dict[str, Any]]:
    """Items of ``worker failed list``."""
    items: list[dict[str, Any]] = project.json("failed", "list")["items"]
    return items


def until_failed(project: Project, count: int = 1) -> None:
    """Wait until so many messages are in the failure store."""
    until(
        lambda: project.rows("SELECT count(*) FROM worker_failures WHERE hidden_at IS NULL") == [(count,)],
        f"{count} in the failure store",
    )


def test_handler_that_fails_twice_then_works(project: Project) -> None:
    """A handler that fails twice works at its third attempt; what failed attempts stored and told is gone."""
    intake = project.serve()
    project.consume()
    command = intake.accepted("Flaky", number=4)
    status = intake.status(command, wait=50)
    assert (status["status"], status["attempts"], status["error"]) == ("done", 3, None)
    assert project.rows("SELECT number, attempt FROM flakes") == [(4, 3)]
    project.until_empty()
    assert project.rows("SELECT number FROM bookings") == [(4,)]
    assert failed(project) == []


def test_failed_message_by_command_line(project: Project) -> None:
    """One that always fails is listed, shown, retried after the fix and done; another is removed."""
    command = project.send("Broken", name="bad")
    project.consume()
    until_failed(project)
    (item,) = failed(project)
    assert (item["id"], item["type"], item["attempts"]) == (command, "Broken", 4)
    assert item["error"] == {"type": "ValueError", "message": "bad is broken"}
    assert "Broken" in project.ok("failed", "list")
    shown = project.json("failed", "show", command)
    assert shown["envelope"]["data"]["name"] == "bad"
    assert shown["body_base64"] is None
    assert [entry["attempt"] for entry in shown["history"]] == [1, 2, 3, 4]
    assert all("ValueError" in entry["error"]["trace"] for entry in shown["history"])
    groups = project.json("failed", "groups")
    assert (groups["total"], groups["items"][0]["count"], groups["items"][0]["type"]) == (1, 1, "Broken")

    project.ok("failed", "retry", command)
    until(lambda: len(project.lines("broken")) == 8, "four more attempts")
    until_failed(project)
    assert len(project.json("failed", "show", command)["history"]) == 8

    project.mark("fixed", "bad")
    project.ok("failed", "retry", command)
    project.until_empty()
    assert project.lines("broken")[-1] == "bad 1"
    assert project.json("failed", "list")["total"] == 0
    assert project.cli("failed", "show", command).returncode == 4

    other = project.send("Broken", name="worse", how="reject")
    until_failed(project)
    assert project.cli("failed", "remove", other).returncode == 5
    project.ok("failed", "remove", other, "--yes")
    assert failed(project) == []
    assert project.cli("failed", "retry", other).returncode == 4


def test_failed_message_by_http(project: Project) -> None:
    """The same over HTTP: list, show, retry after the fix, remove."""
    intake = project.serve()
    project.consume()
    ids = [intake.accepted("Broken", name=name, how="unrecoverable") for name in ("a", "b", "c")]
    assert [intake.status(one, wait=50)["status"] for one in ids] == ["failed"] * 3
    page = intake.client.get("/failed", params={"type": "Broken"}).json()
    assert page["total"] == 3 and {item["id"] for item in page["items"]} == set(ids)
    assert intake.client.get(f"/failed/{ids[0]}").json()["history"][0]["attempt"] == 1
    project.mark("fixed", "a")
    project.mark("fixed", "b")
    answer = intake.client.post(f"/failed/{ids[0]}/retry")
    assert (answer.status_code, answer.json()) == (202, {"retried": 1})
    assert intake.status(ids[0], wait=50)["status"] == "done"
    assert intake.client.delete(f"/failed/{ids[2]}").status_code == 204
    assert intake.client.get(f"/failed/{ids[2]}").status_code == 404
    assert intake.client.post("/failed/retry", json={}).status_code == 422
    assert intake.client.post("/failed/retry", json={"all": True}).json() == {"retried": 1}
    assert intake.status(ids[1], wait=50)["status"] == "done"
    assert intake.client.get("/failed").json()["total"] == 0


def test_edit_and_retry(project: Project) -> None:
    """Data that fits is taken and handled under the same id; data that does not fit is refused with 2."""
    command = project.send("Broken", name="typo")
    project.consume()
    until_failed(project)
    wrong = project.cli("failed", "edit", command, "--data", '{"name": 5}')
    assert wrong.returncode == 2 and "name" in wrong.stderr
    project.ok("failed", "edit", command, "--data", '{"name": "typo", "how": "not"}', "--retry")
    until(
        lambda: project.lines("broken")[-1:] == ["typo 1"] and len(project.lines("broken")) == 5,
        "it is handled",
    )
    project.until_empty()
    assert failed(project) == []


def test_errors_that_say_what_to_do(project: Project) -> None:
    """``Reject`` and ``Unrecoverable`` fail at once, ``Recoverable`` is retried beyond the policy."""
    project.consume()
    project.send_many(
        *[("Broken", {"name": how, "how": how}) for how in ("reject", "unrecoverable", "recoverable")]
    )
    until(lambda: "recoverable 7" in project.lines("broken"), "the seventh attempt works")
    project.until_empty()
    attempts = [line for line in project.lines("broken") if not line.startswith("recoverable")]
    assert sorted(attempts) == ["reject 1", "unrecoverable 1"]
    assert {item["error"]["type"] for item in failed(project)} == {"Reject", "Unrecoverable"}


def test_second_of_two_handlers_fails(project: Project) -> None:
    """The first handler's effect and event are there once; retries run the second only, also from the store."""
    intake = project.serve()
    project.consume()
    command = intake.accepted("Pair", number=1)
    assert intake.status(command, wait=50)["status"] == "failed"
    assert project.lines("pairs") == ["first 1 1", *[f"second 1 {attempt}" for attempt in (1, 2, 3, 4)]]
    assert project.rows("SELECT * FROM seconds") == []
    (group,) = project.json("failed", "groups")["items"]
    assert group["handler"].endswith("second")
    project.mark("fixed", "pair-1")
    project.ok("failed", "retry", command)
    assert intake.status(command, wait=50)["status"] == "done"
    project.until_empty()
    assert project.lines("pairs")[5:] == ["second 1 1"]
    assert [
        project.rows(f"SELECT number FROM {table}") for table in ("firsts", "seconds", "first_bookings")
    ] == [[(1,)]] * 3
