"""The table of paths, made of the endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.routing import BaseRoute, Route

from worker.http.endpoint import Call, Endpoint
from worker.http.methods import Methods


def routes_of(calls: Iterable[tuple[Endpoint, Call]]) -> list[BaseRoute]:
    """Make one route of all endpoints of a path; the first that matches answers."""
    by_path: dict[str, list[tuple[Endpoint, Call]]] = {}
    for endpoint, call in calls:
        by_path.setdefault(re.sub(r"{\w+", "{", endpoint.path), []).append((endpoint, call))
    return [Route(same[0][0].path, Methods(same)) for same in by_path.values()]
