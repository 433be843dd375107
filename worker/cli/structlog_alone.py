"""structlog without rich: it would take 5 MiB and 60 ms of every process for tracebacks that are never printed so."""

from __future__ import annotations

import sys


def import_structlog() -> None:
    """Import structlog as where rich is not installed; rich itself stays importable, for tables and progress.

    Nothing happens when one of them is imported already. Only for processes that are the command line's own: in
    others structlog belongs to the application.
    """
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # Python's way to say that there is no such module
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
