"""The table of paths: it finds what the router finds, and says nothing where it is not sure."""

from __future__ import annotations

import pytest
from starlette.routing import Match, Route

from worker.http.endpoints import ENDPOINTS
from worker.http.routes import routes_of
from worker.http.table import Table

PATHS = [
    "/livez",
    "/livez/",
    "/commands/Go",
    "/commands/",
    "/commands/Go/more",
    "/commands",
    "/failed/groups",
    "/failed/1-2",
    "/failed/1-2/retry",
    "/tokens/a b",
    "/tokens/ü\n",
    "/nothing/here",
    "//commands/Go",
    "commands/Go",
    "",
    "/",
]


def nothing(request):
    raise AssertionError


ROUTES = [
    route for route in routes_of([(endpoint, nothing) for endpoint in ENDPOINTS]) if isinstance(route, Route)
]


@pytest.mark.parametrize("path", PATHS)
def test_it_finds_what_the_router_finds(path: str) -> None:
    """The first route that matches, with the same parameters; nothing where none does."""
    expected = None
    for route in ROUTES:
        match, child = route.matches({"type": "http", "method": "GET", "path": path, "headers": []})
        if match is Match.FULL:
            expected = (route.app, child["path_params"])
            break
    scope = {"path": path}
    found = Table(ROUTES).find(scope)
    assert (None if found is None else (found, scope["path_params"])) == expected


def test_a_path_that_was_cut_is_left_to_the_router() -> None:
    """Behind something that serves it below a path of its own."""
    assert Table(ROUTES).find({"path": "/x/livez", "root_path": "/x"}) is None
