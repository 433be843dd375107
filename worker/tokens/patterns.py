"""Patterns of message types: names with ``*`` and ``?``, as in routing."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

_WILD = ("*", "?")


def matches(patterns: Iterable[str], names: Iterable[str]) -> bool:
    """Whether one of the names fits one of the patterns."""
    names = tuple(names)
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def covers(pattern: str, other: str) -> bool:
    """Whether whatever fits ``other`` is sure to fit ``pattern``, too; where that is hard to tell, it does not."""
    if pattern == other:
        return True
    start = _literal_start(other)
    if start == other:
        return fnmatchcase(other, pattern)
    return (
        pattern.endswith("*") and _literal_start(pattern) == pattern[:-1] and start.startswith(pattern[:-1])
    )


def _literal_start(pattern: str) -> str:
    """The part before the first character that stands for others."""
    return pattern[: min((at for wild in _WILD if (at := pattern.find(wild)) >= 0), default=len(pattern))]
