"""Endpoints are declared once: what is routed is described, and what is described is routed."""

import re
from collections import Counter
from dataclasses import FrozenInstanceError, replace

import httpx
import pytest
from starlette.responses import JSONResponse
from starlette.routing import Match, Router

from tests.unit.http.fakes import World
from worker.errors import ConfigurationError
from worker.http.app import create_app
from worker.http.endpoint import Endpoint, Gives, Parameter
from worker.http.endpoints import ENDPOINTS, endpoints_with
from worker.http.openapi.document import openapi
from worker.http.routes import routes_of
from worker.tokens.principal import ANYONE


def tried(path):
    """A path with a value for each of its parameters; one that may hold a slash has one."""
    return re.sub(r"{\w+}", "x", re.sub(r"{\w+:path}", "x/y", path))


def test_every_route_is_described_and_nothing_else_is(world):
    """The methods that the routes allow are those of the OpenAPI document, for whatever types there are."""
    routes = world.app._router.routes
    found = set()
    for path, item in openapi(ENDPOINTS, world.registry)["paths"].items():
        scope = {"type": "http", "method": "GET", "path": tried(path), "headers": []}
        route = next(route for route in routes if route.matches(scope)[0] is Match.FULL)
        found |= {(route.path, method.upper()) for method in item if method != "parameters"}
    allowed = {(route.path, method) for route in routes for method in route.app.allow.split(", ")}
    assert found == {(path, method) for path, method in allowed if method not in {"HEAD", "OPTIONS"}}


@pytest.mark.parametrize("order", [ENDPOINTS, ENDPOINTS[::-1]], ids=["as declared", "backwards"])
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.id)
async def test_every_endpoint_is_reached_by_its_path(endpoint, order):
    """No other endpoint stands in its way, and it finds the path's parameters under the names that it declares."""

    def answers(one):
        async def answer(request):
            return JSONResponse([one.id, list(request.path_params)])

        return answer

    router = Router(routes_of((one, answers(one)) for one in order))

    async def known(scope, receive, send):
        await router({**scope, "principal": ANYONE}, receive, send)

    transport = httpx.ASGITransport(app=known)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.request(endpoint.method, tried(endpoint.path))
    assert response.json() == [endpoint.id, list(endpoint.names)]


def test_names_of_endpoints_are_unique():
    """Clients are generated from the document: each call needs a name of its own, with any types."""
    document = openapi(ENDPOINTS, World().registry)
    names = Counter(
        entry["operationId"]
        for item in document["paths"].values()
        for method, entry in item.items()
        if method != "parameters"
    )
    assert max(names.values()) == 1


def test_only_probes_need_no_right():
    """Orchestrators have no token; all else needs a right."""
    assert {one.path for one in ENDPOINTS if one.right is None} == {"/livez", "/readyz"}


def test_reading_needs_a_right_to_read_only():
    """Of what has two rights, a GET needs the lesser and every change the greater."""
    for one in ENDPOINTS:
        if one.tag in {"consumers", "failed", "tokens"}:
            assert one.right == (f"{one.tag}.read" if one.method == "GET" else one.tag)


def changes_books(ports):
    async def change(request):
        return JSONResponse([ports.title, request.path_params["id"]])

    return change


async def test_endpoints_made_at_start_are_answered_and_described(world):
    """An endpoint is a plain value: what is declared otherwise, as a class, can be made into some."""
    made = Endpoint(
        "PATCH",
        "/books/{id}",
        "send",
        changes_books,
        id="patch_book",
        tag="books",
        summary="Change `a` ``book``",
        parameters=(
            Parameter("id", "path", {"type": "string"}, required=True),
            Parameter("year", "query", {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}),
            Parameter("page", "query", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}),
        ),
        gives={200: Gives("It is changed.", {"type": "array"})},
    )
    app = create_app(replace(world.ports, title="library"), endpoints_with([made]))
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.patch("/books/7")).json() == ["library", "7"]
        assert (await client.get("/books/7")).headers["allow"] == "OPTIONS, PATCH"
        assert "patch" in (await client.get("/openapi.json")).json()["paths"]["/books/{id}"]
        page = (await client.get("/docs")).text
        assert "Change <code>a</code> <code>book</code>" in page
        assert "<small>integer; 64 bits</small>" in page
        assert "<small>integer; minimum 1; maximum 9223372036854775807</small>" in page
        assert '<table class="parameters"><tr><td><code>id</code>' in page, (
            "cells that a narrow screen stacks"
        )
    with pytest.raises(FrozenInstanceError):
        made.path = "/papers/{id}"


def test_two_endpoints_of_one_method_and_path_are_refused_at_start(world):
    """Both are named, however their path's parameters are called."""
    another = replace(
        next(one for one in ENDPOINTS if one.id == "get_command"), path="/commands/{number}", id="x"
    )
    with pytest.raises(ConfigurationError, match=r"GET /commands/\{\w+\}: .*get_command"):
        create_app(world.ports, endpoints_with([another]))
