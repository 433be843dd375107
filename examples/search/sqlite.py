"""The catalog in SQLite, with its full-text search (FTS5)."""

from examples.search.item import Item

# The full-text table keeps no copy of the text: it is an index over catalog_item (`content=`), and the triggers keep
# the two in step within each transaction that writes. The last statement creates what `is_ready` looks for.
_STATEMENTS = (
    """
    CREATE TABLE IF NOT EXISTS catalog_item (
        number INTEGER PRIMARY KEY,
        app TEXT NOT NULL,
        index_name TEXT NOT NULL,
        uuid TEXT NOT NULL,
        id TEXT NOT NULL,
        type TEXT NOT NULL,
        title TEXT NOT NULL,
        author TEXT NOT NULL,
        year INTEGER,
        language TEXT,
        subjects TEXT NOT NULL,
        published BOOLEAN NOT NULL,
        words_title TEXT NOT NULL,
        words_author TEXT NOT NULL,
        words_subjects TEXT NOT NULL,
        UNIQUE (app, index_name, uuid)
    )
    """,
    """
    CREATE VIRTUAL TABLE IF NOT EXISTS catalog_text USING fts5 (
        words_title, words_author, words_subjects,
        content='catalog_item', content_rowid='number', tokenize='unicode61 remove_diacritics 2'
    )
    """,
    """
    CREATE TRIGGER IF NOT EXISTS catalog_item_inserted AFTER INSERT ON catalog_item BEGIN
        INSERT INTO catalog_text (rowid, words_title, words_author, words_subjects)
        VALUES (new.number, new.words_title, new.words_author, new.words_subjects);
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS catalog_item_deleted AFTER DELETE ON catalog_item BEGIN
        INSERT INTO catalog_text (catalog_text, rowid, words_title, words_author, words_subjects)
        VALUES ('delete', old.number, old.words_title, old.words_author, old.words_subjects);
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS catalog_item_updated AFTER UPDATE ON catalog_item BEGIN
        INSERT INTO catalog_text (catalog_text, rowid, words_title, words_author, words_subjects)
        VALUES ('delete', old.number, old.words_title, old.words_author, old.words_subjects);
        INSERT INTO catalog_text (rowid, words_title, words_author, words_subjects)
        VALUES (new.number, new.words_title, new.words_author, new.words_subjects);
    END
    """,
    """
    CREATE TABLE IF NOT EXISTS catalog_activity (
        app TEXT NOT NULL,
        index_name TEXT NOT NULL,
        event TEXT NOT NULL,
        count INTEGER NOT NULL,
        items INTEGER NOT NULL,
        last_at TEXT NOT NULL,
        PRIMARY KEY (app, index_name, event)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS catalog_interaction (
        number INTEGER PRIMARY KEY,
        app TEXT NOT NULL,
        user_name TEXT NOT NULL,
        item_uuid TEXT NOT NULL,
        weight INTEGER NOT NULL,
        at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS catalog_index (
        app TEXT NOT NULL,
        name TEXT NOT NULL,
        created_at TEXT NOT NULL,
        configuration TEXT NOT NULL,
        PRIMARY KEY (app, name)
    )
    """,
)


class Sqlite:
    """SQLite: an index over the items' text that triggers keep in step."""

    statements: tuple[str, ...] = _STATEMENTS
    ready = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'catalog_index'"
    put = (
        "INSERT INTO catalog_item (app, index_name, uuid, id, type, title, author, year, language, subjects, published, "
        "words_title, words_author, words_subjects) "
        "VALUES (:app, :index, :uuid, :id, :type, :title, :author, :year, :language, :subjects, :published, "
        ":words_title, :words_author, :words_subjects) "
        "ON CONFLICT (app, index_name, uuid) DO UPDATE SET title = excluded.title, author = excluded.author, "
        "year = excluded.year, language = excluded.language, subjects = excluded.subjects, "
        "published = excluded.published, words_title = excluded.words_title, words_author = excluded.words_author, words_subjects = excluded.words_subjects"
    )
    source = (
        "catalog_text JOIN catalog_item AS item ON item.number = catalog_text.rowid "
        "WHERE catalog_text MATCH :expression"
    )
    # a word in the title says more than one in the author's name, and that more than one among the subjects
    order = "bm25(catalog_text, 8.0, 4.0, 2.0)"

    def expression(self, typed: str) -> str | None:
        """Give the expression that finds items with all the words, the last one as a prefix; None without any word."""
        return match_expression(typed)

    def words(self, item: Item) -> dict[str, str]:
        """Give the columns that the triggers read the words from."""
        return {
            "words_title": item.title,
            "words_author": item.author,
            "words_subjects": "\n".join(item.subjects),
        }


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
