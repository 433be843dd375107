"""Parcels: messages on their way from a handler to a broker, beside its commit or by the outbox."""

from __future__ import annotations

import msgspec

from worker.messaging.transport import Outgoing


class Parcel(msgspec.Struct, frozen=True):
    """An encoded message and the name of the transport it leaves by."""

    transport: str
    outgoing: Outgoing


class OutboxRow(msgspec.Struct, frozen=True):
    """A parcel that is kept in the outbox until its broker has confirmed it.

    Attributes:
        seq: its place in the order of commits.
        transport: name of the transport it leaves by.
        outgoing: what is published; its delay is what is left of it, counted from the commit.
    """

    seq: int
    transport: str
    outgoing: Outgoing
