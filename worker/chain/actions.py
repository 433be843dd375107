"""The actions of one application: chains by name, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from worker.chain.chain import Chain, build
from worker.chain.context import ChainContext
from worker.chain.declared import DeclaredAction, DeclaredStep
from worker.chain.lazy import LazyStep
from worker.chain.running import Runner
from worker.errors import NotFound, UsageError
from worker.suggestion import hint

_SURROUNDING: ContextVar[Mapping[str, Any] | None] = ContextVar("surrounding", default=None)


@contextmanager
def surrounded(**attributes: Any) -> Iterator[None]:
    """Give these attributes to each action that is run meanwhile and is not given them itself."""
    before = _SURROUNDING.set(attributes)
    try:
        yield
    finally:
        with suppress(ValueError):  # closed from another context, where there is nothing to put back
            _SURROUNDING.reset(before)


class Actions:
    """Runs actions by name; frozen: what is declared later is not in it.

    Args:
        actions: checked.
        steps: likewise, of all actions.
    """

    def __init__(self, actions: Mapping[str, DeclaredAction], steps: tuple[DeclaredStep, ...]) -> None:
        self._actions = actions
        self._steps = steps
        self._runners: dict[str, Runner[ChainContext]] = {}

    async def run(self, name: str, attributes: Mapping[str, Any]) -> ChainContext:
        """Run an action with these attributes.

        Raises:
            NotFound: there is no action of this name.
            UsageError: an attribute is given twice or is named ``action``, or only requests run the action.
            StepFailed: a step raised, and the action has no group ``normalize_result`` that it could go on at.
        """
        runner = self._runners.get(name) or self._made(name)
        given, surrounding = plain(attributes), _SURROUNDING.get()
        context = ChainContext(name, given if surrounding is None else {**surrounding, **given})
        await runner.run(context)
        return context

    def _made(self, name: str) -> Runner[ChainContext]:
        action = self._actions.get(name)
        if action is None:
            raise NotFound(f"there is no action {name!r}{hint(str(name), self._actions)}")
        if action.built_in:
            raise UsageError(f"action {name!r} is run by requests of resources; declare one of another name")
        runner = self._runners[name] = Runner(chain_of(action, self._steps).where({"action": name}))
        return runner


class Action:
    """A declared action; ``app.action`` makes it.

    Args:
        name: of it.
        find: gives the actions of the application that it is part of.
    """

    def __init__(self, name: str, find: Callable[[], Actions]) -> None:
        self.name = name
        self._find = find

    async def run(self, /, **attributes: Any) -> ChainContext:
        """Run its steps with these attributes; a trailing underscore of a name is dropped (``class_=Book``).

        Returns:
            The context, with its result and, where there were any, its errors.

        Raises:
            StepFailed: a step raised, and the action has no group ``normalize_result`` that it could go on at.
            UsageError: an attribute is given twice or is named ``action``, or only requests run the action.
            ConfigurationError: the first run finds something wrong with what is declared.
        """
        return await self._find().run(self.name, attributes)

    def __repr__(self) -> str:
        return f"<Action {self.name}>"


def chain_of(action: DeclaredAction, steps: tuple[DeclaredStep, ...]) -> Chain[LazyStep[Any]]:
    """Order the steps of an action; those common to all run only where it has steps of its own.

    Raises:
        ConfigurationError: something that was not checked is wrong.
    """
    own = any(declared.action == action.name for declared in steps)
    mine = [declared.step for declared in steps if own and declared.action in {None, action.name}]
    return build(mine, action.groups)


def plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the trailing underscores, which let a name be a keyword of Python.

    Raises:
        UsageError: two names come to one, or one is ``action``.
    """
    found: dict[str, Any] = {}
    for given, value in attributes.items():
        name = given.removesuffix("_") or given
        if name in found:
            raise UsageError(f"attribute {name!r} is given twice, with and without a trailing underscore")
        if name == "action":
            raise UsageError("attribute 'action' is the name of the action that runs; expected another name")
        found[name] = value
    return found
