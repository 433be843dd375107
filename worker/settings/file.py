"""The configuration file: ``worker.toml``, or ``[tool.worker]`` of ``pyproject.toml``."""

from __future__ import annotations

import codecs
import tomllib
from pathlib import Path
from typing import Any

from worker.errors import ConfigurationError

WORKER = "worker.toml"
PROJECT = "pyproject.toml"


def find(folder: Path) -> Path | None:
    """Return the configuration file of a folder, None when it has none."""
    own = folder / WORKER
    if own.exists() or own.is_symlink():
        return own  # also what cannot be read as a file: that is an error, not a folder without configuration
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
        body = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such configuration file") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read as a configuration file: {error}") from error
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigurationError(f"{path}: is UTF-16; expected UTF-8")
    try:
        # some editors put a byte order mark in front of UTF-8: it says nothing that is not known
        return tomllib.loads(body.removeprefix(codecs.BOM_UTF8).decode())
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}: is not UTF-8 (at line {line}); expected UTF-8") from error
    except RecursionError:
        raise ConfigurationError(f"{path}: no valid TOML: nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, and whole numbers of thousands of digits
        raise ConfigurationError(f"{path}: no valid TOML: {error}") from error


def _section(document: dict[str, Any]) -> dict[str, Any] | None:
    tool = document.get("tool")
    section = tool.get("worker") if isinstance(tool, dict) else None
    return section if isinstance(section, dict) else None
