"""The tables of the catalog, created at first use inside the transaction that needs them."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# The full-text table keeps no copy of the text: it is an index over search_item (`content=`), and the triggers keep
# the two in step within the same transaction, whoever writes. The last statement creates what `is_ready` looks for.
_STATEMENTS = (
    """
    CREATE TABLE IF NOT EXISTS search_item (
        number INTEGER PRIMARY KEY,
        index_name TEXT NOT NULL,
        id TEXT NOT NULL,
        title TEXT NOT NULL,
        author TEXT NOT NULL,
        year INTEGER,
        language TEXT,
        subjects TEXT NOT NULL,
        UNIQUE (index_name, id)
    )
    """,
    """
    CREATE VIRTUAL TABLE IF NOT EXISTS search_text USING fts5 (
        title, author, subjects,
        content='search_item', content_rowid='number', tokenize='unicode61 remove_diacritics 2'
    )
    """,
    """
    CREATE TRIGGER IF NOT EXISTS search_item_inserted AFTER INSERT ON search_item BEGIN
        INSERT INTO search_text (rowid, title, author, subjects)
        VALUES (new.number, new.title, new.author, new.subjects);
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS search_item_deleted AFTER DELETE ON search_item BEGIN
        INSERT INTO search_text (search_text, rowid, title, author, subjects)
        VALUES ('delete', old.number, old.title, old.author, old.subjects);
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS search_item_updated AFTER UPDATE ON search_item BEGIN
        INSERT INTO search_text (search_text, rowid, title, author, subjects)
        VALUES ('delete', old.number, old.title, old.author, old.subjects);
        INSERT INTO search_text (rowid, title, author, subjects)
        VALUES (new.number, new.title, new.author, new.subjects);
    END
    """,
    """
    CREATE TABLE IF NOT EXISTS search_activity (
        index_name TEXT NOT NULL,
        event TEXT NOT NULL,
        count INTEGER NOT NULL,
        items INTEGER NOT NULL,
        last_at TEXT NOT NULL,
        PRIMARY KEY (index_name, event)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS search_index (
        name TEXT PRIMARY KEY,
        created_at TEXT NOT NULL
    )
    """,
)


async def is_ready(session: AsyncSession) -> bool:
    """Tell whether the tables are there; queries ask, because they only read."""
    found = await session.scalar(
        text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'search_index'")
    )
    return found is not None


async def prepare(session: AsyncSession) -> None:
    """Create the tables where they are missing. ``IF NOT EXISTS`` lets several workers start at once."""
    if await is_ready(session):
        return
    for statement in _STATEMENTS:
        await session.execute(text(statement))
