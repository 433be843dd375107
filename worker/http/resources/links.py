"""Where things are: the path of an object, and the headers that lead on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from worker.resources.resource import Resource

DOCUMENTATION = "/docs.jsonld"
LINK = f'<{DOCUMENTATION}>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation"'
"""Value of the ``Link`` header that every answer of a resource has."""
VARY = "Accept"
_PREFERRED = ("GET", "PUT", "PATCH", "DELETE")

PathOf = Callable[[Any, Mapping[str, Any]], str | None]
"""The path of an object, by the value of its identifier and the request's own path parameters; None: it has none."""


def status_link(id: bytes) -> bytes:
    """Value of the ``Link`` header to the status of a command that was queued."""
    return b"</commands/" + id + b'>; rel="status"'


def path_of(resource: Resource) -> PathOf:
    """Say where the objects of a resource are: at its operation for one object, GET before all others."""
    template = _template(resource)
    if template is not None:
        template = written(template)

    def path(identifier: Any, uri_variables: Mapping[str, Any]) -> str | None:
        if template is None or identifier is None or identifier == "":
            return None
        values = {**uri_variables, resource.identifier: identifier}
        try:
            return _PARAMETER.sub(lambda found: quote(_text(values[found[1]]), safe=""), template)
        except KeyError:
            # the path has parameters that this request did not have
            return None

    return path


def written(path: str) -> str:
    """A path as it stands in an address: what is no ASCII is percent-encoded, and its ``{parameters}`` stay."""
    return quote(path, safe="/{}!$&'()*+,;=:@~")


def _template(resource: Resource) -> str | None:
    """The path of the operation for one object; None where there is no such operation."""
    paths = {
        one.method: one.path
        for one in reversed(resource.operations)
        if one.path is not None
        and not one.is_collection
        and f"{{{resource.identifier}" in one.path
        and one.method in _PREFERRED
    }
    return next((paths[method] for method in _PREFERRED if method in paths), None)


def _text(value: Any) -> str:
    found = msgspec.to_builtins(value)
    return found if isinstance(found, str) else msgspec.json.encode(found).decode()


_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
