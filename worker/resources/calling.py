"""Asking an application's predicates, plain or async."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


async def said(predicate: Callable[..., Any], *given: Any) -> bool:
    """Ask a predicate, plain or async."""
    answer = predicate(*given)
    return bool(await answer if inspect.isawaitable(answer) else answer)
