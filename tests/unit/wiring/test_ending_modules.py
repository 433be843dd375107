"""Modules that end the process where they are imported: it would end with success, and say nothing."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from worker import ConfigurationError
from worker.wiring import plugins
from worker.wiring.application import load_app


@pytest.fixture
def ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with such a module."""
    (tmp_path / "ending_app.py").write_text("import sys\n\nsys.exit(0)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_an_application_that_exits_where_it_is_imported_is_told(ending: Path) -> None:
    """With the line."""
    with pytest.raises(
        ConfigurationError, match=r"importing ending_app failed: SystemExit: 0 \(ending_app.py, line 3\)"
    ):
        load_app("ending_app:app", ending)


def test_a_plugin_that_exits_where_it_is_imported_is_told(
    ending: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name."""
    point = EntryPoint("audit", "ending_app:plugin", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: (point,))
    with pytest.raises(ConfigurationError, match=r"plugins: 'audit' .* cannot be loaded: SystemExit"):
        plugins.enabled(["audit"])
