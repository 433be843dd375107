"""Handle: the last step of consuming; each handler runs in a unit of work of its own."""

from __future__ import annotations

from typing import Any

from worker.chain.compiled import Facts
from worker.errors import HandlersFailed
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope
from worker.messaging.middleware import CallNext, Middleware
from worker.messaging.own_context import OwnContext
from worker.messaging.raising import is_failure
from worker.messaging.stamps import Abandoned, Handled, Result
from worker.middleware.calling import Calling


class Handle:
    """Runs the handlers that have not finished with a message, higher priority first.

    A handler that raises does not keep the next from running. What a handler noted leaves with its commit;
    where it never touched the session there is no transaction, and its messages are confirmed by their
    broker before the message counts as handled.

    Args:
        registry: the declared handlers.
        calling: calls one of them.
    """

    def __init__(self, registry: Registry, calling: Calling) -> None:
        self._registry = registry
        self._calling = calling

    def for_facts(self, facts: Facts) -> Middleware:
        """Take the short way where a type has one handler, a coroutine function without a timeout."""
        type_name = facts["type"]
        handlers = self._registry.handlers.get(type_name, ())
        declared = self._registry.messages[type_name]
        if len(handlers) != 1 or not handlers[0].is_async or declared.timeout is not None:
            return self
        return self._calling.alone(handlers[0], declared, self)

    async def __call__(self, envelope: Envelope[Any], _call_next: CallNext) -> Envelope[Any]:
        """Run the handlers; the outcome carries the last one's ``Result``.

        Raises:
            HandlersFailed: with the handlers that failed and an envelope stamped with those that are done.
            Held: its type was paused before a handler was called.
        """
        handlers = self._registry.handlers.get(envelope.type, ())
        declared = self._registry.messages[envelope.type]
        done = envelope.get(Handled)
        names = list(done.handlers) if done else []
        abandoned = envelope.get(Abandoned)
        left_out = {*names, *(abandoned.handlers if abandoned else ())}
        failures: list[tuple[str, BaseException]] = []
        result = None
        begun = False
        for handler in handlers:
            if handler.name in left_out:
                continue
            try:
                run = self._calling.run(handler, declared, envelope, begun=begun)
                result = await (OwnContext(run) if len(handlers) > 1 else run)
            except BaseException as error:
                if not is_failure(error):
                    raise
                failures.append((handler.name, error))
            else:
                names.append(handler.name)
            begun = True
        if failures or abandoned:
            stamped = envelope.with_(Handled(tuple(names))) if names else envelope
            raise HandlersFailed(stamped, failures) from (failures[0][1] if failures else None)
        return envelope if result is None else envelope.with_(Result(result))
