"""The catalog in SQLite, with its full-text search (FTS5)."""

from examples.search.item import Item

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


class Sqlite:
    """SQLite: an index over the items' text that triggers keep in step."""

    statements: tuple[str, ...] = _STATEMENTS
    ready = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'search_index'"
    put = (
        "INSERT INTO search_item (index_name, id, title, author, year, language, subjects) "
        "VALUES (:index, :id, :title, :author, :year, :language, :subjects) "
        "ON CONFLICT (index_name, id) DO UPDATE SET title = excluded.title, author = excluded.author, "
        "year = excluded.year, language = excluded.language, subjects = excluded.subjects"
    )
    source = (
        "search_text JOIN search_item AS item ON item.number = search_text.rowid "
        "WHERE search_text MATCH :expression AND item.index_name = :index"
    )
    # a word in the title says more than one in the author's name, and that more than one among the subjects
    order = "bm25(search_text, 8.0, 4.0, 2.0)"

    def expression(self, typed: str) -> str | None:
        """Give the expression that finds items with all the words, the last one as a prefix; None without any word."""
        return match_expression(typed)

    def words(self, item: Item) -> dict[str, str]:
        """Give nothing: the triggers read the words from the columns."""
        return {}


def match_expression(typed: str) -> str | None:
    """Give the expression that finds items with all the words, the last one as a prefix; None without any word.

    FTS5 has its own language (``AND``, ``title:``, ``*``, ``^`` …), and text that breaks its rules is an error.
    Every word is therefore quoted, which makes it a plain string; a quote inside is doubled. What stands between
    two blanks is one phrase: ``d'Urbervilles`` finds those two words next to each other.
    """
    # SQLite would end the expression at a zero byte, in the middle of a quoted word
    words = [word for word in typed.replace("\0", " ").split() if any(letter.isalnum() for letter in word)]
    if not words:
        return None
    return " ".join('"' + word.replace('"', '""') + '"' for word in words) + "*"
