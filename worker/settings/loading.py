"""Loading: flags over environment over file over defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from worker.errors import ConfigurationError
from worker.settings.environment import from_environment
from worker.settings.file import find, read
from worker.settings.given import Given, Tree, merge, put, tree_of
from worker.settings.model import Settings
from worker.settings.paths import resolve
from worker.settings.validation import validate


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    config: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Settings:
    """Load the settings and check them whole.

    Args:
        flags: values by dotted key (``"http.port"``); None counts as not given.
        config: the configuration file; else what ``WORKER_CONFIG`` names, else what the current folder holds.
        environ: the environment; the process's own by default.
        cwd: the current folder.

    Raises:
        ConfigurationError: with every fault, each with key, value, source and what is expected.
    """
    environ = os.environ if environ is None else environ
    cwd = Path.cwd() if cwd is None else cwd
    named = config or environ.get("WORKER_CONFIG")
    faults: list[str] = []
    path: Path | None = None
    tree: Tree = {}
    try:
        path = cwd / named if named else find(cwd)
        if path is not None:
            tree = tree_of(read(path), path.name)
    except ConfigurationError as error:
        faults.extend(error.faults)  # faults of the other sources are told in the same breath
    merge(tree, from_environment(environ))
    for key, value in (flags or {}).items():
        if value is not None:
            put(tree, _path(key), Given(value, "flag", text=True))
    values = validate(tree, faults)
    if faults:
        raise ConfigurationError(faults)
    base = (path.parent if path is not None else cwd).resolve()
    return _resolved(Settings(**values, base=base, file=path.resolve() if path is not None else None))


def _path(key: str) -> tuple[str, ...]:
    """Split a dotted key; a routing pattern may have dots of its own."""
    first, dot, rest = key.partition(".")
    if first == "routing" and dot:
        return (first, rest)
    return tuple(key.split("."))


def _resolved(settings: Settings) -> Settings:
    replace = msgspec.structs.replace
    transports = {
        name: replace(transport, url=resolve(transport.url, settings.base))
        for name, transport in settings.transports.items()
    }
    database = replace(settings.database, url=resolve(settings.database.url, settings.base))
    return replace(settings, database=database, transports=transports)
