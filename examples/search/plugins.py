"""The example's plugins: one that a token switches on, and one that only adds a schedule and a health check."""

import sqlite3

import msgspec

from examples.search.queries import Query
from worker import CallNext, Envelope, Plugin

published = Plugin("published")
"""Narrows searches to what is published, for tokens that list it and for callers without a token."""

upkeep = Plugin("upkeep")
"""Says whether words can be found at all, and when old interactions are forgotten."""


@published.middleware(messages=[Query])
async def only_published(envelope: Envelope[Query], call_next: CallNext) -> Envelope[Query]:
    """Replace the query by one for published items, whatever it asked for itself."""
    return await call_next(envelope.with_message(msgspec.structs.replace(envelope.message, published=True)))


@upkeep.crontab
def forget_interactions() -> list[str]:
    """Forget what users did, on Sundays at four."""
    return ["0 4 * * 0 worker send DeleteAllInteractions"]


@upkeep.health("catalog")
def has_text_search() -> bool:
    """Tell whether this Python's SQLite can search texts; PostgreSQL always can."""
    with sqlite3.connect(":memory:") as database:
        return ("ENABLE_FTS5",) in database.execute("PRAGMA compile_options").fetchall()
