"""Caught: what a handler had recorded before it failed leaves all the same, and that it failed is an event, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from worker.errors import PublishFailed, Unavailable
from worker.messaging.caught import ExceptionWasCaught
from worker.messaging.envelope import Envelope
from worker.middleware.emit import Emitter
from worker.raising import behind, is_failure
from worker.texts import message_of, told, type_of

log = structlog.stdlib.get_logger("worker.emit")


class Caught:
    """Delivers the events of handlers that failed, once for each attempt.

    What such a handler dispatched does not leave: a command asks for work that was not decided. An outage is no attempt,
    so nothing leaves then. What fails to subscribe to ``ExceptionWasCaught`` makes no further one.

    Args:
        emitter: prepares and publishes.
    """

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._registry = emitter.registry
        self._heard = ExceptionWasCaught in self._registry.by_class

    async def deliver(
        self,
        envelope: Envelope[Any],
        handler: str,
        noted: Sequence[tuple[Any, float]],
        error: BaseException,
    ) -> None:
        """Let the recorded events leave, then ``ExceptionWasCaught``; the ids follow from handler and attempt.

        Raises:
            Unavailable: a broker does not answer, or it is not known whether it took them; the message goes back.
        """
        if isinstance(error, Unavailable) or not is_failure(error):
            return
        events = [(message, delay) for message, delay in noted if self._is_event(message)]
        if self._heard and not isinstance(envelope.message, ExceptionWasCaught):
            events.append((_caught(envelope, error), 0.0))
        if not events:
            return
        try:
            leaving = await self._emitter.prepare(envelope, f"{handler} failed {envelope.attempt}", events)
            await self._emitter.publish(leaving.parcels)
        except Exception as failed:
            if isinstance(failed, Unavailable) and not (isinstance(failed, PublishFailed) and failed.refused):
                raise
            log.exception(
                "the events of a failed handler were not delivered", handler=handler, cause=told(error)
            )
            return
        await self._emitter.handle_inline(leaving.inline)

    def _is_event(self, message: Any) -> bool:
        return self._registry.by_class[type(message)].kind == "event"


def _caught(envelope: Envelope[Any], error: BaseException) -> ExceptionWasCaught:
    raised = behind(error)
    return ExceptionWasCaught(
        type=envelope.type,
        id=envelope.id,
        attempt=envelope.attempt,
        error_type=type_of(raised),
        message=message_of(raised),
    )
