"""The application object: what a team declares, and nothing that runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from worker.application.acting import actions_of
from worker.application.actions import give_actions, include_actions
from worker.application.every import CHECKS, DeclaresEverything
from worker.application.plugin import Plugin
from worker.chain.context import ChainContext
from worker.chain.declared import StepEntry
from worker.messaging.declaration import Registry
from worker.messaging.declaring.declarations import Declarations
from worker.messaging.declaring.plugins import of_plugin, plugin_faults
from worker.messaging.declaring.registry import check


class App(DeclaresEverything):
    """What one application declares: messages, handlers, middleware, schedules, resources, actions and the rest.

    Args:
        name: source of its messages and first part of its queues' names.
        plugins: names of the plugins that are on, of those that ``@app.middleware(plugin=...)`` declares.
    """

    def __init__(self, name: str, *, plugins: Iterable[str] = ()) -> None:
        super().__init__()
        self.name = name
        self.plugins = self._names(plugins)
        self._included: list[App | Plugin] = []

    def _names(self, given: Any) -> tuple[str, ...]:
        """Names of plugins; what is none is a fault."""
        try:
            found = [given] if isinstance(given, str) else [*given]
        except TypeError:
            self._declared.faults.append(f"App(plugins={given!r}): expected names of plugins")
            return ()
        self._declared.faults += [
            f"App(plugins=...): {one!r} is no name of a plugin; expected text, or app.include(plugin)"
            for one in found
            if not isinstance(one, str)
        ]
        return tuple(one for one in found if isinstance(one, str))

    def include(self, other: App | Plugin) -> None:
        """Join another application's declarations, or a plugin's, to this one; also what they declare later.

        Raises:
            UsageError: this application has been checked already: what it declares is frozen.
        """
        given: Any = other
        self._declared.refuse_late(lambda: f"include({given!r})")
        if isinstance(given, App | Plugin):
            self._included.append(given)
            include_actions(self, given)
        else:
            self._declared.faults.append(f"include({given!r}): expected an App or a Plugin")

    async def run_action(self, name: str, /, **attributes: Any) -> ChainContext:
        """Run an action by its name, as ``Action.run`` does.

        Raises:
            NotFound: there is no action of this name.
            StepFailed: a step raised, and the action has no group ``normalize_result`` that it could go on at.
            UsageError: an attribute is given twice or is named ``action``, or only requests run the action.
        """
        return await self._all_actions().run(name, attributes)

    def registry(self, plugins: Sequence[Plugin | str] = (), steps: Sequence[StepEntry] = ()) -> Registry:
        """Check all declarations and give them, frozen; from now on its actions run what was found.

        Args:
            plugins: enabled beside those that the application includes; a name stands for what is declared under it.
            steps: of actions, declared beside it.

        Raises:
            ConfigurationError: with every fault found.
        """
        further = [plugin for plugin in plugins if isinstance(plugin, Plugin)]
        parts = list(dict.fromkeys([*self._parts(set()), *further]))
        on = [plugin for plugin in parts if isinstance(plugin, Plugin)]
        declared = Declarations.joined(
            of_plugin(part.name, part._declared) if isinstance(part, Plugin) else part._declared
            for part in parts
        )
        names = [name for part in parts for name in (part.plugins if isinstance(part, App) else (part.name,))]
        names += [plugin for plugin in plugins if isinstance(plugin, str)]
        declared.faults += plugin_faults(names, [plugin.name for plugin in on], declared)
        for step in steps:
            declared.add(step)
        registry = check(self.name, declared, tuple(dict.fromkeys(names)), CHECKS)
        actions = actions_of(registry)
        for part in parts:
            give_actions(part, actions)
            part._declared.freeze()
        return registry

    def _check(self) -> None:
        self.registry()

    def _parts(self, seen: set[int]) -> Iterator[App | Plugin]:
        """The application itself and all that it includes, each once."""
        if id(self) in seen:
            return
        seen.add(id(self))
        yield self
        for included in self._included:
            if isinstance(included, App):
                yield from included._parts(seen)
            else:
                yield included
