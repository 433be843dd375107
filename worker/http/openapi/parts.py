"""The parts of an endpoint as OpenAPI writes them: parameters, body, answers and the problems of each status."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from worker.http import documents
from worker.http.endpoint import Body, Endpoint, Gives, Header, Parameter
from worker.http.media import JSON
from worker.http.openapi.schemas import Schemas
from worker.http.problems import KINDS, MEDIA_TYPE

Json = dict[str, Any]
"""A JSON object."""

ALWAYS = (403, 500)
"""Statuses of problems that any endpoint may answer."""
UNKNOWN_CALLER = (401,)
"""Those of endpoints that ask who calls."""
SCHEME = "token"
"""Name of the way in which callers show who they are."""
_ALIKE = {422: "What was sent does not fit.", 409: "Not as things stand.", 404: "There is no such thing."}


def entry(endpoint: Endpoint, schemas: Schemas, command: str) -> Json:
    """Describe an endpoint, but for its path and method.

    Args:
        endpoint: to describe.
        schemas: of the document.
        command: name of a command, for the examples.
    """
    described: Json = {"operationId": endpoint.id, "tags": [endpoint.tag], "summary": endpoint.summary}
    asked = UNKNOWN_CALLER if endpoint.right is not None else ()
    if endpoint.right is not None:
        described["security"] = [{}, {SCHEME: []}]
        described["x-right"] = endpoint.right
    if endpoint.description is not None:
        described["description"] = endpoint.description
    if beside := [listed(one) for one in endpoint.parameters if one.place != "path"]:
        described["parameters"] = beside
    if endpoint.body is not None:
        described["requestBody"] = _body(endpoint.body, schemas, command)
    answers: dict[int, Json] = {
        status: {"$ref": f"#/components/responses/Problem{status}"}
        for status in (*asked, *ALWAYS, *endpoint.problems)
    }
    answers |= {status: _given(gives, schemas) for status, gives in endpoint.gives.items()}
    return {**described, "responses": {str(status): answers[status] for status in sorted(answers)}}


def listed(parameter: Parameter) -> Json:
    """Write a parameter where an endpoint lists it: a shared one by its name."""
    if parameter.shared is None:
        return whole(parameter)
    return {"$ref": f"#/components/parameters/{parameter.shared}"}


def whole(parameter: Parameter) -> Json:
    """Write all that is to say of a parameter."""
    told: Json = {"name": parameter.name, "in": parameter.place, "required": parameter.required}
    if parameter.description is not None:
        told["description"] = parameter.description
    if parameter.written == "json":
        told["content"] = {JSON: {"schema": parameter.schema}}
    else:
        told["schema"] = parameter.schema
    if parameter.written == "form":
        told |= {"style": "form", "explode": True}
    if parameter.example is not None:
        told["example"] = parameter.example
    return told


def problem_answers(schemas: Schemas, declared: Iterable[int]) -> Json:
    """Write the answer of each status that is a problem; ``declared`` are those of the application's own errors."""
    found: Json = {}
    for status in sorted({kind.status for kind in KINDS} | set(declared)):
        lines = [f"`{kind.uri}`: {kind.title}." for kind in KINDS if kind.status == status]
        told: Json = {
            "description": " ".join([_ALIKE.get(status, ""), *lines]).strip() or "The handler refused.",
            "content": {MEDIA_TYPE: {"schema": schemas.of(documents.Problem)}},
        }
        if status == 401:
            told["headers"] = {"WWW-Authenticate": _header(Header("How a token is shown."))}
        if status in {409, 429, 503}:
            told["headers"] = {
                "Retry-After": _header(Header("Seconds until it makes sense to try again.", "integer"))
            }
        if status == 405:
            told["headers"] = {"Allow": _header(Header("Methods that are allowed."))}
        found[f"Problem{status}"] = told
    return found


def _body(body: Body, schemas: Schemas, command: str) -> Json:
    content: Json = {media: {"schema": schemas.of(body.shape)} for media in body.media}
    if body.example is not None:
        content[body.media[0]]["example"] = body.example(command)
    return {"required": body.required, "content": content}


def _given(gives: Gives, schemas: Schemas) -> Json:
    told: Json = {"description": gives.description}
    if gives.shape is not None:
        told["content"] = {media: {"schema": schemas.of(gives.shape)} for media in gives.media}
        told["content"] |= {media: {"schema": schemas.of(shape)} for media, shape in gives.others.items()}
    if gives.or_problem:
        told["content"][MEDIA_TYPE] = {"schema": schemas.of(documents.Problem)}
    if gives.headers:
        told["headers"] = {name: _header(header) for name, header in gives.headers.items()}
    return told


def _header(header: Header) -> Json:
    return {"description": header.description, "schema": {"type": header.kind}}
