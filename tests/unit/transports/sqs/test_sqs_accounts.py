"""Every entry of a batch is accounted for, whatever the service's answer names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from transports import dsn
from transports.sqs import settings
from transports.sqs.acknowledging import Acknowledger
from transports.sqs.arrivals import Arrivals, Polled
from transports.sqs.encoding import decode, encode
from transports.sqs.faults import NotSent, Refused
from transports.sqs.publishing import Publisher
from transports.sqs.queues import Queue
from transports.sqs.receipt import Receipt
from transports.sqs.timekeeping import Timekeeper
from worker.errors import ConfigurationError, TransportUnavailable
from worker.messaging.transport import Delivery, OutcomeKind, Outgoing, Settled

Answer = Callable[[str, Sequence[Mapping[str, Any]]], Any]


class Service:
    """Answers calls as the test says; ``entries`` is what each call held."""

    is_open = True

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.entries: list[Sequence[Mapping[str, Any]]] = []

    async def call(self, link: Any, action: str, **arguments: Any) -> Any:
        self.entries.append(arguments["Entries"])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(action, arguments["Entries"])

    def unavailable(self, error: object) -> TransportUnavailable:
        return TransportUnavailable(str(error))


class Known:
    """Queues that are there."""

    def __init__(self, queue: Queue | None) -> None:
        self.queue = queue

    async def find(self, name: str) -> Queue | None:
        return self.queue

    def forget(self, name: str) -> None:
        self.queue = None


STANDARD = Queue("http://s/q", fifo=False, limit=1000)
FIFO = Queue("http://s/q.fifo", fifo=True, limit=None)


def all_taken(action: str, entries: Sequence[Mapping[str, Any]]) -> Any:
    return {"Successful": [{"Id": each["Id"]} for each in entries]}


def but(place: str, **told: Any) -> Answer:
    """All but one succeed."""

    def answer(action: str, entries: Sequence[Mapping[str, Any]]) -> Any:
        done = [{"Id": each["Id"]} for each in entries if each["Id"] != place]
        return {"Successful": done, "Failed": [{"Id": place, **told}] if told else []}

    return answer


def _first(entries: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the first message of the key is among them."""
    return any(each["MessageBody"] == "0" for each in entries)


def raising(error: Exception) -> Answer:
    def answer(action: str, entries: Sequence[Mapping[str, Any]]) -> Any:
        raise error

    return answer


def message(number: int, **changes: Any) -> Outgoing:
    facts: dict[str, Any] = {"queue": "q", "id": f"m{number}", "type": "T", "body": b"%d" % number}
    return Outgoing(**(facts | changes))


def publisher(service: Service, queue: Queue | None = STANDARD, held: Sequence[str] = ()) -> Publisher:
    return Publisher(service, Known(queue), lambda given: given in held, 10_000)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transports.sqs.publishing._PAUSE", 0.0)
    monkeypatch.setattr("transports.sqs.acknowledging._PAUSE", 0.0)
    monkeypatch.setattr("transports.sqs.acknowledging._LINGER", 0.0)


async def test_an_entry_that_the_answer_does_not_name_is_unknown() -> None:
    """Neither successful nor failed: it may not be reported as taken."""
    outcomes = await publisher(Service(but("1"))).publish([message(n) for n in range(3)])
    assert [o.kind for o in outcomes] == [OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED]


async def test_a_fault_of_the_sender_is_refused_and_not_tried_again() -> None:
    service = Service(but("1", SenderFault=True, Code="InvalidMessageContents", Message="no"))
    outcomes = await publisher(service).publish([message(n) for n in range(3)])
    assert outcomes[1].kind is OutcomeKind.REFUSED and "InvalidMessageContents" in outcomes[1].detail
    assert len(service.entries) == 1


async def test_another_fault_is_tried_again_alone_under_the_same_deduplication() -> None:
    service = Service(but("1", SenderFault=False, Code="InternalError"), all_taken)
    same = (
        f"k{next(n for n in range(1, 99) if hash(f'k{n}') % 4 == hash('k0') % 4)}"  # of one lane: one request
    )
    keys = ["k0", same]
    outcomes = await publisher(service, FIFO).publish([message(n, key=key) for n, key in enumerate(keys)])
    assert all(o.accepted for o in outcomes)
    assert service.entries[1] == [service.entries[0][1]]


async def test_a_partial_failure_lets_no_message_overtake_an_earlier_one_of_its_key() -> None:
    """The first is taken at the third try; whatever else a request held, the second is sent after that."""
    failing = but("0", SenderFault=False, Code="InternalError")
    service = Service(failing, failing, all_taken)
    outcomes = await publisher(service, FIFO).publish([message(n, key="k") for n in range(3)])
    assert all(o.accepted for o in outcomes)
    sent = [each["MessageBody"] for entries in service.entries for each in entries]
    assert sent == ["0", "0", "0", "1", "2"]


@pytest.mark.parametrize(
    "answer",
    [but("0"), but("0", SenderFault=False, Code="InternalError"), raising(TransportUnavailable("?"))],
)
async def test_behind_a_message_that_may_not_have_been_taken_none_of_its_key_is_sent(answer: Answer) -> None:
    """Not in later requests either: published again, the first would be the last."""
    service = Service(all_taken)
    service.answers = [lambda action, entries: (answer if _first(entries) else all_taken)(action, entries)]
    keyed = [message(n, key="k") for n in range(15)]
    other = message(99, key="other")
    outcomes = await publisher(service, FIFO).publish([*keyed, other])
    assert [o.kind for o in outcomes] == [OutcomeKind.UNKNOWN] * 15 + [OutcomeKind.ACCEPTED]
    assert "1" not in {each["MessageBody"] for entries in service.entries for each in entries}


async def test_what_is_refused_for_good_does_not_hold_up_its_key() -> None:
    service = Service(but("0", SenderFault=True, Code="InvalidMessageContents"), all_taken)
    outcomes = await publisher(service, FIFO).publish([message(n, key="k") for n in range(2)])
    assert [o.kind for o in outcomes] == [OutcomeKind.REFUSED, OutcomeKind.ACCEPTED]


async def test_throttling_is_waited_out() -> None:
    service = Service(raising(NotSent("RequestThrottled")), all_taken)
    assert (await publisher(service).publish([message(1)]))[0].accepted


async def test_a_service_that_is_never_reached_raises() -> None:
    with pytest.raises(TransportUnavailable):
        await publisher(Service(raising(NotSent("refused")))).publish([message(1), message(2)])


async def test_an_answer_that_never_came_is_unknown_and_not_repeated() -> None:
    service = Service(raising(TransportUnavailable("no answer")))
    outcomes = await publisher(service).publish([message(1)])
    assert outcomes[0].kind is OutcomeKind.UNKNOWN and len(service.entries) == 1


async def test_what_is_too_large_is_refused_with_size_and_limit_and_the_rest_is_taken() -> None:
    """The queue's own limit counts, and what is sent, not the body alone."""
    outcomes = await publisher(Service(all_taken)).publish(
        [message(1), message(2, body=b"x" * 1000), message(3)]
    )
    assert [o.kind.value for o in outcomes] == ["accepted", "refused", "accepted"]
    assert "1000 in its body" in outcomes[1].detail and "is 1000" in outcomes[1].detail


async def test_a_batch_that_is_refused_whole_is_sent_one_by_one() -> None:
    def strict(action: str, entries: Sequence[Mapping[str, Any]]) -> Any:
        if any(each["MessageBody"] == "2" for each in entries):
            raise Refused("InvalidAttributeValue", "MessageTooLong")
        return all_taken(action, entries)

    outcomes = await publisher(Service(strict)).publish([message(n) for n in range(4)])
    assert [o.kind.value for o in outcomes] == ["accepted", "accepted", "refused", "accepted"]


async def test_requests_hold_ten_entries_and_what_they_have_room_for() -> None:
    service = Service(all_taken)
    await publisher(service).publish([message(n) for n in range(25)])
    assert sorted(map(len, service.entries)) == [5, 10, 10]
    service = Service(all_taken)
    await publisher(service).publish([message(n, body=b"x" * 400) for n in range(4)])
    assert sorted(map(len, service.entries)) == [2, 2]


async def test_deduplication_swallows_repeats_and_no_copies() -> None:
    """What is sent again is the same; a next attempt, and a copy of what is in hand, are not."""
    service = Service(all_taken)
    first = publisher(service, FIFO)
    for each in (message(1, key="k"), message(1, key="k"), message(1, key="k", body=b"attempt 2")):
        await first.publish([each])
    holding = publisher(service, FIFO, held=["m1"])
    for _ in range(2):
        await holding.publish([message(1, key="k")])
    ids = [entries[0]["MessageDeduplicationId"] for entries in service.entries]
    assert ids[0] == ids[1] and len(set(ids)) == 4
    assert {entries[0]["MessageGroupId"] for entries in service.entries} == {"k"}


@pytest.mark.parametrize("key", ["clé 🦆", "k" * 200, "", "a b"])
async def test_a_key_that_cannot_be_a_group_is_told_by_its_hash(key: str) -> None:
    service = Service(all_taken)
    await publisher(service, FIFO).publish([message(1, key=key), message(2, key=key)])
    groups = {each["MessageGroupId"] for entries in service.entries for each in entries}
    assert len(groups) == 1 and all(len(group) == 64 for group in groups)


# --- settling -------------------------------------------------------------------------------------------------------


async def receipts(count: int, lease: float = 60.0) -> list[Receipt]:
    now = asyncio.get_running_loop().time()
    return [Receipt(f"h{number}", None, now, now + lease) for number in range(count)]


async def remove(service: Service, held: Sequence[Receipt], patience: float = 5.0) -> list[Settled]:
    settling = Acknowledger(service, lambda: "http://s/q", patience)  # type: ignore[arg-type]
    return list(await asyncio.gather(*(settling.remove(each) for each in held)))


async def test_an_ack_that_the_answer_does_not_name_is_asked_for_again() -> None:
    service = Service(but("1"), all_taken)
    assert await remove(service, await receipts(3)) == [Settled.DONE] * 3
    assert [len(entries) for entries in service.entries] == [3, 1]


async def test_a_receipt_that_is_worth_nothing_is_lost_and_the_rest_is_done() -> None:
    service = Service(but("1", SenderFault=True, Code="ReceiptHandleIsInvalid"))
    assert await remove(service, await receipts(3)) == [Settled.DONE, Settled.LOST, Settled.DONE]


async def test_an_ack_whose_lease_has_run_out_never_leaves() -> None:
    """A worker that was frozen past the lease must not remove what another has by now."""
    service = Service(all_taken)
    assert await remove(service, await receipts(1, lease=-0.1)) == [Settled.LOST]
    assert service.entries == []


async def test_an_outage_that_outlasts_patience_leaves_an_ack_unknown() -> None:
    assert await remove(Service(raising(NotSent("down"))), await receipts(1), patience=0.0) == [
        Settled.UNKNOWN
    ]


async def test_a_renewal_that_fails_is_told_and_does_not_lengthen_the_lease() -> None:
    service = Service(but("0", SenderFault=True, Code="MessageNotInflight"))
    settling = Acknowledger(service, lambda: "u", 0.0)  # type: ignore[arg-type]
    lost, kept = await receipts(2)
    before = lost.until
    answers = await asyncio.gather(settling.extend(lost, 300.0), settling.extend(kept, 300.0))
    assert answers == [Settled.LOST, Settled.DONE]
    assert lost.until == before and kept.until > before


async def test_no_renewal_goes_beyond_twelve_hours() -> None:
    service = Service(all_taken)
    settling = Acknowledger(service, lambda: "u", 0.0)  # type: ignore[arg-type]
    now = asyncio.get_running_loop().time()
    old, older = Receipt("a", None, now - 43_180, now + 9), Receipt("b", None, now - 43_199.5, now + 9)
    assert await settling.extend(older, 60.0) is Settled.LOST
    assert await settling.extend(old, 60.0) is Settled.DONE
    assert 15 <= service.entries[0][0]["VisibilityTimeout"] <= 19


# --- what a poll brings ---------------------------------------------------------------------------------------------


def raw(number: int, group: str, delay: float = 0.0, received: int = 1) -> dict[str, Any]:
    encoded = encode(message(number, key=group), delay)
    told = {"MessageGroupId": group, "ApproximateReceiveCount": str(received)}
    times = {"SentTimestamp": "1000000", "ApproximateFirstReceiveTimestamp": "1001000"}
    return {
        "MessageId": f"native{number}",
        "ReceiptHandle": f"h{number}",
        "Body": encoded.body,
        "Attributes": told | times,
        "MessageAttributes": {"worker": {"StringValue": encoded.facts}},
    }


def arrivals(time: Timekeeper | None = None) -> Arrivals:
    return Arrivals("q", object(), 60.0, time or Timekeeper(lambda: 0.0), fifo=True)


def ids(deliveries: Sequence[Delivery]) -> list[str]:
    return [delivery.id for delivery in deliveries]


def test_of_one_group_only_the_first_is_handed_out() -> None:
    """The service hands out several of a group at once: those behind wait for the head."""
    arrived = arrivals().read([raw(1, "a"), raw(2, "a"), raw(3, "b"), raw(4, "a")], Polled(0, 1, 20))
    assert ids(arrived.ready) == ["m1", "m3"] and not arrived.back
    assert ids(arrived.ready[0].receipt.behind) == ["m2", "m4"]


def test_a_delayed_head_goes_back_after_those_behind_it_and_they_wait_for_it() -> None:
    arrived = arrivals().read([raw(1, "a", delay=10), raw(2, "a"), raw(3, "b")], Polled(0, 1, 20))
    assert ids(arrived.ready) == ["m3"]
    assert [(delivery.id, seconds) for delivery, seconds in arrived.back] == [("m2", 0), ("m1", 9)]


@pytest.mark.parametrize("wrong", [-7200.0, 0.0, 7200.0])
def test_a_delayed_message_that_came_before_is_due_by_the_services_time(wrong: float) -> None:
    """Whatever this machine's clock says: it would hold the key back for hours, or hand out too early."""
    time = Timekeeper(lambda: 1000.0 + wrong)
    arrivals(time).read([raw(9, "b", delay=10)], Polled(0, 50, 20))  # handed out at 1001 of its clock
    early = arrivals(time).read([raw(1, "a", delay=10, received=2)], Polled(0, 58.5, 20))
    due = arrivals(time).read([raw(1, "a", delay=10, received=2)], Polled(0, 59, 20))
    assert [seconds for _, seconds in early.back] == [1] and ids(due.ready) == ["m1"]
    assert due.ready[0].redelivered


def test_who_has_learned_no_time_takes_it_from_the_answers_date() -> None:
    again = [raw(1, "a", delay=10, received=2)]
    dates = ["Thu, 01 Jan 1970 00:16:49 GMT", "Thu, 01 Jan 1970 00:16:50 GMT"]  # 1009 and 1010
    early, due = (arrivals(Timekeeper(lambda: 0.0)).read(again, Polled(0, 5, 20, date)) for date in dates)
    assert [seconds for _, seconds in early.back] == [1] and ids(due.ready) == ["m1"]


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_a_service_that_tells_no_time_has_this_machines(date: str | None) -> None:
    again = [raw(1, "a", delay=10, received=2)]
    assert ids(arrivals(Timekeeper(lambda: 1010.0)).read(again, Polled(0, 5, 20, date)).ready) == ["m1"]


def test_who_was_frozen_while_a_poll_was_out_holds_nothing() -> None:
    """The lease began when the service handed out, not when the answer was read."""
    assert Polled(sent=0.0, answered=300.0, wait=20).until(60.0) == 80.0
    assert Polled(sent=0.0, answered=19.0, wait=20).until(60.0) == 78.0


@pytest.mark.parametrize(
    "body", [b"", b"{}", bytes(range(256)), "é🦆\t\n".encode(), b"\r\n", "\ufffe".encode(), b"\x00"]
)
def test_any_bytes_come_back_as_they_were(body: bytes) -> None:
    sent = message(1, body=body, key="clé 🦆\x00", content_type="x/y")
    encoded = encode(sent, 0.0)
    assert encoded.facts.isascii() and encoded.facts.isprintable()
    native = {
        "MessageId": "n",
        "Body": encoded.body,
        "MessageAttributes": {"worker": {"StringValue": encoded.facts}},
    }
    back, facts = decode(native)
    assert (back, facts.id, facts.key, facts.content_type) == (body, "m1", sent.key, "x/y")


def test_a_strangers_message_has_the_services_id() -> None:
    body, facts = decode({"MessageId": "n", "Body": "hello"})
    assert (body, facts.id, facts.key) == (b"hello", "n", None)


# --- settings -------------------------------------------------------------------------------------------------------


def read(url: str = "sqs://eu-west-1", **options: Any) -> settings.Settings:
    return settings.read("sqs", dsn.parse(url), options)


def test_settings_have_their_defaults() -> None:
    made = read()
    assert (made.region, made.fifo, made.lease, made.pollers, made.wait) == (
        "eu-west-1",
        "keyed",
        60.0,
        4,
        20,
    )
    assert [read(fifo=given).fifo for given in (True, False, "keyed")] == ["all", "none", "keyed"]


def test_all_wrong_settings_are_told_at_once_and_no_secret() -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(
            "sqs://key:s3cret@eu-west-1",
            lease=0.5,
            pollers=0,
            wait=21,
            fifo="no",
            endpoint_url="x",
            prefix="a b",
            q=1,
        )
    told = str(raised.value)
    for key in ("url", "lease", "pollers", "wait", "fifo", "endpoint_url", "prefix", "q"):
        assert f"transports.sqs.{key}" in told
    assert "s3cret" not in told
