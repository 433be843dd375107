"""The entrance: takes what Python code sends, checks it as the intake does, and brings it to its bus."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from worker.errors import UnknownType, UsageError
from worker.messaging.bus import Bus
from worker.messaging.declaration import MessageType, Registry
from worker.messaging.envelope import Envelope
from worker.messaging.identity import new_id
from worker.messaging.limits import correlation_fault, delay_fault, id_fault, key_fault, key_for
from worker.messaging.stamps import Delay, Stamp, stamp_fault
from worker.messaging.validation import decoder, fitting
from worker.wiring.service import Service


class Door(msgspec.Struct, frozen=True, eq=False):
    """What is the same for every message of a type.

    Attributes:
        declared: the type.
        bus: which takes it.
        fits: raises InvalidMessage for a message whose values do not fit.
        transport: name of the one it is sent by; None for what is handled at once.
        tracked: whether its status is kept.
    """

    declared: MessageType
    bus: Bus
    fits: Callable[[Any], object]
    transport: str | None
    tracked: bool


class Ready(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A message that is checked, and how it is to be sent."""

    message: Any
    door: Door
    id: str
    stamps: tuple[Stamp, ...] = ()
    key: str | None = None
    correlation_id: str | None = None

    def dispatch(self, *stamps: Stamp) -> Coroutine[Any, Any, Envelope[Any]]:
        """Bring it to its bus."""
        return self.door.bus.dispatch(
            self.message,
            *self.stamps,
            *stamps,
            id=self.id,
            correlation_id=self.correlation_id,
            key=self.key,
        )


class Entrance:
    """Knows the door of each type, of the product's own messages, too."""

    def __init__(self, service: Service) -> None:
        self._process = service.process
        self._registry: Registry = service.process.registry
        self._doors = _doors(service)

    def door(self, message: Any, call: str = "send") -> Door:
        """Find the door of a message and see that its values fit its type.

        Raises:
            UnknownType: its class is not declared.
            UsageError: it is a query.
            InvalidMessage: it does not fit; carries every fault.
        """
        door = self._doors.get(type(message))
        if door is None:
            raise self._unknown(message)
        declared = door.declared
        if (declared.kind == "query") is not (call == "ask"):
            instead = (
                "is a query; use ask()" if declared.kind == "query" else f"is {_an(declared)}; use send()"
            )
            raise UsageError(f"{call}({declared.name}): {declared.name} {instead}")
        door.fits(message)
        return door

    def ready(
        self,
        door: Door,
        message: Any,
        stamps: tuple[Stamp, ...] = (),
        *,
        delay: float | timedelta = 0,
        key: str | None = None,
        id: str | None = None,
        correlation_id: str | None = None,
    ) -> Ready:
        """Check how a message is to be sent.

        Raises:
            UsageError: names every argument that is wrong.
            InvalidMessage: the message's own key cannot be kept.
        """
        if delay or stamps or id is not None or key is not None or correlation_id is not None:
            stamps = checked(door, stamps, delay, key, id, correlation_id)
        if key is None and door.declared.key is not None:
            key = key_for(door.declared, message, key)
        return Ready(
            message=message,
            door=door,
            id=self.new_id() if id is None else id.lower(),
            stamps=stamps,
            key=key,
            correlation_id=correlation_id,
        )

    def new_id(self) -> str:
        """Make the id of a message."""
        return new_id(self._process.clock(), self._process.machine.entropy)

    def _unknown(self, message: Any) -> Exception:
        known = [declared.name for declared in self._registry.messages.values()]
        if isinstance(message, type):
            error = UnknownType(message.__name__, known)
            error.args = (
                f"the class {message.__name__} itself was given; expected a message of it: {message.__name__}(…){error.hint}",
            )
            return error
        return UnknownType(type(message).__name__, known)


def _doors(service: Service) -> Mapping[type[Any], Door]:
    registry, routes = service.buses.registry, service.buses.routes.by_type
    tracks = service.process.settings.status.track
    return {
        cls: Door(
            declared,
            service.buses.dispatch[declared.kind],
            _fits(declared),
            routes[declared.name].transport if declared.name in routes else None,
            tracks and declared.kind == "command" and declared.track,
        )
        for cls, declared in registry.by_class.items()
    }


def _fits(declared: MessageType) -> Callable[[Any], object]:
    write, read = msgspec.json.Encoder().encode, decoder(declared.read_as, "json")

    def fits(message: Any) -> None:
        """Write and read it as on its way; what is wrong is found out where that fails."""
        try:
            read(write(declared.data_of(message)))
        except Exception:
            fitting(declared, message)

    return fits


def checked(
    door: Door,
    stamps: tuple[Stamp, ...],
    delay: float | timedelta,
    key: str | None,
    id: str | None,
    correlation_id: str | None,
) -> tuple[Stamp, ...]:
    """Check what is said about how a message is sent; return the stamps, that of the delay among them.

    Raises:
        UsageError: names every argument that is wrong.
    """
    name = door.declared.name
    odd = [stamp for stamp in stamps if not _is_stamp(stamp)]
    if odd:
        raise UsageError(f"send({name}, {odd[0]!r:.64}): expected stamps after the message")
    if delay:
        stamps = (*(stamp for stamp in stamps if type(stamp) is not Delay), Delay(delay))  # type: ignore[arg-type]
    ahead = next((stamp.seconds for stamp in stamps if type(stamp) is Delay), 0.0)
    wrong = {
        "id": id_fault(id) if _is_text(id) else "expected text",
        "key": key_fault(key) if _is_text(key) else "expected text",
        "correlation_id": correlation_fault(correlation_id) if _is_text(correlation_id) else "expected text",
        "delay": delay_fault(ahead, inline=door.transport is None),
    }
    faults = [f"{argument}: {text}" for argument, text in wrong.items() if text is not None]
    faults += [f"{type(stamp).__name__}: {text}" for stamp in stamps if (text := stamp_fault(stamp))]
    if faults:
        raise UsageError(f"send({name}): {'; '.join(faults)}")
    return stamps


def _is_stamp(given: object) -> bool:
    return isinstance(given, Stamp)


def _is_text(given: object) -> bool:
    return given is None or isinstance(given, str)


def _an(declared: MessageType) -> str:
    return "an event" if declared.kind == "event" else "a command"
