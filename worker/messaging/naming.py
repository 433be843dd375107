"""Portable queue names: one rule whose result every broker accepts."""

from __future__ import annotations

import hashlib
import re

MAX_LENGTH = 72
"""Leaves room for a suffix like ``-failed`` or ``.fifo`` in the 80 characters that SQS allows."""

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


def slug(text: str) -> str:
    """Write a name in lower case words joined by dashes: ``NoRetry`` and ``no.retry`` give ``no-retry``."""
    return "-".join(word.lower() for part in re.split(r"[^A-Za-z0-9]+", text) for word in _split(part))


def queue_name(application: str, type_name: str) -> str:
    """Name the queue of a type: application and type, cut with a hash where it is too long.

    Names that some broker refuses get ``q-`` in front: those that start with no letter, or with ``goog``.
    """
    name = f"{slug(application)}-{slug(type_name)}"
    if not name[0].isalpha() or name.startswith("goog"):
        name = f"q-{name}"
    if len(name) <= MAX_LENGTH:
        return name
    digest = hashlib.sha256(f"{application}\x00{type_name}".encode()).hexdigest()[:8]
    return f"{name[: MAX_LENGTH - 9].rstrip('-')}-{digest}"


def _split(part: str) -> list[str]:
    """Words of a part; digits stay with the word before them."""
    words: list[str] = []
    for word in _WORDS.findall(part):
        if word.isdigit() and words:
            words[-1] += word
        else:
            words.append(word)
    return words
