"""The OpenAPI document has every operation, with the schemas that its bodies and its answers fit."""

from dataclasses import replace
from typing import Annotated

import jsonschema_rs
import msgspec
import pytest
from msgspec import Meta

from tests.unit.http.resources.kit import Book, resource_of
from tests.unit.http.resources.memory_store import MemoryStore
from worker import App
from worker.http.endpoint import Endpoint
from worker.http.openapi.document import openapi
from worker.http.resources.describing import described
from worker.http.resources.hydra import Search
from worker.http.resources.parameters import Parameters
from worker.http.resources.published import published
from worker.http.resources.representing import Member, many, one
from worker.resources.operation import Delete, Get, GetCollection, Patch, Post, Put

KIM = Book(title="Kim", author="Rudyard Kipling", year=1901, id="kim")


class NewBook(msgspec.Struct, kw_only=True):
    title: Annotated[str, Meta(min_length=1)]
    author: str
    year: int | msgspec.UnsetType | None = msgspec.UNSET
    id: str | msgspec.UnsetType = msgspec.UNSET


class Changes(msgspec.Struct, kw_only=True):
    title: Annotated[str, Meta(min_length=1)] | msgspec.UnsetType = msgspec.UNSET
    year: int | msgspec.UnsetType | None = msgspec.UNSET
    id: str | msgspec.UnsetType = msgspec.UNSET


BODIES = {"POST": NewBook, "PUT": NewBook, "PATCH": Changes}
BOOKS = resource_of(
    Book,
    "/books",
    Post(errors={LookupError: 418}),
    Get(parameters={"fields": str}),
    GetCollection(filters={"year": "range"}, order=("title",)),
    Put(),
    Patch(),
    Delete(),
)


async def call(request):
    raise AssertionError


def endpoints(resource):
    for operation in resource.operations:
        yield Endpoint(
            operation.method,
            operation.path,
            "resources",
            lambda ports: call,
            **described(
                resource,
                operation,
                body=BODIES.get(operation.method),
                answer=None if operation.is_delete else operation.output or None,
            ),
        )


DOCUMENT = openapi([*endpoints(BOOKS), *published([BOOKS], "library")], App("library").registry())


def entry(method, path):
    return DOCUMENT["paths"][path][method]


def fits(value, schema):
    whole = {**schema, "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole).is_valid(value)


def test_every_operation_is_there_under_its_name():
    assert {
        (path, method): found["operationId"]
        for path, item in DOCUMENT["paths"].items()
        for method, found in item.items()
        if method != "parameters" and path.startswith("/books")
    } == {
        ("/books", "post"): "book_create",
        ("/books", "get"): "book_get_list",
        ("/books/{id}", "get"): "book_get",
        ("/books/{id}", "put"): "book_replace",
        ("/books/{id}", "patch"): "book_update",
        ("/books/{id}", "delete"): "book_delete",
    }
    assert {"/docs.jsonld", "/index.jsonld", "/contexts/{name}"} <= set(DOCUMENT["paths"])


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("post", "/books", "201 400 401 403 406 409 413 415 418 422 429 500 503"),
        ("get", "/books", "200 400 401 403 406 422 429 500 503"),
        ("get", "/books/{id}", "200 400 401 403 404 406 422 429 500 503"),
        ("delete", "/books/{id}", "204 400 401 403 404 406 409 412 413 422 429 500 503"),
    ],
)
def test_statuses_are_those_that_an_operation_answers(method, path, statuses):
    assert list(entry(method, path)["responses"]) == statuses.split()


def test_an_error_that_is_declared_is_described_too():
    assert "Problem418" in DOCUMENT["components"]["responses"]


def test_bodies_are_read_in_every_format_and_changes_as_a_merge_patch_too():
    formats = ["application/json", "application/msgpack", "application/ld+json"]
    assert list(entry("post", "/books")["requestBody"]["content"]) == formats
    patch = ["application/json", "application/merge-patch+json", *formats[1:]]
    assert list(entry("patch", "/books/{id}")["requestBody"]["content"]) == patch
    assert "requestBody" not in entry("delete", "/books/{id}")


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("post", {"title": "Kim", "author": "Kipling"}, True),
        ("post", {"title": "Kim", "author": "Kipling", "year": None, "id": "kim"}, True),
        ("post", {"title": "", "author": "Kipling"}, False),
        ("post", {"title": "Kim"}, False),
        ("post", {"title": "Kim", "author": "Kipling", "pages": 1}, False),
        ("patch", {}, True),
        ("patch", {"year": None, "id": None}, True),
        ("patch", {"title": None}, False),
        ("patch", {"pages": 1}, False),
    ],
)
def test_schemas_of_bodies_take_what_fits_and_nothing_else(method, body, expected):
    path = "/books" if method == "post" else "/books/{id}"
    for content in entry(method, path)["requestBody"]["content"].values():
        assert fits(body, content["schema"]) == expected


def test_examples_of_bodies_fit():
    for path, method in (("/books", "post"), ("/books/{id}", "put")):
        content = entry(method, path)["requestBody"]["content"]["application/json"]
        assert fits(content["example"], content["schema"])


def answered(method, path, status, media):
    return entry(method, path)["responses"][status]["content"][media]["schema"]


@pytest.mark.parametrize(
    ("format", "media"), [("json", "application/json"), ("json_ld", "application/ld+json")]
)
def test_what_is_answered_fits_its_schema(format, media):
    body = msgspec.json.decode(one(KIM, format, "Book", "/books/kim").body)
    schema = answered("get", "/books/{id}", "200", media)
    assert fits(body, schema)
    assert not fits({**body, "pages": 1}, schema)
    parameters = Parameters(BOOKS, next(one for one in BOOKS.operations if one.is_collection))
    for cursor in (None, "abc"):
        page = many(
            [Member(KIM, "/books/kim")],
            format,
            "Book",
            path="/books",
            query=(),
            total=1,
            cursor=cursor,
            search=Search(parameters.described, parameters.fields),
        )
        schema = answered("get", "/books", "200", media)
        assert fits(msgspec.json.decode(page.body), schema)
        assert not fits({}, schema)


def test_an_identifier_of_a_body_is_one_that_an_address_can_have():
    stored = replace(BOOKS, store=MemoryStore())
    described_ = openapi([*endpoints(stored)], App("library").registry(), inline=lambda _: False)
    for document, refused in ((described_, ["", ".", "..", "a\0b"]), (DOCUMENT, ["\0"])):
        schema = document["components"]["schemas"]["BookCreate"]["properties"]["id"]
        wrong = [id for id in refused if jsonschema_rs.is_valid(schema, id)]
        assert wrong == ([] if document is described_ else ["\0"])
        assert all(jsonschema_rs.is_valid(schema, id) for id in ("kim", "...", "a\nb", "é"))


def test_a_summary_has_the_article_of_the_name():
    class Owner(msgspec.Struct):
        id: str

    owners = [*endpoints(resource_of(Owner, "/owners", Get(), Delete()))]
    document = openapi(owners, App("shop").registry())
    item = document["paths"]["/owners/{id}"]
    assert (item["get"]["summary"], item["delete"]["summary"]) == ("Read an Owner", "Remove an Owner")
    assert entry("post", "/books")["summary"] == "Make a Book"
    assert entry("get", "/books")["summary"] == "Read the collection of Book"


def test_an_answer_without_body_has_no_content():
    assert "content" not in entry("delete", "/books/{id}")["responses"]["204"]


def test_headers_are_described():
    assert set(entry("post", "/books")["responses"]["201"]["headers"]) == {"Link", "Vary", "Location"}
    assert set(entry("get", "/books")["responses"]["200"]["headers"]) == {"Link", "Vary"}


def test_parameters_are_those_of_the_path_the_query_and_the_headers():
    listed = entry("get", "/books")["parameters"]
    assert [one["name"] for one in listed if "name" in one] == [
        "year[gt]", "year[gte]", "year[lt]", "year[lte]", "order", "limit", "next",
    ]  # fmt: skip
    assert "fields" in [one.get("name") for one in entry("get", "/books/{id}")["parameters"]]
    (id_,) = DOCUMENT["paths"]["/books/{id}"]["parameters"]
    assert (id_["name"], id_["in"], id_["required"]) == ("id", "path", True)
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in entry("post", "/books")["parameters"]


def test_a_put_that_may_create_answers_one_status_for_each():
    books = resource_of(Book, "/books", Put(allow_create=True))
    (operation,) = books.operations
    gives = described(books, operation, body=NewBook, answer=Book)["gives"]
    assert set(gives) == {200, 201}
    assert "Location" in gives[201].headers
    assert "Location" not in gives[200].headers
