"""Loading the application that the settings name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from worker import App, ConfigurationError
from worker.wiring.application import load_app


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("loaded_"):
            del sys.modules[name]


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text)


def test_an_application_is_found_beside_its_settings(tmp_path: Path) -> None:
    """``module:attribute`` is imported from ``base``; a dotted attribute goes into objects."""
    write(tmp_path, "loaded_fine", "from worker import App\nclass It:\n    app = App('shop')\napp = It.app\n")
    found = load_app("loaded_fine:app", tmp_path)
    assert isinstance(found, App)
    assert load_app("loaded_fine:It.app", tmp_path) is found


def test_the_settings_folder_goes_before_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module of the same name in the working folder does not hide the application."""
    write(tmp_path / "base", "loaded_twice", "from worker import App\napp = App('right')\n")
    write(tmp_path / "cwd", "loaded_twice", "from worker import App\napp = App('wrong')\n")
    monkeypatch.chdir(tmp_path / "cwd")
    assert load_app("loaded_twice:app", tmp_path / "base").name == "right"


def test_folders_go_behind_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of an installed package's name hides no installed package, and the error says so."""
    write(tmp_path, "loaded_own", "from worker import App\napp = App('shop')\n")
    write(tmp_path, "msgspec", "1 / 0\n")
    write(tmp_path, "worker", "from worker import App\napp = App('mine')\n")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    load_app("loaded_own:app", tmp_path)
    assert sys.path == [*before, str(tmp_path)]
    with pytest.raises(
        ConfigurationError, match=r"worker has no attribute 'app'; it is .*: rename .*worker\.py"
    ):
        load_app("worker:app", tmp_path)


@pytest.mark.parametrize(
    ("target", "text", "expected"),
    [
        ("loaded_a", "", "expected module:attribute"),
        (":app", "", "expected module:attribute"),
        ("loaded_a:", "", "expected module:attribute"),
        ("loaded_none:app", "", "there is no module 'loaded_none'"),
        ("loaded_a.deeper:app", "", "there is no module 'loaded_a.deeper'"),
        (
            "loaded_b:app",
            "import loaded_missing",
            "importing loaded_b failed: No module named 'loaded_missing' (loaded_b.py, line 1)",
        ),
        ("loaded_c:app", "\n1 / 0", "ZeroDivisionError: division by zero (loaded_c.py, line 2)"),
        (
            "loaded_h:app",
            "from worker import Post\n\n\nPost(statuss=202)",
            "argument 'statuss' (loaded_h.py, line 4)",
        ),
        ("loaded_d:app", "def", "SyntaxError"),
        ("loaded_e:app", "", "loaded_e has no attribute 'app'"),
        (
            "loaded_g:app",
            "from worker import App\nshop = App('shop')",
            "no attribute 'app'; did you mean loaded_g:shop?",
        ),
        ("loaded_f:app", "app = 3", "is a int, expected an App"),
    ],
)
def test_faults_say_what_is_wrong(tmp_path: Path, target: str, text: str, expected: str) -> None:
    """Each way in which the application cannot be had names the setting and the reason."""
    write(tmp_path, target.partition(":")[0].partition(".")[0] if "none" not in target else "x", text)
    with pytest.raises(ConfigurationError) as caught:
        load_app(target, tmp_path)
    assert f"app = {target!r}" in str(caught.value)
    assert expected in str(caught.value)
