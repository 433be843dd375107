"""How far a queue is: committed in its own group, or in the one that the queue has moved to.

The commit in a queue's own group always says where to look: notes that begin with ``@`` name the group whose members
have taken the queue since then. So a queue can move to a shared group and back, and nothing is repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import structlog
from aiokafka import TopicPartition, errors

from transports.kafka import driver, progress
from transports.kafka.administration import Administration
from transports.kafka.connection import Connection
from worker.errors import TransportUnavailable

_MOVED = "@"

log = structlog.stdlib.get_logger("worker.kafka")


class Commit(NamedTuple):
    """The offset to go on from, and notes of what is done beyond it."""

    offset: int
    notes: str


Found = dict[TopicPartition, Commit]


class Commits:
    """Reads commits, and moves queues between groups.

    Args:
        connection: names the brokers in errors.
        administration: asks the brokers.
        shared: the configured group that all queues share; empty for none.
    """

    def __init__(self, connection: Connection, administration: Administration, shared: str) -> None:
        self._connection = connection
        self._administration = administration
        self._shared = shared

    async def read(self, own: str, partitions: Sequence[TopicPartition]) -> Found:
        """Read what is committed for a queue, by partition; those without a commit are left out.

        Raises:
            TransportUnavailable: the brokers do not answer.
        """
        return await self._resolved(await self._list(own, partitions), partitions)

    async def take(self, group: str, own: str, partitions: Sequence[TopicPartition]) -> Found:
        """Read them for a member of ``group``, in which they are to be found from now on.

        Raises:
            TransportUnavailable: the queue moves to ``group`` from its own, and the brokers do not answer, or its own
                group still has members.
        """
        if group == own:
            try:
                return await self.read(own, partitions)
            except (TransportUnavailable, AttributeError) as error:
                # the driver knows the offsets itself: only the notes are lost, and work is repeated
                log.warning("cannot read what is done; some may be repeated", group=group, error=str(error))
                return {}
        listed = await self._list(own, partitions)
        found = await self._resolved(listed, partitions)
        await self._point(own, group, {tp: found.get(tp, Commit(0, "")) for tp in partitions})
        return found

    async def _resolved(self, listed: Found, partitions: Sequence[TopicPartition]) -> Found:
        found: Found = {}
        elsewhere: dict[str, list[TopicPartition]] = {}
        for tp in partitions:
            group, commit = _read(listed.get(tp))
            if commit is not None:
                found[tp] = commit
            if commit is None or group:
                # a note may have lapsed: brokers forget commits of a group without members after some days
                elsewhere.setdefault(group or self._shared, []).append(tp)
        elsewhere.pop("", None)
        lists = await asyncio.gather(*(self._list(group, there) for group, there in elsewhere.items()))
        for tp, commit in ((tp, commit) for found_there in lists for tp, commit in found_there.items()):
            if tp not in found or commit.offset >= found[tp].offset:
                found[tp] = commit
        return found

    async def _list(self, group: str, partitions: Sequence[TopicPartition]) -> Found:
        listed: Mapping[TopicPartition, Any] = await self._administration.ask(
            "reading commits",
            lambda client: client.list_consumer_group_offsets(group, partitions=list(partitions)),
        )
        return {
            tp: Commit(commit.offset, commit.metadata or "")
            for tp, commit in listed.items()
            if commit.offset >= 0
        }

    async def _point(self, own: str, group: str, found: Mapping[TopicPartition, Commit]) -> None:
        """Write into a queue's own group which group to look in."""
        topics: dict[str, list[tuple[int, int, str]]] = {}
        for tp, commit in found.items():
            note = f"{_MOVED}{group} {commit.notes}"
            if len(note) > progress.LIMIT:
                note = f"{_MOVED}{group} "
            topics.setdefault(tp.topic, []).append((tp.partition, commit.offset, note))
        noted = list(topics.items())
        try:
            await self._administration.ask(
                f"moving {own} to group {group}", lambda client: driver.commit_for(client, own, noted)
            )
        except TransportUnavailable as error:
            if isinstance(error.__cause__, errors.UnknownMemberIdError | errors.IllegalGenerationError):
                raise self._connection.unavailable(
                    f"group {own} has members still: end the workers that consume this queue without group {group}"
                ) from error
            raise


def _read(commit: Commit | None) -> tuple[str, Commit | None]:
    """Return the group that a commit says to look in, empty for its own; and the commit, None where there is none."""
    if commit is None or not commit.notes.startswith(_MOVED):
        return "", commit
    group, _, notes = commit.notes.removeprefix(_MOVED).partition(" ")
    return group, Commit(commit.offset, notes) if commit.offset else None
