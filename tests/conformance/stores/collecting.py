"""Scenarios of collections: conditions, order, pages and totals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.conformance.stores.ground import Ground
from tests.conformance.stores.models import Kind
from worker.errors import DatabaseUnavailable, InvalidMessage
from worker.resources.stores import Filtered, How


async def fill(ground: Ground, *books: dict[str, Any]) -> None:
    async with ground.work() as work:
        for number, book in enumerate(books):
            await work.create(**{"isbn": str(number), "title": f"t{number}", **book})
        await work.commit()


async def walk(ground: Ground, *conditions: Filtered, order: str, limit: int) -> list[str]:
    """All titles, page after page."""
    found: list[str] = []
    after: tuple[Any, ...] | None = None
    for _ in range(50):
        page = await ground.page(*conditions, order=order, limit=limit, after=after)
        assert len(page.items) <= limit
        found += [item.title for item in page.items]
        if page.last is None:
            return found
        after = page.last
    raise AssertionError("the pages have no end")


class Collecting:
    async def test_an_empty_collection_is_a_page(self, ground: Ground) -> None:
        page = await ground.page()
        assert (page.items, page.total, page.last) == ([], 0, None)

    async def test_the_total_counts_what_meets_the_conditions(self, ground: Ground) -> None:
        await fill(ground, *({"year": year} for year in (1, 1, 1, 2)))
        page = await ground.page(Filtered("year", "eq", 1), limit=2)
        assert len(page.items) == 2 and page.total == 3 and page.last is not None
        end = await ground.page(Filtered("year", "eq", 1), limit=2, after=page.last)
        assert len(end.items) == 1 and end.total == 3 and end.last is None

    async def test_a_place_behind_the_end_has_nothing_and_the_total(self, ground: Ground) -> None:
        await fill(ground, {}, {})
        whole = await ground.page(limit=1)
        assert whole.last is not None
        rest = await ground.page(limit=1, after=whole.last)
        assert rest.last is None
        beyond = await ground.page(order="-id", limit=1, after=whole.last)
        assert (beyond.items, beyond.total) == ([], 2)

    @pytest.mark.parametrize(
        ("how", "value", "found"),
        [
            ("eq", 2, ["t1"]),
            ("eq", None, ["t3"]),
            ("gt", 1, ["t1", "t2"]),
            ("gte", 2, ["t1", "t2"]),
            ("lt", 2, ["t0"]),
            ("lte", 2, ["t0", "t1"]),
            ("in", (1, 3), ["t0", "t2"]),
            ("in", (), []),
            ("eq", 2**70, []),
            ("gt", 2**70, []),
            ("lt", 2**70, ["t0", "t1", "t2"]),
            ("gt", -(2**70), ["t0", "t1", "t2"]),
            ("lt", -(2**70), []),
            ("eq", 2**40, []),
            ("in", (2**70, 1), ["t0"]),
        ],
    )
    async def test_conditions_on_numbers(
        self, ground: Ground, how: How, value: Any, found: list[str]
    ) -> None:
        await fill(ground, *({"year": year} for year in (1, 2, 3, None)))
        assert await ground.titles(Filtered("year", how, value)) == found

    @pytest.mark.parametrize(
        ("field", "how", "value"),
        [
            ("price", "gt", Decimal("9.99")),
            ("price", "eq", Decimal("10.00")),
            ("seen", "gte", datetime(2026, 2, 1, tzinfo=UTC)),
            ("seen", "eq", datetime(2026, 2, 1, tzinfo=UTC)),
            ("kind", "eq", Kind.POEMS),
            ("author", "gt", "A"),
        ],
    )
    async def test_conditions_on_other_types(self, ground: Ground, field: str, how: How, value: Any) -> None:
        here = {
            "price": Decimal("10.00"),
            "seen": datetime(2026, 2, 1, tzinfo=UTC),
            "kind": Kind.POEMS,
            "author": "B",
        }
        there = {
            "price": Decimal("9.50"),
            "seen": datetime(2026, 1, 1, tzinfo=UTC),
            "kind": Kind.NOVEL,
            "author": "A",
        }
        await fill(ground, {"title": "here", **here}, {"title": "there", **there}, {"title": "none"})
        assert await ground.titles(Filtered(field, how, value)) == ["here"]

    @pytest.mark.parametrize(
        ("how", "value", "found"),
        [
            ("gte", Decimal("1e300"), []),
            ("lt", Decimal("1e300"), ["t0", "t1"]),
            ("eq", Decimal("1e300"), []),
            ("eq", Decimal("1.505"), []),
            ("lte", Decimal("1.505"), ["t0"]),
            ("gte", Decimal("1.505"), ["t1"]),
            ("gt", Decimal("1.50" + "0" * 50 + "1"), ["t1"]),
            ("lte", Decimal("1.50" + "0" * 50 + "1"), ["t0"]),
            ("eq", Decimal("1.51" + "0" * 50 + "1"), []),
        ],
    )
    async def test_a_decimal_is_compared_as_it_was_asked(
        self, ground: Ground, how: How, value: Decimal, found: list[str]
    ) -> None:
        await fill(ground, {"price": Decimal("1.50")}, {"price": Decimal("1.51")}, {"price": None})
        assert await ground.titles(Filtered("price", how, value)) == found

    @pytest.mark.parametrize(
        ("how", "microsecond", "found"),
        [("gte", 999, ["t1"]), ("lt", 999, ["t0"]), ("gt", 999, ["t1"]), ("lte", 1, ["t0"]), ("eq", 1, [])],
    )
    async def test_a_time_is_compared_as_it_was_asked(
        self, ground: Ground, how: How, microsecond: int, found: list[str]
    ) -> None:
        at = datetime(2026, 2, 1, tzinfo=UTC)
        await fill(ground, {"seen": at}, {"seen": at.replace(microsecond=1000)})
        assert await ground.titles(Filtered("seen", how, at.replace(microsecond=microsecond))) == found

    async def test_all_conditions_hold(self, ground: Ground) -> None:
        await fill(ground, {"year": 1, "author": "A"}, {"year": 1, "author": "B"}, {"year": 2, "author": "A"})
        assert await ground.titles(Filtered("year", "eq", 1), Filtered("author", "eq", "A")) == ["t0"]
        assert await ground.titles(Filtered("year", "gte", 1), Filtered("year", "lt", 2)) == ["t0", "t1"]

    @pytest.mark.parametrize("text", ["war", "WAR", "r AND p", "Peace"])
    async def test_contains_is_whatever_the_case(self, ground: Ground, text: str) -> None:
        await fill(ground, {"title": "War and Peace"}, {"title": "Emma"})
        assert await ground.titles(Filtered("title", "contains", text)) == ["War and Peace"]

    @pytest.mark.parametrize(
        ("title", "text"),
        [("Äpfel", "äPF"), ("ДЖЕЙН", "джейн"), ("Ελένη", "ΕΛΈΝ"), ("straße", "STRA"), ("Çelik", "çeLİK"[:3])],
    )
    async def test_contains_folds_other_letters_than_english(
        self, ground: Ground, title: str, text: str
    ) -> None:
        await fill(ground, {"title": title}, {"title": "Emma"})
        assert await ground.titles(Filtered("title", "contains", text)) == [title]

    @pytest.mark.parametrize(
        "text", ["%", "_", "\\", "/", ".", ".*", "[", "(", "^", "$", "|", "'", "a{2}", "(?i)", "\\Q", "\\x41"]
    )
    async def test_contains_has_no_wildcards(self, ground: Ground, text: str) -> None:
        await fill(ground, {"title": "Emma AA aa"}, {"title": f"x{text}y"})
        assert await ground.titles(Filtered("title", "contains", text)) == [f"x{text}y"]

    @pytest.mark.parametrize("text", ["\0", "\ud800", "x" * 50_000])
    @pytest.mark.parametrize("how", ["eq", "contains", "gt"])
    async def test_texts_that_cannot_be_stored_find_nothing(
        self, ground: Ground, text: str, how: How
    ) -> None:
        await fill(ground, {"author": "a"}, {"author": None})
        found = await ground.titles(Filtered("author", how, text))
        assert found == [] or (how == "gt" and text == "\0")

    async def test_nothing_comes_before_everything(self, ground: Ground) -> None:
        await fill(ground, {"year": 2}, {"year": None}, {"year": 1}, {"year": None})
        assert await ground.titles(order="year") == ["t1", "t3", "t2", "t0"]
        assert await ground.titles(order="-year") == ["t0", "t2", "t1", "t3"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 30])
    @pytest.mark.parametrize(
        "order",
        ["year", "-year", "year,-author", "-year,author,price", "-id", "kind,-title", "sold", "-sold"],
    )
    async def test_pages_have_each_object_once_and_in_order(
        self, ground: Ground, order: str, limit: int
    ) -> None:
        years, authors = (None, 1, 1, 2, 2, 2, None), ("b", None, "a", "b", None, "a", "a")
        prices = (None, Decimal("1.10"), Decimal("1.10"), Decimal("2"), None, Decimal("0.5"), Decimal("1"))
        await fill(
            ground,
            *(
                {"year": year, "author": author, "price": price, "sold": year == 1}
                for year, author, price in zip(years, authors, prices, strict=True)
            ),
        )
        whole = await ground.titles(order=order)
        assert len(set(whole)) == 7
        assert await walk(ground, order=order, limit=limit) == whole

    @pytest.mark.parametrize("order", ["price", "-price"])
    async def test_pages_go_on_behind_decimals_that_are_more_exact_than_what_is_read(
        self, ground: Ground, order: str
    ) -> None:
        prices = ("1.123456789012", "1.123456789013", "0.1", "1e7", "-0.3333333333333", None)
        await fill(ground, *({"price": None if price is None else Decimal(price)} for price in prices))
        whole = await ground.titles(order=order)
        assert len(set(whole)) == 6
        assert await walk(ground, order=order, limit=1) == whole

    async def test_pages_go_on_behind_what_breaks_constraints_of_today(self, ground: Ground) -> None:
        await fill(ground, {"title": ""}, {"title": "x"}, {"title": ""})
        assert await walk(ground, order="title", limit=1) == ["", "", "x"]

    async def test_pages_go_on_behind_any_text_that_is_stored(self, ground: Ground) -> None:
        texts = ["a\0b", "a", "\0", "a\0"]
        async with ground.work() as work:
            for text in texts:
                try:
                    await work.create(isbn=repr(text), title="t", author=text)
                except (InvalidMessage, DatabaseUnavailable):  # PostgreSQL keeps no NUL
                    return
            await work.commit()
        found = [item.author for item in (await ground.page(order="author")).items]
        after: tuple[Any, ...] | None = None
        for text in found:
            page = await ground.page(order="author", limit=1, after=after)
            assert [item.author for item in page.items] == [text]
            after = page.last

    async def test_pages_stay_when_objects_come_and_go_between_them(self, ground: Ground) -> None:
        await fill(ground, *({"year": year} for year in (10, 20, 30, 40)))
        first = await ground.page(order="year", limit=2)
        assert [item.year for item in first.items] == [10, 20]
        await ground.create(isbn="new1", title="before", year=5)
        await ground.create(isbn="new2", title="after", year=25)
        await ground.remove(first.items[1].id)  # the place itself
        second = await ground.page(order="year", limit=2, after=first.last)
        assert [item.year for item in second.items] == [25, 30]

    @pytest.mark.parametrize(
        "after", [(), (1,), (1, 2, 3), ("x", {}), ([], None), ({"$gt": ""}, {"$gt": ""})]
    )
    async def test_a_place_that_was_made_up_is_refused(self, ground: Ground, after: tuple[Any, ...]) -> None:
        await fill(ground, {}, {})
        with pytest.raises(InvalidMessage) as raised:
            await ground.page(order="year", after=after)
        assert raised.value.faults[0].pointer == "/next"
