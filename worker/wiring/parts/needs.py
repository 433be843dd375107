"""What a program needs of the database and the brokers, and what it does about what is missing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec

Tables = Literal["create", "require", "ignore"]
"""What is done about missing tables and files: they are made; that is an error; or nothing, for what only looks."""


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What must be there when a service is opened.

    Attributes:
        tables: what is done about missing tables; without ``create`` no file is made either.
        writes: whether a database that takes no writes is an error at once.
        queues: whether missing queues are made too, or complained about where tables are not created.
        transports: names of those to connect to; None connects to all that messages are routed to.
        absent: go on without transports that do not answer; else that is an error.
        threads: for handlers that are plain functions; None for as many as the settings' concurrency.
    """

    tables: Tables = "create"
    writes: bool = False
    queues: bool = True
    transports: Collection[str] | None = None
    absent: bool = False
    threads: int | None = None

    @property
    def creates(self) -> bool:
        """Whether what is missing is made."""
        return self.tables == "create"


EVERYTHING = Needs()
"""All that messages are routed to; what is missing is made."""
