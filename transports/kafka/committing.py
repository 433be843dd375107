"""Commits: by time, never awaited where messages are read, never two at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from aiokafka import TopicPartition, errors
from aiokafka.structs import OffsetAndMetadata

from transports.kafka.settings import Settings
from transports.kafka.window import Window

_EACH = 1000
"""Settlements after which a commit does not wait for its time."""

log = structlog.stdlib.get_logger("worker.kafka")

Offsets = dict[TopicPartition, OffsetAndMetadata]


class Committer:
    """Commits how far the work in windows has come.

    Args:
        consumer: a member of the group.
        windows: returns those that are held now.
    """

    def __init__(self, consumer: Any, windows: Callable[[], Iterable[Window]]) -> None:
        self._consumer = consumer
        self._windows = windows
        self._written: dict[tuple[str, int], tuple[int, str]] = {}
        self._task: asyncio.Task[None] | None = None
        self._plain = False

    def forget(self) -> None:
        """Forget what was committed: partitions were assigned anew."""
        self._written.clear()

    async def commit(self, seconds: float) -> bool:
        """Commit what is new within ``seconds``; return whether all of it is committed.

        A commit that is still under way is waited for first: cancelling one confuses the driver.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._task is not None:
            await asyncio.wait({self._task}, timeout=max(end - loop.time(), 0.0))
            if not self._task.done():
                return False
            self._task = None
        offsets = self._new()
        if not offsets:
            return True
        self._task = asyncio.ensure_future(self._commit(offsets))
        await asyncio.wait({self._task}, timeout=max(end - loop.time(), 0.0))
        return self._task.done() and not self._new()

    async def run(self, settings: Settings, settled: Callable[[], int], assigned: asyncio.Event) -> None:
        """Commit by time, and after each thousand ``settled``, as long as partitions are ``assigned``."""
        step = min(settings.commit_interval, 0.05)
        waited, before = 0.0, 0
        while True:
            await asyncio.sleep(step)
            waited += step
            if waited < settings.commit_interval and settled() - before < _EACH:
                continue
            waited = 0.0
            if assigned.is_set():
                before = settled()
                await self.commit(settings.timeout)

    async def close(self) -> None:
        """Give up on a commit that does not end; the consumer is of no use afterwards."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=1.0)

    def _new(self) -> Offsets:
        found: Offsets = {}
        for window in self._windows():
            start = window.start
            if start is None:
                continue
            state = (start, "" if self._plain else window.progress())
            if state != self._written.get((window.topic, window.partition), (window.committed, "")):
                found[TopicPartition(window.topic, window.partition)] = OffsetAndMetadata(*state)
        return found

    async def _commit(self, offsets: Offsets) -> None:
        try:
            await self._consumer.commit(offsets)
        except errors.OffsetMetadataTooLargeError:
            log.warning(
                "the brokers take no metadata with commits; a crash repeats more", group=_group(offsets)
            )
            self._plain = True
        except (errors.KafkaError, OSError) as error:
            log.info(
                "the brokers did not take a commit; trying again", group=_group(offsets), error=str(error)
            )
        else:
            for tp, state in offsets.items():
                self._written[tp.topic, tp.partition] = (state.offset, state.metadata)


def _group(offsets: Offsets) -> str:
    return min((str(tp.topic) for tp in offsets), key=len)
