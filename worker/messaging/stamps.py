"""Stamps: typed facts added to an envelope on its way.

Declare your own with ``class Region(worker.Stamp): value: str``: it is frozen like every stamp, travels in
the envelope's ``stamps``, and conditions read it as ``region``. Nothing is registered: a serializer knows the
stamp classes that exist when it is made.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from functools import cache
from typing import Any, ClassVar, dataclass_transform, final

import msgspec

from worker.errors import UsageError
from worker.seconds import seconds_of
from worker.texts import message_of

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class _StampMeta(msgspec.StructMeta):
    """Tells type checkers what msgspec does: a subclass of a frozen struct is frozen without saying so."""

    def name(cls) -> str:  # noqa: N805 - a metaclass's instances are classes
        """Name it is read by in conditions and on the wire: the class name in snake case."""
        return kind_name(cls)


class Stamp(msgspec.Struct, frozen=True, metaclass=_StampMeta):
    """A fact about a message; an envelope holds at most one of each kind, the last one set.

    It has no methods, so that a stamp's fields may be called whatever they are. ``travels`` says whether it
    goes over the wire; set it to False for what only this process should know.
    """

    travels: ClassVar[bool] = True
    __repeats__: ClassVar[bool] = False
    """Whether messages one after the other have equal ones, so that it pays to keep what is written of it; for stamps
    that hold texts alone: a True equals a 1 that is written otherwise."""


class Delay(Stamp, frozen=True):
    """Do not hand the message out before this many seconds have passed; a ``timedelta`` is read as its seconds."""

    travels: ClassVar[bool] = False
    seconds: float

    def __post_init__(self) -> None:
        """Refuse what is no delay.

        Raises:
            UsageError: it is no finite number of seconds, 0 or more, and no ``timedelta``.
        """
        try:
            msgspec.structs.force_setattr(self, "seconds", seconds_of(self.seconds))
        except ValueError as error:
            raise UsageError(f"Delay({error})") from None


class Token(Stamp, frozen=True):
    """Name of the token that sent the message; never the secret."""

    __repeats__: ClassVar[bool] = True
    value: str


class Plugins(Stamp, frozen=True):
    """Names of the plugins that the message's token switches on; without it all run that are on in the application."""

    __repeats__: ClassVar[bool] = True
    names: tuple[str, ...]


class SentBy(Stamp, frozen=True):
    """Who sends it at the door, where its handler asks that: a built-in message that changes what others may do."""

    travels: ClassVar[bool] = False
    principal: Any


class Handled(Stamp, frozen=True):
    """Names of the handlers whose work is committed; a retry leaves them out."""

    handlers: tuple[str, ...]


class Abandoned(Stamp, frozen=True):
    """Names of the handlers that failed for good; a retry for the others leaves them out."""

    handlers: tuple[str, ...]


class Replay(Stamp, frozen=True):
    """The message was put back from the failure store under this ticket; settles which row it resolves."""

    ticket: str


class Received(Stamp, frozen=True):
    """Where the message was taken from."""

    travels: ClassVar[bool] = False
    transport: str
    queue: str


class Sent(Stamp, frozen=True):
    """The message was accepted by this transport's queue."""

    travels: ClassVar[bool] = False
    transport: str
    queue: str


class Collect(Stamp, frozen=True):
    """Do not publish now: add what would leave to this list, for a commit.

    Attributes:
        into: the list.
        refusing: raise for what its broker will never take, as a publish does: a caller waits for the answer. Else it
            is committed, and goes to the failure store.
    """

    travels: ClassVar[bool] = False
    into: list[Any]
    refusing: bool = False


class Result(Stamp, frozen=True):
    """What the last handler returned."""

    travels: ClassVar[bool] = False
    value: Any


@final  # so that whether one is can be told by its type, which each message with stamps asks
class UnknownStamp(Stamp, frozen=True):
    """A stamp of another application's, kept as it came so that it travels on."""

    key: str
    value: Any


def kind_name(kind: type[Any]) -> str:
    """Name of a class of stamps, in conditions and on the wire: ``DeliveryWindow`` is ``delivery_window``."""
    return _snake(kind.__name__)


def name_of(stamp: Stamp) -> str:
    """Name of a stamp: its class's, or the one it came with when its class is not known."""
    kind = type(stamp)
    return stamp.key if kind is UnknownStamp else _snake(kind.__name__)  # type: ignore[attr-defined]


def stamp_fault(stamp: Stamp) -> str | None:
    """Say why a stamp that travels could not be read again by the worker that gets it; None where it can."""
    if not stamp.travels or type(stamp) is UnknownStamp:
        return None
    try:
        msgspec.json.decode(msgspec.json.encode(stamp), type=type(stamp))
    except Exception as error:
        return message_of(error)
    return None


def attribute_of(stamp: Stamp) -> Any:
    """Value that conditions compare with: the only field's value, or the fields as a tuple.

    An unknown stamp says what its own class would say.
    """
    if not isinstance(stamp, UnknownStamp):
        values = tuple(getattr(stamp, field) for field in stamp.__struct_fields__)
    elif isinstance(stamp.value, dict):
        values = tuple(stamp.value.values())
    else:
        return stamp.value
    return values[0] if len(values) == 1 else values


def travelling(preferred: Container[str] = ()) -> dict[str, type[Stamp]]:
    """Return the stamp classes that exist now and travel, by name.

    Of two with one name the one from a module in ``preferred`` is taken, else the one defined last.
    """
    kinds = [kind for kind in _subclasses(Stamp) if kind.travels and kind is not UnknownStamp]
    kinds.sort(key=lambda kind: kind.__module__ in preferred)
    return {kind_name(kind): kind for kind in kinds} | {
        kind_name(kind): kind for kind in (Token, Plugins, Handled, Abandoned, Replay)
    }


def names() -> list[str]:
    """Names of all stamps that exist now: what conditions may read beside an envelope's own facts."""
    return sorted({kind_name(kind) for kind in _subclasses(Stamp) if kind is not UnknownStamp})


def _subclasses(cls: type[Stamp]) -> Iterator[type[Stamp]]:
    for kind in cls.__subclasses__():
        yield kind
        yield from _subclasses(kind)


@cache
def _snake(name: str) -> str:
    return _WORD_STARTS.sub("_", name).lower()
