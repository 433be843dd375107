"""pause and resume: what is sent, what is printed, and with which code it ends."""

import pytest

from worker.errors import Guarded, UnknownType
from worker.messaging.consumers import PauseConsumers, ResumeConsumers


@pytest.fixture(autouse=True)
def anna(monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "anna")


def test_a_pause_says_what_it_paused(worker, service):
    """Types, reason and duration go with the command, the actor is who typed it."""
    page = worker("pause", "PlaceOrder", "--reason", "stock", "--for", "15m", "--shared")
    assert (page.code, page.out) == (0, "paused PlaceOrder\n")
    assert service.controlled == [
        PauseConsumers(types=("PlaceOrder",), reason="stock", seconds=900.0, shared=True, actor="anna")
    ]


def test_a_resume_says_what_it_resumed(worker, service):
    """Only what was paused, and where that is nothing it says so."""
    assert worker("resume", "PlaceOrder").out == "resumed PlaceOrder\n"
    service.changed = ()
    page = worker("resume", "PlaceOrder")
    assert (page.code, page.out) == (0, "nothing of it was paused\n")


def test_no_types_are_all(worker, service):
    """So are kinds and queues nothing else but what they say."""
    worker("pause")
    worker("resume", "--kind", "events", "-Q", "shop-*", "--reason", "done")
    assert service.controlled == [
        PauseConsumers(actor="anna"),
        ResumeConsumers(kinds=("events",), queues=("shop-*",), reason="done", actor="anna"),
    ]


@pytest.mark.parametrize(
    "words", [["PlaceOrder", "--wait"], ["--wait", "PlaceOrder"], ["PlaceOrder", "--wait", "5s"]]
)
def test_it_waits_for_the_workers(worker, service, words):
    """--wait stands anywhere, with or without seconds, and says how many have applied it."""
    page = worker("pause", *words)
    assert page.out == "paused PlaceOrder\napplied on 3 of 3 workers\n"
    assert service.controlled[0].types == ("PlaceOrder",)
    assert service.waited == (5.0 if "5s" in words else 30.0)


def test_a_worker_that_did_not_apply_it_is_named(worker, service):
    """The exit code is 1, and the worker's name is on stderr."""
    service.lagging = ("host-1",)
    page = worker("pause", "--wait", "0")
    assert (page.code, page.err) == (1, "not applied yet by worker host-1\n")
    assert "applied on 2 of 3 workers" in page.out


def test_with_json_it_is_the_document_of_http(worker, service):
    """The same members."""
    assert worker("pause", "PlaceOrder", "--json").json == {
        "version": 7,
        "types": ["PlaceOrder"],
        "changed": ["PlaceOrder"],
    }
    document = worker("resume", "PlaceOrder", "--wait", "--json").json
    members = {"types": ["PlaceOrder"], "changed": ["PlaceOrder"], "applied": "3/3", "lagging": []}
    assert document == {"version": 7, **members}


@pytest.mark.parametrize(("error", "code"), [(UnknownType("Nope"), 4), (Guarded("shares a queue"), 5)])
def test_what_is_refused_has_its_code(worker, service, error, code):
    """An unknown type is 4; types that would be held too are a guard's matter, 5."""
    service.dispatch_error = error
    assert worker("pause", "Nope").code == code


def test_a_duration_of_nothing_is_wrong_usage(worker):
    """--for 0 would pause nothing."""
    assert worker("pause", "--for", "0").code == 2


def test_status_shows_what_is_paused(worker, service):
    """Since when, by whom, why, how many wait, and which worker has not applied it."""
    service.pause = {"reason": "stock", "actor": "anna", "since": "2026-01-31T12:00:00.000Z", "until": None}
    out = worker("status").out
    line = next(line for line in out.splitlines() if line.startswith("PlaceOrder  2026"))
    assert line.split() == ["PlaceOrder", "2026-01-31T12:00:00.000Z", "anna", "stock", "-", "-", "2", "of", "3,", "not", "by", "host-1"]  # fmt: skip
