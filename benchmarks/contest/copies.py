"""Copies of a message, each with ids of its own."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

from worker.messaging.identity import new_id

_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}")


def renewing() -> Callable[[str], str]:
    """Make what rewrites the texts of one copy: each id in them becomes a new one of the same form, the same everywhere."""
    new: dict[str, str] = {}

    def renewed(text: str) -> str:
        return _UUID.sub(lambda found: new.setdefault(found[0], _like(found[0])), text)

    return renewed


def _like(id: str) -> str:
    # message ids ascend with time, which is what the state's tables are kept by
    return new_id(time.time()) if "-" in id else uuid.uuid4().hex
