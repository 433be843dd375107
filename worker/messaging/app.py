"""The application object: what a team declares, and nothing that runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from worker.messaging.declaration import Registry
from worker.messaging.declaring.declarations import Declarations
from worker.messaging.declaring.handlers import DeclaresHandlers, check_handlers
from worker.messaging.declaring.messages import DeclaresMessages, check_messages
from worker.messaging.declaring.middleware import DeclaresMiddleware, check_middleware
from worker.messaging.declaring.registry import check

_CHECKS = (check_messages, check_handlers, check_middleware)
"""One a kind; each may look at what those before it have found."""


class App(DeclaresMessages, DeclaresHandlers, DeclaresMiddleware):
    """Commands, queries, events, handlers and middleware of one application.

    Every decorator works bare and with arguments and returns what it decorated, unchanged. Nothing is
    checked before ``registry()``, so that all faults come in one error.

    Args:
        name: source of its messages and first part of its queues' names.
        plugins: names of the plugins that are on for every message.
    """

    def __init__(self, name: str, *, plugins: Iterable[str] = ()) -> None:
        super().__init__()
        self.name = name
        self.plugins = (plugins,) if isinstance(plugins, str) else tuple(plugins)
        self._included: list[App] = []

    def include(self, other: App) -> None:
        """Join another application's declarations to this one."""
        given: Any = other
        if isinstance(given, App):
            self._included.append(given)
        else:
            self._declared.faults.append(f"include({given!r}): expected an App")

    def registry(self) -> Registry:
        """Check all declarations and give them, frozen.

        Raises:
            ConfigurationError: with every fault found.
        """
        apps = self._flattened(set())
        plugins = tuple(dict.fromkeys(plugin for app in apps for plugin in app.plugins))
        declared = Declarations.joined(app._declared for app in apps)
        return check(self.name, declared, plugins, _CHECKS)

    def _flattened(self, seen: set[int]) -> list[App]:
        if id(self) in seen:
            return []
        seen.add(id(self))
        return [self, *(app for included in self._included for app in included._flattened(seen))]
