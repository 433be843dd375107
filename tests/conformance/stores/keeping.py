"""Scenarios of single objects: stored, read, changed, removed, and refused."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.conformance.stores.ground import Ground
from tests.conformance.stores.models import Kind
from worker.errors import InvalidMessage, Stale, Taken

PLACE = timezone(timedelta(hours=2))

TEXTS = [
    "100%_\\'\";--",
    "a.*+?^${}()|[]\\b",
    "Здравствуй, мир! 🦊 \u0301",
    "<script>{{7*7}}</script>",
    "$where",
    "",
    "x" * 200,
]


class Keeping:
    async def test_a_new_object_is_answered_as_it_is_stored(self, ground: Ground) -> None:
        made = await ground.create(isbn="1", title="Emma")
        assert made["id"] and made["kind"] is Kind.NOVEL and made["author"] is None
        assert abs((made["made"] - datetime.now(UTC)).total_seconds()) < 600
        assert await ground.read(made["id"]) == made

    async def test_every_kind_of_value_comes_back(self, ground: Ground) -> None:
        values = {
            "isbn": "1",
            "title": "Ode",
            "author": "Å. Strand",
            "year": 1820,
            "price": Decimal("12.50"),
            "kind": Kind.POEMS,
            "extra": {"tags": ["a", {"b": None}], "n": 1.5, "deep": {"x": [True]}},
            "seen": datetime(2026, 11, 30, 12, 0, 0, 125000, tzinfo=PLACE),
        }
        made = await ground.create(**values)
        found = await ground.read(made["id"])
        assert found is not None
        assert {name: found[name] for name in values} == values
        assert found["seen"].utcoffset() is not None

    async def test_an_id_that_is_given_is_kept(self, ground: Ground, new_id: Any) -> None:
        id = new_id()
        assert (await ground.create(id=id, isbn="1", title="Emma"))["id"] == id
        assert (await ground.read(id) or {})["title"] == "Emma"

    async def test_what_is_not_there_is_none(self, ground: Ground, new_id: Any) -> None:
        assert await ground.read(new_id()) is None

    async def test_a_change_keeps_the_other_fields(self, ground: Ground) -> None:
        made = await ground.create(isbn="1", title="Emma", year=1815)
        changed = await ground.change(made["id"], title="Emma!")
        assert changed == {**made, "title": "Emma!"}
        assert await ground.read(made["id"]) == changed

    @pytest.mark.parametrize(
        ("old", "new"),
        [(1, True), (True, 1), (0, False), ({"a": [1]}, {"a": [True]}), ([0, "x"], [False, "x"])],
    )
    async def test_a_value_that_only_python_holds_equal_is_a_change(
        self, ground: Ground, old: Any, new: Any
    ) -> None:
        made = await ground.create(isbn="1", title="t", extra=old)
        changed = await ground.change(made["id"], extra=new)
        found = await ground.read(made["id"])
        assert found is not None
        assert repr(changed["extra"]) == repr(new) == repr(found["extra"])

    async def test_a_replaced_object_has_defaults_where_nothing_is_given(self, ground: Ground) -> None:
        made = await ground.create(isbn="1", title="Emma", year=1815, kind=Kind.POEMS, extra=[1])
        async with ground.work() as work:
            found = await work.find(made["id"])
            shape = work.resource.shape
            replaced = await work.persist(shape.replace(found, {"id": made["id"], "isbn": "2", "title": "E"}))
            await work.commit()
            held = shape.values(replaced)
        assert held["id"] == made["id"] and held["isbn"] == "2" and held["title"] == "E"
        assert held["year"] is None and held["kind"] is Kind.NOVEL and held["extra"] is None
        assert abs((held["made"] - datetime.now(UTC)).total_seconds()) < 600
        assert await ground.read(made["id"]) == held

    async def test_a_removed_object_is_gone(self, ground: Ground) -> None:
        made = await ground.create(isbn="1", title="Emma")
        await ground.remove(made["id"])
        assert await ground.read(made["id"]) is None

    async def test_what_nobody_asked_to_store_is_not_stored(self, ground: Ground) -> None:
        """A processor of the application may decide that."""
        made = await ground.create(isbn="1", title="Emma")
        async with ground.work() as work:
            work.fill(await work.find(made["id"]), {"title": "changed in place"})
            await work.create(isbn="2", title="Beside")
            await work.commit()
        assert await ground.read(made["id"]) == made
        assert sorted(await ground.titles()) == ["Beside", "Emma"]

    async def test_a_taken_id_is_named(self, ground: Ground) -> None:
        made = await ground.create(isbn="1", title="Emma")
        with pytest.raises(Taken) as raised:
            await ground.create(id=made["id"], isbn="2", title="Other")
        assert raised.value.field == "id" and "id" in str(raised.value)

    async def test_a_taken_unique_value_is_named(self, ground: Ground) -> None:
        await ground.create(isbn="1", title="Emma")
        with pytest.raises(Taken) as raised:
            await ground.create(isbn="1", title="Other")
        assert raised.value.field == "isbn" and "isbn" in str(raised.value)

    async def test_a_taken_unique_value_is_named_for_a_change(self, ground: Ground) -> None:
        await ground.create(isbn="1", title="Emma")
        other = await ground.create(isbn="2", title="Other")
        with pytest.raises(Taken) as raised:
            await ground.change(other["id"], isbn="1")
        assert raised.value.field == "isbn"
        assert await ground.read(other["id"]) == other

    async def test_the_store_works_on_after_a_refusal(self, ground: Ground) -> None:
        await ground.create(isbn="1", title="Emma")
        for _ in range(12):  # more than there are connections
            with pytest.raises(Taken):
                await ground.create(isbn="1", title="Other")
        await ground.create(isbn="2", title="Other")

    @pytest.mark.parametrize("text", TEXTS)
    async def test_hostile_texts_are_data(self, ground: Ground, text: str) -> None:
        made = await ground.create(isbn="1", title="t", author=text, extra={"text": text, "list": [text]})
        found = await ground.read(made["id"])
        assert found is not None and found["author"] == text
        assert found["extra"] == {"text": text, "list": [text]}

    @pytest.mark.parametrize("name", ["$where", "$gt", "a.b", "", "__proto__", "_id", "\0", "$set"])
    async def test_hostile_names_in_data_are_data_or_refused(self, ground: Ground, name: str) -> None:
        try:
            made = await ground.create(isbn="1", title="t", extra={name: {"$gt": ""}})
        except InvalidMessage:
            assert await ground.titles() == []
        else:
            found = await ground.read(made["id"])
            assert found is not None and found["extra"] == {name: {"$gt": ""}}

    @pytest.mark.parametrize(
        "values",
        [
            {"author": "\ud800"},
            {"extra": {"x": "\udfff"}},
            {"year": 2**70},
            {"extra": {"n": 2**70}},
            {"author": "a\0b"},
        ],
        ids=["half a character", "half a character inside", "big number", "big number inside", "NUL"],
    )
    async def test_what_cannot_be_stored_is_refused_or_comes_back(
        self, ground: Ground, values: dict[str, Any]
    ) -> None:
        (name,) = values
        try:
            made = await ground.create(isbn="1", title="t", **values)
        except InvalidMessage:
            assert await ground.titles() == []
        else:
            found = await ground.read(made["id"])
            assert found is not None and found[name] == values[name]

    @pytest.mark.parametrize("id", [2**31, 2**63 - 1, -1, 0])
    async def test_no_number_finds_what_is_not_there(self, ground: Ground, id: int, id_of: Any) -> None:
        assert await ground.read(id_of(id)) is None

    async def test_numbers_that_are_none_are_no_data(self, ground: Ground) -> None:
        shape = ground.resources["book"].shape
        for value in (
            Decimal("NaN"),
            Decimal("Infinity"),
            Decimal("123456789012345678901234567890123456789"),
        ):
            faults = shape.check(shape.make({"isbn": "1", "title": "t", "price": value}))
            assert [fault.pointer for fault in faults] == ["/price"]

    @pytest.mark.parametrize(
        "values",
        [
            {"extra": {"x": [float("nan")]}},
            {"extra": [float("-inf")]},
            {"seen": datetime.min.replace(tzinfo=PLACE)},
            {"seen": datetime.max.replace(tzinfo=timezone(timedelta(hours=-10)))},
        ],
        ids=["no number inside", "infinite inside", "before the first year", "after the last year"],
    )
    async def test_what_no_store_holds_is_named(self, ground: Ground, values: dict[str, Any]) -> None:
        shape = ground.resources["book"].shape
        (name,) = values
        faults = shape.check(shape.make({"isbn": "1", "title": "t", **values}))
        assert [fault.pointer for fault in faults] == [f"/{name}"]

    async def test_data_of_other_formats_than_json_are_data(self, ground: Ground) -> None:
        extra = {"raw": b"abc", "at": datetime(2020, 1, 1, tzinfo=UTC), "ids": [uuid.UUID(int=1)]}
        made = await ground.create(isbn="1", title="t", extra=extra)
        found = await ground.read(made["id"])
        assert found is not None
        assert msgspec.to_builtins(found["extra"]) == msgspec.to_builtins(extra)

    async def test_constraints_are_asked_of_the_object_as_it_is(self, ground: Ground) -> None:
        shape = ground.resources["book"].shape
        obj = shape.make({"isbn": "1", "title": "t"})
        assert list(shape.check(obj)) == []
        obj = shape.fill(obj, {"title": "", "isbn": "x" * 41})
        assert sorted(fault.pointer for fault in shape.check(obj)) == ["/isbn", "/title"]

    async def test_a_copy_stays_as_it_was(self, ground: Ground) -> None:
        made = await ground.create(isbn="1", title="Emma", extra={"a": [1]})
        async with ground.work() as work:
            found = await work.find(made["id"])
            copied = work.resource.shape.copy(found)
            assert type(copied) is type(found)
            work.fill(found, {"title": "x", "extra": {}})
            assert work.values(copied) == made

    @pytest.mark.parametrize("given", [0, 7, -1])
    async def test_a_version_begins_at_one_whatever_is_given(self, ground: Ground, given: int) -> None:
        made = await ground.create("account", balance=1, version=given)
        assert made["version"] == 1
        changed = await ground.change(made["id"], "account", balance=2)
        assert changed["version"] == 2
        assert await ground.read(made["id"], "account") == changed

    async def test_the_second_to_change_a_version_is_stale(self, ground: Ground) -> None:
        made = await ground.create("account", balance=1)
        changed = await ground.change(made["id"], "account", balance=2)
        assert changed["version"] == made["version"] + 1
        with pytest.raises(Stale):
            await ground.change(made["id"], "account", balance=3, version=made["version"])
        assert await ground.read(made["id"], "account") == changed
        again = await ground.change(made["id"], "account", balance=3, version=changed["version"])
        assert again["balance"] == 3 and again["version"] == changed["version"] + 1
