"""Hydra: collections with a link to the page that follows and what may be asked, and errors that say which field is at fault."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from worker.http.endpoint import Parameter
from worker.http.problems import Problem
from worker.http.resources.jsonld import HYDRA, Json, context_path
from worker.http.resources.links import DOCUMENTATION

ERRORS = ("Error", "ConstraintViolation")
"""Names of the contexts of errors."""


class Search:
    """What may be asked of a collection.

    Args:
        parameters: of its query string.
        properties: name of the property that each is about, by the parameter's name.
    """

    def __init__(self, parameters: Iterable[Parameter], properties: Mapping[str, str]) -> None:
        asked = [one for one in parameters if one.place == "query"]
        names = [f"{one.name}*" if one.schema.get("type") == "array" else one.name for one in asked]
        self._variables = f"{{?{','.join(names)}}}"
        self._mapping = [
            {
                "@type": "IriTemplateMapping",
                "variable": one.name,
                "property": properties.get(one.name),
                "required": one.required,
            }
            for one in asked
        ]

    def of(self, path: str) -> Json:
        """Write it for a collection at a path."""
        plain = path.replace("{", "%7B").replace("}", "%7D")
        return {
            "@type": "IriTemplate",
            "template": f"{plain}{self._variables}",
            "variableRepresentation": "BasicRepresentation",
            "mapping": self._mapping,
        }


def collection(
    name: str,
    path: str,
    query: Sequence[tuple[str, str]],
    members: list[Any],
    total: int,
    cursor: str | None,
    search: Search | None = None,
) -> Json:
    """Write a page of a collection.

    Args:
        name: of the resource.
        path: of the collection, as it was asked.
        query: its parameters, as they were asked.
        members: described objects.
        total: objects of all pages.
        cursor: of the page that follows; None where none does.
        search: what may be asked; None where that is not said.
    """
    first = [(key, value) for key, value in query if key != "next"]
    view: Json = {
        "@id": _target(path, query),
        "@type": "PartialCollectionView",
        "first": _target(path, first),
    }
    if cursor is not None:
        view["next"] = _target(path, [*first, ("next", cursor)])
    page = {
        "@context": context_path(name),
        "@id": path,
        "@type": "Collection",
        "totalItems": total,
        "member": members,
        "view": view,
    }
    return page if search is None else {**page, "search": search.of(path)}


def error(problem: Problem) -> Json:
    """Write a problem; it stays a problem document (RFC 9457) for clients that do not know Hydra."""
    kind = "ConstraintViolation" if problem.errors else "Error"
    told: Json = {"@context": context_path(kind), "@type": kind, **problem.document()}
    if problem.instance:
        told["@id"] = problem.instance
    if problem.errors:
        told["violations"] = [
            {"propertyPath": property_path(fault.pointer), "message": fault.message}
            for fault in problem.errors
        ]
    return told


def error_context() -> Json:
    """Return the context of errors."""
    return {
        "@version": 1.1,
        "@vocab": f"{DOCUMENTATION}#",
        "Error": f"{HYDRA}Error",
        "title": f"{HYDRA}title",
        "detail": f"{HYDRA}description",
        "status": f"{HYDRA}statusCode",
        "errors": None,
        "type": None,
        "instance": None,
        "violations": {"@id": "ConstraintViolation/violations", "@container": "@list"},
        "propertyPath": "ConstraintViolation/propertyPath",
        "message": "ConstraintViolation/message",
    }


def property_path(pointer: str) -> str:
    """Write a JSON Pointer as Hydra's clients know it: ``/lines/0/name`` is ``lines[0].name``."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return re.sub(r"\.\[", "[", ".".join(f"[{part}]" if part.isdigit() else part for part in parts))


def _target(path: str, query: Sequence[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
