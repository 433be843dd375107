"""Hooks: the places before and after the stages of a request, where an application's listeners stand."""

from __future__ import annotations

from enum import Enum
from typing import Literal, get_args

Event = Literal["request", "view", "response", "exception"]
"""A part of a request: what is read, what is done and written, what the answer still gets, what becomes of an error."""

EVENTS: tuple[Event, ...] = get_args(Event)
GROUPS: dict[str, int] = {"request": 200, "view": 100, "response": 0, "exception": -100}
"""The events as groups of a chain, with their priorities."""
ACTIONS: tuple[str, ...] = ("get", "get_list", "create", "replace", "update", "delete")
"""What requests of resources do: a chain each."""


class Hook(Enum):
    """A place at an event, by its priority; built-in stages of the same priority come first."""

    PRE_READ = ("pre_read", "request", 5)
    POST_READ = ("post_read", "request", 3)
    PRE_DESERIALIZE = ("pre_deserialize", "request", 3)
    POST_DESERIALIZE = ("post_deserialize", "request", 1)
    PRE_VALIDATE = ("pre_validate", "view", 65)
    POST_VALIDATE = ("post_validate", "view", 63)
    PRE_WRITE = ("pre_write", "view", 33)
    POST_WRITE = ("post_write", "view", 31)
    PRE_SERIALIZE = ("pre_serialize", "view", 17)
    POST_SERIALIZE = ("post_serialize", "view", 15)
    PRE_RESPOND = ("pre_respond", "view", 9)
    POST_RESPOND = ("post_respond", "response", 0)

    @property
    def event(self) -> Event:
        """The event that it is at."""
        event: Event = self.value[1]
        return event

    @property
    def priority(self) -> int:
        """Its priority there; higher comes first."""
        return int(self.value[2])
