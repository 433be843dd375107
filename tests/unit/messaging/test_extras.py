"""Members that a type does not have: the intake refuses them all, each with its pointer."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypedDict, TypeVar

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import App
from worker.errors import ConfigurationError, InvalidMessage
from worker.messaging.declaration import MessageType
from worker.messaging.message_schema import message_schemas
from worker.messaging.validation import decode, decode_data, from_text

T = TypeVar("T")


class Leaf(msgspec.Struct, frozen=True):
    sku: str
    count: int = 1


class Square(msgspec.Struct, frozen=True, tag="square"):
    side: int


class Round(msgspec.Struct, frozen=True, tag="round", tag_field="type"):
    radius: int


class Ring(msgspec.Struct, frozen=True, tag="ring", tag_field="type"):
    radius: int
    inner: Leaf


class Tree(msgspec.Struct, frozen=True):
    name: str
    children: list[Tree] = []
    parent: Tree | None = None


class Point(msgspec.Struct, frozen=True, array_like=True):
    x: int
    leaf: Leaf | None = None


class Box(msgspec.Struct, Generic[T], frozen=True):
    content: T


class Colour(enum.Enum):
    RED = "red"


class Pair(NamedTuple):
    left: Leaf
    right: int


class Typed(TypedDict, total=False):
    sku: str


@dataclass(frozen=True)
class Data:
    sku: str
    leaf: Leaf


@attrs.frozen
class Attr:
    sku: str
    leaf: Leaf


class Order(msgspec.Struct, frozen=True, rename="camel"):
    order_id: str
    leaf: Leaf | None = None
    leaves: list[Leaf] = []
    by_name: dict[str, Leaf] = {}
    pair: tuple[Leaf, int] | None = None
    named: Pair | None = None
    shape: Round | Ring | str | None = None
    square: Square | None = None
    tree: Tree | None = None
    point: Point | None = None
    box: Box[Leaf] | None = None
    typed: Typed | None = None
    data: Data | None = None
    attr: Attr | None = None
    several: Leaf | list[Leaf] | int | bool | None = None
    colour: Colour | Leaf | None = None
    when: datetime | Leaf | None = None
    free: Any = None
    table: dict[str, Any] = {}
    raw: msgspec.Raw = msgspec.Raw(b"null")


LEAF = {"sku": "a", "x": 1}
CASES = [
    ({"x": 1}, ["/x"]),
    ({"order_id": 1}, ["/order_id"]),
    ({"a/b~": 1, "": 2}, ["/a~1b~0", "/"]),
    ({"leaf": LEAF}, ["/leaf/x"]),
    ({"leaves": [{"sku": "a"}, LEAF, LEAF]}, ["/leaves/1/x", "/leaves/2/x"]),
    ({"byName": {"k/": LEAF}}, ["/byName/k~1/x"]),
    ({"pair": [LEAF, 1]}, ["/pair/0/x"]),
    ({"named": [LEAF, 1]}, ["/named/0/x"]),
    ({"shape": {"type": "round", "radius": 1, "x": 1}}, ["/shape/x"]),
    ({"shape": {"type": "ring", "radius": 1, "inner": LEAF}}, ["/shape/inner/x"]),
    ({"square": {"type": "square", "side": 1, "x": 1}}, ["/square/x"]),
    ({"square": {"side": 1, "x": 1}}, ["/square/x"]),
    ({"tree": {"name": "a", "children": [{"name": "b", "parent": {"name": "c", "x": 1}}]}},
     ["/tree/children/0/parent/x"]),
    ({"point": [1, LEAF, 3]}, ["/point/1/x", "/point/2"]),
    ({"box": {"content": LEAF}}, ["/box/content/x"]),
    ({"typed": LEAF}, ["/typed/x"]),
    ({"data": {"sku": "a", "leaf": LEAF, "y": 1}}, ["/data/leaf/x", "/data/y"]),
    ({"attr": {"sku": "a", "leaf": LEAF, "y": 1}}, ["/attr/leaf/x", "/attr/y"]),
    ({"several": [LEAF]}, ["/several/0/x"]),
    ({"several": LEAF}, ["/several/x"]),
    ({"colour": LEAF}, ["/colour/x"]),
    ({"when": LEAF}, ["/when/x"]),
]  # fmt: skip
FINE = [
    {},
    {"leaf": {"sku": "a", "count": 2}, "leaves": [{"sku": "a"}], "byName": {"x": {"sku": "a"}}},
    {"shape": "text", "several": 3, "colour": "red", "when": "2026-01-31T12:00:00Z"},
    {"shape": None, "several": True, "point": [1], "tree": {"name": "a", "children": [{"name": "b"}]}},
    {"free": {"x": {"y": 1}}, "table": {"x": {"y": 1}}, "raw": {"x": 1}},
    {"square": {"type": "square", "side": 1}, "box": {"content": {"sku": "a"}}, "typed": {}},
    {"several": [{"sku": "a"}], "pair": [{"sku": "a"}, 1], "named": [{"sku": "a"}, 1]},
]


def declared(cls=Order, extra="forbid"):
    return MessageType(name="Order", cls=cls, kind="command", extra=extra)


def pointers(read):
    with pytest.raises(InvalidMessage) as caught:
        read()
    return sorted(fault.pointer for fault in caught.value.faults)


@pytest.mark.parametrize(("data", "wrong"), CASES)
def test_every_unknown_member_is_named_however_deep_it_is(data, wrong):
    """In JSON, MessagePack and decoded data alike; with what else is wrong."""
    data = {"orderId": "7", **data}
    for read in (
        lambda: decode(declared(), msgspec.json.encode(data)),
        lambda: decode(declared(), msgspec.msgpack.encode(data), content_type="msgpack"),
        lambda: decode_data(declared(), data),
    ):
        assert pointers(read) == sorted(wrong)
    del data["orderId"]
    assert pointers(lambda: decode(declared(), msgspec.json.encode(data))) == sorted([*wrong, "/orderId"])


@pytest.mark.parametrize(("data", "wrong"), CASES)
def test_where_they_are_ignored_they_change_nothing(data, wrong):
    """``extra="ignore"`` takes the same as without them."""
    body = msgspec.json.encode({"orderId": "7", **data})
    assert isinstance(decode(declared(extra="ignore"), body), Order)
    assert isinstance(decode_data(declared(extra="ignore"), msgspec.json.decode(body)), Order)


@pytest.mark.parametrize("data", FINE)
def test_what_has_no_unknown_member_passes(data):
    """Whatever stands where anything may stand is no member of the type."""
    body = msgspec.json.encode({"orderId": "7", **data})
    lax = decode(declared(extra="ignore"), body)
    assert msgspec.json.encode(decode(declared(), body)) == msgspec.json.encode(lax)


def test_the_probable_name_is_said():
    """A misspelt member is mostly near to one."""
    with pytest.raises(InvalidMessage, match="did you mean 'count'"):
        decode(declared(Leaf), b'{"sku": "a", "cuont": 2}')


def test_all_faults_are_told_together():
    """Unknown, missing and unfit members in one answer."""
    body = b'{"leaves": [{"sku": 1, "x": 1}], "y": 1}'
    assert pointers(lambda: decode(declared(), body)) == ["/leaves/0/sku", "/leaves/0/x", "/orderId", "/y"]


def test_an_unknown_parameter_of_a_query_string_is_named():
    """Text parameters are members like others."""
    assert pointers(lambda: from_text(declared(Leaf), {"sku": ["a"], "cuont": ["2"]})) == ["/cuont"]
    assert from_text(declared(Leaf, "ignore"), {"sku": ["a"], "cuont": ["2"]}) == Leaf("a")


def test_an_unknown_member_that_cannot_be_held_is_named_too():
    """What is out of range is passed over where it is ignored."""
    with pytest.raises(InvalidMessage):
        decode(declared(Leaf), b'{"sku": "a", "x": 1e400}')


def test_any_other_word_is_an_error_at_start():
    """The declaration is checked with all others."""
    app = App("shop")
    app.command(extra="allow")(Leaf)  # type: ignore[arg-type]
    app.query(extra="ignore")(Square)
    with pytest.raises(ConfigurationError, match="extra='allow', expected 'forbid' or 'ignore'"):
        app.registry()


def test_the_schema_says_it():
    """Objects are closed where others are refused; one that is held by a lax type as well stays open."""
    _, found = message_schemas([declared(Data), declared(Ring), declared(Tree, "ignore")], "#/{name}")
    closed = {name for name, schema in found.items() if schema.get("additionalProperties") is False}
    assert closed == {"Data", "Leaf", "Ring"}
    _, found = message_schemas([declared(Data), declared(Attr, "ignore")], "#/{name}")
    assert "additionalProperties" not in found["Leaf"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["orderId", "leaf", "tree", "sku", "name", "children", "x"]), inner
            )
        ),
        max_leaves=8,
    )
)
def test_with_and_without_the_check_the_same_is_taken(data):
    """What is taken strictly is taken laxly with the same value; what is not, has a fault."""
    body = msgspec.json.encode(data)
    try:
        strict = decode(declared(), body)
    except InvalidMessage as error:
        strict, faults = None, error.faults
    else:
        faults = ()
    assert (strict is None) == bool(faults)
    if strict is not None:
        assert msgspec.json.encode(strict) == msgspec.json.encode(decode(declared(extra="ignore"), body))
