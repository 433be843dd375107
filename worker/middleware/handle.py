"""Handle: the last step of consuming; each handler runs in a unit of work of its own."""

from __future__ import annotations

from typing import Any

from worker.chain.compiled import Facts
from worker.errors import HandlersFailed
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope
from worker.messaging.middleware import CallNext
from worker.messaging.own_context import OwnContext
from worker.messaging.stamps import Abandoned, Handled
from worker.middleware.calling import Call, Calling


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

    def for_facts(self, facts: Facts, _onward: CallNext) -> CallNext:
        """Return the step for one type; its outcome carries the last handler's ``Result``.

        It raises ``HandlersFailed`` with the handlers that failed and an envelope stamped with those that are done, and
        ``Paused`` where the type was paused before a handler was called.
        """
        declared = self._registry.messages[facts["type"]]
        handlers = self._registry.handlers.get(declared.name, ())
        calls: list[tuple[str, Call]] = [
            (handler.name, self._calling.of(handler, declared)) for handler in handlers
        ]
        alone = len(calls) == 1
        if not alone:
            calls = [(name, _apart(call)) for name, call in calls]

        async def handle(envelope: Envelope[Any]) -> Envelope[Any]:
            """Run the handlers that are left."""
            finished, left_out, abandoned = _before(envelope) if len(envelope.stamps) > 1 else _NOTHING
            failures: tuple[tuple[str, BaseException], ...] = ()
            outcome, begun = envelope, False
            for name, call in calls:
                if name in left_out:
                    continue
                try:
                    outcome = await call(envelope, begun)
                except HandlersFailed as error:
                    failures = (*failures, *error.failures)
                begun = True
            if failures or abandoned:
                failed = {name for name, _ in failures}
                done = (*finished, *(name for name, _ in calls if name not in left_out | failed))
                stamped = envelope.with_(Handled(done)) if done else envelope
                raise HandlersFailed(stamped, failures) from (failures[0][1] if failures else None)
            return outcome

        # the only handler is called straight away for what comes for the first time, as nearly every message does
        return self._calling.of(handlers[0], declared, again=handle) if alone else handle


def _apart(call: Call) -> Call:
    """Call in a context of its own: the next handler does not see what this one sets in context variables."""
    return lambda envelope, begun=False: OwnContext(call(envelope, begun))


def _before(envelope: Envelope[Any]) -> tuple[tuple[str, ...], frozenset[str], bool]:
    """Handlers that are done with a message, those that do not run, and whether one of these was given up on."""
    done, abandoned = envelope.get(Handled), envelope.get(Abandoned)
    finished = done.handlers if done else ()
    return finished, frozenset((*finished, *(abandoned.handlers if abandoned else ()))), abandoned is not None


# what has one stamp was received somewhere, for the first time
_NOTHING: tuple[tuple[str, ...], frozenset[str], bool] = ((), frozenset(), False)
