"""The table of paths: which route answers, found without asking each."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from worker.http.methods import Methods

_SLASH = "\udc2f"
"""Stands for a slash that is part of a segment; no path has it, as it is no character."""


class Table:
    """Finds the route of a path: one that is written out at once, one with parameters among those that begin as it does.

    What it does not find, nothing answers, or what stands in front of the application has cut the path.

    Args:
        routes: what is written out stands before a parameter.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._exact: dict[str, Methods] = {}
        self._beginning: dict[str, list[tuple[Route, Methods]]] = {}
        for route in routes:
            if not isinstance(route, Route) or not isinstance(methods := route.app, Methods):
                continue
            if "{" not in route.path:
                self._exact[route.path] = methods
            elif "{" not in (first := route.path.split("/", 2)[1]):
                self._beginning.setdefault(first, []).append((route, methods))

    def find(self, scope: Scope) -> Methods | None:
        """Return what answers a request, its path's parameters put into its scope; None where it is not found here."""
        if scope.get("root_path"):
            return None
        path: str = scope["path"]
        raw: bytes = scope.get("raw_path") or b""
        # what "in" asks of bytes costs an exception
        if raw.find(b"%2") >= 0 and (raw.find(b"%2F") >= 0 or raw.find(b"%2f") >= 0):
            path = _segments(raw)
        found = self._exact.get(path)
        if found is not None:
            scope["path_params"] = {}
            return found
        for route, methods in self._beginning.get(path[1 : path.find("/", 1)], ()):
            match = route.path_regex.match(path)
            if match is not None:
                convert = route.param_convertors
                scope["path_params"] = {
                    name: convert[name].convert(value.replace(_SLASH, "/"))
                    for name, value in match.groupdict().items()
                }
                return methods
        return None


def _segments(raw: bytes) -> str:
    """Decode a path as it was sent, so that a slash which is part of a parameter does not end it."""
    parts = raw.partition(b"?")[0].replace(b"%2f", b"%2F").split(b"%2F")
    return _SLASH.join([unquote(part.decode("latin-1")) for part in parts])
