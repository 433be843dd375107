"""Actions and their steps: how they are declared, and how those of an application are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from worker.chain.actions import Action, Actions
from worker.chain.declared import ActionEntry, StepEntry
from worker.errors import UsageError
from worker.messaging.declaring.declarations import Declares

T = TypeVar("T")


class DeclaresActions(Declares):
    """Declares actions and steps; what they come to is known to the application that all of it is part of."""

    def __init__(self) -> None:
        super().__init__()
        self._actions: Actions | None = None
        self._home: DeclaresActions | None = None

    def action(self, name: str, *, groups: Mapping[str, int] | None = None) -> Action:
        """Declare an action: a chain of steps with conditions, run by ``await action.run(...)``.

        Args:
            name: by which steps and ``run_action`` name it.
            groups: names with their priorities; higher runs first. In an application with resources, those of ``get``,
                ``get_list``, ``create``, ``replace``, ``update`` and ``delete`` join the built-in ones.

        Raises:
            UsageError: the application has been checked already: its actions are frozen.
        """
        self._declared.add(ActionEntry(name=name, groups={} if groups is None else groups))
        return Action(name, self._all_actions)

    @overload
    def step(self, target: T, /) -> T: ...
    @overload
    def step(
        self,
        *,
        action: str | None = None,
        group: str | None = None,
        priority: int = 0,
        when: Mapping[str, object] | None = None,
    ) -> Callable[[T], T]: ...
    def step(self, target: Any = None, **options: Any) -> Any:
        """Declare a step: a class with ``async def process(self, context)``, or a function of the context.

        A ``def`` runs in a thread. A class is made when one of its entries first applies, once for all of them.

        Args:
            target: the class or function, when used bare: a step common to all actions.
            **options: ``action`` and, of its groups, ``group``; ``priority`` (higher first; 0 and more without a group
                is before all groups, below 0 behind them) and ``when`` (conditions by attribute).

        Raises:
            UsageError: the application has been checked already: its actions are frozen.
        """
        options = self._declared.known("step", options, ("action", "group", "priority", "when"))
        options["when"] = {} if options.get("when") is None else options["when"]

        return self._decorate(lambda it: StepEntry(target=it, **options), target)

    def _all_actions(self) -> Actions:
        """The actions of the application that this is part of, checked where that was not done yet.

        Raises:
            ConfigurationError: with every fault.
            UsageError: it is part of none.
        """
        if self._actions is None:
            self._whole()._check()
        if self._actions is None:
            raise UsageError(
                "this plugin is part of no application yet; app.include(plugin), or enable it by name"
            )
        return self._actions

    def _whole(self) -> DeclaresActions:
        """The application that this is part of, itself where it is part of none."""
        found, seen = self, {id(self)}
        while found._home is not None and id(found._home) not in seen:
            found = found._home
            seen.add(id(found))
        return found

    def _check(self) -> None:
        """Check what is declared, and let the parts know their actions; only an application does."""


def include_actions(home: DeclaresActions, part: DeclaresActions) -> None:
    """Have a part's actions run what is found at its home, where the part has none of its own yet."""
    part._home = home


def give_actions(part: DeclaresActions, actions: Actions) -> None:
    """Have a part's actions run what was found for all of an application."""
    part._actions = actions
