"""Paths in SQLite URLs: percent-encoded, and relative ones from the configuration file's folder."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

_SQLITE = "sqlite:///"
_PLAIN = "/: "
"""Beside letters, digits and ``_.-~``: what means nothing else in a path."""


def resolve(url: str, base: Path) -> str:
    """Make the path of a SQLite URL absolute; other URLs and ``:memory:`` come back as they were.

    The folder is written percent-encoded: its name may hold what means something else in a URL.
    """
    if not url.startswith(_SQLITE):
        return url
    path, mark, parameters = url.removeprefix(_SQLITE).partition("?")
    if not path or path.startswith((":memory:", "/")):
        return url
    folder = quote(os.fsencode(base.as_posix()), safe=_PLAIN)
    return f"{_SQLITE}{folder.rstrip('/')}/{path}{mark}{parameters}"


def path_in(text: str) -> str:
    """Read the path of a URL as the system names its files: ``c%23d`` is ``c#d``, any bytes may stand there."""
    return os.fsdecode(unquote_to_bytes(os.fsencode(text)))
