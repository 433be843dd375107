"""Whatever a user types becomes an expression that FTS5 reads, as plain words."""

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from examples.search.sqlite import match_expression


def test_words_are_quoted_and_the_last_one_is_a_prefix() -> None:
    assert match_expression("war and pe") == '"war" "and" "pe"*'


def test_quotes_are_doubled() -> None:
    assert match_expression('say "yes"') == '"say" """yes"""*'


def test_what_holds_no_word_gives_no_expression() -> None:
    assert match_expression(' * ") -- ') is None


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\"'*^:(){}+-\0 "), max_size=40))
def test_no_text_makes_the_search_fail(typed: str) -> None:
    expression = match_expression(typed)
    if expression is None:
        return
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE VIRTUAL TABLE words USING fts5 (word)")
        database.execute("INSERT INTO words VALUES (?)", [typed])
        database.execute("SELECT count(*) FROM words WHERE words MATCH ?", [expression]).fetchone()
    finally:
        database.close()
