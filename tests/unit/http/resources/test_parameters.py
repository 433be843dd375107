"""What a query string may ask for, and what is said of what it may not."""

import base64
import datetime as dt
import decimal
import uuid
from typing import Annotated, Required

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from tests.unit.http.resources.kit import Book, Everything, Kind, collection_of, resource_of
from worker.http.problems import Problem
from worker.http.resources.collection import collection_faults
from worker.http.resources.cursor import cursor_of
from worker.http.resources.parameters import Parameters
from worker.resources.operation import Get, GetCollection
from worker.resources.stores import Filtered, Ordered, Page

BOOKS = {
    "filters": {"author": "exact", "title": "partial", "year": "range"},
    "order": ("title", "year"),
    "page_size": 3,
    "max_page_size": 5,
}
EVERYTHING = {
    "filters": {
        "id": "exact",
        "text": "exact",
        "ratio": "range",
        "price": "range",
        "kind": "exact",
        "sold": "exact",
        "code": "exact",
        "day": "range",
        "at": "range",
    },
    "order": ("at", "price", "code", "text", "ratio", "day", "kind"),
}
ID = Ordered("id")
EXPECTED = "expected the next of a page before; leave it out to begin anew"


def reader(cls=Book, **options):
    return Parameters(*collection_of(cls, **(options or BOOKS)))


def asked(reader, **parameters):
    return reader.read(
        {name.replace("__", "[") + "]" * ("__" in name): [text] for name, text in parameters.items()}
    )


def faults(found):
    return {fault.pointer for fault in found.faults}


def test_nothing_asked_is_the_first_page_by_identifier():
    found = asked(reader())
    assert (found.wanted.conditions, found.wanted.order, found.wanted.limit, found.wanted.after) == (
        (),
        (ID,),
        3,
        None,
    )
    assert not found.faults


def test_filters_are_conditions_of_the_types_of_their_fields():
    found = asked(reader(), author="Kipling", title="kim", year__gte="1900", year__lt="1902")
    assert found.wanted.conditions == (
        Filtered("author", "eq", "Kipling"),
        Filtered("title", "contains", "kim"),
        Filtered("year", "gte", 1900),
        Filtered("year", "lt", 1902),
    )
    assert not found.faults


def test_every_plain_type_is_read_from_text():
    found = asked(
        reader(Everything, **EVERYTHING),
        id="7",
        ratio__gt="0.5",
        price__lte="1.50",
        kind="poem",
        sold="true",
        code="0194b9a0-0000-7000-8000-000000000000",
        day__gte="2026-01-31",
        at__lt="2026-01-31T12:00:00Z",
    )
    assert not found.faults
    assert {one.field: one.value for one in found.wanted.conditions} == {
        "id": 7,
        "ratio": 0.5,
        "price": decimal.Decimal("1.50"),
        "kind": Kind.POEM,
        "sold": True,
        "code": uuid.UUID("0194b9a0-0000-7000-8000-000000000000"),
        "day": dt.date(2026, 1, 31),
        "at": dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC),
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("id", "seven"),
        ("id", "7.5"),
        ("id", "9" * 30),
        ("id", ""),
        ("text", "a\0b"),
        ("ratio[gt]", "nan"),
        ("ratio[gt]", "inf"),
        ("price[gt]", "NaN"),
        ("price[gt]", "1e999999"),
        ("kind", "essay"),
        ("sold", "perhaps"),
        ("code", "7"),
        ("day[gt]", "yesterday"),
        ("at[gt]", "2026-01-31T12:00:00"),
        ("text[gt]", "a"),
        ("day", "2026-01-31"),
        ("author", "Kipling"),
    ],
)
def test_what_does_not_fit_is_a_fault_that_names_its_parameter_and_no_condition(name, text):
    found = reader(Everything, **EVERYTHING).read({name: [text]})
    assert faults(found) == {f"/{name}"}
    assert found.wanted.conditions == ()


def test_all_faults_are_told():
    found = reader().read(
        {
            "year[gt]": ["x"],
            "limit": ["0"],
            "order": ["author"],
            "next": ["x"],
            "a~b/": ["1"],
            "author": ["a", "b"],
        }
    )
    assert faults(found) == {"/year[gt]", "/limit", "/order", "/next", "/a~0b~1", "/author"}


def test_a_constraint_of_a_field_is_none_of_what_it_is_compared_with():
    found = asked(reader(), title="", year__gt="-1")
    assert not found.faults
    assert len(found.wanted.conditions) == 2


@pytest.mark.parametrize(
    ("order", "read"),
    [
        ("title", (Ordered("title"), ID)),
        ("-title", (Ordered("title", descending=True), ID)),
        ("-year,title", (Ordered("year", descending=True), Ordered("title"), ID)),
    ],
)
def test_the_order_ends_with_the_identifier(order, read):
    found = asked(reader(), order=order)
    assert found.wanted.order == read
    assert not found.faults


@pytest.mark.parametrize(
    "order", ["", "author", "id", "--title", "title,", "title;year", "TITLE", "title,-title"]
)
def test_another_order_than_the_declared_ones_is_a_fault(order):
    assert faults(asked(reader(), order=order)) == {"/order"}


def test_where_no_order_is_declared_it_is_the_identifier_that_may_be_asked_for():
    plain = reader(page_size=2)
    assert asked(plain, order="-id").wanted.order == (Ordered("id", descending=True),)
    assert faults(asked(plain, order="title")) == {"/order"}


@pytest.mark.parametrize(
    ("limit", "read", "fits"),
    [
        ("1", 1, True),
        ("5", 5, True),
        ("6", 5, False),
        ("0", 3, False),
        ("-1", 3, False),
        ("1e1", 3, False),
        ("٣", 3, False),
        ("9" * 5000, 3, False),
        ("", 3, False),
        ("05", 5, True),
    ],
)
def test_a_limit_beyond_the_greatest_is_a_fault(limit, read, fits):
    found = asked(reader(), limit=limit)
    assert found.wanted.limit == read
    assert faults(found) == (set() if fits else {"/limit"})


AFTER = ("Kim", 1901, "7")


def paged():
    books = reader()
    first = asked(books, author="Kipling", order="-title,year")
    return books, books.next_of(first, Page([], 9, AFTER))


def test_the_last_page_has_no_next():
    books = reader()
    assert books.next_of(asked(books), Page([], 0, None)) is None


@pytest.mark.parametrize("beside", [{}, {"author": "Kipling", "order": "-title,year"}, {"limit": "2"}])
def test_a_cursor_goes_on_where_the_page_before_ended_with_its_filters_and_its_order(beside):
    books, cursor = paged()
    found = asked(books, next=cursor, **beside)
    assert not found.faults
    assert found.wanted.after == AFTER
    assert found.wanted.conditions == (Filtered("author", "eq", "Kipling"),)
    assert found.wanted.order == (Ordered("title", descending=True), Ordered("year"), ID)
    assert found.query == (("author", "Kipling"), ("order", "-title,year"))


@pytest.mark.parametrize("beside", [{"author": "Poe"}, {"order": "-title,year"}, {"title": "k"}])
def test_a_cursor_beside_other_filters_or_another_order_is_a_fault(beside):
    books, cursor = paged()
    assert faults(asked(books, next=cursor, **beside)) == {"/next"}


def test_a_cursor_of_another_collection_is_a_fault():
    _, cursor = paged()
    assert faults(asked(reader(Everything, **EVERYTHING), next=cursor)) == {"/next"}


def test_a_cursor_keeps_the_values_of_every_type():
    everything = reader(Everything, **EVERYTHING)
    after = (
        dt.datetime(2026, 1, 31, 12, 0, 0, 123, tzinfo=dt.UTC),
        decimal.Decimal("1.50"),
        uuid.UUID("0194b9a0-0000-7000-8000-000000000000"),
        "ä\n",
        0.1,
        None,
        Kind.NOVEL,
        2**63 - 1,
    )
    first = asked(everything, order="at,-price,code,text,ratio,day,kind")
    cursor = everything.next_of(first, Page([], 9, after))
    found = asked(everything, next=cursor)
    assert not found.faults
    assert found.wanted.after == after


@given(st.data())
def test_a_cursor_that_was_changed_anywhere_is_a_fault(data):
    books, cursor = paged()
    place = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="))
    changed = data.draw(
        st.sampled_from([cursor[:place] + letter + cursor[place + 1 :], cursor[:place], cursor + letter])
    )
    found = asked(books, next=changed)
    assert faults(found) == (set() if changed == cursor else {"/next"})


@given(st.one_of(st.text(), st.binary().map(lambda held: base64.urlsafe_b64encode(held).decode())))
def test_any_other_text_is_no_cursor(text):
    found = asked(reader(), next=text)
    assert faults(found) == {"/next"}
    assert found.wanted.after is None


@pytest.mark.parametrize(
    "after", [(1, 1901, "7"), ("Kim", 2**70, "7"), ({}, 1, "7"), ("Kim", "x", "7"), ("Kim",), ()]
)
def test_values_of_a_cursor_are_believed_no_more_than_those_of_a_caller(after):
    books = reader()
    first = asked(books, order="title,year")
    (fault,) = asked(books, next=books.next_of(first, Page([], 9, after))).faults
    assert (fault.pointer, fault.message) == ("/next", EXPECTED)


@pytest.mark.parametrize("text", ["a\0b", "\0", "x" * 20_000, "\u2028"])
def test_a_cursor_may_hold_any_text_that_is_stored(text):
    books = reader()
    first = asked(books, order="title")
    found = asked(books, next=books.next_of(first, Page([], 9, (text, "7"))))
    assert not found.faults
    assert found.wanted.after == (text, "7")


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), decimal.Decimal("1e500"), float("nan")])
def test_a_cursor_may_hold_any_number_that_is_stored(number):
    everything = reader(Everything, **EVERYTHING)
    field = "ratio" if isinstance(number, float) else "price"
    first = asked(everything, order=field)
    found = asked(everything, next=everything.next_of(first, Page([], 9, (number, 7))))
    assert not found.faults
    assert repr(found.wanted.after) == repr((number, 7))


def test_a_text_that_no_cursor_holds_is_told_where_the_page_would_go_on_behind_it():
    books = reader()
    first = asked(books, order="title")
    with pytest.raises(Problem, match="too long a text") as raised:
        books.next_of(first, Page([], 9, ("x" * 50_000, "7")))
    assert (raised.value.status, raised.value.errors[0].pointer) == (422, "/order")


@pytest.mark.parametrize(
    "query",
    [
        [("publisher", "Penguin")],
        [("author", "Poe"), ("gone[gt]", "1")],
        [("year[gt]", "soon")],
        [("order", "author")],
        [("next", "x")],
    ],
)
def test_a_cursor_of_filters_or_orders_that_are_no_more_is_a_fault(query):
    """As one of an earlier version of the application: a filter that is not known any more would narrow nothing."""
    books = reader()
    cursor = cursor_of(query, ("Kim", "7") if query[0][0] == "order" else ("7",), "Book book_get_list")
    found = asked(books, next=cursor)
    assert [(fault.pointer, fault.message) for fault in found.faults] == [("/next", EXPECTED)]
    assert found.wanted.after is None
    assert not found.wanted.conditions


def test_declared_parameters_are_read_as_their_types_beside_the_others():
    books = reader(
        parameters={
            "fields": Annotated[str, Meta(max_length=9)],
            "near": int,
            "tag": list[str],
            "area": dict[str, int],
        }
    )
    found = books.read({"fields": ["title"], "near": ["7"], "tag": ["a", "b"], "area": ['{"x": 1}']})
    assert not found.faults
    assert found.parameters == {"fields": "title", "near": 7, "tag": ["a", "b"], "area": {"x": 1}}


def test_declared_parameters_that_do_not_fit_are_faults_with_pointers_and_left_out():
    books = reader(
        parameters={"fields": Annotated[str, Meta(max_length=3)], "near": list[int], "area": dict[str, int]}
    )
    found = books.read({"fields": ["title"], "near": ["1", "x"], "area": ["no"]})
    assert faults(found) == {"/fields", "/near/1", "/area"}
    assert found.parameters == {}


def test_a_required_parameter_that_is_missing_is_a_fault():
    resource = resource_of(Book, "/books", Get(parameters={"as": Required[str], "fields": str}))
    one = Parameters(resource, resource.operations[0])
    assert faults(one.read({})) == {"/as"}
    assert one.read({"as": ["x"]}).parameters == {"as": "x"}
    assert [known.required for known in one.described] == [True, False]


def test_an_operation_of_one_object_knows_only_what_it_declares():
    resource = resource_of(Book, "/books", Get())
    found = Parameters(resource, resource.operations[0]).read({"limit": ["1"]})
    assert faults(found) == {"/limit"}
    assert found.wanted is None


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"filters": {"pages": "exact"}}, "pages"),
        ({"filters": {"year": "partial"}}, "partial"),
        ({"filters": {"title": "like"}}, "like"),
        ({"order": ("pages",)}, "pages"),
        ({"page_size": 101}, "page_size"),
        ({"page_size": 0}, "page_size"),
        ({"parameters": {"limit": int}}, "limit"),
        ({"filters": {"author": "exact"}, "parameters": {"author": int}}, "author"),
    ],
)
def test_what_cannot_be_meant_is_told_at_start(options, told):
    (fault,) = collection_faults(*collection_of(Book, **options))
    assert told in fault


@pytest.mark.parametrize(
    "options",
    [
        {"filters": {"tags": "exact"}},
        {"filters": {"more": "range"}},
        {"filters": {"sold": "range"}},
        {"filters": {"kind": "partial"}},
        {"order": ("tags",)},
    ],
)
def test_what_has_no_order_and_no_parts_cannot_be_asked_for_so(options):
    assert collection_faults(*collection_of(Everything, **options))


def test_what_can_be_meant_has_no_faults():
    assert collection_faults(*collection_of(Everything, **EVERYTHING)) == []
    assert collection_faults(*collection_of(Book, **BOOKS)) == []
    assert isinstance(collection_of(Book)[1], GetCollection)


def test_the_documentation_has_every_parameter():
    described = {one.name: one for one in reader().described}
    assert list(described) == [
        "author", "title", "year[gt]", "year[gte]", "year[lt]", "year[lte]", "order", "limit", "next",
    ]  # fmt: skip
    assert described["limit"].schema == {"type": "integer", "minimum": 1, "maximum": 5, "default": 3}
    assert described["year[gt]"].schema["type"] == "integer"
