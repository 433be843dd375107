"""Relative SQLite paths: from the configuration file's folder, wherever the command is called."""

from __future__ import annotations

from pathlib import Path

_SQLITE = "sqlite:///"


def resolve(url: str, base: Path) -> str:
    """Make the path of a SQLite URL absolute; other URLs and ``:memory:`` come back as they were."""
    if not url.startswith(_SQLITE):
        return url
    path, mark, parameters = url.removeprefix(_SQLITE).partition("?")
    if not path or path.startswith((":memory:", "/", "file:")):
        return url
    return f"{_SQLITE}{(base / path).as_posix()}{mark}{parameters}"
