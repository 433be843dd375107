"""A SQLite file that is the state's and a queue's at once: a handler's transaction holds up its own queue."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from worker.settings import Settings
from worker.state.address import parse

_SQLITE = "sqlite:"


def sharing(settings: Settings, transports: Iterable[str]) -> list[str]:
    """Return those of these transports that keep their queues in the file of ``database.url``.

    SQLite has one writer a file: as long as a handler's transaction has written, nothing is taken, acknowledged or extended.
    What takes long is never acknowledged in time, and what sends to such a queue meanwhile waits for itself.
    """
    state = _file(settings.database.url, settings)
    urls = {name: settings.transports[name].url for name in transports if name in settings.transports}
    return [
        name
        for name, url in urls.items()
        if state is not None and url.startswith(_SQLITE) and _file(url, settings) == state
    ]


def _file(url: str, settings: Settings) -> Path | None:
    path = parse(url, settings.base).path
    return None if path is None else path.resolve()
