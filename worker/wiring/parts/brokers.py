"""The brokers part: the transports that messages are routed to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from worker.errors import ConfigurationError
from worker.messaging.abilities import MadeByConnecting
from worker.messaging.copies import TakesCopies
from worker.messaging.routing import Routes
from worker.messaging.transport import Transport
from worker.wiring.connecting import connected_ones, create_queues, make_transports, missing_queues
from worker.wiring.parts.needs import Needs
from worker.wiring.parts.process import Process
from worker.wiring.parts.state import State

NO_FILE = "there is no such file yet"
"""Why a transport is absent that is a file, where nothing may be made."""


class Brokers(msgspec.Struct, frozen=True, eq=False):
    """The transports by name: those that are connected, and why the others are absent."""

    transports: dict[str, Transport]
    absent: Mapping[str, str]


@asynccontextmanager
async def opened_brokers(process: Process, state: State, needs: Needs) -> AsyncIterator[Brokers]:
    """Connect to the transports, and see to their queues.

    Raises:
        ConfigurationError: an address or option is wrong, or a queue or file is missing and not created.
        TransportUnavailable: one did not answer within the connect timeout, and may not be absent.
    """
    async with AsyncExitStack() as stack:
        made = make_transports(process.settings, process.routes, process.clock)
        wanted = {key: made[key] for key in made if needs.transports is None or key in needs.transports}
        unmade = [] if needs.creates else [key for key, transport in wanted.items() if _unmade(transport)]
        if unmade and not needs.absent:
            raise ConfigurationError(f"missing: the file of transport {', '.join(unmade)}; run: worker setup")
        for key in unmade:
            del wanted[key]
        for transport in wanted.values():
            if isinstance(transport, TakesCopies) and transport.volatile and needs.tables != "ignore":
                transport.copies = state.copies
        timeout = process.settings.worker.connect_timeout
        connected, missed = await connected_ones(wanted, stack, timeout, absent=needs.absent)
        if needs.queues:
            await _prepare_queues(connected, process.routes, setup=needs.creates)
        yield Brokers(connected, missed | dict.fromkeys(unmade, NO_FILE))


def _unmade(transport: object) -> bool:
    return isinstance(transport, MadeByConnecting) and not transport.there()


async def _prepare_queues(transports: Mapping[str, Transport], routes: Routes, *, setup: bool) -> None:
    if setup:
        await create_queues(transports, routes)
        return
    missing = await missing_queues(transports, routes)
    if missing:
        raise ConfigurationError(f"missing: {', '.join(missing)}; run: worker setup")
