"""Rights: what a token lets its holder do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

Right = Literal[
    "send",
    "ask",
    "resources",
    "status",
    "health",
    "metrics",
    "docs",
    "dashboard",
    "audit",
    "consumers",
    "consumers.read",
    "failed",
    "failed.read",
    "schedules",
    "schedules.read",
    "tokens",
    "tokens.read",
]
"""One thing that may be done; ``X`` holds ``X.read``, too."""

Given = Literal["*"] | Right
"""A right as a token has it: ``*`` is all of them."""

RIGHTS: tuple[Right, ...] = get_args(Right)
ALL: frozenset[str] = frozenset(RIGHTS)
DEFAULT: tuple[Given, ...] = ("send", "ask", "resources", "status", "docs")
"""Those of a token that names none."""


def granted(rights: Iterable[str]) -> frozenset[str]:
    """Return all that these rights let their holder do."""
    given = frozenset(rights)
    if "*" in given:
        return ALL
    return frozenset(right for right in RIGHTS if right in given or right.removesuffix(".read") in given)
