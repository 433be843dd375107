"""Composing: the built-in stages of one operation, those that its flags leave, and what the application adds to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from starlette.responses import Response

from worker.http.ports import Ports
from worker.http.resources.answering import Answers
from worker.http.resources.bodies import bodies_of, reads_own, shapes_of
from worker.http.resources.parameters import Parameters
from worker.http.resources.stages.deserialize import BodyFirst, Deserialize
from worker.http.resources.stages.format import ChooseFormat
from worker.http.resources.stages.link import LINKED, add_link
from worker.http.resources.stages.precondition import Precondition
from worker.http.resources.stages.problem import Problems
from worker.http.resources.stages.query import CheckQuery, ReadQuery
from worker.http.resources.stages.respond import Respond
from worker.http.resources.stages.serialize import Serialize
from worker.messaging.declaration import MessageType
from worker.messaging.idempotency import Answer as Remembered
from worker.resources.event import RequestEvent
from worker.resources.lifecycle import (
    PREFIX,
    chain_of,
    facts_of,
    groups_of,
    stage,
)
from worker.resources.operation import Operation
from worker.resources.places import deserializes, places_of
from worker.resources.processors import Processing
from worker.resources.reading import Bodies
from worker.resources.resource import Resource
from worker.resources.stages.access import Access, AccessAfter
from worker.resources.stages.read import Read
from worker.resources.stages.validate import Validate
from worker.resources.stages.write import Write
from worker.resources.watched import RequestStep

Call = Callable[[RequestEvent], Awaitable[None] | None]


class Stages:
    """The built-in stages of one operation, those that its flags leave.

    Args:
        resource: of the operation.
        operation: resolved.
        processing: makes the resource's processors and providers.
        ports: what they need from the rest of the house.
        application: its listeners and steps.
        problems: makes answers of errors.
    """

    def __init__(
        self,
        resource: Resource,
        operation: Operation,
        processing: Processing,
        ports: Ports,
        application: Sequence[RequestStep],
        problems: Problems,
    ) -> None:
        self._resource = resource
        self._operation = operation
        self._processing = processing
        self._ports = ports
        self._application = application
        self._problems = problems
        self._loud: set[str] = set()
        """Stages that give the event to something of the application's."""

    def steps(self) -> list[RequestStep]:
        """Make them."""
        made: Mapping[str, Callable[[], Call | None]] = {
            "format": self._format,
            "read": self._read,
            "access": lambda: Access(self._resource, self._operation.security),
            "query_parameter_validate": lambda: CheckQuery(self._resource, self._operation),
            "deserialize": self._deserialize,
            "access_after": lambda: AccessAfter(
                self._resource, self._operation.security_after, shapes_of(self._resource, self._operation)
            ),
            "validate": self._validate,
            "write": self._write,
            "serialize": lambda: Serialize(self._answers),
            "respond": lambda: self._respond,
            "link": lambda: add_link,
            "validation_problem": lambda: self._problems.invalid,
            "problem": lambda: self._problems.any,
        }
        found = []
        places = [*places_of(self._operation, scoped=bool(self._resource.scopes))]
        conditional = self._conditional({place.stage for place in places})
        for place in places:
            call = made[place.stage]()
            if call is not None:
                if place.stage == conditional:
                    call = Precondition(call)
                quiet = place.stage not in self._loud
                found.append(stage(place.stage, place.event, place.priority, call, quiet=quiet))
        return found

    def remembered(self, event: RequestEvent, result: Any) -> Remembered:
        """The answer that a result has, before anything that follows has changed it: for a key that outlives a crash."""
        operation = self._operation
        if isinstance(result, Response):
            response, body = result, getattr(result, "body", b"")
            headers = [*response.raw_headers, *LINKED]
        else:
            media_type, body = None, b""
            if operation.output is not False and result is not None and operation.serialize is not False:
                with suppress(Exception):  # the request itself says what cannot be written
                    written = self._answers.written(result, event)
                    media_type, body = written.media_type, written.body
            response = self._respond.made(event, body, result, media_type)
            body, headers = response.body, response.raw_headers
        told = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
        return Remembered(response.status_code, told, bytes(body))

    def _conditional(self, stages: set[str]) -> str | None:
        """The stage behind which the conditions of a request are asked; None where nothing is read that is written."""
        if "read" not in stages or self._operation.method not in {"PUT", "PATCH", "DELETE"}:
            return None
        return "access" if "access" in stages else "read"

    @cached_property
    def _respond(self) -> Respond:
        return Respond(self._operation, self._answers)

    def _format(self) -> Call:
        operation = self._operation
        asked = any(one.attribute == "request_type" for step in self._application for one in step.when)
        unread = operation.parameters and operation.query_parameter_validate is False
        return ChooseFormat(
            asked, Parameters(self._resource, operation) if unread and not operation.is_collection else None
        )

    def _read(self) -> Call:
        resource, operation = self._resource, self._operation
        provider = self._processing.provider(operation)
        if provider.own:
            self._loud.add("read")
        read = Read(resource, operation, provider)
        if operation.is_collection or operation.parameters:
            return ReadQuery(resource, operation, read)
        if deserializes(operation) and resource.store is not None:
            return BodyFirst(read, self._ports.limits.max_body)
        return read

    def _validate(self) -> Call | None:
        if deserializes(self._operation) and self._bodies.whole:
            return None  # it is asked as the body is read
        return Validate(self._resource, shapes_of(self._resource, self._operation))

    def _write(self) -> Call:
        processor = self._processing.processor(self._operation)
        if processor.own:
            self._loud.add("write")
        return Write(self._resource, self._operation, processor, self._ports.after_commit)

    @cached_property
    def _answers(self) -> Answers:
        return Answers(self._resource, self._operation)

    def _deserialize(self) -> Deserialize:
        resource, operation = self._resource, self._operation
        own = reads_own(resource, operation)
        scoped = None
        if resource.scopes and not (own and operation.method == "PATCH"):
            struct = self._bodies.struct
            scopes = {
                scope: field
                for scope, field in resource.scopes.items()
                if own or field in struct.__struct_fields__
            }
            scoped = MessageType(name=resource.name, cls=struct, kind="command", scopes=scopes)
        onto = own and operation.method in {"PUT", "PATCH"}
        return Deserialize(operation, self._bodies, onto, scoped, self._ports.limits.max_body)

    @cached_property
    def _bodies(self) -> Bodies:
        return bodies_of(self._resource, self._operation, self._ports.registry, whole=self._nothing_between())

    def _nothing_between(self) -> bool:
        """Whether nothing of the application can stand between reading a body and validating what it became."""
        resource, operation = self._resource, self._operation
        if operation.security_after is not None or resource.scopes:
            return False
        chain = chain_of(
            facts_of(resource.cls, operation),
            [stage("deserialize", "request", 2, add_link), stage("validate", "view", 64, add_link)],
            self._application,
            groups_of(self._ports.registry, operation),
        )
        names = [step.name for step in chain.steps]
        return names.index(f"{PREFIX}validate") == names.index(f"{PREFIX}deserialize") + 1
