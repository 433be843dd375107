"""Linked data: a client that knows nothing but JSON-LD and Hydra finds its way through the library."""

import msgspec
import pytest

from tests.unit.http.resources.linked import BASE, DOCS, HYDRA, expanded, values

LINKED = {"accept": "application/ld+json"}
KIM = {"title": "Kim", "author": "Rudyard Kipling", "year": 1901}


class Reader:
    """Reads documents of the library with a JSON-LD processor."""

    def __init__(self, library):
        self.http = library.http
        self.contexts = {}

    async def read(self, path, method="GET", **request):
        answer = await self.http.request(method, path, headers=LINKED, **request)
        document = answer.json()
        if isinstance(document["@context"], str):
            context = document["@context"]
            self.contexts[context] = (await self.http.get(context)).json()
        return answer, expanded(document, self.contexts.__getitem__, path)[0]


@pytest.fixture
def reader(library):
    return Reader(library)


async def test_every_answer_leads_to_the_documentation(library):
    for path in ("/books", "/books/1", "/books/x"):
        for accept in ("application/json", "application/ld+json", "application/msgpack"):
            answer = await library.http.get(path, headers={"accept": accept})
            assert f'</docs.jsonld>; rel="{HYDRA}apiDocumentation"' in answer.headers["link"]
            assert "Accept" in answer.headers["vary"]


async def test_the_way_from_the_entry_to_a_book(reader):
    for number in range(3):
        await reader.http.post("/books", json={**KIM, "title": f"Kim {number}"})
    _, documentation = await reader.read("/docs.jsonld")
    (entry,) = values(documentation, f"{HYDRA}entrypoint")
    _, entered = await reader.read(entry.removeprefix(BASE))
    (books,) = values(entered, f"{DOCS}Entrypoint/book")
    titles = []
    target = f"{books.removeprefix(BASE)}?limit=2&order=-title"
    while target:
        answer, collection = await reader.read(target)
        assert answer.headers["content-type"] == "application/ld+json"
        assert collection["@type"] == [f"{HYDRA}Collection"]
        assert values(collection, f"{HYDRA}totalItems") == [3]
        for member in collection[f"{HYDRA}member"]:
            _, book = await reader.read(member["@id"].removeprefix(BASE))
            assert book["@type"] == [f"{DOCS}Book"]
            titles += values(book, f"{DOCS}Book/title")
        following = values(collection[f"{HYDRA}view"][0], f"{HYDRA}next")
        target = following[0].removeprefix(BASE) if following else None
    assert titles == ["Kim 2", "Kim 1", "Kim 0"]


async def test_a_body_of_linked_data_says_what_it_is_about_and_stores_the_rest(reader):
    made = await reader.http.post("/books", json=KIM, headers=LINKED)
    assert made.status_code == 201
    again = {**made.json(), "year": 1902}
    answer = await reader.http.put(
        "/books/1",
        content=msgspec.json.encode(again),
        headers={**LINKED, "content-type": "application/ld+json"},
    )
    assert (answer.status_code, answer.json()["year"]) == (200, 1902)
    assert answer.json()["@id"] == "/books/1"


async def test_errors_are_hydras(reader):
    answer, error = await reader.read("/books/7")
    assert (answer.status_code, error["@type"]) == (404, [f"{HYDRA}Error"])
    answer, error = await reader.read("/books", "POST", json={"title": ""})
    assert (answer.status_code, error["@type"]) == (422, [f"{DOCS}ConstraintViolation"])
    paths = [one["propertyPath"] for one in answer.json()["violations"]]
    assert sorted(paths) == ["author", "title"]


@pytest.mark.parametrize("path", ["/docs.jsonld", "/index.jsonld", "/contexts/Book", "/contexts/Error"])
async def test_what_describes_is_linked_data(library, path):
    answer = await library.http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/ld+json")


async def test_a_context_of_nothing_is_not_found(library):
    answer = await library.http.get("/contexts/Pen")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("accept", "status", "media"),
    [
        ("text/html", 406, "application/problem+json"),
        ("application/msgpack;q=0.9, application/json;q=0.1", 200, "application/msgpack"),
        ("text/html, */*;q=0.1", 200, "application/json"),
    ],
)
async def test_formats_are_agreed_upon(library, accept, status, media):
    answer = await library.http.get("/books", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (status, media)
    if status == 406:
        assert "application/ld+json" in answer.json()["detail"]


async def test_a_change_is_read_as_a_merge_patch_and_a_new_book_is_not(library):
    await library.http.post("/books", json=KIM)
    patch = {"headers": {"content-type": "application/merge-patch+json"}, "content": b'{"year": null}'}
    answer = await library.http.patch("/books/1", **patch)
    assert (answer.status_code, answer.json()["year"], answer.json()["title"]) == (200, None, "Kim")
    assert (await library.http.post("/books", **patch)).status_code == 415


async def test_messagepack_is_read_and_written(library):
    packed = {"content-type": "application/msgpack", "accept": "application/msgpack"}
    answer = await library.http.post("/books", content=msgspec.msgpack.encode(KIM), headers=packed)
    assert msgspec.msgpack.decode(answer.content) == {"id": 1, **KIM, "isbn": None}
    page = await library.http.get("/books", headers=packed)
    assert msgspec.msgpack.decode(page.content)["total"] == 1
