"""Near matches: what was probably meant by an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def near(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is closest to ``name``, None when none is close."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def hint(name: str, known: Iterable[str]) -> str:
    """Say what was probably meant, or what is known: the end of a sentence that names ``name``."""
    names = list(known)
    match = near(name, names)
    if match is not None:
        return f"; did you mean {match!r}?"
    return f"; known: {', '.join(sorted(names))}" if names else ""
