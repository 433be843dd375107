"""Reading messages: what fits is taken, and of what does not every fault is named."""

import dataclasses
from datetime import datetime
from typing import Annotated

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.application.app import App
from worker.errors import Fault, InvalidMessage, Malformed
from worker.messaging.declaration import MessageType
from worker.messaging.faults import MAX_FAULTS
from worker.messaging.validation import decode, decode_data, from_text


class Cat(msgspec.Struct, tag=True):
    lives: int


class Dog(msgspec.Struct, tag=True):
    name: str


class Line(msgspec.Struct):
    sku: str
    count: Annotated[int, msgspec.Meta(ge=1)]


@dataclasses.dataclass
class Money:
    amount: int
    currency: str


@attrs.define
class Tag:
    name: str
    weight: int = 1


class Order(msgspec.Struct, rename="camel"):
    order_id: str
    lines: list[Line] = []
    pets: list[Cat | Dog] = []
    stock: dict[str, int] = {}
    price: Money | None = None
    tag: Tag | None = None
    due: datetime | None = None
    pair: tuple[int, str] | None = None
    rate: float = 0.0


class Node(msgspec.Struct):
    child: "Node | None" = None
    value: int = 0


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    a: int = 0


class Even(msgspec.Struct):
    number: int

    def __post_init__(self):
        if self.number % 2:
            raise ValueError("odd")


def declared(cls):
    return MessageType(name=cls.__name__, cls=cls, kind="command")


def faults(cls, body, **more):
    with pytest.raises(InvalidMessage) as caught:
        decode(declared(cls), body, **more)
    return list(caught.value.faults)


def pointers(cls, data):
    return [fault.pointer for fault in faults(cls, msgspec.json.encode(data))]


@pytest.mark.parametrize("kind", [msgspec.json, msgspec.msgpack])
def test_what_fits_is_read(kind):
    """JSON and MessagePack give the same message."""
    body = kind.encode({"orderId": "7", "lines": [{"sku": "a", "count": 2}]})
    content_type = "json" if kind is msgspec.json else "msgpack"
    assert decode(declared(Order), body, content_type=content_type) == Order("7", [Line("a", 2)])


@pytest.mark.parametrize("cls", [Money, Tag])
def test_dataclasses_and_attrs_classes_are_messages_too(cls):
    """Their missing and wrong fields are named like a struct's."""
    field = dataclasses.fields(cls)[0].name if cls is Money else "name"
    assert f"/{field}" in pointers(cls, {})


def test_every_fault_is_named_not_the_first():
    """Missing fields, wrong types, bounds and tags in lists, objects, unions and tuples all have a pointer."""
    data = {
        "lines": [{"sku": 1, "count": 0}, {"count": "x"}],
        "pets": [{"type": "Cat", "lives": "x"}, {"type": "X"}, {}],
        "stock": {"ok": 1, "bad": "x"},
        "price": {"amount": "x"},
        "tag": {"weight": "x"},
        "due": "soon",
        "pair": ["x", 1],
    }
    assert pointers(Order, data) == [
        "/orderId",
        "/lines/0/sku",
        "/lines/0/count",
        "/lines/1/sku",
        "/lines/1/count",
        "/pets/0/lives",
        "/pets/1/type",
        "/pets/2/type",
        "/stock/bad",
        "/price/amount",
        "/price/currency",
        "/tag/name",
        "/tag/weight",
        "/due",
        "/pair/0",
        "/pair/1",
    ]


def test_pointers_are_escaped():
    """Slash and tilde in a name are written as RFC 6901 says."""
    assert pointers(Order, {"orderId": "", "stock": {"a/b~c": "x"}}) == ["/stock/a~1b~0c"]


def test_a_missing_field_is_named_itself():
    """The pointer of a missing field is the field's, not its parent's."""
    assert faults(Order, b"{}") == [Fault("/orderId", "is missing")]


def test_the_wrong_kind_of_document_is_a_fault_of_the_whole():
    """A list where an object is expected has the empty pointer."""
    assert pointers(Order, []) == [""]


def test_unknown_fields_are_faults_where_the_class_forbids_them():
    """Each unknown name is pointed at."""
    assert pointers(Strict, {"a": 1, "b": 2, "c": 3}) == ["/b", "/c"]


def test_a_classs_own_check_is_a_fault():
    """What ``__post_init__`` refuses is reported with its words."""
    assert faults(Even, b'{"number":3}') == [Fault("", "odd")]


def test_a_number_out_of_range_is_named():
    """A number that no float can hold is a fault of its field."""
    assert faults(Order, b'{"orderId":"","rate":1e999}') == [Fault("/rate", "number out of range")]


def test_faults_are_bounded():
    """Ten thousand wrong items do not make ten thousand faults."""
    assert len(pointers(Order, {"orderId": "", "lines": [{}] * 10_000})) <= MAX_FAULTS + 1


def test_a_fault_deep_down_is_found():
    """However deep it is, the fault is reported."""
    assert "value" in faults(Node, b'{"child":' * 40 + b'{"value":"x"}' + b"}" * 40)[0].pointer


@pytest.mark.parametrize(
    ("body", "position"),
    [
        (b"", 0),
        (b'{"orderId":', 11),
        (b'{"orderId":"7"}x', 15),
        (b'{"orderId":NaN}', 11),
        (b"\xff", 0),
        (b'{"orderId":"\xff"}', 12),
        (b"[" * 5_000, None),
        (b'{"x":' * 5_000, None),
    ],
)
def test_what_cannot_be_read_says_where(body, position):
    """Broken JSON is malformed, and the byte is named."""
    with pytest.raises(Malformed) as caught:
        decode(declared(Order), body)
    assert caught.value.position == position
    assert position is None or f"byte {position}" in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\x81", b"\xdd\xff\xff\xff\xff", b"\x91" * 5_000, b"\x81\xa1\xff\x01"]
)
def test_broken_messagepack_is_malformed(body):
    """Bytes that are no MessagePack are malformed, whatever they are."""
    with pytest.raises(Malformed):
        decode(declared(Order), body, content_type="msgpack")


def test_what_json_cannot_hold_is_refused_in_messagepack_too():
    """An infinite number would be lost on its way to the handler."""
    body = msgspec.msgpack.encode({"orderId": "", "rate": float("inf")})
    assert faults(Order, body, content_type="msgpack")[0].pointer == "/rate"


def test_decoded_data_is_read_like_a_body():
    """Data that is decoded already has the same faults."""
    assert decode_data(declared(Strict), {"a": 1}) == Strict(1)
    with pytest.raises(InvalidMessage):
        decode_data(declared(Strict), {"a": "x"})


def test_text_parameters_are_read_by_their_type():
    """Numbers, dates, lists and objects come from text."""
    order = from_text(
        declared(Order),
        {
            "orderId": ["7"],
            "rate": ["1.5"],
            "due": ["2026-01-31T12:00:00Z"],
            "lines": ['{"sku":"a","count":1}'],
        },
    )
    assert (order.order_id, order.rate, order.due.year, order.lines) == ("7", 1.5, 2026, [Line("a", 1)])


def test_text_parameters_name_all_their_faults():
    """A single value given twice, a wrong number and a missing parameter are reported together."""
    with pytest.raises(InvalidMessage) as caught:
        from_text(declared(Line), {"count": ["1", "2"]})
    assert {fault.pointer for fault in caught.value.faults} == {"/count", "/sku"}


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(body):
    """Any bytes are a message, malformed or invalid."""
    for content_type in ("json", "msgpack"):
        try:
            decode(declared(Order), body, content_type=content_type)
        except (InvalidMessage, Malformed):
            pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["orderId", "lines", "pets", "stock", "price", "tag", "due", "pair", "rate"])


@given(st.dictionaries(NAMES, JSON))
def test_each_fault_points_at_something(data):
    """A pointer leads to a value that is there, or to a missing field of one that is."""
    found_faults = []
    try:
        decode(declared(Order), msgspec.json.encode(data))
    except InvalidMessage as error:
        found_faults = error.faults
    for fault in found_faults:
        found = data
        parts = [part.replace("~1", "/").replace("~0", "~") for part in fault.pointer.split("/")[1:]]
        for part in parts[:-1]:
            found = found[int(part)] if isinstance(found, list) else found[part]
        assert fault.message


def test_of_a_member_named_twice_the_last_holds_and_all_must_fit():
    """JSON leaves it open; so no value that passed unseen can be one that the type refuses."""
    app = App("shop")

    @app.command
    class Twice(msgspec.Struct, frozen=True):
        amount: int

    @app.handler
    def handle(command: Twice) -> None: ...

    declared = app.registry().by_name["Twice"]
    assert decode(declared, b'{"amount":1,"amount":2}').amount == 2
    with pytest.raises(InvalidMessage):
        decode(declared, b'{"amount":"x","amount":2}')


@dataclasses.dataclass(frozen=True)
class Price:
    amount: int
    currency: str = "EUR"


@dataclasses.dataclass(frozen=True)
class Offer:
    price: Price
    note: str = ""


def test_a_dataclass_is_written_with_the_defaults_that_it_was_read_with() -> None:
    """Whichever way it came: what handlers get later does not depend on the defaults that the class has then."""
    offer = MessageType(name="Offer", cls=Offer, kind="command")
    whole = {"price": {"amount": 3, "currency": "EUR"}, "note": ""}
    read = [
        decode(offer, b'{"price": {"amount": 3}}'),
        decode(offer, msgspec.msgpack.encode({"price": {"amount": 3}}), content_type="msgpack"),
        decode_data(offer, {"price": {"amount": 3}}),
        from_text(offer, {"price": ['{"amount": 3}']}),
    ]
    assert [msgspec.to_builtins(one) for one in read] == [whole] * 4
