"""Stamps of messages that come from requests of resources; they travel, so that a worker's middleware sees them, too."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from worker.messaging.stamps import Stamp


class Remove(Stamp, frozen=True):
    """The message's object is to be removed: it comes from a DELETE."""


class Requested(Stamp, frozen=True):
    """The request that a message comes from.

    Attributes:
        resource: the resource's name.
        operation: the operation's name.
        method: of the request.
        uri_variables: of its path, as they stood there.
    """

    __repeats__: ClassVar[bool] = True
    resource: str
    operation: str
    method: str
    uri_variables: dict[str, str] = msgspec.field(default_factory=dict)

    def __hash__(self) -> int:
        """Requests of one object are no two alike, and are not looked up."""
        if self.uri_variables:
            raise TypeError("it is about one object")
        return hash(self.operation)
