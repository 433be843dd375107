"""The list of known faults names tests that are there, each fault once."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

_PAGE = (ROOT / "tests" / "README.md").read_text()
ROWS = re.findall(
    r"^\| (?!fault \|)([^|].*?) \| (.+) \|$", _PAGE.partition("## Known faults")[2], re.MULTILINE
)


def test_every_fault_names_tests_that_exist() -> None:
    """Each row names at least one file or folder of tests, and all that it names are there."""
    assert ROWS
    named = {fault: re.findall(r"`([^`]+)`", tests) for fault, tests in ROWS}
    assert [fault for fault, paths in named.items() if not paths] == []
    assert [path for paths in named.values() for path in paths if not (ROOT / path).exists()] == []


def test_no_fault_stands_there_twice() -> None:
    """Two branches that add the same fault leave one row."""
    faults = [fault.lower() for fault, _ in ROWS]
    assert sorted({fault for fault in faults if faults.count(fault) > 1}) == []
