"""The library's README names what there is: every path, and every file."""

import re
from pathlib import Path

import examples.library
from examples.library.app import app
from worker.resources.declared import DeclaredResource

FOLDER = Path(examples.library.__file__).parent
README = (FOLDER / "README.md").read_text()


def test_every_resource_has_its_row():
    rows = set(re.findall(r"`(/[a-z-]+)`", README.partition("## What it shows")[2].partition("\n## ")[0]))
    paths = {one.path for one in app.registry().entries_of(DeclaredResource)}
    assert rows == paths | {"/reviews"}


def test_every_file_has_its_row():
    listed = set(re.findall(r"`(\w+\.py)`", README.partition("## The files")[2]))
    assert listed == {path.name for path in FOLDER.glob("*.py")} - {"__init__.py"}
