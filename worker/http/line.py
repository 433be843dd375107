"""Lines of an NDJSON body: where each begins and ends, and what HTTP says of one that cannot be taken."""

from __future__ import annotations

from collections.abc import Iterator

from worker.errors import UnknownType
from worker.http.body import too_large
from worker.http.dispatch import Dispatch
from worker.http.explanation import unknown_type
from worker.messaging.line import Order
from worker.messaging.line import read_order as read


def lines_of(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line that is not blank."""
    start = 0
    number = 0
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        raw = body[start:end].strip()
        if raw:
            yield number, raw
        number += 1
        start = end + 1


def read_order(raw: bytes, dispatch: Dispatch, max_body: int) -> Order:
    """Read a line.

    Raises:
        WorkerError: one that names all that is wrong with it.
    """
    if len(raw) > max_body:
        raise too_large(max_body)
    try:
        return read(raw, dispatch.commands, dispatch.is_inline)
    except UnknownType as error:
        raise unknown_type(error.name, "command", dispatch.commands) from None
