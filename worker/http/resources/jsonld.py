"""JSON-LD: what the fields of resources mean, and objects that say what they are.

Names of fields become terms of the documentation (``/docs.jsonld#Book/title``). What a field holds beyond a plain value or a
list of them is a JSON literal to a reader of linked data: nothing that was stored is taken for a keyword.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from worker.http.resources.links import DOCUMENTATION
from worker.messaging.schema import fields_of
from worker.messaging.shapes import members_of, shape_of
from worker.resources.resource import Resource

Json = dict[str, Any]
"""A JSON object."""

HYDRA = "http://www.w3.org/ns/hydra/core#"
XSD = "http://www.w3.org/2001/XMLSchema#"
CONTEXTS = "/contexts"

_COLLECTION: Json = {
    "Collection": {
        "@id": f"{HYDRA}Collection",
        "@context": {
            "member": {"@id": f"{HYDRA}member", "@container": "@set"},
            "totalItems": f"{HYDRA}totalItems",
            "view": f"{HYDRA}view",
            "search": f"{HYDRA}search",
        },
    },
    "IriTemplate": {
        "@id": f"{HYDRA}IriTemplate",
        "@context": {
            "template": {"@id": f"{HYDRA}template", "@type": f"{HYDRA}Rfc6570Template"},
            "variableRepresentation": {"@id": f"{HYDRA}variableRepresentation", "@type": "@vocab"},
            "BasicRepresentation": f"{HYDRA}BasicRepresentation",
            "mapping": f"{HYDRA}mapping",
        },
    },
    "IriTemplateMapping": {
        "@id": f"{HYDRA}IriTemplateMapping",
        "@context": {
            "variable": f"{HYDRA}variable",
            "property": {"@id": f"{HYDRA}property", "@type": "@vocab"},
            "required": f"{HYDRA}required",
        },
    },
    "PartialCollectionView": {
        "@id": f"{HYDRA}PartialCollectionView",
        "@context": {name: {"@id": f"{HYDRA}{name}", "@type": "@id"} for name in ("first", "next")},
    },
}
"""Terms of a collection, and of what may be asked of it; they hold there and not in its members."""


def context_path(name: str) -> str:
    """Where a context is."""
    return f"{CONTEXTS}/{name}"


def context_of(resource: Resource) -> Json:
    """Return the context of a resource's documents: what each of its names means."""
    terms: Json = {}
    for cls in _classes(resource):
        for field in fields_of(cls) or ():
            terms.setdefault(field.name, _term(f"{resource.name}/{field.name}", field.hint))
    return {"@version": 1.1, "@vocab": f"{DOCUMENTATION}#", **_COLLECTION, **terms}


def described(values: Any, name: str, path: str | None) -> Json:
    """Say of an object what it is and where.

    Args:
        values: what msgspec writes as an object.
        name: of its resource.
        path: of the object; None where it has none.
    """
    about: Json = {"@type": name} if path is None else {"@id": path, "@type": name}
    return {**about, **_plain(values)}


def _plain(values: Any) -> Mapping[str, Any]:
    if isinstance(values, Mapping):
        return values
    plain: Mapping[str, Any] = msgspec.to_builtins(values, str_keys=True)
    return plain


def _classes(resource: Resource) -> Iterable[Any]:
    yield resource.shape.struct
    for operation in resource.operations:
        if isinstance(operation.output, type) and operation.output is not resource.cls:
            yield operation.output


def _term(name: str, hint: Any) -> Any:
    kinds = [kind for kind in members_of(shape_of(hint)) if not isinstance(kind, inspect.NoneType)]
    lists = [kind for kind in kinds if isinstance(kind, inspect.CollectionType)]
    items = [item for kind in lists for item in members_of(kind.item_type)] if lists else kinds
    if len(lists) not in {0, len(kinds)} or not all(isinstance(item, _SCALARS) for item in items):
        return {"@id": name, "@type": "@json"}
    told: Json = {"@id": name}
    types = {_TYPES.get(type(item)) for item in items}
    if len(types) == 1 and None not in types:
        told["@type"] = XSD + str(types.pop())
    if lists:
        told["@container"] = "@set" if isinstance(lists[0], _SETS) else "@list"
    return told if len(told) > 1 else name


def _scalars() -> Iterator[type[inspect.Type]]:
    for kind in (str, int, float, bool, bytes, decimal.Decimal, dt.datetime, dt.date, dt.time, dt.timedelta):
        yield type(inspect.type_info(kind))
    yield from (inspect.UUIDType, inspect.EnumType, inspect.LiteralType)


_SCALARS = tuple(_scalars())
_SETS = (inspect.SetType, inspect.FrozenSetType)
_TYPES: Mapping[type[inspect.Type], str] = {
    inspect.BytesType: "base64Binary",
    inspect.DecimalType: "decimal",
    inspect.DateTimeType: "dateTime",
    inspect.DateType: "date",
    inspect.TimeType: "time",
    inspect.TimeDeltaType: "duration",
}
