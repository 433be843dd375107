"""Loads the application that settings name."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from worker.errors import ConfigurationError
from worker.messaging.app import App


def load_app(target: str, base: Path) -> App:
    """Import ``module:attribute`` with ``base`` on the path.

    Raises:
        ConfigurationError: there is no such module or attribute, it raises, or it is no ``App``.
    """
    name, _, attribute = target.partition(":")
    if not name or not attribute:
        raise ConfigurationError(f"app = {target!r}: expected module:attribute, like shop.app:app")
    for folder in (str(Path.cwd()), str(base)):  # what is put in last is looked at first
        if folder not in sys.path:
            sys.path.insert(0, folder)
    try:
        found: object = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise ConfigurationError(
                f"app = {target!r}: there is no module {error.name!r} in {base}"
            ) from error
        raise ConfigurationError(f"app = {target!r}: importing {name} failed: {error}") from error
    except Exception as error:
        raise ConfigurationError(
            f"app = {target!r}: importing {name} failed: {type(error).__name__}: {error}"
        ) from error
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, App):
        what = "has no such attribute" if found is None else f"is a {type(found).__name__}, expected an App"
        raise ConfigurationError(f"app = {target!r}: {attribute!r} of {name} {what}")
    return found
