"""The configuration file: ``worker.toml``, or ``[tool.worker]`` of ``pyproject.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from worker.errors import ConfigurationError

WORKER = "worker.toml"
PROJECT = "pyproject.toml"


def find(folder: Path) -> Path | None:
    """Return the configuration file of a folder, None when it has none."""
    own = folder / WORKER
    if own.is_file():
        return own
    project = folder / PROJECT
    if project.is_file() and _section(_parse(project)) is not None:
        return project
    return None


def read(path: Path) -> dict[str, Any]:
    """Read the settings that a file holds.

    Raises:
        ConfigurationError: it is missing, cannot be read, is no TOML (with the line) or holds no settings.
    """
    document = _parse(path)
    if path.name != PROJECT:
        return document
    section = _section(document)
    if section is None:
        raise ConfigurationError(f"{path}: expected a table [tool.worker]")
    return section


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such configuration file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read as a configuration file: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: no valid TOML: {error}") from error


def _section(document: dict[str, Any]) -> dict[str, Any] | None:
    tool = document.get("tool")
    section = tool.get("worker") if isinstance(tool, dict) else None
    return section if isinstance(section, dict) else None
