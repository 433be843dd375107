"""The library on PostgreSQL, its reviews in MongoDB: the same application, by configuration alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Intake, Project
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

TOML = """\
app = "examples.library.with_reviews:app"

[database]
url = "{postgres}"

[documents]
url = "{mongo}"

[resources]
create_tables = true

[transports.postgres]
url = "{postgres}"

[routing]
"*" = "postgres"
"""


@pytest.fixture
def library(tmp_path: Path, postgres_url: str, mongo_url: str) -> Iterator[Project]:
    """The library in one folder; nothing runs yet."""
    project = Project(tmp_path)
    (tmp_path / "worker.toml").write_text(TOML.format(postgres=postgres_url, mongo=mongo_url))
    try:
        yield project
    finally:
        project.close()


@pytest.fixture
def intake(library: Project) -> Intake:
    """The library, served."""
    return library.serve()


def made(intake: Intake, path: str, **fields: Any) -> dict[str, Any]:
    answer = intake.client.post(path, json=fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_books_are_kept_in_postgresql(intake: Intake) -> None:
    """What is stored is found: by identifier, by filter, in order, page by page."""
    for number in range(5):
        made(intake, "/books", title=f"Book {number}", author="AB"[number % 2], year=1900 + number)
    found, cursor = [], ""
    while True:
        answer = intake.client.get(f"/books?title=BOOK&year[gte]=1901&order=-year&limit=2{cursor}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["total"] == 4
        found += [book["year"] for book in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&next={page['next']}"
    assert found == [1904, 1903, 1902, 1901]
    assert intake.client.get(f"/books?year[gt]={2**62}").json()["items"] == []
    assert intake.client.get(f"/books/{2**62}").status_code == 404
    made(intake, "/books", title="Kim", author="K", isbn="1")
    taken = intake.client.post("/books", json={"title": "Kim", "author": "K", "isbn": "1"})
    assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (409, "/isbn")


def test_a_reservation_is_stored_sent_and_handled_once(library: Project, intake: Intake) -> None:
    """Rows and messages are in one database, and leave with one commit."""
    worker = library.consume("postgres")
    number = made(intake, "/reservations", book=1, reader="Jane")["id"]
    library.ok("pause", "Reservation", "--wait", "30")
    answer = intake.client.patch(f"/reservations/{number}", json={"state": "wanted"})
    assert (answer.status_code, answer.json()["channel"]) == (202, "application")
    assert intake.client.get(f"/reservations/{number}").json()["fetched"] == 0
    library.ok("resume", "Reservation")

    def notices() -> list[str]:
        page = intake.client.get(f"/notices?reservation={number}").json()
        return [one["text"] for one in page["items"]]

    until(lambda: notices() == ["Jane, your book waits for you."], "the reader is told once")
    stored = intake.client.get(f"/reservations/{number}").json()
    assert (stored["state"], stored["fetched"]) == ("ready", 1)
    worker.stop()


def test_reviews_are_kept_as_documents(intake: Intake) -> None:
    """Identifiers are UUIDv7; filters, order and replacement are as they are in SQL."""
    for rating in (3, 5, 4):
        made(intake, "/reviews", book=1, author="Jane", rating=rating, text="So Good", tags=["x"])
    page = intake.client.get("/reviews?book=1&rating[gte]=4&text=good&order=-rating&limit=1").json()
    assert (page["total"], [one["rating"] for one in page["items"]]) == (2, [5])
    following = intake.client.get(f"/reviews?limit=1&next={page['next']}").json()
    assert [one["rating"] for one in following["items"]] == [4]
    assert following["next"] is None
    id = page["items"][0]["id"]
    assert id[14] == "7"
    changed = intake.client.patch(f"/reviews/{id}", json={"text": None})
    assert (changed.status_code, changed.json()["text"], changed.json()["rating"]) == (200, "", 5)
    new = intake.client.put("/reviews/mine", json={"book": 2, "author": "Joe", "rating": 1})
    assert (new.status_code, new.json()["id"]) == (201, "mine")
    assert intake.client.delete(f"/reviews/{id}").status_code == 204
    assert intake.client.get(f"/reviews/{id}").status_code == 404
    refused = intake.client.post("/reviews", json={"book": 1, "author": "Jane", "rating": 6})
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/rating"]
