"""Plurals of names, for paths: ``category`` is at ``/categories``."""

from __future__ import annotations

_VOWELS = "aeiou"
_HISSING = ("s", "x", "z", "ch", "sh")


def plural(word: str) -> str:
    """Write an English word in its plural; irregular ones are given a ``path`` by hand."""
    if word.endswith("y") and word[-2:-1] not in _VOWELS:
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(_HISSING) else f"{word}s"
