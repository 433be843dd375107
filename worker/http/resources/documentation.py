"""The documentation of all resources for programs: Hydra's ``ApiDocumentation``, and where to begin."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from worker.http.resources.hydra import ERRORS
from worker.http.resources.jsonld import HYDRA, XSD, Json, context_path
from worker.http.resources.links import DOCUMENTATION
from worker.messaging.schema import fields_of
from worker.resources.operation import Operation
from worker.resources.resource import Resource

ENTRY = "/index.jsonld"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"


def documentation(resources: Sequence[Resource], title: str, about: str) -> Json:
    """Describe all resources.

    Args:
        resources: to describe.
        title: of the API.
        about: the API.
    """
    return {
        "@context": _CONTEXT,
        "@id": DOCUMENTATION,
        "@type": "ApiDocumentation",
        "title": title,
        "description": about,
        "entrypoint": ENTRY,
        "supportedClass": [*(_class(one) for one in resources), _entry_class(resources), *_error_classes()],
    }


def entry(resources: Sequence[Resource]) -> Json:
    """Say where each collection is."""
    links = {_link(one): collection.path for one, collection in _collections(resources)}
    return {"@context": context_path("Entrypoint"), "@id": ENTRY, "@type": "Entrypoint", **links}


def entry_context(resources: Sequence[Resource]) -> Json:
    """Return the context of where to begin."""
    terms = {
        _link(one): {"@id": f"Entrypoint/{_link(one)}", "@type": "@id"} for one, _ in _collections(resources)
    }
    return {"@version": 1.1, "@vocab": f"{DOCUMENTATION}#", **terms}


def _collections(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Operation]]:
    """The collections that can be reached without knowing anything."""
    for resource in resources:
        for operation in resource.operations:
            if operation.is_collection and "{" not in (operation.path or "{"):
                yield resource, operation
                break


def _link(resource: Resource) -> str:
    return resource.name[:1].lower() + resource.name[1:]


def _class(resource: Resource) -> Json:
    return {
        "@id": _term(resource.name),
        "@type": "Class",
        "title": resource.name,
        "description": _about(resource.cls),
        "supportedProperty": list(_properties(resource)),
        "supportedOperation": [
            _operation(resource, one) for one in resource.operations if not one.is_collection
        ],
    }


def _properties(resource: Resource) -> Iterator[Json]:
    shape = resource.shape
    names = dict(zip(shape.struct.__struct_encode_fields__, shape.struct.__struct_fields__, strict=True))
    for field in fields_of(shape.struct) or ():
        required = names.get(field.name) in shape.required and field.name != resource.identifier
        yield {
            "@type": "SupportedProperty",
            "property": {
                "@id": _term(f"{resource.name}/{field.name}"),
                "@type": f"{_RDF}Property",
                "label": field.name,
                "domain": _term(resource.name),
            },
            "title": field.name,
            "required": required,
            "readable": True,
            "writeable": any(one.reads_body for one in resource.operations)
            and field.name != resource.identifier,
        }


def _operation(resource: Resource, operation: Operation) -> Json:
    returns = operation.output is not False and not operation.is_delete
    return {
        "@type": "Operation",
        "method": operation.method,
        "title": f"{operation.name}",
        "expects": _term(resource.name) if operation.reads_body and operation.input is not False else None,
        "returns": _term(resource.name) if returns else None,
        "possibleStatus": [{"@type": "Status", "statusCode": operation.status}],
    }


def _entry_class(resources: Sequence[Resource]) -> Json:
    return {
        "@id": _term("Entrypoint"),
        "@type": "Class",
        "title": "Entrypoint",
        "description": "Where to begin: the collections.",
        "supportedProperty": [
            {
                "@type": "SupportedProperty",
                "property": {
                    "@id": _term(f"Entrypoint/{_link(resource)}"),
                    "@type": "Link",
                    "label": _link(resource),
                    "domain": _term("Entrypoint"),
                    "range": f"{HYDRA}Collection",
                    "supportedOperation": [
                        {
                            "@type": "Operation",
                            "method": "GET",
                            "title": operation.name,
                            "returns": f"{HYDRA}Collection",
                            "possibleStatus": [{"@type": "Status", "statusCode": operation.status}],
                        }
                    ],
                },
                "title": _link(resource),
                "required": False,
                "readable": True,
                "writeable": False,
            }
            for resource, operation in _collections(resources)
        ],
    }


def _error_classes() -> Iterator[Json]:
    _, violation = ERRORS
    yield {
        "@id": _term(violation),
        "@type": "Class",
        "subClassOf": f"{HYDRA}Error",
        "title": violation,
        "description": "Data that does not fit, field by field.",
        "supportedProperty": [
            {
                "@type": "SupportedProperty",
                "property": {
                    "@id": _term(f"{violation}/violations"),
                    "@type": f"{_RDF}Property",
                    "label": "violations",
                    "domain": _term(violation),
                },
                "title": "violations",
                "required": True,
                "readable": True,
                "writeable": False,
            }
        ],
    }


def _term(name: str) -> str:
    return f"{DOCUMENTATION}#{name}"


def _about(cls: type[Any]) -> str:
    # a class without a docstring of its own shows its base's
    return (inspect.getdoc(cls) or "") if cls.__dict__.get("__doc__") else ""


_CONTEXT: Json = {
    "@version": 1.1,
    "@vocab": HYDRA,
    "xsd": XSD,
    "label": f"{_RDFS}label",
    "domain": {"@id": f"{_RDFS}domain", "@type": "@id"},
    "range": {"@id": f"{_RDFS}range", "@type": "@id"},
    "subClassOf": {"@id": f"{_RDFS}subClassOf", "@type": "@id"},
    **{name: {"@type": "@id"} for name in ("entrypoint", "expects", "returns")},
}
