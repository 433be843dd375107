"""Quarantine: what was handed out before, and may be what its worker died of, is watched, handled alone, or given up.

A message that is handed out for the first time never comes here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
import structlog

from worker.errors import Paused, Unavailable
from worker.messaging.envelope import Envelope
from worker.messaging.exclusive import Exclusivity
from worker.messaging.identity import Clock
from worker.messaging.paused import PausedQueues
from worker.messaging.suspicion import Death, Record, Suspects, Treatment, name_of, treatment_of
from worker.messaging.transport import Ack, Again, Delivery, Release
from worker.runtime.deadly.cell import Cell, CellDied, NoCell
from worker.runtime.deadly.exchange import Answer, Order, Question
from worker.runtime.holding.breakers import BreakerFailure
from worker.runtime.settling.naming import named
from worker.runtime.taking.consumer import Consumer

ANSWER = 5.0
"""Seconds that the database has to answer; without it nothing is known, and no message is suspected."""
TURN = 1.0
"""Seconds that a suspect waits for its turn in its slot; then it is given back for as long, and others go on."""
_BARRED = 30.0
"""Seconds after which a cell that could not be started is tried again."""
_GOODBYE = 5.0

log = structlog.stdlib.get_logger("worker.quarantine")


class Work(Protocol):
    """How messages are handled."""

    async def handle(self, consumer: Consumer, delivery: Delivery, *, quarantined: bool) -> None:
        """Handle and settle."""
        ...

    async def condemn(self, consumer: Consumer, delivery: Delivery, deaths: Sequence[Death]) -> None:
        """Put a guilty message into the failure store."""
        ...

    async def faulty(self, consumer: Consumer, delivery: Delivery, fault: Exception) -> None:
        """Settle what the worker itself failed over."""
        ...

    def ended(self, consumer: Consumer, answer: Answer) -> None:
        """Count what was handled elsewhere, and tell of it."""
        ...


class Quarantine:
    """Decides by the deaths that a message saw how it is handled.

    Args:
        work: of the worker.
        suspects: remembers deaths.
        cell: where suspects are handled alone; None where there is none, then they are handled as others are.
        exclusivity: asked by the cell for messages that run alone in the fleet.
        spares: asked by the cell whether a message is not charged with its failures, as breakers take them.
        paused: queues of this process.
        name: of this worker.
        clock: seconds since the epoch.
        patient: let suspects wait for their turn in their slots; else they are given back meanwhile.
    """

    def __init__(
        self,
        work: Work,
        suspects: Suspects,
        cell: Cell | None,
        exclusivity: Exclusivity,
        spares: Callable[[str, Sequence[BreakerFailure]], bool],
        paused: PausedQueues,
        name: str,
        clock: Clock,
        *,
        patient: bool = False,
    ) -> None:
        self._work = work
        self._suspects = suspects
        self._cell = cell
        self._exclusivity = exclusivity
        self._spares = spares
        self._paused = paused
        self._patient = patient
        self._name = name
        self._clock = clock
        self._turn = asyncio.Lock()
        self._silent_until = 0.0
        self._barred_until = 0.0
        self._notes: set[asyncio.Task[None]] = set()

    async def handle(self, consumer: Consumer, delivery: Delivery) -> None:
        """Handle a message that was handed out before, and settle it; raises only when it is cancelled."""
        case = _Case(consumer, delivery)
        settled = consumer.settlements.watch(delivery)
        try:
            await self._handle(case)
        except Exception as fault:
            if not settled.done():
                await self._work.faulty(consumer, delivery, fault)
        finally:
            if not settled.done():  # it was cancelled
                consumer.settlements.add(Release(delivery))
            if case.record is not None:
                # what was ended is forgotten, what was given back keeps its deaths
                ended = isinstance(settled.result(), Ack | Again)
                self._note(case.name, None if ended else Record(deaths=case.record.deaths))

    async def close(self) -> None:
        """End the cell, and write what is still to be written, within some seconds."""
        if self._cell is not None:
            await self._cell.close()
        if self._notes:
            await asyncio.wait(set(self._notes), timeout=_GOODBYE)

    def _has_cell(self) -> bool:
        return self._cell is not None and asyncio.get_running_loop().time() >= self._barred_until

    async def _handle(self, case: _Case) -> None:
        record = case.record = await self._handed(case.name)
        treatment: Treatment | None = Treatment.ORDINARY if record is None else treatment_of(record)
        if treatment is Treatment.ALONE and self._has_cell():
            treatment = await self._alone(case)
        if treatment is Treatment.GUILTY:
            assert case.record is not None
            await self._work.condemn(case.consumer, case.delivery, case.record.deaths)
        elif treatment is not None:
            await self._work.handle(case.consumer, case.delivery, quarantined=True)

    async def _alone(self, case: _Case) -> Treatment | None:
        """Handle a suspect in the cell; what is left to be done with it, None when it is settled."""
        try:
            async with asyncio.timeout(None if self._patient else TURN):
                await self._turn.acquire()
        except TimeoutError:
            case.consumer.settlements.add(Release(case.delivery, TURN))
            return None
        try:
            if self._paused.keeps(case.consumer.received[0], case.delivery.id):  # paused while it waited
                case.consumer.settlements.add(Release(case.delivery))
                return None
            answer = await self._confined(case)
        except NoCell as error:
            log.warning("no process for suspects; they are handled beside others", error=str(error))
            self._barred_until = asyncio.get_running_loop().time() + _BARRED
            return Treatment.ORDINARY
        finally:
            self._turn.release()
        if answer is None:
            return Treatment.GUILTY
        case.consumer.settlements.add(answer.settlement(case.delivery))
        self._work.ended(case.consumer, answer)
        return None

    async def _confined(self, case: _Case) -> Answer | None:
        """Have it handled in the cell, again when that dies, until it is guilty; None then."""
        assert self._cell is not None
        assert case.record is not None
        delivery = case.delivery
        order = Order(
            transport=case.consumer.transport.name,
            queue=case.consumer.spec.name,
            id=delivery.id,
            body=delivery.body,
            headers=dict(delivery.headers),
            key=delivery.key,
        )
        bound = named(log, case.consumer, delivery)
        bound.info("a message that was in hand when workers died is handled alone")
        while True:
            try:
                return await self._cell.handle(order, lambda question: self._reply(case, question))
            except CellDied as died:
                bound.warning("a process died of the only message in it", how=str(died))
                how = f"a process of its own died while it was handled alone: {died}"
            finally:
                if case.exclusive is not None:
                    await self._exclusivity.leave(case.exclusive)
                    case.exclusive = None
            death = Death(at=self._clock(), worker=self._name, alone=True, certain=True, how=how)
            record = msgspec.structs.replace(case.record, deaths=(*case.record.deaths, death))
            if not await self._remembered(case.name, record):
                # what is not remembered is not held against it
                return Answer(outcome="returned", type=None, id=delivery.id, settled="release", delay=TURN)
            case.record = record
            if treatment_of(record) is Treatment.GUILTY:
                return None

    async def _reply(self, case: _Case, question: Question) -> str:
        """Answer for the cell, which knows nothing of the fleet."""
        if question.failures is not None:
            return "yes" if self._spares(question.id, question.failures) else "no"
        exclusive: Envelope[Any] = Envelope(message=None, type=question.type, id=question.id)
        try:
            await self._exclusivity.enter(exclusive, case.consumer.received[0])
        except Paused:
            return "no"
        except Unavailable:
            return "unknown"
        case.exclusive = exclusive
        return "yes"

    async def _handed(self, name: str) -> Record | None:
        """What is known; None while the database does not answer."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._silent_until:
            return None
        try:
            async with asyncio.timeout(ANSWER):
                return await self._suspects.handed(name)
        except (Unavailable, TimeoutError) as error:
            log.warning("deaths are not remembered", error=str(error) or "no answer in time")
        except Exception:
            log.exception("deaths are not remembered")
        self._silent_until = loop.time() + ANSWER
        return None

    async def _remembered(self, name: str, record: Record) -> bool:
        try:
            async with asyncio.timeout(ANSWER):
                await self._suspects.put(name, record)
        except (Unavailable, TimeoutError) as error:
            log.warning("a death is not remembered", error=str(error) or "no answer in time")
            return False
        return True

    def _note(self, name: str, record: Record | None) -> None:
        """Write it in the background; what is not written costs one more look, never the message."""

        async def write() -> None:
            try:
                await self._suspects.put(name, record)
            except Exception as error:
                log.warning("a message's end is not remembered", error=str(error))

        task = asyncio.get_running_loop().create_task(write())
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)


class _Case:
    """A message in quarantine, and what is known of it; nothing while the database does not answer."""

    def __init__(self, consumer: Consumer, delivery: Delivery) -> None:
        self.consumer = consumer
        self.delivery = delivery
        self.name = name_of(consumer.transport.name, consumer.spec.name, delivery.id)
        self.record: Record | None = None
        self.exclusive: Envelope[Any] | None = None  # it runs with no other command of the fleet in flight
