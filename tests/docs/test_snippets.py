"""Python, TOML, JSON and NDJSON on the pages are what the product takes."""

from __future__ import annotations

import json
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from examples.search.app import app as search
from tests.docs.pages import ROOT, Block, blocks, name, pages
from transports.registry import create
from worker import App
from worker.failed.documents import FailedDocument
from worker.http.documents import Consumers, Schedules
from worker.messaging.envelope import Envelope
from worker.messaging.line import Line
from worker.messaging.serializer import Serializer
from worker.messaging.status import CommandStatus
from worker.settings import load
from worker.tokens.document import TokenDocument

LANGUAGES = {
    "sh",
    "console",
    "dockerfile",
    "python",
    "toml",
    "json",
    "ndjson",
    "text",
    "ini",
    "nginx",
    "yaml",
}
REGISTRY = search.registry()


class ProblemDocument(msgspec.Struct):
    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = []


def is_envelope(text: str) -> None:
    read = Serializer(REGISTRY).decode(text.encode())
    assert isinstance(read, Envelope), read


def is_a(kind: Any) -> Callable[[str], None]:
    return lambda text: msgspec.json.decode(text, type=kind, strict=True)  # type: ignore[return-value]


DOCUMENTS: dict[str, Callable[[str], None]] = {
    "envelope": is_envelope,
    "command": is_a(CommandStatus),
    "failed": is_a(FailedDocument),
    "problem": is_a(ProblemDocument),
    "consumers": is_a(Consumers),
    "schedules": is_a(Schedules),
    "token": is_a(TokenDocument),
    **{message.name: is_a(message.cls) for message in REGISTRY.messages.values()},
}


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_block_says_what_it_is_written_in(page: Path) -> None:
    """A block names a language that these tests know, and one that is not run says why."""
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block.where}: language {block.language!r}"
        assert block.attributes.get("skip") != "", f"{block.where}: skip needs a reason"


@pytest.mark.parametrize("page", [page for page in pages() if blocks(page, "python")], ids=name)
def test_python_of_a_page_runs(page: Path) -> None:
    """Python that is no file runs from top to bottom of its page, and its applications pass the checks at start."""
    module = types.ModuleType("docs_" + "".join(c if c.isalnum() else "_" for c in name(page)))
    sys.modules[module.__name__] = module
    try:
        for block in blocks(page, "python"):
            if not block.attributes.keys() & {"title", "append", "skip"}:
                source = "\n" * block.line + block.text
                exec(compile(source, str(page), "exec"), vars(module))
        for found in vars(module).values():
            if isinstance(found, App):
                found.registry()
    finally:
        del sys.modules[module.__name__]


@pytest.mark.parametrize("page", [page for page in pages() if blocks(page, "toml")], ids=name)
def test_toml_of_a_page_is_a_configuration(page: Path, tmp_path: Path) -> None:
    """Each TOML block is a whole configuration that loads, and its transports take their options."""
    for block in blocks(page, "toml"):
        if "skip" not in block.attributes:
            check_toml(block, tmp_path)


def check_toml(block: Block, folder: Path) -> None:
    path = folder / ("pyproject.toml" if "[tool.worker" in block.text else "worker.toml")
    path.write_text(block.text)
    settings = load(config=path, environ={}, cwd=folder)
    for transport, given in settings.transports.items():
        lease = {} if given.lease is None else {"lease": given.lease}
        create(transport, given.url, {**given.options, **lease}, base=folder, clock=time.time)


@pytest.mark.parametrize("page", [page for page in pages() if blocks(page, "json")], ids=name)
def test_json_of_a_page_fits_its_type(page: Path) -> None:
    """Each JSON block says what it is and has that shape."""
    for block in blocks(page, "json"):
        kind = block.attributes.get("type", "")
        assert kind in DOCUMENTS, f"{block.where}: type={kind!r}, expected one of {', '.join(DOCUMENTS)}"
        DOCUMENTS[kind](block.text)


@pytest.mark.parametrize("page", [page for page in pages() if blocks(page, "ndjson")], ids=name)
def test_lines_of_ndjson_on_a_page_are_commands(page: Path) -> None:
    """Each line of an NDJSON block is a command that the example takes."""
    for block in blocks(page, "ndjson"):
        for text in block.text.splitlines():
            line = msgspec.json.decode(text, type=Line, strict=True)
            msgspec.json.decode(bytes(line.data), type=REGISTRY.by_name[line.type].cls)
            assert json.loads(text).keys() <= set(Line.__struct_fields__), block.where


def test_the_script_knows_every_verb_that_the_pages_name() -> None:
    """Each ``./dev VERB`` on a page is one of the script's."""
    import re

    script = (ROOT / "dev").read_text()
    for page in (*pages(), ROOT / "CONTRIBUTING.md"):
        for verb in re.findall(r"\./dev ([a-z]+)\b", page.read_text()):
            assert re.search(rf"^(\w+ \| )*{verb}( \| .*)?\)", script, re.MULTILINE), f"{page}: ./dev {verb}"
