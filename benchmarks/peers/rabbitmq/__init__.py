"""Clients of RabbitMQ: quorum queue, persistent, publisher confirms, ack after handling, prefetch 100."""

from __future__ import annotations

from pamqp.common import FieldTable

PREFETCH = 100
QUORUM: FieldTable = {"x-queue-type": "quorum"}
