"""Records as the driver's parser makes them: to put each into a class of its own costs the driver more than parsing it."""

from __future__ import annotations

from typing import Any


def spare(consumer: Any) -> None:
    """Have what a consumer has fetched handed out as it was parsed: offset, key, value and headers of a name and bytes.

    The driver has no public way to ask for it. Where its parts are not as they are known here, and for what it
    fetches while somebody waits in ``getmany``, records come as the driver's class, and are read alike.
    """
    for fetched in getattr(getattr(consumer, "_fetcher", None), "_records", {}).values():
        partition = getattr(fetched, "_partition_records", None)
        if partition is not None:
            partition._consumer_record = _as_parsed


def _as_parsed(_partition: object, record: object) -> object:
    return record
