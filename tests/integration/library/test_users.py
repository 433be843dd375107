"""The document on state processors: one of the application's own, and one around those that are built in."""

JANE = {"name": "Jane", "email": "jane@example.com"}


async def test_a_processor_of_the_applications_own_keeps_what_no_store_does(library, tmp_path):
    answer = await library.http.post("/blog-posts", json={"slug": "new-books", "title": "New books"})
    assert answer.status_code == 201
    assert answer.json() == {"slug": "new-books", "title": "New books", "text": ""}
    assert (tmp_path / "posts" / "new-books.json").exists()
    assert (await library.http.get(answer.headers["location"])).json() == answer.json()
    assert (await library.http.get("/blog-posts/old-books")).status_code == 404
    assert (await library.http.get("/blog-posts/.hidden")).status_code == 404


async def test_a_user_is_welcomed_after_being_stored(library, mails):
    answer = await library.http.post("/users", json=JANE)
    assert (answer.status_code, answer.json()) == (201, {"id": 1, **JANE})
    (mail,) = mails()
    assert (mail["To"], mail["Subject"]) == (JANE["email"], "Welcome")


async def test_no_mail_is_sent_where_storing_fails(library, mails):
    await library.http.post("/users", json=JANE)
    answer = await library.http.post("/users", json=JANE)
    assert answer.status_code == 409
    assert len(mails()) == 1


async def test_a_delete_goes_to_the_processor_that_removes_and_sends_nothing(library, mails):
    await library.http.post("/users", json=JANE)
    answer = await library.http.delete("/users/1")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await library.http.get("/users/1")).status_code == 404
    assert len(mails()) == 1


async def test_what_changes_is_stored_and_nobody_is_welcomed_again(library, mails):
    await library.http.post("/users", json=JANE)
    answer = await library.http.patch("/users/1", json={"name": "Jane D."})
    assert (answer.status_code, answer.json()["name"]) == (200, "Jane D.")
    assert len(mails()) == 1
