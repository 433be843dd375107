"""The document on events: a mail is sent each time a new book is created, and at no other time."""

import pytest

KIM = {"title": "Kim", "author": "Rudyard Kipling", "year": 1901}


async def test_a_mail_is_sent_after_a_new_book_with_its_id(library, mails):
    answer = await library.http.post("/books", json=KIM)
    assert answer.status_code == 201
    (mail,) = mails()
    assert (mail["From"], mail["To"]) == ("system@example.com", "contact@les-tilleuls.coop")
    assert mail["Subject"] == "A new book has been added"
    assert mail.get_payload().strip() == f"The book #{answer.json()['id']} has been added."


async def test_no_mail_is_sent_for_what_is_no_new_book(library, mails):
    await library.http.post("/books", json=KIM)
    one = len(mails())
    assert (await library.http.post("/books", json={"title": ""})).status_code == 422
    assert (await library.http.post("/reservations", json={"book": 1, "reader": "Jane"})).status_code == 201
    assert (await library.http.get("/books/1")).status_code == 200
    assert (await library.http.put("/books/1", json=KIM)).status_code == 200
    assert (await library.http.patch("/books/1", json={"year": 1902})).status_code == 200
    assert (await library.http.delete("/books/1")).status_code == 204
    assert len(mails()) == one


async def test_a_listener_that_fails_leaves_stored_what_is_stored(library, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("LIBRARY_MAIL", str(tmp_path / "file" / "mail"))
    answer = await library.http.post("/books", json=KIM)
    assert answer.status_code == 500
    assert "file" not in answer.text
    assert (await library.http.get("/books/1")).json()["title"] == "Kim"


async def test_a_book_lives_as_a_resource_does(library):
    made = await library.http.post("/books", json=KIM)
    assert made.headers["location"] == "/books/1"
    assert (await library.http.get("/books/1")).json() == made.json() == {"id": 1, **KIM, "isbn": None}
    changed = await library.http.patch("/books/1", json={"isbn": "1"})
    assert changed.json() == {"id": 1, **KIM, "isbn": "1"}
    replaced = await library.http.put("/books/1", json={"title": "Kim", "author": "R. Kipling"})
    assert replaced.json() == {"id": 1, "title": "Kim", "author": "R. Kipling", "year": None, "isbn": None}
    gone = await library.http.delete("/books/1")
    assert (gone.status_code, gone.content) == (204, b"")
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = await library.http.request(method, "/books/1", json=KIM if method[0] == "P" else None)
        assert answer.status_code == 404


async def test_what_is_taken_is_named(library):
    await library.http.post("/books", json={**KIM, "isbn": "1"})
    answer = await library.http.post("/books", json={**KIM, "isbn": "1"})
    assert answer.status_code == 409
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/isbn"]


async def fill(library):
    for number in range(7):
        book = {"title": f"Book {number % 3}", "author": "AB"[number % 2], "year": 1900 + number}
        await library.http.post("/books", json=book)


@pytest.mark.parametrize(
    ("query", "years"),
    [
        ("", [1900, 1901, 1902, 1903, 1904, 1905, 1906]),
        ("author=A", [1900, 1902, 1904, 1906]),
        ("title=book+1", [1901, 1904]),
        ("year[gt]=1901&year[lte]=1904", [1902, 1903, 1904]),
        ("year[gte]=1901&year[lt]=1903&author=B", [1901]),
        ("order=-year", [1906, 1905, 1904, 1903, 1902, 1901, 1900]),
        ("order=title,-year", [1906, 1903, 1900, 1904, 1901, 1905, 1902]),
        ("author=C", []),
    ],
)
@pytest.mark.parametrize("limit", [2, 100])
async def test_a_collection_is_filtered_ordered_and_read_page_by_page(library, query, years, limit):
    await fill(library)
    found: list[int] = []
    path = f"/books?limit={limit}&{query}"
    cursor = ""
    while True:
        page = (await library.http.get(path + cursor)).json()
        assert page["total"] == len(years)
        assert len(page["items"]) <= limit
        found += [book["year"] for book in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&next={page['next']}"
    assert found == years


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("colour=red", ["/colour"]),
        ("year[gt]=soon", ["/year[gt]"]),
        ("year=1901", ["/year"]),
        ("limit=101", ["/limit"]),
        ("limit=0&order=author", ["/order", "/limit"]),
        ("next=abc", ["/next"]),
        ("title=%00", ["/title"]),
        ("author=A&author=B", ["/author"]),
    ],
)
async def test_what_cannot_be_asked_is_told_with_its_name(library, query, pointers):
    answer = await library.http.get(f"/books?{query}")
    assert answer.status_code == 422
    assert sorted(one["pointer"] for one in answer.json()["errors"]) == sorted(pointers)


async def test_a_cursor_that_was_changed_is_refused(library):
    await fill(library)
    cursor = (await library.http.get("/books?limit=2")).json()["next"]
    changed = ("A" if cursor[-1] != "A" else "B").join([cursor[:-1], ""])
    assert (await library.http.get(f"/books?limit=2&next={cursor}")).status_code == 200
    assert (await library.http.get(f"/books?limit=2&next={changed}")).status_code == 422
    assert (await library.http.get(f"/books?limit=2&order=-year&next={cursor}")).status_code == 422


async def test_numbers_beyond_what_a_column_holds_find_nothing(library):
    await fill(library)
    assert (await library.http.get(f"/books?year[gt]={2**62}")).json()["items"] == []
    assert (await library.http.get(f"/books/{2**62}")).status_code == 404
    assert (await library.http.get(f"/books/{2**80}")).status_code == 404
