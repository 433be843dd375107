"""The driver's inner parts: all that is used of aiokafka beyond its public face, for which it is pinned to a minor version.

``tests/unit/transports/test_drivers`` checks that each part is there, and is what it is taken for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Any, cast

from aiokafka import errors
from aiokafka.conn import create_conn
from aiokafka.partitioner import murmur2
from aiokafka.protocol.commit import OffsetCommitRequest

__all__ = ["commit_for", "create_conn", "dismiss", "introduced", "is_member", "murmur2", "spare"]


async def dismiss(client: Any, seconds: float) -> None:
    """Stop a client within ``seconds``; what then still runs of it is cancelled.

    Where the broker is gone, the driver's own ``stop`` waits for ever for what it cannot send.
    """
    stopping = asyncio.ensure_future(client.stop() if hasattr(client, "stop") else client.close())
    await asyncio.wait({stopping}, timeout=seconds)
    if not stopping.done():
        await _abandon([stopping, *_tasks(client)])
        connections = getattr(_client(client), "_conns", {})
        for connection in list(connections.values()):
            connection.close()
    elif not stopping.cancelled():
        stopping.exception()


async def introduced(client: Any, topics: Iterable[str]) -> None:
    """Let a client learn of all topics at once: else it learns of each when it is asked about it, with a pause."""
    await _client(client).set_topics(list(topics))


def is_member(consumer: Any) -> bool:
    """Whether the group still counts this consumer as a member: else another one has its partitions already."""
    return bool(getattr(getattr(consumer, "_coordinator", None), "generation", 1) > 0)


def spare(consumer: Any) -> None:
    """Have what a consumer has fetched handed out as it was parsed: offset, key, value, and headers as names and bytes.

    Wrapping each record in a class of its own costs the driver more than parsing it, and it has no public way to leave
    that out. Where its inner parts are not as expected, and for what it fetches while a ``getmany`` waits, records come
    in the driver's class, and are read in the same way.
    """
    for fetched in getattr(getattr(consumer, "_fetcher", None), "_records", {}).values():
        partition = getattr(fetched, "_partition_records", None)
        if partition is not None:
            partition._consumer_record = _as_parsed


async def commit_for(
    client: Any, group: str, topics: Sequence[tuple[str, Sequence[tuple[int, int, str]]]]
) -> None:
    """Commit for a group without members, by an admin client: for each topic its partitions, offsets and metadata.

    Raises:
        KafkaError: the group has members, or its coordinator refuses.
    """
    request = OffsetCommitRequest(group, -1, "", -1, list(topics))
    answer = await client._send_request(request, await client.find_coordinator(group))
    for _, partitions in answer.topics:
        for _, code in partitions:
            if code:
                raise errors.for_code(code)(group)


def _as_parsed(_partition: object, record: object) -> object:
    return record


def _client(client: Any) -> Any:
    return getattr(client, "_client", None) or getattr(client, "client", None)


def _tasks(client: Any) -> Sequence[asyncio.Task[Any]]:
    """Return every task that the driver keeps for a client; it has no way to end them by force."""
    coordinator = getattr(client, "_coordinator", None)
    fetcher = getattr(client, "_fetcher", None)
    found = [
        getattr(coordinator, "_coordination_task", None),
        getattr(coordinator, "_heartbeat_task", None),
        getattr(coordinator, "_commit_refresh_task", None),
        getattr(fetcher, "_fetch_task", None),
        *getattr(fetcher, "_pending_tasks", ()),
        getattr(getattr(client, "_sender", None), "sender_task", None),
        getattr(_client(client), "_sync_task", None),
    ]
    return [cast("asyncio.Task[Any]", task) for task in found if task is not None]


async def _abandon(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        _, left = await asyncio.wait(tasks, timeout=1.0)
        for (
            task
        ) in left:  # some of the driver's tasks take one cancellation for the end of what they wait for
            task.cancel()
    for task in tasks:
        if task.done() and not task.cancelled():
            with contextlib.suppress(BaseException):
                task.exception()
