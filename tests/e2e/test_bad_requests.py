"""Bad input at the door of a real server: a problem that names the fault, and the server goes on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.project import Intake, Project

pytestmark = pytest.mark.e2e

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Intake]:
    """One intake for all of these; it has to survive them all."""
    project = Project(tmp_path_factory.mktemp("bad"))
    project.configure(more="[http]\nmax_body = 4096\n")
    try:
        yield project.serve()
    finally:
        project.close()


CASES: list[tuple[str, str, str, dict[str, Any], int]] = [
    (
        "body too large",
        "POST",
        "/commands/Deposit",
        {"content": b'{"number": 1}' + b" " * 5000, "headers": JSON},
        413,
    ),
    ("no JSON", "POST", "/commands/Deposit", {"content": b"{", "headers": JSON}, 400),
    (
        "other media",
        "POST",
        "/commands/Deposit",
        {"content": b"x", "headers": {"Content-Type": "text/xml"}},
        415,
    ),
    ("wrong type", "POST", "/commands/Deposit", {"json": {"number": "x"}}, 422),
    ("missing field", "POST", "/commands/Deposit", {"json": {}}, 422),
    ("unknown type", "POST", "/commands/Nobody", {"json": {}}, 404),
    ("an event", "POST", "/commands/Deposited", {"json": {"number": 1}}, 404),
    ("a query", "POST", "/commands/Ask", {"json": {}}, 404),
    ("a command as query", "POST", "/queries/Deposit", {"json": {"number": 1}}, 404),
    ("wrong query parameter", "GET", "/queries/Ask?at_least=x", {}, 422),
    ("wrong method", "DELETE", "/commands/Deposit", {}, 405),
    ("unknown path", "GET", "/nowhere", {}, 404),
    ("unknown command", "GET", "/commands/0192f0c1-2345-7abc-8def-0123456789ab", {}, 404),
    ("unknown failed message", "GET", "/failed/0192f0c1-2345-7abc-8def-0123456789ab", {}, 404),
    ("bad filter", "GET", "/failed?limit=x", {}, 422),
    ("batch of another media", "POST", "/commands", {"json": []}, 415),
]


@pytest.mark.parametrize(
    ("method", "path", "request_", "status"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_bad_request_is_a_problem(
    intake: Intake, method: str, path: str, request_: dict[str, Any], status: int
) -> None:
    """Each kind of bad input is answered with the contract's status and a problem document."""
    answer = intake.client.request(method, path, **request_)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["status"] == status and problem["title"] and problem["type"]
    if status == 422:
        assert all(fault["pointer"] and fault["message"] for fault in problem["errors"]), problem
    if status == 405:
        assert "POST" in answer.headers["allow"]
    assert intake.client.get("/livez").status_code == 200


def test_all_faults_are_named(intake: Intake) -> None:
    """All faults of a body are told, each with its pointer."""
    faults = intake.post("Deposit", number="x", before="y").json()["errors"]
    assert {fault["pointer"] for fault in faults} == {"/number", "/before"}


def test_bad_line_fails_alone(intake: Intake) -> None:
    """Of a batch with a bad line the others are taken."""
    lines = b'{"type":"Note","data":{"number":1}}\nnonsense\n{"type":"Note","data":{"number":2}}\n'
    answer = intake.client.post("/commands", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 202
    first, second, third = [httpx.Response(200, content=line).json() for line in answer.text.splitlines()]
    assert first["id"] != third["id"]
    assert second["error"]["status"] == 400
    none = intake.client.post(
        "/commands", content=b"nonsense\n", headers={"Content-Type": "application/x-ndjson"}
    )
    assert none.status_code == 422


def test_pages_and_probes_answer(intake: Intake) -> None:
    """Health, probes, schema and documentation page answer on the real server."""
    for path in (
        "/health",
        "/livez",
        "/readyz",
        "/openapi.json",
        "/docs",
        "/consumers",
        "/failed",
        "/failed/groups",
    ):
        assert intake.client.get(path).status_code == 200, path
    assert intake.client.head("/").status_code == 200
    assert intake.client.get("/health").json()["status"] == {"database": True, "transport.sqlite": True}


def test_request_that_ends_midway(intake: Intake) -> None:
    """A request that ends midway does no harm."""
    with socket.create_connection(("127.0.0.1", intake.port)) as connection:
        connection.sendall(b"POST /commands/Deposit HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert intake.client.get("/livez").status_code == 200
