"""The long forms of some tests, which ``./dev test --deep`` runs: more commands, more deaths, more time."""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

T = TypeVar("T")

DEEP = os.environ.get("WORKER_TEST_DEEP") == "yes"
"""Whether they are wanted."""


long = pytest.mark.skipif(not DEEP, reason="a long form: ./dev test --deep runs it")
"""Marks a test that shows again, at more expense, what others show in the usual run."""


def size(usual: T, deep: T) -> T:
    """The one of the two that is wanted."""
    return deep if DEEP else usual
