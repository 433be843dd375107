"""Connections to the cluster: the driver in, our errors out, and nothing waited for without end."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaConnectionError, KafkaError

from transports.kafka import diagnosis
from transports.kafka.settings import Settings
from worker.errors import TransportUnavailable
from worker.messaging.bounded import bounded

T = TypeVar("T")
BATCH_BYTES = 256 * 1024
"""Most bytes of what one produce request carries for one partition."""

_NEVER = 2**31 - 1
"""Milliseconds: the driver must not leave the group by itself; whether this process makes progress is watched here."""


class Connection:
    """Makes clients of one cluster.

    Args:
        name: of the transport, for error texts.
        settings: the brokers, and how to connect.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self._arguments: dict[str, Any] | None = None

    def unavailable(self, what: str, error: BaseException | None = None) -> TransportUnavailable:
        """Say that the brokers do not answer, where, and why."""
        cause = f": {_text(error)}" if error is not None else ""
        return TransportUnavailable(f"kafka at {self.settings.shown}: {what}{cause}")

    async def within(self, what: str, doing: Awaitable[T], seconds: float | None = None) -> T:
        """Await an answer for a bounded time.

        Raises:
            TransportUnavailable: there was none, or an error.
        """
        limit = self.settings.timeout if seconds is None else seconds
        try:
            return await bounded(doing, limit)
        except TimeoutError:
            raise self.unavailable(f"{what}: no answer within {limit:g} s") from None
        except (KafkaError, OSError) as error:
            raise self.unavailable(what, error) from error

    async def connected(self, what: str, starting: Awaitable[T], seconds: float | None = None) -> T:
        """Await the start of a client for a bounded time.

        Raises:
            TransportUnavailable: it did not start; says which broker refuses this process, and why.
        """
        try:
            return await self.within(what, starting, seconds)
        except TransportUnavailable as error:
            if isinstance(error.__cause__, KafkaConnectionError):
                why = await diagnosis.reason(self.settings, self._security())
                if why is not None:
                    raise self.unavailable(f"{what}: {why}") from error.__cause__
            raise

    def producer(self) -> AIOKafkaProducer:
        """Make a producer: idempotent, confirmed by all replicas."""
        return AIOKafkaProducer(
            **self._common(),
            enable_idempotence=True,
            acks="all",
            max_batch_size=BATCH_BYTES,
            max_request_size=max(self.settings.max_bytes + 65_536, 2 * BATCH_BYTES),
        )

    def admin(self) -> AIOKafkaAdminClient:
        """Make a client for topics and groups."""
        return AIOKafkaAdminClient(**self._common())

    def member(self, group: str) -> AIOKafkaConsumer:
        """Make a member of a group. It commits only when it is told to, and starts at the oldest message."""
        settings = self.settings
        heartbeat = min(0.5, settings.session_timeout / 6)
        return AIOKafkaConsumer(
            **self._common() | {"request_timeout_ms": _ms(settings.timeout + settings.rebalance_timeout)},
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=[RoundRobinPartitionAssignor],  # a single one: each costs a join
            session_timeout_ms=_ms(settings.session_timeout),
            heartbeat_interval_ms=_ms(heartbeat),
            rebalance_timeout_ms=_ms(settings.rebalance_timeout),
            max_poll_interval_ms=_NEVER,
            max_partition_fetch_bytes=max(1_048_576, settings.max_bytes + 65_536),
        )

    def reader(self) -> AIOKafkaConsumer:
        """Make a consumer without a group, to look at messages."""
        return AIOKafkaConsumer(
            **self._common(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=20,  # a further question waits for as long as a fetch that finds nothing
            max_partition_fetch_bytes=max(1_048_576, self.settings.max_bytes + 65_536),
        )

    def _common(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": list(self.settings.servers),
            "client_id": "command-worker",
            "request_timeout_ms": _ms(self.settings.timeout),
            "retry_backoff_ms": 100,
            **self._security(),
        }

    def _security(self) -> dict[str, Any]:
        if self._arguments is None:
            self._arguments = self.settings.security.arguments()
        return self._arguments


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__
