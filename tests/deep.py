"""The long forms of some tests, which ``./dev test --deep`` runs: more commands, more deaths, more time."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

DEEP = os.environ.get("WORKER_TEST_DEEP") == "yes"
"""Whether they are wanted."""


def size(usual: T, deep: T) -> T:
    """The one of the two that is wanted."""
    return deep if DEEP else usual
