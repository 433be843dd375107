"""Pages hang together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, blocks, name, pages, prose

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def links(page: Path) -> list[tuple[str, Path, str]]:
    """Links of a page to files: as written, the file, and the heading."""
    found = []
    for target in LINK.findall(prose(page)):
        if not re.match(r"[a-z]+:", target):
            path, _, heading = target.partition("#")
            found.append((target, (page.parent / path).resolve() if path else page, heading))
    return found


def headings(page: Path) -> set[str]:
    """Anchors of a page, as forges make them."""
    lines = re.findall(r"^#+ +(.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).strip().replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """A link to a file of the repository finds it, and the heading that it names."""
    for target, path, heading in links(page):
        assert path.exists(), f"{name(page)}: {target} leads nowhere"
        assert not heading or heading in headings(path), f"{name(page)}: {target}: no such heading"


def test_every_page_can_be_reached() -> None:
    """From the front page of the documentation, links lead to every page; and from the README to it."""
    assert any(path == DOCS / "README.md" for _, path, _ in links(ROOT / "README.md"))
    seen: set[Path] = set()
    waiting = [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen:
            seen.add(page)
            waiting += [
                path
                for _, path, _ in links(page)
                if path.suffix == ".md" and path.is_relative_to(DOCS) and path.exists()
            ]
    assert sorted(set(DOCS.rglob("*.md")) - seen) == []


@pytest.mark.parametrize("page", [page for page in pages() if page.parent != ROOT], ids=name)
def test_a_page_begins_with_who_needs_it(page: Path) -> None:
    """Below the title stands a sentence that says for whom the page is."""
    lines = [line for line in page.read_text().splitlines() if line.strip()]
    assert lines[0].startswith("# "), name(page)
    assert lines[1].startswith("For "), f"{name(page)}: {lines[1]!r}"


NOT_YET = re.compile(
    r"\b(/dashboard|asyncapi)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("page", pages(), ids=name)
def test_only_the_page_of_what_is_missing_speaks_of_it(page: Path) -> None:
    """What does not exist is named where the reader is told that it does not exist, and nowhere else."""
    if page in {ROOT / "README.md", DOCS / "explanation" / "not-yet.md"}:
        return
    text = re.sub(r"<!-- generated: .*?<!-- end -->", "", page.read_text(), flags=re.DOTALL)
    assert NOT_YET.findall(text) == [], name(page)


def test_pages_stay_short() -> None:
    """A page outside the reference is read in one go: at most 150 lines."""
    long = [
        name(page)
        for page in pages()
        if page.parent.name != "reference" and len(page.read_text().splitlines()) > 150
    ]
    assert long == []
    assert blocks(ROOT / "README.md")
