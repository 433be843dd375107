"""Requests of one operation: its stages and the application's listeners and steps, put in order once, and run for each."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope

from worker.chain.actions import surrounded
from worker.errors import DatabaseUnavailable
from worker.http.answer import Answer
from worker.http.idempotency import Repeats, key_of
from worker.http.ports import Ports
from worker.http.resources.bodies import message_of
from worker.http.resources.composing import Stages
from worker.http.resources.stages.deserialize import body_of, request_of
from worker.http.resources.stages.problem import Problems
from worker.messaging.declaration import Registry
from worker.messaging.idempotency import Finished, Fresh, Key
from worker.resources.built_in import (
    Messenger,
    MessengerProcessor,
    PersistProcessor,
    Provider,
    RemoveProcessor,
)
from worker.resources.declared import ProcessorEntry, ProviderEntry
from worker.resources.event import RequestEvent
from worker.resources.lifecycle import (
    LifeCycle,
    ListenerSteps,
    application_steps,
    chain_of,
    facts_of,
    groups_of,
)
from worker.resources.operation import Operation
from worker.resources.processors import Processing
from worker.resources.repeating import keyed
from worker.resources.resource import Resource


class Requests:
    """Answers the requests of one operation.

    Args:
        resource: of the operation.
        operation: resolved.
        processing: makes the resource's processors and providers.
        ports: what it needs from the rest of the house.
        listeners: makes steps of listeners.
    """

    def __init__(
        self,
        resource: Resource,
        operation: Operation,
        processing: Processing,
        ports: Ports,
        listeners: ListenerSteps,
    ) -> None:
        self._resource = resource
        self._operation = operation
        self._max_body = ports.limits.max_body
        self._writes = not operation.is_safe
        self._repeats = Repeats(ports)
        known = facts_of(resource.cls, operation)
        self._facts = {**known, "plugins": ports.registry.plugins}
        own = application_steps(ports.registry, operation, listeners)
        groups = groups_of(ports.registry, operation)
        problems = Problems(
            operation, message_of(resource, operation, ports.registry), ports.messages.retry_after
        )
        self._stages = stages = Stages(resource, operation, processing, ports, own, problems)
        chain = chain_of(known, stages.steps(), own, groups)
        self.life_cycle = LifeCycle(chain, problems.answer, operation.timeout, str(operation.name))
        # without a store there is no work to end
        self._answer = self.life_cycle.run if resource.store is None else self._worked

    def bare(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> Awaitable[Response]:
        """Answer one."""
        event = RequestEvent(
            self._facts, request_of, scope, headers, receive, self._operation, self._resource.store
        )
        plugins = event.principal.plugins
        return self._begun(event) if plugins is None else self._narrowed(event, plugins)

    async def _narrowed(self, event: RequestEvent, plugins: Sequence[str]) -> Response:
        with surrounded(plugins=plugins):
            return await self._begun(event)

    def _begun(self, event: RequestEvent) -> Awaitable[Response]:
        headers = event.headers
        if self._writes and (key := headers.get(b"idempotency-key")) is not None:
            return self._once(event, key_of(key))
        return self._answer(event)

    async def _worked(self, event: RequestEvent) -> Response:
        try:
            response: Response = await self.life_cycle.run(event)
        finally:
            if event.begun is not None:
                await event.end_work()
        return response

    async def _once(self, event: RequestEvent, key: str) -> Response:
        """Answer it as the first request with this key was answered."""
        scope = event.scope
        body = await body_of(event, self._max_body)
        made: list[Response] = []

        async def answer(claimed: Key, begun: Fresh) -> Answer | None:
            event.message_id = begun.message_id

            def remembering(result: Any) -> Finished | None:
                kept = self._stages.remembered(event, result)
                return Finished(claimed, begun.claim, kept) if 200 <= kept.status < 300 else None

            event.remembering = remembering
            with keyed(begun.message_id, again=begun.again):
                response = await self._answer(event)
            made.append(response)
            if isinstance(event.error, DatabaseUnavailable) and event.error.unknown:
                return None  # it may have been stored
            whole = getattr(response, "body", None)
            if not isinstance(whole, bytes):
                return Answer(0, [], b"")  # one that streams cannot be remembered
            return Answer(response.status_code, list(response.raw_headers), whole)

        what = b"%b %b?%b" % (scope["method"].encode(), body, scope["query_string"])
        kept = await self._repeats.claimed(scope, key, what, answer)
        return made[0] if made else kept  # type: ignore[return-value]  # an answer is sent as a response is


def processing_of(resource: Resource, messenger: Messenger, registry: Registry) -> Processing:
    """Make what makes the processors and providers of a resource."""
    return Processing(
        resource,
        {
            PersistProcessor: PersistProcessor(resource),
            RemoveProcessor: RemoveProcessor(resource),
            MessengerProcessor: MessengerProcessor(resource, messenger),
            Provider: Provider(resource),
        },
        registry.entries_of(ProcessorEntry),
        registry.entries_of(ProviderEntry),
    )
