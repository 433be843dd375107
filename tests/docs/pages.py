"""The pages of the documentation, and the fenced blocks on them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ROOMS = ("tutorial", "how-to", "reference", "explanation")

_FENCE = re.compile(r"^```(?P<info>\S.*)?$")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Block:
    """A fenced block. Of its info string the first word is the language; ``name="value"`` pairs say more.

    ``title`` names the file it is, ``append`` the file it goes to the end of, ``type`` what a JSON document is,
    ``skip`` why it is not run.
    """

    page: Path
    line: int
    language: str
    text: str
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Page and line, to be found by."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """The README, and every page of the rooms, the tutorial in its reading order."""
    return [
        ROOT / "README.md",
        DOCS / "README.md",
        *(page for room in ROOMS for page in sorted((DOCS / room).glob("*.md"))),
    ]


def name(page: Path) -> str:
    """What a page is called in the list of tests."""
    return str(page.relative_to(ROOT))


def blocks(page: Path, *languages: str) -> list[Block]:
    """Blocks of a page in order; only of these languages when some are named."""
    found: list[Block] = []
    opened: tuple[int, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened, lines = (number, fence["info"] or ""), []
        elif opened is not None and line == "```":
            language, _, rest = opened[1].partition(" ")
            found.append(
                Block(page, opened[0], language, "\n".join(lines) + "\n", dict(_ATTRIBUTE.findall(rest)))
            )
            opened = None
        elif opened is not None:
            lines.append(line)
    assert opened is None, f"{page}:{opened[0]}: the block is not closed"
    return [block for block in found if not languages or block.language in languages]


def prose(page: Path) -> str:
    """Text of a page without its blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
