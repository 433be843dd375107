"""What pages tell their readers to type does what the pages show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, blocks, name, pages
from tests.docs.session import Session

TUTORIAL = sorted((DOCS / "tutorial").glob("[0-9]*.md"))
CATALOG = sorted((DOCS / "tutorial").glob("catalog-*.md"))
"""An application from an empty folder: a reading of its own."""
TOGETHER = {*TUTORIAL, *CATALOG}
ALONE = [page for page in pages() if page not in TOGETHER and blocks(page, "sh", "console")]

CHECK = """
import importlib, sys
from worker import App
for found in vars(importlib.import_module(sys.argv[1])).values():
    if isinstance(found, App):
        found.registry()
"""


def follow(reading: list[Path], folder: Path, *, warm: bool = True) -> None:
    session = Session(folder, warm=warm)
    try:
        for page in reading:
            for block in blocks(page):
                if "skip" not in block.attributes:
                    session.follow(block)
        session.close()
    finally:
        session.kill()


@pytest.mark.e2e
@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", ALONE, ids=name)
def test_a_page_can_be_followed_command_by_command(page: Path, tmp_path: Path) -> None:
    """Every command of a page runs, ends as shown and prints what the page shows, files written on the way included."""
    follow([page], tmp_path)


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_tutorial_can_be_followed_from_the_first_page_to_the_last(tmp_path: Path) -> None:
    """The tutorial is one piece: each page goes on with the files and the data of those before it."""
    follow(TUTORIAL, tmp_path, warm=False)


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_application_grows_from_an_empty_folder(tmp_path: Path) -> None:
    """So it does on three pages that go on with one another."""
    follow(CATALOG, tmp_path)


@pytest.mark.parametrize("page", [page for page in pages() if page not in TOGETHER], ids=name)
def test_python_files_of_a_page_are_valid_applications(page: Path, tmp_path: Path) -> None:
    """A Python file that a page shows can be imported, and an application in it passes the checks at start."""
    session = Session(tmp_path)
    shown = [block for block in blocks(page, "python") if block.attributes.keys() & {"title", "append"}]
    for block in shown:
        session.follow(block)
    for path in dict.fromkeys(block.attributes.get("title") or block.attributes["append"] for block in shown):
        if path.startswith("test_"):
            continue
        module = path.removesuffix(".py").replace("/", ".")
        code = ["-c", CHECK, module]
        env = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, *code], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{page}: {path}\n{done.stderr}"
