"""Surround: what a message's token switches on holds for the actions that are run while it is handled, too."""

from __future__ import annotations

from typing import Any

from worker.chain.actions import surrounded
from worker.messaging.envelope import Envelope
from worker.messaging.middleware import CallNext
from worker.messaging.stamps import Plugins


async def surround(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
    """Give actions that handlers run the plugins of the message's token, where there is one that has not all."""
    plugins = envelope.get(Plugins)
    if plugins is None:
        return await call_next(envelope)
    with surrounded(plugins=plugins.names):
        return await call_next(envelope)
