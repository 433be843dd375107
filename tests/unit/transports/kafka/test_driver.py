"""Records as they were parsed are read like the driver's own, and what is not known of the driver is left alone."""

from __future__ import annotations

from types import SimpleNamespace

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchError, FetchResult, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import ConsumerRecord

from transports.kafka import driver, encoding
from transports.kafka.encoding import Reader
from transports.kafka.window import Window
from worker.messaging.transport import Outgoing

TP = TopicPartition("t", 3)


def fetched() -> PartitionRecords:
    """Records as a broker sends them: ours, with key and due time, and one of another program, with nothing at all."""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 20)
    ours = Outgoing(queue="q", id="é1", type="T", body=b"v", key="k", content_type="a/b")
    written: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]] = [
        (b"k", b"v", [*encoding.headers(ours)]),
        (None, b"w", [*encoding.headers(ours, 123.25)]),
        (None, None, []),
        (b"\xff", b"", [("ce_id", b"e1"), ("x", None)]),
    ]
    for offset, (key, value, headers) in enumerate(written):
        builder.append(offset, timestamp=1, key=key, value=value, headers=headers)
    return PartitionRecords(TP, MemoryRecords(bytes(builder.build())), [], 0, None, None, True, 0)


def consumer(*results: object) -> SimpleNamespace:
    """A consumer's inner parts that hold what was fetched."""
    return SimpleNamespace(_fetcher=SimpleNamespace(_records=dict(enumerate(results))))


def result(partition: PartitionRecords) -> FetchResult:
    """What the driver keeps of a fetch until it is asked."""
    return FetchResult(TP, assignment=None, partition_records=partition, backoff=0)


def test_they_are_read_like_the_drivers_own() -> None:
    """Offset, id, key, body, headers and due time are the same, and the driver knows where to fetch on."""
    usual, lean = fetched(), fetched()
    driver.spare(consumer(result(lean)))
    as_usual, as_parsed = list(usual), list(lean)
    assert isinstance(as_usual[0], ConsumerRecord)
    assert not isinstance(as_parsed[0], ConsumerRecord)
    assert lean.next_fetch_offset == usual.next_fetch_offset == 4
    window = Window("t", 3)
    read = [Reader("q").read(window, found)[0] for found in (as_usual, as_parsed)]
    for one, other in zip(*read, strict=True):
        assert (one.offset, one.key, one.due, one.size) == (other.offset, other.key, other.due, other.size)
        assert one.delivery is not None
        assert other.delivery is not None
        for name in ("id", "key", "body", "headers", "queue"):
            assert getattr(one.delivery, name) == getattr(other.delivery, name)


def test_what_is_not_known_is_left_alone() -> None:
    """An error in place of records, records that are handed out, a driver that has other parts."""
    done = result(fetched())
    done._partition_records = None
    driver.spare(consumer(done, FetchError(error=OSError(), backoff=0)))
    driver.spare(SimpleNamespace())
