"""Finds the plugins that a configuration enables: those that installed packages name, and those that the application declares."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from worker.application.app import App
from worker.application.plugin import Plugin
from worker.errors import ConfigurationError
from worker.messaging.declaration import Registry
from worker.messaging.declaring.registry import WrongDeclarations
from worker.settings import Settings
from worker.texts import told
from worker.wiring.forms import with_forms

GROUP = "command_worker.plugins"
"""The group of entry points under which packages name their plugins."""


def registry_of(app: App, settings: Settings) -> Registry:
    """Check an application's declarations, with the plugins that the settings enable and the steps of their files.

    Raises:
        ConfigurationError: with every fault found.
    """
    return with_forms(_checked(app, settings), settings)


def _checked(app: App, settings: Settings) -> Registry:
    plugins = enabled(settings.plugins) if settings.plugins else ()
    if not settings.chains.files:
        return app.registry(plugins)
    from worker.chain.files.loading import load_steps  # brings the reader of YAML

    steps, faults = load_steps(settings.chains.files, settings.base)
    try:
        registry = app.registry(plugins, steps)
    except WrongDeclarations as wrong:
        raise WrongDeclarations([*faults, *wrong.faults], wrong.registry) from None
    if faults:
        raise WrongDeclarations(faults, registry)
    return registry


def enabled(names: Iterable[str]) -> list[Plugin | str]:
    """Load the plugins of these names; a name that no package has is left for the application to know.

    Raises:
        ConfigurationError: with each one that cannot be loaded, is no plugin, or bears another name.
    """
    installed = {point.name: point for point in entry_points(group=GROUP)}
    found: list[Plugin | str] = []
    faults: list[str] = []
    for name in names:
        point = installed.get(name)
        plugin = name if point is None else _loaded(point, faults)
        if plugin is not None:
            found.append(plugin)
    if faults:
        raise ConfigurationError(faults)
    return found


def _loaded(point: EntryPoint, faults: list[str]) -> Plugin | None:
    where = f"plugins: {point.name!r} ({point.value})"
    try:
        found: object = point.load()
    except (Exception, SystemExit) as error:
        faults.append(f"{where}: cannot be loaded: {told(error)}")
        return None
    if not isinstance(found, Plugin):
        faults.append(f"{where}: is a {type(found).__name__}, expected a worker.Plugin")
    elif found.name != point.name:
        faults.append(f"{where}: calls itself {found.name!r}; expected the name of its entry point")
    else:
        return found
    return None
