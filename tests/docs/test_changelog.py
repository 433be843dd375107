"""The changelog merges by itself, so that lines of two branches may come together: it stays one list."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text()
LISTS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def test_each_version_has_its_lists_once_and_in_their_order() -> None:
    """Added, Changed, Deprecated, Removed, Fixed, Security: those that there are, in this order."""
    versions = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    assert versions
    for version in versions:
        found = re.findall(r"^### (.+)$", version, re.MULTILINE)
        assert found == [one for one in LISTS if one in found], version.splitlines()[0]


def test_no_line_stands_there_twice() -> None:
    """What two branches have both noted is told once."""
    lines = [line for line in TEXT.splitlines() if line.startswith("- ")]
    assert sorted({line for line in lines if lines.count(line) > 1}) == []
