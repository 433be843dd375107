"""What other programs put on a queue: read where it can be, kept as it is where it cannot; the queue flows on."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.e2e.project import Project
from tests.e2e.waiting import until

pytestmark = pytest.mark.e2e

ID = "0192f0c1-2345-7abc-8def-0123456789a{}"


def event(number: int, **members: Any) -> bytes:
    """A CloudEvent as another program writes it."""
    return json.dumps(
        {"specversion": "1.0", "id": ID.format(number), "source": "elsewhere", "type": "Deposit", **members}
    ).encode()


def test_unreadable_messages_are_kept_and_the_queue_flows_on(project: Project) -> None:
    """Garbage, an unknown type and data that does not fit go to the failure store with their bytes unchanged."""
    project.ok("setup")
    bodies = {
        "1": b"\xff\xfe not json \x00",
        "2": event(2, type="NobodyKnowsThis", data={"number": 1}),
        "3": event(3, data={"number": "three"}),
        "4": b"",
    }
    for name, body in bodies.items():
        project.publish("bank-deposit", body, ID.format(name))
    project.publish("bank-deposit", event(5, data={"number": 5}), ID.format(5))
    worker = project.consume()
    until(lambda: project.rows("SELECT number FROM deposits") == [(5,)], "the message behind them is handled")
    until(lambda: project.rows("SELECT count(*) FROM worker_failures") == [(4,)], "four are kept")
    project.until_empty()
    items = {item["id"]: item for item in project.json("failed", "list")["items"]}
    kept = {one: project.json("failed", "show", one) for one in items}
    assert sorted(base64.b64decode(shown["body_base64"]) for shown in kept.values()) == sorted(
        bodies.values()
    )
    for shown in kept.values():
        assert shown["queue"] == "bank-deposit" and shown["attempts"] == 1 and shown["history"]
        if base64.b64decode(shown["body_base64"]) == bodies["2"]:
            assert shown["type"] == "NobodyKnowsThis" and shown["error"]["type"] == "UnknownType"
            assert shown["id"] == ID.format(2)
        if base64.b64decode(shown["body_base64"]) == bodies["1"]:
            assert shown["envelope"] is None
    assert worker.running
    worker.stop()


def test_bare_json_on_a_queue_of_one_type(project: Project) -> None:
    """A bare JSON body on a one-type queue is that type's data, under the id it was published with."""
    project.ok("setup")
    project.publish("bank-deposit", b'{"number": 12}', ID.format(6))
    project.consume("--burst").wait()
    assert project.rows("SELECT number, message_id, attempt FROM deposits") == [(12, ID.format(6), 1)]
    assert project.json("failed", "list")["total"] == 0


def test_attempt_on_the_wire_counts(project: Project) -> None:
    """A message that says it is the fourth attempt is given up after it: the count is in the message."""
    project.ok("setup")
    body = event(7, type="Broken", data={"name": "late"}, attempt=4)
    project.publish("bank-broken", body, ID.format(7))
    project.consume("--burst").wait()
    assert project.lines("broken") == ["late 4"]
    assert project.json("failed", "show", ID.format(7))["attempts"] == 4
