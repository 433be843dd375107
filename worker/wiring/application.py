"""Loads the application that settings name."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path

from worker.application.app import App
from worker.errors import ConfigurationError


def load_app(target: str, base: Path) -> App:
    """Import ``module:attribute`` with ``base`` and the working folder on the path, after all that is installed.

    Raises:
        ConfigurationError: there is no such module or attribute, it raises, or it is no ``App``.
    """
    name, _, attribute = target.partition(":")
    if not name or not attribute:
        raise ConfigurationError(f"app = {target!r}: expected module:attribute, like shop.app:app")
    for folder in (str(base), str(Path.cwd())):
        if folder not in sys.path:
            sys.path.append(folder)
    try:
        found: object = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise ConfigurationError(
                f"app = {target!r}: there is no module {error.name!r} in {base}"
            ) from error
        raise ConfigurationError(
            f"app = {target!r}: importing {name} failed: {error}{_line(error, base)}"
        ) from error
    except (Exception, SystemExit) as error:
        place = "" if isinstance(error, SyntaxError) else _line(error, base)  # that one says its line itself
        raise ConfigurationError(
            f"app = {target!r}: importing {name} failed: {type(error).__name__}: {error}{place}"
        ) from error
    module = found
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, App):
        hidden = _hidden(name, base)
        if found is not None:
            what = f"{attribute!r} of {name} is a {type(found).__name__}, expected an App"
        else:
            apps = [known for known, value in vars(module).items() if isinstance(value, App)]
            what = f"{name} has no attribute {attribute!r}{'' if hidden else _meant(name, apps)}"
        raise ConfigurationError(f"app = {target!r}: {what}{hidden}")
    return found


def _meant(name: str, apps: list[str]) -> str:
    return f"; did you mean {' or '.join(f'{name}:{app}' for app in apps)}?" if apps else ""


def _line(error: BaseException, base: Path) -> str:
    """Say in which line of the application's own files an error came up; nothing where it was in none of them."""
    places = [
        f" ({Path(frame.filename).name}, line {frame.lineno})"
        for frame in traceback.extract_tb(error.__traceback__)
        if _is_own(Path(frame.filename), base)
    ]
    return places[-1] if places else ""


def _is_own(file: Path, base: Path) -> bool:
    folders = (base, Path.cwd())
    return "site-packages" not in file.parts and any(file.is_relative_to(folder) for folder in folders)


def _hidden(name: str, base: Path) -> str:
    """Say that a module of the application's folder has the name of another, which is installed."""
    top = name.partition(".")[0]
    file = getattr(sys.modules.get(top), "__file__", None)
    here = [path for path in (base / f"{top}.py", base / top) if path.exists()]
    if not here or file is None or Path(file).is_relative_to(base):
        return ""
    return f"; it is {file}: rename {here[0]}, since what is installed goes first"
