"""What an endpoint is, declared once: its route, its part of the OpenAPI document and its row in the reference are made of it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope

from worker.http.media import JSON, MSGPACK
from worker.http.ports import Ports
from worker.tokens.rights import Right

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Call = Callable[[Request], Awaitable[ASGIApp]]
"""Answers a request."""
Bare = Callable[[Scope, Mapping[bytes, bytes], Receive], Awaitable[ASGIApp]]
"""Answers a request by its scope, its headers, and what gives its body: a request object costs time."""


class Direct(Protocol):
    """Answers requests, and makes an object of one only where that is asked for."""

    @property
    def bare(self) -> Bare:
        """Answer one."""
        ...


Shape = Any
"""A class, or a JSON Schema in which a class stands for its own schema."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value in the path, the query string or a header.

    Attributes:
        name: as written.
        place: where it stands.
        schema: of the value.
        description: for readers of the documentation.
        required: whether it must be there.
        example: a value to try.
        written: how a value becomes text: as it is, repeated for each item of a list (``form``), or as ``json``.
        shared: its name where the document holds it once for all endpoints that take it.
    """

    name: str
    place: Literal["path", "query", "header"]
    schema: Mapping[str, Any]
    _: KW_ONLY
    description: str | None = None
    required: bool = False
    example: str | None = None
    written: Literal["plain", "form", "json"] = "plain"
    shared: str | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """What a request's body holds.

    Attributes:
        shape: of the value that it holds.
        media: content types that are read.
        example: makes a body to try, given the name of a command; None where there is none.
        required: whether it must be there.
    """

    shape: Shape
    _: KW_ONLY
    media: tuple[str, ...] = (JSON, MSGPACK)
    example: Callable[[str], Any] | None = None
    required: bool = True


class Header(NamedTuple):
    """A header of an answer, and the JSON type of its value."""

    description: str
    kind: str = "string"


@dataclass(frozen=True, slots=True)
class Gives:
    """What an endpoint answers under one status.

    Attributes:
        description: what has happened then.
        shape: of the body; None where there is none.
        media: content types of the body, as the caller accepts.
        others: shape of the body by further content types, in which it has another one.
        headers: beside those of every answer.
        or_problem: whether a problem document may come under the same status.
    """

    description: str
    shape: Shape = None
    _: KW_ONLY
    media: tuple[str, ...] = (JSON, MSGPACK)
    others: Mapping[str, Shape] = field(default_factory=dict)
    headers: Mapping[str, Header] = field(default_factory=dict)
    or_problem: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """One method of one path. Paths that differ only in the names of their parameters are the same path.

    Attributes:
        method: GET answers HEAD, too.
        path: with its parameters in braces, as Starlette writes them.
        right: what a token needs to call it; None where no token is asked for.
        call: makes what answers, once, at start.
        id: its name in the OpenAPI document.
        tag: the part of the documentation that it is in.
        summary: what it does, in one line.
        gives: what it answers, by status.
        problems: statuses of the problems that it answers, beside those that any endpoint may.
        description: what else there is to say.
        parameters: what it takes beside the body. A query string is refused where none of them stands in it.
        body: what it takes as the body; None where it reads none.
        mentions: classes that its texts name.
        closed: classes of its shapes whose objects have no members but those that they declare.
        any_query: the query string is passed as it is: it means nothing here, or something else for each type.
        each: its ``{type}`` is one of these, and it is described once for each.
    """

    method: Method
    path: str
    right: Right | None
    call: Callable[[Ports], Call | Direct]
    _: KW_ONLY
    id: str
    tag: str
    summary: str
    gives: Mapping[int, Gives]
    problems: tuple[int, ...] = ()
    description: str | None = None
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    mentions: tuple[type[Any], ...] = ()
    closed: tuple[type[Any], ...] = ()
    any_query: bool = False
    each: Literal["command", "query"] | None = None

    @property
    def template(self) -> str:
        """The path as a reader writes it: ``/failed/{id}``."""
        return re.sub(r":\w+}", "}", self.path)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the path's parameters, in order."""
        return tuple(re.findall(r"{(\w+)", self.path))

    @property
    def reads_query(self) -> bool:
        """Whether the query string is the endpoint's own to read."""
        return self.any_query or any(parameter.place == "query" for parameter in self.parameters)
