"""The table of paths, made of the endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from starlette.routing import BaseRoute, Route

from worker.errors import ConfigurationError
from worker.http.endpoint import Call, Direct, Endpoint
from worker.http.methods import Methods


def routes_of(calls: Iterable[tuple[Endpoint, Call | Direct]]) -> list[BaseRoute]:
    """Make one route of all endpoints of a path.

    The first route that matches answers; so what is written out stands before a parameter, in whatever order the
    endpoints were declared.

    Raises:
        ConfigurationError: two endpoints have the same method and path; names all such.
    """
    by_path: dict[str, list[tuple[Endpoint, Call | Direct]]] = {}
    for endpoint, call in calls:
        by_path.setdefault(re.sub(r"{\w+", "{", endpoint.path), []).append((endpoint, call))
    if faults := [fault for same in by_path.values() for fault in _twice(same)]:
        raise ConfigurationError(faults)
    return [
        Route(by_path[path][0][0].path, Methods(by_path[path])) for path in sorted(by_path, key=_openness)
    ]


def _openness(path: str) -> list[int]:
    """How much each segment of a path may be: one text, any segment, any number of segments; then the path's end."""
    return [2 if ":path}" in part else 1 if "{" in part else 0 for part in path.split("/")] + [3]


def _twice(same: Iterable[tuple[Endpoint, Call | Direct]]) -> Iterator[str]:
    first: dict[str, Endpoint] = {}
    for endpoint, _ in same:
        other = first.setdefault(endpoint.method, endpoint)
        if other is not endpoint:
            ids = f"{other.id} and {endpoint.id}"
            yield f"{endpoint.method} {endpoint.template}: {ids} are both here; give one of them another path"
