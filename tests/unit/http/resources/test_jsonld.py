"""What is written as JSON-LD means to a JSON-LD processor what it should."""

import datetime as dt
import decimal
import uuid
from typing import Required

import msgspec
import pytest
from msgspec.structs import astuple

from tests.unit.http.resources.kit import Book, Everything, Kind, resource_of
from tests.unit.http.resources.linked import BASE, DOCS, HYDRA, expanded, values
from worker.errors import Fault
from worker.http.problems import INVALID, NOT_FOUND, Problem
from worker.http.resources.documentation import documentation, entry, entry_context
from worker.http.resources.hydra import Search, error_context, property_path
from worker.http.resources.jsonld import context_of
from worker.http.resources.links import path_of
from worker.http.resources.parameters import Parameters
from worker.http.resources.representing import Member, many, one, problem
from worker.resources.operation import Delete, Get, GetCollection, Patch, Post

BOOKS = resource_of(Book, "/books")
EVERYTHING = resource_of(Everything, "/everything")
KIM = Book(title="Kim", author="Rudyard Kipling", year=1901, id="kim")
CONTEXTS = {
    "/contexts/Book": context_of(BOOKS),
    "/contexts/Everything": context_of(EVERYTHING),
    "/contexts/Error": error_context(),
    "/contexts/ConstraintViolation": error_context(),
    "/contexts/Entrypoint": entry_context([BOOKS]),
}


def read(written, path="/"):
    document = msgspec.json.decode(written) if isinstance(written, bytes) else written
    return expanded(document, lambda context: {"@context": CONTEXTS[context]}, path)


def test_an_object_says_what_and_where_it_is_and_its_fields_are_terms_of_the_documentation():
    media_type, body = astuple(one(KIM, "json_ld", "Book", "/books/kim"))
    assert media_type == "application/ld+json"
    assert msgspec.json.decode(body) == {
        "@context": "/contexts/Book",
        "@id": "/books/kim",
        "@type": "Book",
        "title": "Kim",
        "author": "Rudyard Kipling",
        "year": 1901,
        "id": "kim",
    }
    (node,) = read(body)
    assert node["@id"] == f"{BASE}/books/kim"
    assert node["@type"] == [f"{DOCS}Book"]
    assert values(node, f"{DOCS}Book/title") == ["Kim"]
    assert values(node, f"{DOCS}Book/year") == [1901]


def test_values_have_their_types_and_lists_their_order():
    thing = Everything(
        id=7,
        text="x",
        ratio=0.5,
        price=decimal.Decimal("1.50"),
        kind=Kind.POEM,
        sold=True,
        code=uuid.UUID(int=1),
        day=dt.date(2026, 1, 31),
        at=dt.datetime(2026, 1, 31, tzinfo=dt.UTC),
        tags=["b", "a", "b"],
    )
    (node,) = read(one(thing, "json_ld", "Everything", "/everything/7").body)
    assert values(node, f"{DOCS}Everything/tags") == ["b", "a", "b"]
    xsd = "http://www.w3.org/2001/XMLSchema#"
    assert {
        name: node[f"{DOCS}Everything/{name}"][0].get("@type")
        for name in ("price", "day", "at", "text", "id")
    } == {"price": f"{xsd}decimal", "day": f"{xsd}date", "at": f"{xsd}dateTime", "text": None, "id": None}


def test_nothing_that_was_stored_is_taken_for_linked_data():
    """A client that writes into a field of any content cannot make its readers fetch a context or believe in a type."""
    hostile = {"@context": "https://elsewhere.example/context", "@id": "/admin", "@type": "Admin"}
    values_ = {"id": 1, "more": hostile, "text": "x"}
    (node,) = read(one(values_, "json_ld", "Everything", "/everything/1").body)
    assert node[f"{DOCS}Everything/more"] == [{"@type": "@json", "@value": hostile}]


def test_a_collection_has_members_a_total_and_the_page_that_follows():
    query = (("order", "-title"), ("limit", "1"), ("next", "abc"))
    body = many(
        [Member(KIM, "/books/kim")], "json_ld", "Book", path="/books", query=query, total=9, cursor="def"
    ).body
    assert msgspec.json.decode(body) == {
        "@context": "/contexts/Book",
        "@id": "/books",
        "@type": "Collection",
        "totalItems": 9,
        "member": [{"@id": "/books/kim", "@type": "Book", **msgspec.to_builtins(KIM)}],
        "view": {
            "@id": "/books?order=-title&limit=1&next=abc",
            "@type": "PartialCollectionView",
            "first": "/books?order=-title&limit=1",
            "next": "/books?order=-title&limit=1&next=def",
        },
    }
    (node,) = read(body)
    assert node["@type"] == [f"{HYDRA}Collection"]
    assert values(node, f"{HYDRA}totalItems") == [9]
    (member,) = node[f"{HYDRA}member"]
    assert (member["@id"], member["@type"]) == (f"{BASE}/books/kim", [f"{DOCS}Book"])
    assert values(member, f"{DOCS}Book/title") == ["Kim"]
    (view,) = node[f"{HYDRA}view"]
    assert view["@type"] == [f"{HYDRA}PartialCollectionView"]
    assert values(view, f"{HYDRA}next") == [f"{BASE}/books?order=-title&limit=1&next=def"]


def test_a_collection_says_what_may_be_asked_of_it():
    class Volume(msgspec.Struct, rename={"year": "printedIn"}):
        id: int
        title: str
        year: int = 0

    volumes = resource_of(
        Volume,
        "/volumes",
        GetCollection(
            filters={"title": "partial", "year": "range"},
            parameters={"tag": list[str], "shelf": Required[str]},
        ),
    )
    (operation,) = volumes.operations
    parameters = Parameters(volumes, operation)
    search = Search(parameters.described, parameters.fields)
    told = search.of("/a{b/volumes")
    assert told["template"] == (
        "/a%7Bb/volumes{?tag*,shelf,title,year[gt],year[gte],year[lt],year[lte],order,limit,next}"
    )
    assert [(one["variable"], one["property"], one["required"]) for one in told["mapping"]] == [
        ("tag", None, False),
        ("shelf", None, True),
        ("title", "title", False),
        *((f"year[{how}]", "printedIn", False) for how in ("gt", "gte", "lt", "lte")),
        *((name, None, False) for name in ("order", "limit", "next")),
    ]
    page = many([], "json_ld", "Volume", path="/volumes", query=(), total=0, cursor=None, search=search).body
    (node,) = expanded(msgspec.json.decode(page), lambda _: {"@context": context_of(volumes)})
    (found,) = node[f"{HYDRA}search"]
    assert found["@type"] == [f"{HYDRA}IriTemplate"]
    assert found[f"{HYDRA}template"][0]["@type"] == f"{HYDRA}Rfc6570Template"
    assert values(found, f"{HYDRA}variableRepresentation") == [f"{HYDRA}BasicRepresentation"]
    mapping = {values(one, f"{HYDRA}variable")[0]: one for one in found[f"{HYDRA}mapping"]}
    assert values(mapping["title"], f"{HYDRA}property") == [f"{DOCS}Volume/title"]
    assert values(mapping["year[lt]"], f"{HYDRA}property") == [f"{DOCS}Volume/printedIn"]
    assert f"{HYDRA}property" not in mapping["limit"]
    assert values(mapping["shelf"], f"{HYDRA}required") == [True]


def test_the_last_page_has_no_next_and_an_empty_one_is_a_collection_too():
    body = many([], "json_ld", "Book", path="/books", query=(), total=0, cursor=None).body
    (node,) = read(body)
    assert node[f"{HYDRA}member"] == []
    assert values(node, f"{HYDRA}totalItems") == [0]
    assert f"{HYDRA}next" not in node[f"{HYDRA}view"][0]


def test_a_field_of_the_name_of_a_term_of_collections_stays_the_objects_own():
    class Club(msgspec.Struct):
        id: int
        member: str
        view: str
        totalItems: int  # noqa: N815

    clubs = resource_of(Club, "/clubs")
    body = many(
        [Member(Club(1, "a", "b", 2), "/clubs/1")],
        "json_ld",
        "Club",
        path="/clubs",
        query=(),
        total=1,
        cursor=None,
    ).body
    (node,) = expanded(msgspec.json.decode(body), lambda _: {"@context": context_of(clubs)})
    (member,) = node[f"{HYDRA}member"]
    assert values(member, f"{DOCS}Club/member") == ["a"]
    assert values(member, f"{DOCS}Club/view") == ["b"]
    assert values(member, f"{DOCS}Club/totalItems") == [2]


def test_a_page_in_json_and_in_messagepack_is_items_total_and_next():
    members = [Member(KIM, "/books/kim")]
    asked = {"path": "/books", "query": (), "total": 9, "cursor": "def"}
    expected = {"items": [msgspec.to_builtins(KIM)], "total": 9, "next": "def"}
    media_type, body = astuple(many(members, "json", "Book", **asked))
    assert (media_type, msgspec.json.decode(body)) == ("application/json", expected)
    media_type, body = astuple(many(members, "msgpack", "Book", **asked))
    assert (media_type, msgspec.msgpack.decode(body)) == ("application/msgpack", expected)


def test_a_number_that_messagepack_has_not_is_answered_in_json():
    media_type, body = astuple(one({"n": 2**70}, "msgpack", "Book", None))
    assert media_type == "application/json"
    assert msgspec.json.decode(body) == {"n": 2**70}


def test_nothing_is_null_in_every_format():
    assert one(None, "json_ld", "Book", None).body == b"null"
    assert one(None, "msgpack", "Book", None).body == b"\xc0"


def test_an_error_is_a_problem_document_and_hydras_error_in_one():
    media_type, body = astuple(problem(Problem(NOT_FOUND, "there is no book 7"), "json_ld"))
    assert media_type == "application/problem+json"
    told = msgspec.json.decode(body)
    assert (told["type"], told["status"]) == ("urn:command-worker:problem:not-found", 404)
    (node,) = read(told)
    assert node["@type"] == [f"{HYDRA}Error"]
    assert values(node, f"{HYDRA}description") == ["there is no book 7"]
    assert values(node, f"{HYDRA}statusCode") == [404]


def test_a_constraint_violation_names_each_field_at_fault():
    faults = [Fault("/title", "is missing"), Fault("/lines/0/na~1me", "is too long")]
    told = msgspec.json.decode(problem(Problem(INVALID, "Book: 2 faults", errors=faults), "json_ld").body)
    assert told["@type"] == "ConstraintViolation"
    assert told["violations"] == [
        {"propertyPath": "title", "message": "is missing"},
        {"propertyPath": "lines[0].na/me", "message": "is too long"},
    ]
    assert told["errors"][0]["pointer"] == "/title"
    (node,) = read(told)
    assert node["@type"] == [f"{DOCS}ConstraintViolation"]
    assert len(node[f"{DOCS}ConstraintViolation/violations"][0]["@list"]) == 2


def test_problems_in_other_formats_are_as_everywhere():
    raised = Problem(NOT_FOUND, "no")
    assert astuple(problem(raised, "msgpack")) == ("application/problem+json", raised.encoded())


@pytest.mark.parametrize(
    ("pointer", "path"), [("", ""), ("/a", "a"), ("/a/0", "a[0]"), ("/a/0/b", "a[0].b"), ("/0", "[0]")]
)
def test_pointers_become_paths_of_properties(pointer, path):
    assert property_path(pointer) == path


def test_the_documentation_has_every_class_property_and_operation():
    document = documentation([BOOKS, resource_of(Everything, "/everything", Get())], "library", "Books.")
    (node,) = read(document)
    assert node["@type"] == [f"{HYDRA}ApiDocumentation"]
    assert values(node, f"{HYDRA}entrypoint") == [f"{BASE}/index.jsonld"]
    classes = {one["@id"]: one for one in node[f"{HYDRA}supportedClass"]}
    assert {f"{DOCS}Book", f"{DOCS}Everything", f"{DOCS}Entrypoint", f"{DOCS}ConstraintViolation"} == set(
        classes
    )
    book = classes[f"{DOCS}Book"]
    assert values(book, f"{HYDRA}description") == ["A book, as libraries have it."]
    properties = {one[f"{HYDRA}property"][0]["@id"]: one for one in book[f"{HYDRA}supportedProperty"]}
    assert {name.removeprefix(f"{DOCS}Book/") for name in properties} == {"title", "author", "year", "id"}
    assert values(properties[f"{DOCS}Book/title"], f"{HYDRA}required") == [True]
    assert values(properties[f"{DOCS}Book/year"], f"{HYDRA}required") == [False]
    operations = {values(one, f"{HYDRA}method")[0]: one for one in book[f"{HYDRA}supportedOperation"]}
    assert set(operations) == {"POST", "GET", "PUT", "PATCH", "DELETE"}
    assert values(operations["POST"], f"{HYDRA}expects") == [f"{DOCS}Book"]
    assert values(operations["POST"][f"{HYDRA}possibleStatus"][0], f"{HYDRA}statusCode") == [201]
    assert f"{HYDRA}returns" not in operations["DELETE"]


def test_whoever_begins_finds_the_collections():
    (node,) = read(entry([BOOKS]), "/index.jsonld")
    assert values(node, f"{DOCS}Entrypoint/book") == [f"{BASE}/books"]


@pytest.mark.parametrize(
    ("identifier", "path"),
    [
        ("kim", "/books/kim"),
        (7, "/books/7"),
        ("a/b ü?", "/books/a%2Fb%20%C3%BC%3F"),
        (uuid.UUID(int=1), None),
        (None, ...),
        ("", ...),
    ],
)
def test_the_path_of_an_object_has_its_identifier_escaped(identifier, path):
    found = path_of(BOOKS)(identifier, {})
    expected = None if path is ... else path or f"/books/{identifier}"
    assert found == expected


@pytest.mark.parametrize(
    ("operations", "path"),
    [
        ([Post()], None),
        ([Post(), GetCollection()], None),
        ([Delete("/d/{id}"), Get("/g/{id:int}"), Patch("/p/{id}")], "/g/1"),
        ([Delete("/d/{id}"), Patch("/p/{id}")], "/p/1"),
        ([Get("/shops/{shop}/{id}")], "/shops/a%20b/1"),
        ([Get("/shops/{other}/{id}")], None),
        ([Get("/the-only-one")], None),
    ],
)
def test_an_object_is_where_an_operation_reads_it(operations, path):
    assert path_of(resource_of(Book, "/books", *operations))(1, {"shop": "a b"}) == path
