"""An operation as the OpenAPI document tells it: its parameters, its body, its answers and its problems."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, TypedDict, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from worker.http.correlation import CORRELATION_ID, TRACEPARENT
from worker.http.endpoint import Body, Gives, Header, Parameter
from worker.http.idempotency import IDEMPOTENCY_KEY
from worker.http.openapi.samples import sample
from worker.http.resources.bodies import reads_own
from worker.http.resources.formats import BODIES, JSON_LD, PATCHES
from worker.http.resources.jsonld import Json, context_path
from worker.http.resources.links import path_of
from worker.http.resources.parameters import Parameters
from worker.http.resources.values import Comparable, schema_of
from worker.messaging.declaration import Extra
from worker.messaging.schema import fields_of
from worker.resources.operation import Operation
from worker.resources.resource import Resource

_PATH = re.compile(r"{(\w+)(?::\w+)?}")


class Described(TypedDict):
    """What an ``Endpoint`` is told about an operation, by the names of its attributes."""

    id: str
    tag: str
    summary: str
    description: str | None
    parameters: tuple[Parameter, ...]
    body: Body | None
    gives: Mapping[int, Gives]
    problems: tuple[int, ...]
    closed: tuple[type[Any], ...]
    any_query: bool


def described(
    resource: Resource,
    operation: Operation,
    *,
    body: type[msgspec.Struct] | None = None,
    answer: type[Any] | None = None,
    extra: Extra = "forbid",
) -> Described:
    """Describe an operation.

    Args:
        resource: that it is of.
        operation: resolved.
        body: what its body holds; None where it reads none.
        answer: what it answers, or of what its collection is; None where the answer has no body.
        extra: what is done with members of a body that the class does not have.
    """
    held = None if body is None else _body_of(resource, operation, body, extra)
    linked = None if answer is None else _linked(resource, operation, answer)
    closed = [one for one in (held, linked, answer) if one is not None]
    if extra == "ignore" and held is not None:
        closed.remove(held)
    return Described(
        id=operation.name or "",
        tag=resource.name,
        summary=_summary(resource, operation),
        description=_about(resource.cls),
        parameters=tuple(_parameters(resource, operation)),
        body=None if held is None else _body(operation, held),
        gives={
            status: _gives(resource, operation, status, answer, linked) for status in _statuses(operation)
        },
        problems=tuple(sorted(_problems(operation, reads_body=held is not None))),
        closed=tuple(closed),
        any_query=True,
    )


def _parameters(resource: Resource, operation: Operation) -> Iterator[Parameter]:
    fields = resource.shape.fields
    for name in _PATH.findall(operation.path or ""):
        schema = Comparable(fields[name]).schema if name in fields else {"type": "string"}
        yield Parameter(name, "path", _not_empty(schema), required=True)
    yield from Parameters(resource, operation).described
    if not operation.is_safe:
        yield IDEMPOTENCY_KEY
    yield CORRELATION_ID
    yield TRACEPARENT


def _not_empty(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**schema, "minLength": 1} if schema.get("type") == "string" else schema


def _body_of(
    resource: Resource, operation: Operation, body: type[msgspec.Struct], extra: Extra
) -> type[msgspec.Struct]:
    """Name what a body holds after its operation, so that each has one of its own."""
    defaulted: set[str] = set()
    if operation.method == "PATCH":
        # null takes a member away, which has its default then
        defaulted = {one.name for one in fields_of(resource.shape.struct) or () if not one.required}
    addressed = resource.store is not None and operation.method == "POST" and reads_own(resource, operation)
    struct = resource.shape.struct
    names = dict(zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True))
    id = names.get(resource.identifier) if addressed else None
    return _struct(
        "".join(part[:1].upper() + part[1:] for part in re.split(r"\W|_", operation.name or body.__name__)),
        [
            (
                one.name,
                _hint(one.hint, nullable=one.name in defaulted, addressed=one.name == id),
                one.required,
            )
            for one in fields_of(body) or ()
        ],
        forbid=extra == "forbid",
    )


def _hint(hint: Any, *, nullable: bool, addressed: bool) -> Any:
    if nullable:
        return Union[hint, None]  # noqa: UP007
    return _addressed(hint) if addressed else hint


def _addressed(hint: Any) -> Any:
    """The type of an identifier, of which an address can lead to each."""
    if get_origin(hint) in {Union, UnionType}:
        return Union[tuple(_addressed(one) for one in get_args(hint))]  # noqa: UP007
    plain, metas = (get_args(hint)[0], hint.__metadata__) if get_origin(hint) is Annotated else (hint, ())
    if plain is not str or any(isinstance(meta, Meta) and meta.pattern is not None for meta in metas):
        return hint
    return Annotated[hint, Meta(pattern=r"^(?!\.{1,2}$)[^\x00]+$")]


def _linked(resource: Resource, operation: Operation, answer: Any) -> type[msgspec.Struct]:
    """What one object holds as JSON-LD; that of a page has no context of its own."""
    has_path = path_of(resource)("x", {}) is not None
    return _linked_struct(resource.name, answer, has_path=has_path, is_member=operation.is_collection)


@cache
def _linked_struct(name: str, answer: Any, *, has_path: bool, is_member: bool) -> type[msgspec.Struct]:
    about: list[tuple[str, Any, bool]] = [("@id", str, has_path), ("@type", Literal[name], True)]
    if not is_member:
        about.insert(0, ("@context", Literal[context_path(name)], True))
    own = name if answer.__name__ == name else f"{name}{answer.__name__}"
    return _struct(
        f"{own}{'Member' if is_member else ''}JsonLd",
        [*about, *((one.name, one.hint, one.required) for one in fields_of(answer) or ())],
        forbid=True,
    )


def _struct(name: str, fields: list[tuple[str, Any, bool]], *, forbid: bool) -> type[msgspec.Struct]:
    listed: list[Any] = [
        (f"f{place}", hint) if required else (f"f{place}", hint, msgspec.UNSET)
        for place, (_, hint, required) in enumerate(fields)
    ]
    return msgspec.defstruct(
        name,
        listed,
        kw_only=True,
        rename={f"f{place}": wire for place, (wire, _, _) in enumerate(fields)},
        forbid_unknown_fields=forbid,
    )


def _body(operation: Operation, held: type[msgspec.Struct]) -> Body:
    media = tuple((PATCHES if operation.method == "PATCH" else BODIES).names.values())
    example = sample(schema_of(held), {})
    try:
        msgspec.convert(example, held, str_keys=True)
    except (ValueError, RecursionError):
        # no example is better than one that is refused
        return Body(held, media=media)
    return Body(held, media=media, example=lambda _: example)


def _statuses(operation: Operation) -> tuple[int, ...]:
    status = operation.status or 200
    return (status, 201) if operation.allow_create and status == 200 else (status,)


def _gives(resource: Resource, operation: Operation, status: int, answer: Any, linked: Any) -> Gives:
    headers = {
        "Link": Header("The documentation of all resources, and where a command that was queued stands."),
        "Vary": Header("What the answer depends on: `Accept`."),
    }
    if status == 201:
        headers["Location"] = Header("Where the object is.")
    told = _TOLD["create" if status == 201 else operation.action]
    if operation.messenger and not operation.is_safe:
        told = f"{told[:-1]}, or taken to be so."
    if answer is None:
        return Gives(told, headers=headers)
    if operation.is_collection:
        return Gives(
            told,
            _object(items={"type": "array", "items": answer}, total=_COUNT, next=_CURSOR),
            others={JSON_LD: _hydra(resource, linked)},
            headers=headers,
        )
    return Gives(told, answer, others={JSON_LD: linked}, headers=headers)


def _hydra(resource: Resource, linked: Any) -> Json:
    text = {"type": "string"}
    view = _object(**{"@id": text, "@type": {"const": "PartialCollectionView"}, "first": text}, next=text)
    view["required"].remove("next")
    mapping = _object(
        **{
            "@type": {"const": "IriTemplateMapping"},
            "variable": text,
            "property": {"type": ["string", "null"]},
        },
        required={"type": "boolean"},
    )
    search = _object(
        **{"@type": {"const": "IriTemplate"}, "template": text},
        variableRepresentation={"const": "BasicRepresentation"},
        mapping={"type": "array", "items": mapping},
    )
    return _object(
        **{
            "@context": {"const": context_path(resource.name)},
            "@id": text,
            "@type": {"const": "Collection"},
            "totalItems": _COUNT,
            "member": {"type": "array", "items": linked},
            "view": view,
            "search": search,
        }
    )


def _object(**properties: Any) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _problems(operation: Operation, *, reads_body: bool) -> set[int]:
    found = {400, 406, 422, 429, 503, *(operation.errors or {}).values()}
    if _PATH.search(operation.path or ""):
        found.add(404)
    if not operation.is_safe:
        found.add(409)
        if operation.method != "POST":
            found.add(412)
        found |= {413, 415}
    if not (reads_body or operation.is_safe):
        found.discard(415)
    return found


def _summary(resource: Resource, operation: Operation) -> str:
    verb, what = _VERBS.get(operation.action, (operation.method, "{} {}"))
    article = "an" if resource.name[0] in "AEIOaeio" else "a"
    return f"{verb} {what.format(article, resource.name)}"


def _about(cls: type[Any]) -> str | None:
    # a class without a docstring of its own shows its base's
    text = inspect.getdoc(cls) if cls.__dict__.get("__doc__") else None
    # what a dataclass has instead is its signature
    return None if text is None or text.startswith(f"{cls.__name__}(") else text


_VERBS: Mapping[str, tuple[str, str]] = {
    "create": ("Make", "{} {}"),
    "get": ("Read", "{} {}"),
    "get_list": ("Read", "the collection of {1}"),
    "replace": ("Replace", "{} {}"),
    "update": ("Change", "{} {}"),
    "delete": ("Remove", "{} {}"),
}
_TOLD = {
    "create": "The object that was made.",
    "get": "The object.",
    "get_list": "A page of the collection.",
    "replace": "The object that replaced another.",
    "update": "The object as it is now.",
    "delete": "It was removed.",
}
_COUNT = {"type": "integer", "minimum": 0}
_CURSOR = {"type": ["string", "null"]}
