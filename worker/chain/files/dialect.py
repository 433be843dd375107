r"""YAML as those files are written: ``!x`` is text, and so is a backslash in double quotes.

What makes a document more than what stands there is refused: tags, anchors and aliases; so are nesting without end
and keys given twice. Nothing of it makes objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

DEEPEST = 12
"""Lists and tables inside one another; what these files need is five."""

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


def read(source: bytes) -> Node | None:
    """Read a document; None where there is nothing in it.

    Raises:
        Unreadable: it is no UTF-8, no YAML, or more than what stands there.
    """
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise Unreadable("is not UTF-8; save it as UTF-8", line) from None
    try:
        node = _Loader(text).get_single_node()
        return None if node is None else _plain(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = "; ".join(part for part in (error.context, error.problem) if part)
        raise Unreadable(what, None if mark is None else mark.line + 1) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(
            f"has a character that no YAML may have, {error.character:#x}; remove it", line
        ) from None


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """What PyYAML makes nodes with, in this dialect."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self._depth = 0

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

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse what is nested too deeply, before it is read."""
        if self._depth >= DEEPEST:
            raise self._refused(f"more than {DEEPEST} lists and tables inside one another; write it flat")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

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
    seen: dict[str, int] = {}
    for name, value in node.value:
        key = _plain(name)
        if not isinstance(key, Scalar):
            raise Unreadable("a list or table is a key; expected text", key.line)
        if key.text in seen:
            raise Unreadable(
                f"{key.text!r} stands in line {seen[key.text]} already; expected it once", key.line
            )
        seen[key.text] = key.line
        yield key, _plain(value)
