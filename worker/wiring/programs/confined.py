"""The program of a cell: handles one message after the other that its worker gives it, and settles none itself."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import threading
import time
from typing import Any

import msgspec

from worker.errors import DatabaseUnavailable, Paused, Unavailable
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope
from worker.messaging.observing import Ended, Observer
from worker.messaging.stamps import Received
from worker.messaging.transport import Ack, Again, Delivery, Release, Settlement
from worker.runtime.deadly.cell import MARK
from worker.runtime.deadly.exchange import Answer, Order, Question, Reply, from_worker
from worker.runtime.holding.breakers import BreakerFailure
from worker.runtime.options import ConsumeOptions
from worker.runtime.own_tasks import application_context
from worker.runtime.process.parent import EVERY
from worker.runtime.taking.consumer import Consumer
from worker.runtime.taking.settlements import Settlements
from worker.runtime.unclosed import Unclosed
from worker.runtime.worker import Worker
from worker.settings import Settings
from worker.wiring.consuming import make_consumers
from worker.wiring.parts.needs import Needs
from worker.wiring.programs.background import background, tend
from worker.wiring.service import Service, opened

_FLUSH = 2.0
_RELAY_GRACE = 5.0


def is_cell() -> bool:
    """Whether this process was started as one."""
    return MARK in os.environ


async def confined(settings: Settings, registry: Registry, options: ConsumeOptions) -> int:
    """Handle what comes over the standard input until that ends; return the exit code.

    Signals to stop are for the worker, which ends this process; handlers find nothing at their standard input.

    Raises:
        ConfigurationError: something is missing.
        Unavailable: the database does not answer.
    """
    pipe, _, name = os.environ.pop(MARK).partition(" ")
    door = _Door(int(pipe), asyncio.get_running_loop())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # not ignored: what handlers start would inherit that
    options = msgspec.structs.replace(
        options, limit=None, time_limit=None, memory_limit=None, failure_limit=None, cell=()
    )
    ended: list[Ended] = []
    async with opened(
        settings,
        registry,
        Needs(tables="require", queues=False, absent=True, threads=options.concurrency),
        name=name,
        observers=(Observer(ended=ended.append),),
        exclusivity=_Asked(door),
    ) as service:
        worker = make_consumers(service, options, asks=door.spares).worker
        door.open()
        async with background(lambda: tend(service)):
            while (order := await door.orders.get()) is not None:
                door.answer(b"begun")
                ended.clear()
                answer = await _handled(worker, order, ended)
                await _flush(service)
                door.answer(msgspec.msgpack.encode(answer), done=True)
        await service.sending.relay.drain(_RELAY_GRACE)
    return 0


async def _handled(worker: Worker, order: Order, ended: list[Ended]) -> Answer:
    consumer = next(
        one
        for one in worker.consumers
        if (one.transport.name, one.spec.name) == (order.transport, order.queue)
    )
    delivery = Delivery(
        queue=order.queue, id=order.id, body=order.body, headers=order.headers, key=order.key, receipt=None
    )
    settlements = consumer.settlements = _Kept(consumer)
    # as in a slot: in a task that what it waits for cannot close, and in a context of its own
    processing: Any = worker.process(consumer, delivery)
    handling: Any = Unclosed(processing)
    await asyncio.wait([asyncio.get_running_loop().create_task(handling, context=application_context())])
    answer = Answer(outcome="returned", type=None, id=order.id)
    if ended:
        answer = Answer(outcome=ended[-1].outcome, type=ended[-1].type, id=ended[-1].message_id)
    match settlements.last:
        case Ack():
            return answer
        case Again(outgoing=outgoing):
            return msgspec.structs.replace(answer, settled="again", outgoing=outgoing)
        case Release(delay=delay):
            return msgspec.structs.replace(answer, settled="release", delay=delay)
        case None:
            return msgspec.structs.replace(answer, settled="release", delay=1.0)


async def _flush(service: Service) -> None:
    """Let it be known where commands stand before the next one ends this process."""
    with contextlib.suppress(Unavailable, TimeoutError):
        async with asyncio.timeout(_FLUSH):
            await service.status.writer.flush()


class _Asked:
    """Exclusivity, for which the worker takes the lock: the message is not in the hands of this process."""

    def __init__(self, door: _Door) -> None:
        self._door = door

    async def enter(self, envelope: Envelope[Any], received: Received) -> None:
        """Return when nothing else runs; see the port."""
        match await self._door.ask(envelope.id, envelope.type):
            case "no":
                raise Paused
            case "unknown":
                raise DatabaseUnavailable("the worker cannot take the exclusive lock")
            case _:
                return

    async def leave(self, envelope: Envelope[Any]) -> None:
        """Nothing: the worker lets go when it has the answer."""


class _Kept(Settlements):
    """Keeps the last settlement for the worker, and tells no broker."""

    def __init__(self, consumer: Consumer) -> None:
        async def tell(_: object) -> list[object]:
            return []

        super().__init__(consumer.transport.name, consumer.spec.name, tell, lambda: None, {})  # type: ignore[arg-type]
        self.last: Settlement | None = None

    def add(self, settlement: Settlement, *, unread: bool = False) -> None:
        """Keep it."""
        self.last = settlement


class _Door:
    """Takes orders and replies in a thread, so that the worker's end is seen even where handlers hold up the loop; gives answers.

    Args:
        pipe: for answers.
        loop: of this program.

    Attributes:
        orders: those that came; None when there will be no more.
    """

    def __init__(self, pipe: int, loop: asyncio.AbstractEventLoop) -> None:
        self.orders: asyncio.Queue[Order | None] = asyncio.Queue()
        self._pipe = pipe
        self._loop = loop
        self._asked: dict[int, asyncio.Future[str]] = {}
        self._numbers = itertools.count()
        self._parent = os.getppid()
        self._busy = threading.Event()
        os.set_inheritable(pipe, False)
        self._orders = os.dup(0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)

    def open(self) -> None:
        """Say that this process is ready, and take orders."""
        threading.Thread(target=self._listen, name="orders", daemon=True).start()
        self._write(b"ready")

    def answer(self, answer: bytes, *, done: bool = False) -> None:
        """Give an answer; ``done``: the last one to an order."""
        if done:
            self._busy.clear()
        self._write(answer)

    async def ask(self, id: str, type: str = "", failures: tuple[BreakerFailure, ...] | None = None) -> str:
        """Ask the worker about the message in hand; see ``Question`` and ``Reply``."""
        number = next(self._numbers)
        reply: asyncio.Future[str] = self._loop.create_future()
        self._asked[number] = reply
        question = Question(number=number, id=id, type=type, failures=failures)
        self._write(msgspec.msgpack.encode(question))
        try:
            return await reply
        finally:
            del self._asked[number]

    async def spares(self, id: str, failures: tuple[BreakerFailure, ...]) -> bool:
        """Ask whether a message is not charged with these failures."""
        return await self.ask(id, failures=failures) == "yes"

    def _take(self, said: Order | Reply) -> None:
        if isinstance(said, Order):
            self.orders.put_nowait(said)
        elif (asked := self._asked.get(said.number)) is not None and not asked.done():
            asked.set_result(said.says)

    def _write(self, data: bytes) -> None:
        left = memoryview(len(data).to_bytes(4, "big") + data)
        while left:
            left = left[os.write(self._pipe, left) :]

    def _listen(self) -> None:
        threading.Thread(target=self._watch, name="worker", daemon=True).start()
        with os.fdopen(self._orders, "rb") as stream:
            while len(size := stream.read(4)) == 4:
                said = from_worker(stream.read(int.from_bytes(size, "big")))
                if isinstance(said, Order):
                    self._busy.set()
                self._loop.call_soon_threadsafe(self._take, said)
        if self._busy.is_set():  # the worker is gone, and the message is another's by now
            os._exit(1)
        self._loop.call_soon_threadsafe(self.orders.put_nowait, None)

    def _watch(self) -> None:
        """End this process when its worker is gone: what the worker's handlers forked may keep the other end open."""
        while os.getppid() == self._parent:
            time.sleep(EVERY)
        os._exit(1)
