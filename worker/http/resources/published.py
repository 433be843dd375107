"""The documents about all resources: the documentation, the contexts, and where to begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from worker.http.endpoint import Endpoint, Gives, Parameter
from worker.http.problems import NOT_FOUND, Problem
from worker.http.resources.documentation import ENTRY, documentation, entry, entry_context
from worker.http.resources.formats import JSON_LD
from worker.http.resources.hydra import ERRORS, error_context
from worker.http.resources.jsonld import CONTEXTS, Json, context_of
from worker.http.resources.links import DOCUMENTATION
from worker.resources.resource import Resource


class Published:
    """Answers with the documents, which are made once."""

    def __init__(self, resources: Sequence[Resource], title: str) -> None:
        about = "Resources, their fields and what can be done with them."
        self._documentation = msgspec.json.encode(documentation(resources, title, about))
        self._entry = msgspec.json.encode(entry(resources))
        contexts: dict[str, Json] = {
            "Entrypoint": entry_context(resources),
            **{name: error_context() for name in ERRORS},
            **{one.name: context_of(one) for one in resources},
        }
        self._contexts: Mapping[str, bytes] = {
            name: msgspec.json.encode({"@context": context}) for name, context in contexts.items()
        }

    async def documentation(self, request: Request) -> Response:
        """The documentation of all resources."""
        return Response(self._documentation, media_type=JSON_LD)

    async def entry(self, request: Request) -> Response:
        """Where the collections are."""
        return Response(self._entry, media_type=JSON_LD)

    async def context(self, request: Request) -> Response:
        """What the names in a resource's JSON-LD mean."""
        name = request.path_params["name"]
        if name not in self._contexts:
            known = ", ".join(self._contexts)
            raise Problem(NOT_FOUND, f"there is no context {name[:128]!r}; there are {known}")
        return Response(self._contexts[name], media_type=JSON_LD)


def published(resources: Sequence[Resource], title: str) -> tuple[Endpoint, ...]:
    """Make the endpoints that describe resources; none where there are none.

    Args:
        resources: all of the application.
        title: of the API.
    """
    if not resources:
        return ()
    made = Published(resources, title)
    document = {"type": "object", "required": ["@context"]}
    return (
        Endpoint(
            "GET",
            DOCUMENTATION,
            "docs",
            lambda _: made.documentation,
            id="get_resource_documentation",
            tag="service",
            summary="All resources as a Hydra API documentation",
            gives={200: Gives("The documentation.", document, media=(JSON_LD,))},
        ),
        Endpoint(
            "GET",
            ENTRY,
            "docs",
            lambda _: made.entry,
            id="get_entrypoint",
            tag="service",
            summary="Where the collections of resources are",
            gives={200: Gives("The collections' paths.", document, media=(JSON_LD,))},
        ),
        Endpoint(
            "GET",
            CONTEXTS + "/{name}",
            "docs",
            lambda _: made.context,
            id="get_context",
            tag="service",
            summary="What the names in a resource's JSON-LD mean",
            parameters=(
                Parameter("name", "path", {"type": "string"}, required=True, example=resources[0].name),
            ),
            gives={200: Gives("The context.", document, media=(JSON_LD,))},
            problems=(404,),
        ),
    )
