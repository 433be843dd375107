"""Any folder may hold the service, whatever its name means in a URL."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from transports import dsn
from transports.registry import create
from transports.sqlite.connection import open_reader, open_writer
from transports.sqlite.settings import read
from worker.errors import ConfigurationError
from worker.settings import load, masked
from worker.state.address import parse

NAMES = [
    "c#d",
    "a%20b",
    "100%",
    "%41",
    "with space",
    "q?x=1",
    "quote'\"s",
    "ümläut",
    "two\nlines",
    "tab\tbed",
    "-dash",
    "a;b",
    "back\\slash",
    "user:secret@host",
    "a&b=c",
    "file:x",
    ":memory:",
    "trailing ",
    os.fsdecode(b"not-utf-8-\xff"),
]


def files_of(folder: Path, text: str) -> tuple[Path | None, Path]:
    """Where a configuration puts the state and the queue."""
    file = folder / "worker.toml"
    file.write_text(text, encoding="utf-8")
    settings = load(config=file, environ={}, cwd=folder.parent)
    url = settings.transports["sqlite"].url
    return parse(settings.database.url, settings.base).path, read(
        "sqlite", dsn.parse(url), {}, settings.base
    ).path


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_any_name_holds_the_files_of_its_configuration(tmp_path, name):
    """Relative paths start in the configuration file's folder, not in one whose name was read as a URL."""
    folder = tmp_path / name
    folder.mkdir()
    text = "database.url='sqlite:///var/worker.db'\n[transports.sqlite]\nurl='sqlite:///var/queue.db'\n"
    state, queue = files_of(folder, text)
    assert (state, queue) == (folder / "var/worker.db", folder / "var/queue.db")


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_made_there_and_read_there(tmp_path, name):
    """SQLite itself opens the file at its real path, for writing and for one look."""
    settings = read("sqlite", dsn.parse("sqlite:///var/queue.db"), {}, tmp_path / name)
    open_writer(settings).close()
    open_reader(settings).close()
    assert (tmp_path / name / "var/queue.db").is_file()
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("written", "folder"),
    [
        ("c%23d", "c#d"),
        ("a%2520b", "a%20b"),
        ("what%3F", "what?"),
        ("100%25", "100%"),
        ("100%", "100%"),
        ("c#d", "c#d"),
        ("a b;c", "a b;c"),
        ("%C3%BC", "ü"),
        ("two%0Alines", "two\nlines"),
        ("raw\\nline", "raw\nline"),
    ],
)
@pytest.mark.parametrize("absolute", [False, True])
def test_a_url_writes_such_a_path_percent_encoded(tmp_path, written, folder, absolute):
    """Both kinds of URL are read alike; only `?` and a `%` before two digits must be encoded."""
    start = f"sqlite:///{tmp_path}/" if absolute else "sqlite:///"
    text = f'database.url="{start}{written}/w.db"\n[transports.sqlite]\nurl="{start}{written}/q.db"\n'
    assert files_of(tmp_path, text) == (tmp_path / folder / "w.db", tmp_path / folder / "q.db")


def test_a_question_mark_in_a_path_is_an_error_that_says_how_to_write_it(tmp_path):
    """What could be options is not taken for a path."""
    with pytest.raises(ConfigurationError, match="%3F"):
        parse("sqlite:///what?/w.db", tmp_path)
    with pytest.raises(ConfigurationError, match="%3F"):
        create("sqlite", "sqlite:///what?/q.db", {}, base=tmp_path)


def test_a_path_with_nul_is_an_error(tmp_path):
    """No system has such a file."""
    with pytest.raises(ConfigurationError, match="NUL"):
        parse("sqlite:///a%00b/w.db", tmp_path)
    with pytest.raises(ConfigurationError, match="NUL"):
        create("sqlite", "sqlite:///a%00b/q.db", {}, base=tmp_path)


def test_an_error_shows_the_real_path(tmp_path):
    """People look for the file under the name that it has."""
    folder = tmp_path / "c#d 100%"
    assert parse("sqlite:///w.db", folder).shown == f"sqlite:///{folder}/w.db"
    folder.write_text("")
    with pytest.raises(Exception, match="c#d 100%") as caught:
        open_writer(read("sqlite", dsn.parse("sqlite:///var/q.db"), {}, folder))
    assert not isinstance(caught.value, sqlite3.Error)


def test_the_settings_of_any_folder_can_be_printed(tmp_path):
    """Also those of a folder whose name looks like a password in a URL."""
    folder = tmp_path / "user:secret@host"
    folder.mkdir()
    assert masked(load(environ={}, cwd=folder))["base"] == str(folder)
