"""Dispatches commands, and tells errors of the caller, of a handler and of the server apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from worker.errors import Fault, InvalidMessage, Reject, Unavailable, WorkerError
from worker.http import problems
from worker.http.explanation import HandlerFailed
from worker.http.ports import Ports
from worker.http.problems import Problem
from worker.messaging.bus import is_refusal
from worker.messaging.declaration import MessageType
from worker.messaging.envelope import Envelope
from worker.messaging.limits import key_for
from worker.messaging.stamps import SentBy, Stamp
from worker.raising import behind, innermost
from worker.texts import message_of, type_of
from worker.tokens.principal import Principal


class Dispatch:
    """Dispatches commands of declared types."""

    def __init__(self, ports: Ports) -> None:
        self._bus = ports.messages.command_bus
        self._inline = ports.messages.inline
        self._spend = ports.tokens.spend
        self.commands: dict[str, MessageType] = {
            name: declared
            for name, declared in {**ports.messages.own, **ports.registry.by_name}.items()
            if declared.kind == "command" and declared.posted
        }

    def is_inline(self, declared: MessageType) -> bool:
        """Whether the command is handled before the answer."""
        return declared.right is not None or self._inline(declared)

    async def take(
        self,
        principal: Principal,
        declared: MessageType,
        message: Any,
        *,
        stamps: Iterable[Stamp] = (),
        id: str | None = None,
        correlation_id: str | None = None,
        key: str | None = None,
        traceparent: str | None = None,
    ) -> Envelope[Any]:
        """Dispatch a command for a caller that may send it.

        Raises:
            Exception: one that ``explain`` turns into the right problem.
        """
        if key is None and declared.key is not None:
            key = key_for(declared, message, key)
        if principal.limits:
            await self._spend(principal)
        if principal.marks:
            stamps = (*principal.marks, *stamps)
        if declared.right is not None:
            stamps = (*stamps, SentBy(principal))
        try:
            return await self._bus.dispatch(
                message, *stamps, id=id, correlation_id=correlation_id, key=key, traceparent=traceparent
            )
        except Exception as error:
            if self.is_inline(declared) or isinstance(error, Reject):
                raise handler_error(declared, error) from error
            if isinstance(error, (TypeError, ValueError, OverflowError, RecursionError)):
                _check_travels(declared, message)
            raise


def handler_error(declared: MessageType, error: Exception) -> Exception:
    """Return what a caller may know of a handler's error: errors that the type declares, outages, refusals; else HandlerFailed."""
    if isinstance(error, Problem) or (declared.right is not None and isinstance(error, WorkerError)):
        return error  # the product's own are for the caller
    raised = behind(error)
    for one in (raised, innermost(raised)):
        for cls in type(one).__mro__:
            status = declared.errors.get(cls)
            if status is not None:
                return Problem(problems.DECLARED, message_of(one) or cls.__name__, status=status)
    if isinstance(error, Unavailable):
        return error
    if is_refusal(error) or (isinstance(error, InvalidMessage) and error.type_name == declared.name):
        return error
    return HandlerFailed(f"{declared.name}: {type_of(behind(error))}")


def _check_travels(declared: MessageType, message: Any) -> None:
    # asked only after sending failed: good messages pay nothing for it
    try:
        msgspec.json.encode(declared.data_of(message))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidMessage(declared.name, [Fault("", f"cannot be written as JSON: {error}")]) from error
