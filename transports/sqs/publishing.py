"""Sends messages, ten a request, and accounts for each of them."""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from transports.sqs.connection import Connection, Link
from transports.sqs.encoding import Encoded, encode
from transports.sqs.faults import NotSent, Refused
from transports.sqs.queues import Queue, Queues
from transports.sqs.settings import MOST
from worker.errors import TransportUnavailable
from worker.messaging.batcher import Batcher
from worker.messaging.refusal import refusal
from worker.messaging.transport import ACCEPTED, Outcome, OutcomeKind, Outgoing

_LANES = 4
"""Requests of one queue under way at once; on a FIFO queue each has groups of its own, which keeps their order."""

_TRIES = 3
_PAUSE = 0.1
"""Tries of an entry that the service could not take at the moment, and seconds before the next one."""

_ROOM = 1_048_576
"""Bytes that one request takes, where the queue does not say less."""

_GROUP = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")
_TOO_LONG = ("TooLong", "too long", "must be shorter", "Message must be")


class Entry(NamedTuple):
    """A message on its way, as it is sent: the same each time it is tried.

    ``broken`` are the groups, of one publish, of which a message may not have been taken: what follows in them must not be
    sent.
    """

    message: Outgoing
    encoded: Encoded
    fields: Mapping[str, Any]
    broken: set[str]

    @property
    def group(self) -> str | None:
        """The message group, which keeps its order; None on a standard queue."""
        group: str | None = self.fields.get("MessageGroupId")
        return group


class Publisher:
    """Publishes to all queues of one service.

    Args:
        held: whether a message of this id is being handled here: then one more of it is meant to be a copy.
    """

    def __init__(
        self, connection: Connection, queues: Queues, held: Callable[[str], bool], limit: int
    ) -> None:
        self._connection = connection
        self._queues = queues
        self._held = held
        self._limit = limit
        self._batchers: dict[tuple[str, int], Batcher[Entry, Outcome | NotSent]] = {}

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Publish; one outcome for each message, in order.

        Raises:
            TransportUnavailable: none of them was taken.
        """
        found = {name: await self._queues.find(name) for name in {message.queue for message in batch}}
        broken: set[str] = set()
        given = [self._begin(message, found[message.queue], broken) for message in batch]
        answers = [await each if isinstance(each, asyncio.Future) else each for each in given]
        lost = [answer for answer in answers if isinstance(answer, NotSent)]
        if lost and len(lost) == len(answers):
            raise lost[0]
        return [
            Outcome(OutcomeKind.UNKNOWN, str(answer)) if isinstance(answer, NotSent) else answer
            for answer in answers
        ]

    async def finish(self) -> None:
        """Wait until everything that was begun is answered."""
        await asyncio.gather(*(batcher.finish() for batcher in self._batchers.values()))

    def _begin(
        self, message: Outgoing, queue: Queue | None, broken: set[str]
    ) -> asyncio.Future[Outcome | NotSent] | Outcome:
        if (why := refusal(message, self._limit)) is not None:
            return Outcome(OutcomeKind.REFUSED, why)
        if queue is None:
            return _unroutable(message.queue)
        encoded = encode(message, math.ceil(message.delay) if queue.fifo else 0.0)
        if queue.limit is not None and encoded.size > queue.limit:
            return _too_large(message, encoded, queue.limit)
        fields = self._fifo(message) if queue.fifo else _standard(message)
        lane = hash(fields["MessageGroupId"]) % _LANES if queue.fifo else 0
        return self._batcher(message.queue, queue, lane).submit(Entry(message, encoded, fields, broken))

    def _batcher(self, name: str, queue: Queue, lane: int) -> Batcher[Entry, Outcome | NotSent]:
        batcher = self._batchers.get((name, lane))
        if batcher is None:
            batcher = self._batchers[name, lane] = Batcher(
                lambda entries: self._send(name, entries),
                limit=MOST,
                parallel=1 if queue.fifo else _LANES,
                weigh=lambda entry: entry.encoded.size,
                room=min(queue.limit or _ROOM, _ROOM),
            )
        return batcher

    def _fifo(self, message: Outgoing) -> Mapping[str, Any]:
        """Return the group and the deduplication id.

        The service drops a message whose deduplication id it has seen within five minutes. That is right for a message
        that is sent again as its outcome was unknown, and wrong for a next attempt, a replay, or a copy of one that is
        being handled. So the id is made of the message's id and its body, which differ for the first two; a copy of a
        message that is being handled gets an id of its own.
        """
        digest = hashlib.sha256(message.id.encode() + b"\0" + message.body)
        if self._held(message.id):
            digest.update(secrets.token_bytes(16))
        once = digest.hexdigest()
        group = once if message.key is None else _group(message.key)
        return {"MessageGroupId": group, "MessageDeduplicationId": once}

    async def _send(self, name: str, entries: Sequence[Entry]) -> Sequence[Outcome | NotSent]:
        """Send what fits into one request; of each group one message at a time, as a request may fail in part."""
        outcomes: dict[int, Outcome | NotSent] = {}
        for places in _rounds(entries):
            free = [place for place in places if entries[place].group not in entries[place].broken]
            outcomes |= await self._tried(name, {place: entries[place] for place in free})
            for place in places:
                outcome = outcomes.setdefault(place, NotSent("an earlier message of its key was not taken"))
                group = entries[place].group
                if group is not None and (
                    isinstance(outcome, NotSent) or outcome.kind is OutcomeKind.UNKNOWN
                ):
                    entries[place].broken.add(group)
        return [outcomes[place] for place in range(len(entries))]

    async def _tried(self, name: str, entries: Mapping[int, Entry]) -> dict[int, Outcome | NotSent]:
        """Try a few times where the service cannot take an entry at the moment."""
        outcomes: dict[int, Outcome | NotSent] = {}
        left = list(entries)
        for tries in range(1, _TRIES + 1):
            if not left:
                break
            told = await self._once(name, [(place, entries[place]) for place in left])
            outcomes |= told
            left = sorted(place for place, outcome in told.items() if isinstance(outcome, NotSent))
            if not left or tries == _TRIES or not self._connection.is_open:
                break
            await asyncio.sleep(_PAUSE * tries)
        return outcomes

    async def _once(self, name: str, entries: Sequence[tuple[int, Entry]]) -> dict[int, Outcome | NotSent]:
        """Try once; ``NotSent`` for what may be tried again as it is."""
        queue = await self._queues.find(name)
        if queue is None:
            return {place: _unroutable(name) for place, _ in entries}
        written = [
            {
                "Id": str(place),
                "MessageBody": entry.encoded.body,
                "MessageAttributes": {"worker": {"DataType": "String", "StringValue": entry.encoded.facts}},
                **entry.fields,
            }
            for place, entry in entries
        ]
        try:
            answer = await self._connection.call(
                Link.SEND, "SendMessageBatch", QueueUrl=queue.url, Entries=written
            )
        except Refused as refused:
            return await self._refused(name, queue, entries, refused)
        except NotSent as error:
            return {place: error for place, _ in entries}
        except TransportUnavailable as error:
            return {place: Outcome(OutcomeKind.UNKNOWN, str(error)) for place, _ in entries}
        return self._judged(queue, entries, answer)

    async def _refused(
        self, name: str, queue: Queue, entries: Sequence[tuple[int, Entry]], refused: Refused
    ) -> dict[int, Outcome | NotSent]:
        if refused.missing:
            self._queues.forget(name)
            return {place: _unroutable(name) for place, _ in entries}
        if len(entries) == 1:
            ((place, entry),) = entries
            return {place: _judge(entry, queue, refused.code, str(refused))}
        # one entry makes the request fail: only that one shall fail
        outcomes: dict[int, Outcome | NotSent] = {}
        for each in entries:
            outcomes |= await self._once(name, [each])
        return outcomes

    def _judged(
        self, queue: Queue, entries: Sequence[tuple[int, Entry]], answer: Mapping[str, Any]
    ) -> dict[int, Outcome | NotSent]:
        """Account for every entry: what the answer does not name may or may not have been taken."""
        taken = {each.get("Id") for each in answer.get("Successful") or ()}
        failed = {each.get("Id"): each for each in answer.get("Failed") or ()}
        outcomes: dict[int, Outcome | NotSent] = {}
        for place, entry in entries:
            named = str(place)
            if named in taken:
                outcomes[place] = ACCEPTED
            elif named in failed:
                told = failed[named]
                text = f"{told.get('Code')}: {told.get('Message') or 'no reason given'}"
                if told.get("SenderFault"):
                    outcomes[place] = _judge(entry, queue, str(told.get("Code")), text)
                else:
                    outcomes[place] = NotSent(str(self._connection.unavailable(text)))
            else:
                outcomes[place] = Outcome(
                    OutcomeKind.UNKNOWN, "the service's answer does not name the message"
                )
        return outcomes


def _rounds(entries: Sequence[Entry]) -> list[list[int]]:
    """Return places of entries by request: each holds at most one of a group; of a standard queue one holds all."""
    rounds: list[list[int]] = []
    seen: Counter[str] = Counter()
    for place, entry in enumerate(entries):
        number = 0
        if (group := entry.group) is not None:
            number = seen[group]
            seen[group] += 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(place)
    return rounds


def _judge(entry: Entry, queue: Queue, code: str, text: str) -> Outcome:
    if any(word in f"{code} {text}" for word in _TOO_LONG):
        return _too_large(entry.message, entry.encoded, queue.limit, text)
    return Outcome(OutcomeKind.REFUSED, text)


def _too_large(message: Outgoing, encoded: Encoded, limit: int | None, text: str = "") -> Outcome:
    told = f"the limit of queue {message.queue!r} is {limit}" if limit else f"the service says: {text}"
    size = f"the message has {encoded.size} bytes as sent ({len(message.body)} in its body)"
    return Outcome(OutcomeKind.REFUSED, f"{size}, {told}")


def _unroutable(name: str) -> Outcome:
    return Outcome(OutcomeKind.UNROUTABLE, f"there is no queue {name!r}; run: worker setup")


def _standard(message: Outgoing) -> Mapping[str, Any]:
    return {"DelaySeconds": min(math.ceil(message.delay), 900)} if message.delay > 0 else {}


def _group(key: str) -> str:
    """A key as SQS takes it: its hash where SQS would not take the key itself."""
    return key if _GROUP.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()
