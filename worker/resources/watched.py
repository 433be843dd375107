"""Holds an application's listeners and steps to what they may set of a request."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace

from worker.chain.chain import Step
from worker.chain.lazy import LazyStep
from worker.errors import UsageError
from worker.resources.event import RequestEvent, is_response
from worker.resources.hook import Hook

RequestStep = Step[LazyStep[RequestEvent]]

_FIXED = ("operation", "resource", "store", "scope", "principal", "headers")
_SWITCHES = ("receive", "persist", "respond")
_MAY = "it may set data, result, response, uri_variables and attributes"


def watched(step: RequestStep) -> RequestStep:
    """Have a step fail where it sets what cannot be meant; the event learns whose its result is."""
    return replace(step, run=LazyStep.ready(_Watched(step).run, quiet=False))


class _Watched:
    def __init__(self, step: RequestStep) -> None:
        self._step = step.run
        self._who = f"{step.name} ({place_of(step)})"

    async def run(self, event: RequestEvent) -> None:
        """Run the step.

        Raises:
            UsageError: it set, deleted or returned what has no effect.
            Exception: what the step raised.
        """
        before = [getattr(event, name) for name in _FIXED]
        result = event.result
        left = self._step.run(event)
        returned = None if left is None else await left
        if returned is not None:
            self._check_returned(returned)
        for name, value in zip(_FIXED, before, strict=True):
            if getattr(event, name, None) is not value:
                setattr(event, name, value)
                raise UsageError(f"{self._who} changed event.{name}, which stays as it is; {_MAY}")
        if not isinstance(getattr(event, "uri_variables", None), Mapping):
            event.uri_variables = {}
            raise UsageError(f"{self._who} set event.uri_variables to what is no mapping; {_MAY}")
        try:
            if event.result is not result:
                event.set_by = self._who
        except AttributeError:
            event.data = None
            raise UsageError(f"{self._who} deleted event.data; set it to another object instead") from None
        for name in _SWITCHES if event.switches else ():
            value = event.attributes.get(name, True)
            if not isinstance(value, bool):
                raise UsageError(
                    f"{self._who} set event.attributes[{name!r}] to {value!r}: expected True or False"
                )

    def _check_returned(self, returned: object) -> None:
        if is_response(returned):
            raise UsageError(f"{self._who} returned a response, which has no effect; set event.response")
        if inspect.isawaitable(returned) or inspect.isgenerator(returned) or inspect.isasyncgen(returned):
            if inspect.iscoroutine(returned):
                returned.close()
            raise UsageError(
                f"{self._who} returned a {type(returned).__name__}, which is never run; await it"
            )


def place_of(step: RequestStep) -> str:
    """Say where a step stands: a hook, where there is one of its place."""
    hooks = [
        f"Hook.{hook.name}" for hook in Hook if (hook.event, hook.priority) == (step.group, step.priority)
    ]
    return " or ".join(hooks) or f"{step.group or 'no group'}, priority {step.priority}"
