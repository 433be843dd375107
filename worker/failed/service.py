"""The service for failed messages: what the command line, HTTP and dashboards do with the failure store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

import msgspec

from worker.errors import Fault, InvalidMessage, NotFound, PublishFailed
from worker.failed.documents import FailedDocument, FailedPage, GroupsPage, full, group_document, summary
from worker.failed.editing import edited
from worker.failed.replay import as_event, read, ticketed, unchanged
from worker.messaging.declaration import Registry
from worker.messaging.failure import GROUP_KEY, Failure, FailureStore, Filter, StoredFailure
from worker.messaging.identity import Clock
from worker.messaging.routing import INLINE, Routes
from worker.messaging.serializer import Serializer
from worker.messaging.status import StatusChange, StatusRecorder
from worker.messaging.transport import Outcome, OutcomeKind, Outgoing
from worker.suggestion import hint

Publish = Callable[[str, Sequence[Outgoing]], Awaitable[Sequence[Outcome]]]
"""Publishes to the transport of that name; one outcome a message, in order."""

CHUNK = 100
"""Messages that are put back in one go."""

_SHOWN = 5
_ALL = Filter()


class FailedService:
    """Lists, shows, puts back, edits and removes failed messages.

    Every method raises DatabaseUnavailable when the failure store does not answer.

    Args:
        store: the failure store.
        publish: brings messages back to their queue.
        registry: the declared types.
        serializer: reads and writes envelopes.
        status: told that a command waits again; None to keep no status.
        transports: names of the configured ones.
        queues: names of those in use.
        routes: where each type goes today; None to put everything back to where it came from.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        store: FailureStore,
        publish: Publish,
        registry: Registry,
        serializer: Serializer,
        status: StatusRecorder | None = None,
        *,
        transports: Collection[str] = (),
        queues: Collection[str] = (),
        routes: Routes | None = None,
        clock: Clock,
    ) -> None:
        self._known = {"type": registry.by_name, "transport": transports, "queue": queues}
        self._store = store
        self._publish = publish
        self._registry = registry
        self._serializer = serializer
        self._status = status
        self._clock = clock
        self._routes = routes
        self._used = {
            (target.transport, target.queue) for target in (routes.by_type.values() if routes else ())
        }

    async def list(self, chosen: Filter = _ALL, limit: int = 50, after: str | None = None) -> FailedPage:
        """Return one page, newest first; ``after`` is the ``next`` of the page before.

        Raises:
            InvalidMessage: ``after`` is no cursor, the filter's type, transport or queue is unknown, or its group is no key.
        """
        chosen = await self._checked(chosen)
        rows, cursor = await self._store.page(chosen, limit, after)
        return FailedPage(await self._store.count(chosen), [summary(row) for row in rows], cursor)

    async def groups(self) -> GroupsPage:
        """Count by type, handler and error type."""
        groups = await self._store.groups()
        return GroupsPage(await self._store.count(_ALL), [group_document(group) for group in groups])

    async def show(self, failure_id: str) -> FailedDocument:
        """Return one with its envelope, bytes and history.

        Raises:
            NotFound: there is none of this id.
        """
        return full(await self._get(failure_id))

    async def retry(self, ids: str | Sequence[str]) -> int:
        """Put messages back to the queue they came from and say how many; attempts count from 1 again.

        Where nothing is routed to that any more, as the type was given another queue or transport, they go to that one.
        Each leaves the store when its broker has confirmed it. What can be decoded carries a ticket: another
        retry before that, or after a crash, makes no second message. What cannot goes back with its bytes
        unchanged and without ticket; after a crash between the broker's confirmation and its removal it is
        both in the store and on its queue.

        Raises:
            NotFound: some ids are not in the store; the others were put back.
            PublishFailed: a broker did not take some; they stay in the store, the others were put back.
            TransportUnavailable: a broker does not answer; what it did not take stays in the store.
        """
        wanted = [ids] if isinstance(ids, str) else list(dict.fromkeys(ids))
        known = await self._store.ids(Filter(ids=tuple(wanted)))
        count = await self._put_back(known)
        self._require(wanted, known, f"{count} put back")
        return count

    async def retry_many(self, chosen: Filter) -> int:
        """Put all back that a filter chooses, oldest first, and say how many; raises as ``retry`` does.

        What fails anew meanwhile is not put back a second time.

        Raises:
            InvalidMessage: the filter's type, transport or queue is unknown, or its group is no key.
        """
        chosen = await self._checked(chosen)
        return await self._put_back(await self._store.ids(chosen))

    async def edit(self, failure_id: str, data: Any, *, retry: bool = False) -> None:
        """Replace a message's data (decoded JSON), keeping its id; put it back at once if ``retry``.

        Raises:
            NotFound: there is none of this id.
            InvalidMessage: the data does not fit its type; carries every fault.
            UsageError: its type is unknown.
        """
        row = await self._get(failure_id)
        body = edited(as_event(row.failure), data, self._registry, self._serializer, self._clock)
        await self._store.replace_body(failure_id, body)
        if retry:
            await self.retry(failure_id)

    async def remove(self, ids: str | Sequence[str]) -> int:
        """Remove messages for good and say how many.

        Raises:
            NotFound: some ids are not in the store; the others were removed.
        """
        wanted = [ids] if isinstance(ids, str) else list(dict.fromkeys(ids))
        known = await self._store.ids(Filter(ids=tuple(wanted)))
        count = await self._store.remove(known)
        self._require(wanted, known, f"{count} removed")
        return count

    async def remove_many(self, chosen: Filter) -> int:
        """Remove all that a filter chooses and say how many.

        Raises:
            InvalidMessage: the filter's type, transport or queue is unknown, or its group is no key.
        """
        chosen = await self._checked(chosen)
        return await self._store.remove(await self._store.ids(chosen))

    async def _checked(self, chosen: Filter) -> Filter:
        """Refuse unknown names: a misspelt one would choose nothing, and that looks like success.

        A name is known that is declared or configured, or that some message in the store has. That of a type stands for
        its aliases, too, and each of them for it: what could not be read is stored under the name that it came with.
        """
        faults: list[Fault] = []
        for field, known in self._known.items():
            name: str | None = getattr(chosen, field)
            if (
                name is None
                or name in known
                or await self._store.count(msgspec.convert({field: name}, Filter))
            ):
                continue
            word = "declared" if field == "type" else "configured" if field == "transport" else "in use"
            text = f"{name[:128]!r} is neither {word} nor in the failure store{hint(name[:128], known)}"
            faults.append(Fault(f"/{field}", text))
        if chosen.group is not None and not GROUP_KEY.fullmatch(chosen.group):
            faults.append(
                Fault(
                    "/group",
                    f"{chosen.group[:128]!r}: expected 12 hexadecimal digits, as the groups list them",
                )
            )
        if faults:
            raise InvalidMessage("filter", faults)
        declared = self._registry.by_name.get(chosen.type or "")
        if declared is None or not declared.aliases:
            return chosen
        return msgspec.structs.replace(chosen, aliases=(declared.name, *declared.aliases))

    async def _get(self, failure_id: str) -> StoredFailure:
        row = await self._store.get(failure_id)
        if row is None:
            raise NotFound(f"no failed message {failure_id!r}")
        return row

    async def _put_back(self, ids: Sequence[str]) -> int:
        done = 0
        refused: list[str] = []
        unknown = False
        for start in range(0, len(ids), CHUNK):
            chosen = ids[start : start + CHUNK]
            # first the tickets: an edit that comes in between takes them away again
            tickets = await self._store.ticket(chosen)
            rows, _ = await self._store.page(Filter(ids=tuple(tickets)), CHUNK)
            failures = [
                self._placed(row.failure)
                for row in reversed(rows)
                if row.ticket == tickets.get(row.failure.id)
            ]
            for transport in dict.fromkeys(failure.transport for failure in failures):
                mine = [failure for failure in failures if failure.transport == transport]
                outcomes = await self._send(transport, mine, tickets)
                done += sum(outcome.accepted for outcome in outcomes)
                unknown |= any(outcome.kind is OutcomeKind.UNKNOWN for outcome in outcomes)
                refused += [
                    f"{failure.id} to {transport}/{failure.queue}: {outcome.kind.value} {outcome.detail}".strip()
                    for failure, outcome in zip(mine, outcomes, strict=True)
                    if not outcome.accepted
                ]
        if refused:
            text = "; ".join(refused[:_SHOWN]) + (" …" if len(refused) > _SHOWN else "")
            counted = f"{done} put back, {len(refused)} not"
            error = PublishFailed(f"{counted}: {text}", unknown=unknown)
            error.told = counted
            raise error
        return done

    def _placed(self, failure: Failure) -> Failure:
        """Give a failure today's place of its type, where no worker takes from its own any more: there it would wait for ever."""
        declared = self._registry.by_name.get(failure.type or "")
        if self._routes is None or declared is None or (failure.transport, failure.queue) in self._used:
            return failure
        today = self._routes.by_type.get(declared.name)
        if today is None:
            return failure
        return msgspec.structs.replace(failure, transport=today.transport or INLINE, queue=today.queue)

    async def _send(
        self, transport: str, failures: Sequence[Failure], tickets: dict[str, str]
    ) -> Sequence[Outcome]:
        """Publish, then take what was confirmed out of the store."""
        if transport == INLINE:
            why = "its type is routed inline today, and no worker takes from the queue it came from: route it to a transport"
            return [Outcome(OutcomeKind.REFUSED, why)] * len(failures)
        began = self._clock()
        batch: list[Outgoing] = []
        raw: set[str] = set()
        for failure in map(as_event, failures):
            envelope = read(self._serializer, self._registry, failure)
            if envelope is None:
                raw.add(failure.id)
                batch.append(unchanged(failure))
            else:
                batch.append(ticketed(self._serializer, failure, envelope, tickets[failure.id]))
        outcomes = await self._publish(transport, batch)
        accepted = [item for item, outcome in zip(batch, outcomes, strict=True) if outcome.accepted]
        await self._store.hide({item.id: tickets[item.id] for item in accepted if item.id not in raw})
        await self._store.remove([item.id for item in accepted if item.id in raw])
        for item in accepted:
            self._note(transport, item, began)
        return outcomes

    def _note(self, transport: str, item: Outgoing, at: float) -> None:
        declared = self._registry.by_name.get(item.type)
        if self._status is None or declared is None or declared.kind != "command" or not declared.track:
            return
        self._status.record(
            StatusChange(
                id=item.id,
                type=declared.name,
                state="accepted",
                at=at,
                transport=transport,
                queue=item.queue,
                attempt=0,
                again=True,
            )
        )

    def _require(self, wanted: Sequence[str], known: Sequence[str], done: str) -> None:
        gone = [failure_id for failure_id in wanted if failure_id not in set(known)]
        if gone:
            shown = ", ".join(repr(failure_id) for failure_id in gone[:_SHOWN])
            more = f" and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else ""
            raise NotFound(f"no failed message {shown}{more}" + (f"; {done}" if known else ""))
