"""The library, served in memory: its tables are empty, its mails and posts are in folders of the test."""

from __future__ import annotations

import mailbox
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from examples.library.app import app
from tests.unit.http.resources.serving import Served, served

Mails = Callable[[], list[mailbox.MaildirMessage]]


@pytest.fixture
def mails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mails:
    """The mails that were sent, the oldest first."""
    folder = tmp_path / "mail"
    monkeypatch.setenv("LIBRARY_MAIL", str(folder))

    def read() -> list[mailbox.MaildirMessage]:
        box = mailbox.Maildir(folder)
        return [box[key] for key in sorted(box.keys(), key=_number)]

    return read


def _number(name: str) -> int:
    """How many mails this process had sent before; names themselves sort wrongly, their microseconds are not filled up."""
    return int(name.partition("Q")[2].partition(".")[0])


@pytest.fixture
async def library(mails: Mails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """The library; its messages are queued, and handled when ``worker.run_until_idle`` is called."""
    monkeypatch.setenv("LIBRARY_POSTS", str(tmp_path / "posts"))
    async with served(app) as serving:
        yield serving


@pytest.fixture
async def at_once(mails: Mails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """The library; its messages are handled within their requests."""
    monkeypatch.setenv("LIBRARY_POSTS", str(tmp_path / "posts"))
    async with served(app, routing={"*": "inline"}) as serving:
        yield serving
