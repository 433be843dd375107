"""The table of paths, made of the endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.routing import BaseRoute, Route

from worker.http.endpoint import Call, Endpoint
from worker.http.methods import Methods


def routes_of(calls: Iterable[tuple[Endpoint, Call]]) -> list[BaseRoute]:
    """Make one route of all endpoints of a path.

    The first route that matches answers; so what is written out stands before a parameter, in whatever order the
    endpoints were declared.
    """
    by_path: dict[str, list[tuple[Endpoint, Call]]] = {}
    for endpoint, call in calls:
        by_path.setdefault(re.sub(r"{\w+", "{", endpoint.path), []).append((endpoint, call))
    return [
        Route(by_path[path][0][0].path, Methods(by_path[path])) for path in sorted(by_path, key=_openness)
    ]


def _openness(path: str) -> list[int]:
    """How much each segment of a path may be: one text, any segment, any number of segments; then the path's end."""
    return [2 if ":path}" in part else 1 if "{" in part else 0 for part in path.split("/")] + [3]
