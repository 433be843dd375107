"""Requests generated from the library's OpenAPI document: no 500, and every answer is one that the document describes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.deep import size
from tests.e2e.project import Project

if TYPE_CHECKING:
    import schemathesis

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

RESOURCES = (
    "books",
    "users",
    "password-resets",
    "password-changes",
    "blog-posts",
    "subscriptions",
    "reservations",
    "notices",
)
DESCRIBING = ("docs.jsonld", "index.jsonld", "contexts")


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.BaseSchema]:
    """The document of a library that is served by a process of its own."""
    with described(tmp_path_factory.mktemp("library"), "examples.library.app:app") as found:
        yield found


@contextmanager
def described(folder: Path, app: str, more: str = "") -> Iterator[schemathesis.BaseSchema]:
    """Serve an application, and read its document."""
    from tests import generated

    project = Project(folder)
    project.configure(app=app, more=more)
    try:
        intake = project.serve()
        yield generated.at(f"{intake.client.base_url}/openapi.json")
    finally:
        project.close()


def operations(schema, name):
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.split("/")[1] == name:
            yield operation


def test_every_resource_is_asked(schema):
    paths = {result.ok().path.split("/")[1] for result in schema.get_all_operations()}
    assert {*RESOURCES, *DESCRIBING} <= paths


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("name", [*RESOURCES, *DESCRIBING])
def test_every_answer_is_described(schema, name, mode):
    """What fits is taken or has its reason, what does not is refused, and each answer is as the document says."""
    run(schema, name, mode)


@pytest.mark.broker
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_every_answer_about_documents_is_described(tmp_path, mongo_url, mode):
    """The same holds of what is kept in MongoDB."""
    more = f'[documents]\nurl = "{mongo_url}"'
    with described(tmp_path, "examples.library.with_reviews:app", more) as schema:
        run(schema, "reviews", mode)


def has_whole_float(value):
    if isinstance(value, dict):
        return any(has_whole_float(one) for one in value.values())
    return isinstance(value, float) and value.is_integer()


def run(schema, name, mode):
    from tests.generated import ask, modes

    keys: set[str] = set()
    for operation in operations(schema, name):
        for one in modes(operation):
            if one.value == mode:
                ask(operation, one, size(8, 60), lambda case: validate(case, keys))


def says_another(case):
    """Whether the body says another identifier than the path."""
    body = case.body if isinstance(case.body, dict) else {}
    return any(body.get(name, value) != value for name, value in (case.path_parameters or {}).items())


def is_known(case, keys):
    """Whether its idempotency key was used before: with another body it is refused."""
    key = (case.headers or {}).get("Idempotency-Key")
    known = key in keys
    keys.add(key)
    return key is not None and known


def validate(case, keys):
    from tests.generated import CHECKS, UNSURE

    # more is asked of a cursor than a schema can say, and of an identifier; 1.0 is an integer to a schema alone
    beyond = "next" in (case.query or {}) or has_whole_float(case.body) or says_another(case)
    beyond |= is_known(case, keys)
    case.call_and_validate(checks=UNSURE if beyond else CHECKS)
