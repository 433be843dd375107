"""Composing: the built-in stages of one operation, those that its flags leave, and what the application adds to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from worker.chain.declared import DeclaredAction, DeclaredStep
from worker.http.ports import Ports
from worker.http.resources.answering import Answers
from worker.http.resources.bodies import bodies_of, deserializes, reads_own, shapes_of, validates
from worker.http.resources.stages.deserialize import BodyFirst, Deserialize
from worker.http.resources.stages.format import ChooseFormat
from worker.http.resources.stages.link import add_link
from worker.http.resources.stages.problem import Problems
from worker.http.resources.stages.query import CheckQuery, ReadQuery
from worker.http.resources.stages.respond import Respond
from worker.http.resources.stages.serialize import Serialize
from worker.messaging.declaration import MessageType, Registry
from worker.resources.checking.operations import reads
from worker.resources.declared import Listener
from worker.resources.lifecycle import PREFIX, ListenerSteps, RequestStep, chain_of, facts_of, stage
from worker.resources.operation import Operation
from worker.resources.processors import Processing
from worker.resources.reading import Bodies
from worker.resources.resource import Resource
from worker.resources.stages.access import Access, AccessAfter
from worker.resources.stages.read import Read
from worker.resources.stages.validate import Validate
from worker.resources.stages.write import Write


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

    def steps(self) -> list[RequestStep]:
        """Make them."""
        return [*self._request(), *self._view(), *self._ends()]

    def _request(self) -> list[RequestStep]:
        resource, operation = self._resource, self._operation
        asked = any(one.attribute == "request_type" for step in self._application for one in step.when)
        found = [stage("format", "request", 28, ChooseFormat(asked))]
        read = Read(resource, operation, self._processing.provider(operation)) if reads(operation) else None
        if read is not None and (operation.is_collection or operation.parameters):
            found.append(stage("read", "request", 4, ReadQuery(resource, operation, read)))
        elif read is not None and deserializes(operation) and resource.store is not None:
            found.append(stage("read", "request", 4, BodyFirst(read, self._ports.limits.max_body)))
        elif read is not None:
            found.append(stage("read", "request", 4, read))
        if operation.security is not None or resource.scopes:
            found.append(stage("access", "request", 3, Access(resource, operation.security)))
        if operation.query_parameter_validate is not False:
            found.append(stage("query_parameter_validate", "request", 2, CheckQuery(resource, operation)))
        if deserializes(operation):
            found.append(stage("deserialize", "request", 2, self._deserialize()))
        if deserializes(operation) and (operation.security_after is not None or resource.scopes):
            found.append(stage("access_after", "request", 1, AccessAfter(resource, operation.security_after)))
        return found

    def _view(self) -> list[RequestStep]:
        resource, operation = self._resource, self._operation
        found: list[RequestStep] = []
        reads_body = deserializes(operation)
        if validates(operation) and not (reads_body and self._bodies.whole):
            found.append(stage("validate", "view", 64, Validate(resource, shapes_of(resource, operation))))
        if not operation.is_safe and operation.write is not False and operation.persist is not False:
            write = Write(resource, self._processing.processor(operation), self._ports.after_commit)
            found.append(stage("write", "view", 32, write))
        answers = Answers(resource, operation)
        if operation.respond is not False:
            if operation.serialize is not False and operation.output is not False and operation.status != 204:
                found.append(stage("serialize", "view", 16, Serialize(answers)))
            found.append(stage("respond", "view", 8, Respond(operation, answers)))
        return found

    def _ends(self) -> list[RequestStep]:
        return [
            stage("link", "response", 0, add_link),
            stage("validation_problem", "exception", 0, self._problems.invalid),
            stage("problem", "exception", -96, self._problems.any),
        ]

    def _deserialize(self) -> Deserialize:
        resource, operation = self._resource, self._operation
        own = reads_own(resource, operation)
        scoped = None
        if resource.scopes and own and operation.method != "PATCH":
            scoped = MessageType(
                name=resource.name, cls=self._bodies.struct, kind="command", scopes=resource.scopes
            )
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


def groups_of(registry: Registry, operation: Operation) -> Mapping[str, int]:
    """Groups that the application has added to the operation's action."""
    for action in registry.entries_of(DeclaredAction):
        if action.name == operation.action:
            return action.groups
    return {}


def application_steps(
    registry: Registry, operation: Operation, listeners: ListenerSteps
) -> list[RequestStep]:
    """What the application has in an operation's chain, in order of registration."""
    if operation.listeners is False:
        return []
    steps = [
        declared.step
        for declared in registry.entries_of(DeclaredStep)
        if declared.action in {None, operation.action}
    ]
    return [*listeners.steps(registry.entries_of(Listener)), *steps]
