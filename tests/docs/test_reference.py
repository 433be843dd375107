"""The reference says what the code is."""

from __future__ import annotations

import inspect
import re
import time
import typing
from pathlib import Path

import pytest

from examples.search.app import app as search
from tests.docs.generated import EXAMPLES, MAKERS, REGION, renewed
from tests.docs.pages import DOCS, ROOT, name, pages
from transports.registry import create
from worker import App, ConfigurationError, errors
from worker.cli import report
from worker.http.endpoints import ENDPOINTS
from worker.http.openapi.document import openapi

GENERATED = [page for page in pages() if REGION.search(page.read_text())]


@pytest.mark.parametrize("page", GENERATED, ids=name)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    """What is made from the code stands on the page as the code has it now."""
    assert page.read_text() == renewed(page), "run: .venv/bin/python -m tests.docs.generated"


def test_every_generated_part_stands_somewhere() -> None:
    """Commands, settings, features, declarations and errors each have their place in the reference."""
    found = {region["name"] for page in GENERATED for region in REGION.finditer(page.read_text())}
    assert found == set(MAKERS)


def test_every_http_call_is_in_the_reference_and_no_other() -> None:
    """The calls of the HTTP reference are those of the OpenAPI document."""
    documented = set(
        re.findall(
            r"^\| `(?:GET|POST|PUT|DELETE|HEAD) (/[^ ?`]*)",
            (DOCS / "reference" / "http.md").read_text(),
            re.MULTILINE,
        )
    )
    served = set()
    for path in openapi(ENDPOINTS, search.registry())["paths"]:
        served.add(re.sub(r"^/(commands|queries)/[A-Z]\w*$", r"/\1/{type}", path))
    assert documented - {"/openapi.json", "/docs", "/"} == served - {"/openapi.json", "/docs", "/"}


def test_every_exit_code_is_in_the_reference() -> None:
    """The table of exit codes has a row for each that the command line can give."""
    text = (DOCS / "reference" / "errors.md").read_text()
    codes = {
        0,
        report.FAILED,
        report.USAGE,
        report.UNREACHABLE,
        report.NOT_FOUND,
        report.REFUSED,
        report.INTERRUPTED,
    }
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE) if int(code) < 200} == codes


def test_every_error_says_what_becomes_of_it() -> None:
    """The table of errors has each class once; what only carries others (``HandlersFailed``) has none."""
    text = (DOCS / "reference" / "errors.md").read_text().partition("## The tree")[2]
    rows = re.findall(r"^\| (`[A-Z].*?) \|", text, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    tree = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.WorkerError)
    }
    assert sorted(named) == sorted(tree - {"WorkerError", "HandlersFailed"})


@pytest.mark.parametrize("decorator", ["query", "handler", "subscriber", "middleware"])
def test_every_parameter_of_a_decorator_is_in_the_reference(decorator: str) -> None:
    """The table of decorators has each with its parameters; those of ``command`` and ``event`` have their own."""
    row = re.search(
        rf"^\| `@app\.{decorator}\((.*?)\)`", (DOCS / "reference" / "python.md").read_text(), re.MULTILINE
    )
    assert row
    named = set(re.findall(r"(\w+)=", row[1]))
    taken = {
        name
        for overload in typing.get_overloads(getattr(App, decorator))
        for name, parameter in inspect.signature(overload).parameters.items()
        if parameter.kind is not inspect.Parameter.POSITIONAL_ONLY and name != "self"
    }
    assert named == taken


@pytest.mark.parametrize("scheme", sorted(EXAMPLES))
def test_every_option_of_a_transport_is_in_the_reference(scheme: str) -> None:
    """A transport's section lists the keys of its table."""
    with pytest.raises(ConfigurationError) as raised:
        create(scheme, EXAMPLES[scheme], {"no_such_key": 1}, base=ROOT, clock=time.time)
    known = str(raised.value).partition("known: ")[2].split(", ")
    section = (
        (DOCS / "reference" / "transports.md").read_text().partition(f"## {scheme}")[2].partition("\n## ")[0]
    )
    assert {f"`{key}`" for key in known} <= set(re.findall(r"`[a-z_]+`", section))
