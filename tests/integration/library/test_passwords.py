"""The document on messages: requests that are dispatched, answered before they are handled, and not stored."""

import pytest

from examples.library.passwords import NewPassword, ResetPasswordRequest
from examples.library.subscriptions import Subscription
from worker import Remove, Requested

JANE = {"name": "Jane", "email": "jane@example.com"}


async def test_a_reset_is_accepted_with_an_empty_body_before_it_is_handled(library, mails):
    await library.http.post("/users", json=JANE)
    welcomed = len(mails())
    answer = await library.http.post("/password-resets", json={"username": "jane@example.com"})
    assert (answer.status_code, answer.content) == (202, b"")
    assert "content-type" not in answer.headers
    assert "location" not in answer.headers
    assert library.worker.sent(ResetPasswordRequest) == [ResetPasswordRequest("jane@example.com")]
    assert len(mails()) == welcomed
    await library.worker.run_until_idle()
    assert mails()[-1]["Subject"] == "Your password"
    assert len(mails()) == welcomed + 1


async def test_its_status_is_where_the_answer_says(library):
    answer = await library.http.post("/password-resets", json={"username": "nobody"})
    link = next(one for one in answer.headers["link"].split(", ") if 'rel="status"' in one)
    await library.worker.run_until_idle()
    told = (await library.http.get(link[1 : link.index(">")])).json()
    assert (told["type"], told["status"]) == ("ResetPasswordRequest", "done")


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (b'{"username": ""}', 422, ["/username"]),
        (b"{}", 422, ["/username"]),
        (b'{"username": "jane", "email": "x"}', 422, ["/email"]),
        (b'{"username": ', 400, []),
    ],
)
async def test_a_body_that_does_not_fit_never_reaches_the_bus(library, body, status, pointers):
    headers = {"content-type": "application/json"}
    answer = await library.http.post("/password-resets", content=body, headers=headers)
    assert answer.status_code == status
    assert [one["pointer"] for one in answer.json().get("errors", [])] == pointers
    assert library.worker.sent(ResetPasswordRequest) == []


async def test_a_body_of_another_type_is_refused_with_a_list_of_what_is_read(library):
    answer = await library.http.post("/password-resets", content=b"x", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert "application/ld+json" in answer.headers["accept"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_there_is_no_other_operation(library, method):
    answer = await library.http.request(method, "/password-resets")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "OPTIONS, POST"
    assert (await library.http.request(method, "/password-resets/1")).status_code == 404


async def test_another_class_that_the_body_is_read_into_is_what_is_sent(library):
    answer = await library.http.post(
        "/password-changes", json={"username": "jane", "password": "correct horse"}
    )
    assert (answer.status_code, answer.content) == (202, b"")
    (sent,) = library.worker.sent(NewPassword)
    assert sent == NewPassword("jane", "correct horse")
    refused = await library.http.post("/password-changes", json={"username": "jane", "password": "short"})
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/password"]
    await library.worker.run_until_idle()
    assert not library.worker.failed()


async def test_handled_at_once_what_the_handler_returned_is_answered(at_once):
    answer = await at_once.http.post("/subscriptions", json={"email": "jane@example.com"})
    assert (answer.status_code, answer.json()) == (201, {"email": "jane@example.com", "confirmed": True})


async def test_queued_the_original_is_answered(library):
    answer = await library.http.post("/subscriptions", json={"email": "jane@example.com"})
    assert (answer.status_code, answer.json()) == (201, {"email": "jane@example.com", "confirmed": False})
    await library.worker.run_until_idle()
    stored = await library.http.get("/subscriptions/jane@example.com")
    assert stored.json() == {"email": "jane@example.com", "confirmed": True}


async def test_a_removal_has_a_stamp_that_middleware_sees_where_it_is_sent_and_where_it_is_handled(library):
    await library.http.post("/subscriptions", json={"email": "jane@example.com"})
    await library.worker.run_until_idle()
    answer = await library.http.delete("/subscriptions/jane@example.com")
    assert (answer.status_code, answer.content) == (204, b"")
    await library.worker.run_until_idle()
    created, removed = (one for one in library.worker._handled if isinstance(one.message, Subscription))
    assert created.get(Remove) is None
    assert removed.get(Remove) is not None
    purposes = [stamp.value for stamp in removed.stamps if type(stamp).__name__ == "Purpose"]
    assert purposes[-1] == "removal"
    requested = removed.get(Requested)
    assert (requested.resource, requested.method) == ("Subscription", "DELETE")
    assert requested.uri_variables == {"email": "jane@example.com"}
    assert (await library.http.get("/subscriptions/jane@example.com")).status_code == 404


async def test_a_removal_of_what_is_not_there_is_not_sent(library):
    assert (await library.http.delete("/subscriptions/nobody@example.com")).status_code == 404
    assert library.worker.sent(Subscription) == []
