"""Portable queue names: one rule whose result every broker accepts."""

from __future__ import annotations

import hashlib
import re

MAX_LENGTH = 72
"""Leaves room for a suffix like ``-failed`` or ``.fifo`` in the 80 characters that SQS allows."""

_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z0-9])(?=[A-Z][a-z])")
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


def slug(text: str) -> str:
    """Write a name in lower case words joined by dashes: ``NoRetry`` and ``no.retry`` give ``no-retry``.

    A word begins at a capital after a small letter, at one before a small letter, and after any other sign. A digit
    begins none: ``b2b`` stays, ``Order2Cash`` gives ``order2-cash``.
    """
    parts = (part for part in re.split(r"[^A-Za-z0-9]+", text) if part)
    return "-".join(_BOUNDARY.sub("-", part).lower() for part in parts)


def queue_name(application: str, type_name: str) -> str:
    """Name the queue of a type: application and type, cut with a hash where it is too long.

    Names that some broker refuses get ``q-`` in front: those that start with no letter, or with ``goog``.
    """
    return _fitted(f"{slug(application)}-{slug(type_name)}", application, type_name)


def former_queue_name(application: str, type_name: str) -> str:
    """Name the queue that a type had before, when a letter after a digit began a word."""
    return _fitted(f"{_former_slug(application)}-{_former_slug(type_name)}", application, type_name)


def _fitted(name: str, application: str, type_name: str) -> str:
    if not name[0].isalpha() or name.startswith("goog"):
        name = f"q-{name}"
    if len(name) <= MAX_LENGTH:
        return name
    digest = hashlib.sha256(f"{application}\x00{type_name}".encode()).hexdigest()[:8]
    return f"{name[: MAX_LENGTH - 9].rstrip('-')}-{digest}"


def _former_slug(text: str) -> str:
    return "-".join(word.lower() for part in re.split(r"[^A-Za-z0-9]+", text) for word in _split(part))


def _split(part: str) -> list[str]:
    """Words of a part by the former rule; digits stay with the word before them."""
    words: list[str] = []
    for word in _WORDS.findall(part):
        if word.isdigit() and words:
            words[-1] += word
        else:
            words.append(word)
    return words
