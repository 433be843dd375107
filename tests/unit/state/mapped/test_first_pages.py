"""First pages of collections: their statements are made once, and never mistaken for one another."""

from __future__ import annotations

import pytest

from tests.unit.state.mapped.test_work import Item, Shelf, Stores
from worker.resources.stores import Filtered, Ordered, Wanted
from worker.state.database import Database
from worker.state.sessions.mapped import paging


@pytest.mark.parametrize("kept", [0, 2, 64])
async def test_each_order_and_size_has_its_own(
    database: Database, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """Each answers what is stored by now, however few statements are kept; conditions go beside them."""
    monkeypatch.setattr(paging, "_KEPT", kept)
    await database.tables.create([Shelf, Item])
    stores = Stores(database)
    made = stores.shelf.shape.first_pages  # type: ignore[union-attr]
    made.clear()
    codes: list[str] = []
    for code in ("c", "a", "b"):
        await stores.put(stores.shelf, code=code)
        codes.append(code)
        for descending, limit in ((False, 1), (True, 1), (False, 9)):
            order = (Ordered("code", descending=descending),)
            only = Wanted(conditions=(Filtered("code", "eq", "c"),), order=order)
            async with stores.work(read_only=True) as work:
                page = await work.page(stores.shelf, Wanted(order=order, limit=limit))
                one = await work.page(stores.shelf, only)
                after = await work.page(stores.shelf, Wanted(order=order, after=("b",)))
            expected = sorted(codes, reverse=descending)
            beyond = [code for code in expected if (code < "b" if descending else code > "b")]
            assert [shelf.code for shelf in page.items] == expected[:limit]
            assert page.total == len(codes)
            assert [shelf.code for shelf in one.items] == ["c"]
            assert [shelf.code for shelf in after.items] == beyond
    assert len(made) == min(kept, 3)
    made.clear()
