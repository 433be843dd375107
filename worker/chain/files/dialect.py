r"""YAML as those files are written: ``!x`` is text, and so is a backslash in double quotes.

What makes a document more than what stands there is refused: tags, anchors and aliases; so are nesting without end
and keys given twice. Nothing of it makes objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

DEEPEST = 12
"""Lists and tables inside one another; what these files need is five."""

_FIXES = (
    ("'\\t' that cannot start", "use blanks, not tabs"),
    ("cannot start any token", "quote the text"),
    ("another document", "put all services under one key services"),
    ("<stream end>", "close what is open: a brace, a bracket or a quote"),
    ("unexpected end of stream", "close what is open: a brace, a bracket or a quote"),
    ("mapping values are not allowed", "quote the text, or begin a line"),
)
"""What to do, by what the reader of YAML says."""
_SPECIAL = "'\"\\\0 \t\r\n\x85\u2028\u2029"


class Scalar(NamedTuple):
    """Text as it stands there; ``plain`` where it is not in quotes. ``line`` counts from 1, as in the other nodes."""

    text: str
    plain: bool
    line: int


class Items(NamedTuple):
    """A list."""

    items: tuple[Node, ...]
    line: int


class Table(NamedTuple):
    """Keys with values, in order; each key once."""

    entries: dict[Scalar, Node]
    line: int

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        return next((value for name, value in self.entries.items() if name.text == key), None)


Node = Scalar | Items | Table


class Unreadable(Exception):
    """A file that cannot be read as YAML of this kind; ``line`` counts from 1, None where it is about the whole file."""

    def __init__(self, what: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(what)


def read(source: bytes, faults: list[Unreadable]) -> Node | None:
    """Read a document; None where there is nothing in it.

    Args:
        source: as it stands in its file.
        faults: what is wrong and left out of what is read joins these, also where the rest cannot be read.

    Raises:
        Unreadable: it is no UTF-8, no YAML, or more than what stands there.
    """
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise Unreadable("is not UTF-8; save it as UTF-8", line) from None
    try:
        node = _Loader(text, faults).get_single_node()
        return None if node is None else _plain(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = "; ".join(part for part in (error.context, error.problem) if part)
        fix = next((f"; {fix}" for said, fix in _FIXES if said in what), "")
        raise Unreadable(f"{what}{fix}", None if mark is None else mark.line + 1) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(
            f"has a character that no YAML may have, {error.character:#x}; remove it", line
        ) from None


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """What PyYAML makes nodes with, in this dialect."""

    def __init__(self, text: str, faults: list[Unreadable]) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self._depth = 0
        self._faults = faults
        self._lines: dict[int, dict[str, int]] = {}
        """Line of each key, by the identity of its table."""

    def fetch_tag(self) -> None:
        """Take ``!x`` for text: it negates a value here."""
        if self.peek(1) in "!<":
            raise self._refused(
                "tags are not read, and nothing here makes objects; write plain text, or quote it"
            )
        self.fetch_plain()

    def fetch_anchor(self) -> None:
        """Refuse it."""
        raise self._refused("anchors (&name) are not read; quote the text if it is one, else write it out")

    def fetch_alias(self) -> None:
        """Refuse it."""
        raise self._refused("aliases (*name) are not read; quote the text if it is one, else write it out")

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Refuse what is nested too deeply, before it is read; look at keys, which alone have no index."""
        if self._depth >= DEEPEST:
            raise self._refused(f"more than {DEEPEST} lists and tables inside one another; write it flat")
        self._depth += 1
        try:
            node = super().compose_node(parent, index)
        finally:
            self._depth -= 1
        if index is None and isinstance(parent, yaml.MappingNode) and node is not None:
            self._check_key(node, self._lines.setdefault(id(parent), {}))
        return node

    def _check_key(self, key: yaml.Node, lines: dict[str, int]) -> None:
        """Note a key that is none, or is there twice: it is left out, and the rest is read all the same."""
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            self._faults.append(Unreadable("a list or table is a key; expected text", line))
        elif key.value in lines:
            what = f"{key.value!r} stands in line {lines[key.value]} already; expected it once"
            self._faults.append(Unreadable(what, line))
        else:
            lines[key.value] = line

    def scan_flow_scalar_non_spaces(self, double: bool, start_mark: yaml.Mark) -> list[str]:
        """Read up to a blank; of backslashes only those before a quote or a backslash mean something else."""
        if not double:
            return super().scan_flow_scalar_non_spaces(double, start_mark)
        chunks: list[str] = []
        while True:
            length = 0
            while self.peek(length) not in _SPECIAL:
                length += 1
            if length:
                chunks.append(self.prefix(length))
                self.forward(length)
            character = self.peek()
            if character == "\\":
                self.forward()
                if self.peek() in '"\\':
                    character = self.peek()
                    self.forward()
                chunks.append(character)
            elif character == "'":
                chunks.append(character)
                self.forward()
            else:
                return chunks

    def _refused(self, what: str) -> yaml.MarkedYAMLError:
        return yaml.MarkedYAMLError(problem=what, problem_mark=self.get_mark())


def _plain(node: yaml.Node) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return Scalar(str(node.value), node.style is None, line)
    if isinstance(node, yaml.SequenceNode):
        return Items(tuple(_plain(item) for item in node.value), line)
    return Table(dict(_entries(node)), line)


def _entries(node: yaml.Node) -> Iterator[tuple[Scalar, Node]]:
    """The entries whose keys can be read, each once; the others have been told."""
    seen: set[str] = set()
    for name, value in node.value:
        key = _plain(name)
        if isinstance(key, Scalar) and key.text not in seen:
            seen.add(key.text)
            yield key, _plain(value)
