"""The document on chains: conditions say which steps a request passes; what is written and what is sent leave together."""

import pytest

from examples.library.reservations import BookWasFetched, Reservation

WANTED = {"state": "wanted"}


@pytest.fixture
async def reserved(library):
    await library.http.post("/reservations", json={"book": 1, "reader": "Jane"})
    return library


@pytest.mark.parametrize(
    ("accept", "channel"),
    [
        ("*/*", "application"),
        ("application/json", "application"),
        ("application/msgpack", "application"),
        ("application/ld+json", "linked data"),
    ],
)
async def test_the_format_of_a_request_picks_its_steps(reserved, accept, channel):
    answer = await reserved.http.patch("/reservations/1", json=WANTED, headers={"accept": accept})
    assert answer.status_code == 202
    assert (await reserved.http.get("/reservations/1")).json()["channel"] == channel


async def test_other_actions_and_other_resources_pass_none_of_them(reserved):
    assert (await reserved.http.get("/reservations/1")).json()["channel"] == ""
    await reserved.http.post("/books", json={"title": "Kim", "author": "Kipling"})
    assert (await reserved.http.patch("/books/1", json={"year": 1901})).status_code == 200


async def test_it_is_stored_and_answered_before_it_is_handled_once(reserved):
    answer = await reserved.http.patch("/reservations/1", json=WANTED)
    assert answer.status_code == 202
    assert answer.json()["state"] == "wanted"
    assert (await reserved.http.get("/reservations/1")).json()["state"] == "wanted"
    await reserved.worker.run_until_idle()
    assert len(reserved.worker.handled(Reservation)) == 1
    assert len(reserved.worker.handled(BookWasFetched)) == 1
    stored = (await reserved.http.get("/reservations/1")).json()
    assert (stored["state"], stored["fetched"]) == ("ready", 1)
    notices = (await reserved.http.get("/notices?reservation=1")).json()
    assert [one["text"] for one in notices["items"]] == ["Jane, your book waits for you."]


async def test_a_repeat_under_the_same_key_is_the_same_answer_and_one_message(reserved):
    key = {"idempotency-key": "reservation-1"}
    first = await reserved.http.patch("/reservations/1", json=WANTED, headers=key)
    again = await reserved.http.patch("/reservations/1", json=WANTED, headers=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    await reserved.worker.run_until_idle()
    assert (await reserved.http.get("/reservations/1")).json()["fetched"] == 1


async def test_what_does_not_fit_is_neither_stored_nor_sent(reserved):
    answer = await reserved.http.patch("/reservations/1", json={"state": "lost"})
    assert answer.status_code == 422
    await reserved.worker.run_until_idle()
    assert reserved.worker.handled(Reservation) == []
    assert (await reserved.http.get("/reservations/1")).json()["state"] == "asked"
