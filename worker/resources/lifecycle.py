"""The life cycle of a request: the stages of an operation and what the application has between them, as one chain."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

from worker.chain.chain import Chain, Step, build
from worker.chain.conditions import naming, parse_all
from worker.chain.declared import DeclaredAction, DeclaredStep
from worker.chain.joined import joined
from worker.chain.lazy import Call, LazyStep, as_call
from worker.chain.running import Runner
from worker.errors import HandlerTimeout, StepFailed
from worker.messaging.declaration import Registry
from worker.raising import is_failure
from worker.resources.declared import Listener
from worker.resources.event import RequestEvent
from worker.resources.hook import GROUPS
from worker.resources.limited import limited
from worker.resources.operation import Operation
from worker.resources.watched import RequestStep, watched

PREFIX = "worker."


def stage(
    name: str, group: str, priority: int, call: Call[RequestEvent], *, quiet: bool = True
) -> RequestStep:
    """Make a step of a built-in stage; ``quiet``: it gives the event to nothing of the application's."""
    return Step(f"{PREFIX}{name}", LazyStep.ready(call, quiet=quiet), priority, group)


class ListenerSteps:
    """Makes steps of listeners; the methods of one class share one object, made when the first of them runs."""

    def __init__(self) -> None:
        self._made: dict[type[Any], Any] = {}
        self._lock = threading.Lock()

    def step(self, listener: Listener) -> RequestStep:
        """Make a step of one."""
        also = () if listener.plugin is None else (naming("plugins", listener.plugin),)
        when = (*parse_all(listener.when), *also)  # one attribute may be in both: both hold
        return Step(
            listener.name,
            LazyStep(lambda: as_call(self._call(listener))),
            listener.priority,
            listener.event,
            when,
            plugin=listener.plugin,
        )

    def _call(self, listener: Listener) -> Callable[[RequestEvent], Any]:
        if listener.cls is None:
            return listener.function  # type: ignore[return-value]
        with self._lock:
            if listener.cls not in self._made:
                self._made[listener.cls] = listener.cls()
        call: Callable[[RequestEvent], Any] = getattr(self._made[listener.cls], listener.method)
        return call


def facts_of(cls: type[Any], operation: Operation) -> dict[str, Any]:
    """What is known of each request of an operation."""
    return {
        "action": operation.action,
        "class": cls,
        "method": operation.method,
        "operation": operation.name,
    }


def chain_of(
    facts: Mapping[str, Any],
    stages: Iterable[RequestStep],
    application: Iterable[RequestStep],
    groups: Mapping[str, int] | None = None,
) -> Chain[LazyStep[RequestEvent]]:
    """Order an operation's stages and the application's steps, without those that can never run for it.

    Args:
        facts: of the operation.
        stages: built-in ones; they come before the application's of the same priority.
        application: its listeners and steps.
        groups: further ones of the operation's action, with their priorities.
    """
    return build([*stages, *application], {**GROUPS, **(groups or {})}).where(facts)


def application_steps(
    registry: Registry, operation: Operation, listeners: ListenerSteps
) -> list[RequestStep]:
    """What the application has in an operation's chain, in order of registration."""
    if operation.listeners is False:
        return []
    return steps_of(registry, operation.action, listeners)


def steps_of(registry: Registry, action: str, listeners: ListenerSteps) -> list[RequestStep]:
    """The application's listeners and its steps of an action, in order of registration."""
    found = [(one.place, listeners.step(one)) for one in registry.entries_of(Listener)]
    found += [
        (one.place, one.step) for one in registry.entries_of(DeclaredStep) if one.action in {None, action}
    ]
    return [step for _, step in sorted(found, key=itemgetter(0))]


def groups_of(registry: Registry, operation: Operation) -> dict[str, int]:
    """Groups of the operation's action, with those that the application has added."""
    for action in registry.entries_of(DeclaredAction):
        if action.name == operation.action:
            return dict(action.groups)
    return {}


class LifeCycle:
    """Runs the requests of one operation.

    The events are parts of the chain. What stands before the end of ``view`` is left as soon as there is an answer, or an
    error. What stands between ``view`` and ``response`` runs where there is no error, else ``exception`` runs; whatever
    stands elsewhere runs always, ``response`` first.

    Args:
        chain: of the operation.
        last_resort: makes an answer of an error where nothing else has.
        timeout: seconds for request and view, and again for each event that follows; None for no limit.
        name: of the operation, for the error.
    """

    def __init__(
        self,
        chain: Chain[LazyStep[RequestEvent]],
        last_resort: Callable[[RequestEvent, BaseException], Any],
        timeout: float | None = None,
        name: str = "",
    ) -> None:
        self.chain = chain
        places = {group: place for place, group in enumerate(chain.groups)}
        view, response, exception = places["view"], places["response"], places["exception"]
        before: list[RequestStep] = []
        behind_view: list[RequestStep] = []
        always: list[RequestStep] = []
        on_error: list[RequestStep] = []
        for one in chain.steps:
            step = one if one.name.startswith(PREFIX) else watched(one)
            if step.group is not None:
                place = places[step.group]
            else:
                place = -1 if step.priority >= 0 else len(places)
            if place <= view:
                before.append(step)
            elif place < response:
                behind_view.append(step)
            elif place == exception:
                on_error.append(step)
            else:
                always.append(step)
        # where nothing can intervene between them, the stages are called one after the other
        self._straight = all(step.run.quiet for step in chain.steps)
        parts = [
            joined(part) if self._straight else Runner(Chain(tuple(part), chain.groups)).run
            for part in (before, behind_view, on_error, always)
        ]
        if timeout is not None:
            parts = [limited(part, timeout, name) for part in parts]
        self._before, self._behind_view, self._on_error, self._always = parts
        self._any_behind_view = bool(behind_view)
        self._last_resort = last_resort

    async def run(self, event: RequestEvent) -> Any:
        """Run one request, and return its answer."""
        error: BaseException | None = None
        try:
            left = self._before(event)
            if left is not None:
                await left
            event.view_is_over = True
            if self._any_behind_view and not event.errors:
                left = self._behind_view(event)
                if left is not None:
                    await left
            if event.errors:
                error = event.errors[0]
            elif event.answer is None:
                error = RuntimeError(
                    f"{event.operation.name}: nothing has set a response; the operation leaves out respond, "
                    "so a listener has to"
                )
        except BaseException as raised:
            error = self._cause(raised)
        if error is not None:
            await self._explain(event, error)
        event.view_is_over = True
        try:
            left = self._always(event)
            if left is not None:
                await left
            late = event.errors[0] if event.errors else None
        except BaseException as raised:
            late = self._cause(raised)
        if late is not None:
            await self._explain(event, late)
        return event.answer

    async def _explain(self, event: RequestEvent, error: BaseException) -> None:
        event.view_is_over = False
        event.error = error
        event.without_response()
        event.errors.clear()
        try:
            left = self._on_error(event)
            if left is not None:
                await left
        except BaseException as raised:
            event.without_response()
            error = self._cause(raised)
        if event.response is None:
            event.response = self._last_resort(event, error)
        event.errors.clear()

    def _cause(self, raised: BaseException) -> BaseException:
        """What a step raised; what is no failure of it goes on."""
        if isinstance(raised, HandlerTimeout) or (self._straight and is_failure(raised)):
            return raised
        if not self._straight and isinstance(raised, StepFailed):
            cause = raised.cause
            note = f"in step {raised.step} of {raised.action}, group {raised.group}"
            if not raised.step.startswith(PREFIX) and note not in getattr(cause, "__notes__", ()):
                cause.add_note(note)  # for the log: who, and where
            return cause
        raise raised
