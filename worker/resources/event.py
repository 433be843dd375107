"""The event: what the stages, listeners and steps of one request share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from worker.chain.context import ChainContext
from worker.errors import UsageError
from worker.messaging.envelope import Envelope
from worker.messaging.idempotency import Finished
from worker.resources.operation import Operation
from worker.resources.stores import Store, StoreWork, Wanted
from worker.tokens.principal import Principal


class RequestEvent(ChainContext):
    """One request of a resource: the context of its chain.

    Args:
        known: attributes that all requests of the operation have.
        requests: makes an object of the request where one is asked for, of its scope, what gives its body, and the body where
            it was read.
        scope: of the request, with its principal.
        headers: its own, names in lower case.
        receive: gives its body.
        operation: resolved.
        store: of the resource; None without one.

    Attributes:
        operation: resolved.
        resource: class of the resource.
        uri_variables: of the path, as they stand there.
        data: what was read, then what the body was read into; a ``Page`` of a collection.
        previous_data: a copy of the state before; None where the object is new, or only read.
        error: why the exception event runs; None elsewhere.
        attributes: ``receive``, ``respond`` and ``persist`` set to False leave out stages; everything else in it is the application's.
        principal: who calls.
        read_data: what was read.
        parameters: query parameters that the operation declares, validated.
        created: whether ``data`` is new.
        calling: whether a processor or a provider is called, or raised the error.
        handling: whether an inline handler raised it.
    """

    __slots__ = (
        "_known",
        "_requests",
        "_working",
        "answer",
        "asked",
        "begun",
        "body",
        "calling",
        "composing",
        "created",
        "data",
        "envelope",
        "error",
        "format",
        "handling",
        "headers",
        "later",
        "made_request",
        "media_type",
        "message_id",
        "operation",
        "parameters",
        "previous_data",
        "principal",
        "read_data",
        "receive",
        "remembering",
        "resource",
        "scope",
        "set_by",
        "store",
        "subject",
        "switches",
        "unread",
        "uri_variables",
        "view_is_over",
        "wanted",
        "wrote",
    )

    def __init__(
        self,
        known: Mapping[str, Any],
        requests: Callable[[Any, Any, bytes | None], Any],
        scope: MutableMapping[str, Any],
        headers: Mapping[bytes, bytes],
        receive: Callable[[], Awaitable[Any]],
        operation: Operation,
        store: Store | None,
    ) -> None:
        ChainContext.__init__(self, operation.action)  # super() costs as much again
        self._known: Mapping[str, Any] | None = known
        self._requests = requests
        self.scope = scope
        self.headers = headers
        self.receive = receive
        self.operation = operation
        self.resource: type[Any] = known["class"]
        self.uri_variables: dict[str, Any] = {**scope["path_params"]}
        self.principal: Principal = scope["principal"]
        self.store = store
        self.made_request: Any = None
        """The object of the request, where it was asked for."""
        self.data: Any = None
        self.previous_data: Any = None
        self.read_data: Any = None
        self.error: BaseException | None = None
        self.parameters: dict[str, Any] = {}
        self.created = operation.method == "POST"
        self.view_is_over = False
        """Whether another answer would end nothing: it takes the place of the one that is there."""
        self.wrote = False
        """Whether the store was asked to change something."""
        self.calling = False
        self.handling = False
        self.composing = False
        """Whether what is dispatched is kept for the commit of the store."""
        self.later: tuple[Envelope[Any], ...] = ()
        """What is handled after the commit."""
        self.wanted: Wanted | None = None
        """What is wanted of a collection."""
        self.body: bytes | None = None
        """The request's body, where it was read."""
        self.unread: Exception | None = None
        """Why the body could not be read."""
        self.remembering: Callable[[Any], Finished | None] | None = None
        """Makes of a result what is kept with the commit for a repeat of the request; None without idempotency key."""
        self.message_id: str | None = None
        """Id that a message of this request has; None for a new one."""
        self.set_by: str | None = None
        """Who of the application's has set what the next stage gets; None where a stage has."""
        self.envelope: Any = None
        """The envelope of the last message that was dispatched."""
        self.asked: Any = None
        """What the query string asks for."""
        self.subject: Any = None
        """What was serialized."""
        self.format: Any = None
        """What the answer is written in; None until that is agreed upon."""
        self.media_type: str | None = None
        """Content type of what was serialized."""
        self.switches: dict[str, Any] | None = None
        """The attributes, where they were asked for; None: nothing can be left out."""
        self.answer: Any = None
        """The response, as it is read; ``response`` sets it."""
        self.begun: StoreWork | None = None
        """The work in the store, where it has begun."""
        self._working: AbstractAsyncContextManager[StoreWork] | None = None

    @property
    def request(self) -> Any:
        """Starlette's request."""
        if self.made_request is None:
            self.made_request = self._requests(self.scope, self.receive, self.body)
        return self.made_request

    @property
    def facts(self) -> dict[str, Any]:
        """The attributes as a plain dict; most are added when they are first asked for."""
        known, facts = self._known, self._facts
        if known is not None:
            self._known = None
            facts |= known
            if self.principal.id is not None:
                facts["token"] = self.principal.id
            if self.principal.plugins is not None:
                facts["plugins"] = self.principal.plugins
            if self.format is not None:
                facts["request_type"] = ("rest", self.format)
        return facts

    def agree(self, format: Any) -> None:
        """Say what the answer is written in."""
        self.format = format
        if self._known is None:
            self._facts["request_type"] = ("rest", format)

    @property
    def attributes(self) -> dict[str, Any]:
        """A dict for the application; ``receive``, ``respond`` and ``persist`` set to False leave out stages."""
        if self.switches is None:
            self.switches = {}
        return self.switches

    @property
    def response(self) -> Any:
        """The answer; None while there is none. Setting it on request, view or exception ends that event.

        Raises:
            UsageError: what is set is no response, or has a status that no answer has.
        """
        return self.answer

    @response.setter
    def response(self, response: Any) -> None:
        if not is_response(response):
            raise UsageError(f"event.response = {response!r}: expected a Response of Starlette's")
        status = response.status_code
        if not isinstance(status, int) or not _LEAST <= status <= _MOST:
            raise UsageError(f"event.response has the status {status!r}: expected {_LEAST} to {_MOST}")
        self.respond(response)

    def respond(self, response: Any) -> None:
        """Set the answer to a response that is right."""
        self.answer = response
        if not self.view_is_over:
            self.stopped = True  # as stop() says it
            self.changes += 1

    @property
    def result(self) -> Any:
        """What the view event's stages work on: ``data`` until something sets it. The next stage gets what is set."""
        return self.data if self.held is None else self.held[0]

    @result.setter
    def result(self, value: Any) -> None:
        self.held = (value,)

    @result.deleter
    def result(self) -> None:
        """Take it away: it is ``data`` again."""
        self.held = None

    def without_response(self) -> None:
        """Forget the answer: another one is to be made."""
        self.answer = None

    def leaves_out(self, switch: str) -> bool:
        """Whether an attribute switches stages off."""
        return self.switches is not None and self.switches.get(switch, True) is False

    def told(self, cls: type[Any]) -> dict[str, Any]:
        """Say what processors and providers are told: the context that they pass on to the built-in ones."""
        work = self.begun
        return {
            "request": self.request,
            "uri_variables": self.uri_variables,
            "resource_class": cls,
            "previous_data": self.previous_data,
            "read_data": self.read_data,
            "parameters": self.parameters,
            "wanted": self.wanted,
            "session": None if work is None else work.session,
            "event": self,
        }

    async def work(self) -> StoreWork | None:
        """Return this request's work in its resource's store, begun when it is first asked for; None without a store.

        Raises:
            Unavailable: the store does not answer.
        """
        if self.begun is None and self.store is not None:
            working = self.store.work(read_only=not self.operation.stores)
            self.begun = await working.__aenter__()
            self._working = working
        return self.begun

    async def end_work(self) -> None:
        """Undo what was not committed; may be called again."""
        working, self._working = self._working, None
        if working is not None:
            await working.__aexit__(None, None, None)


def is_response(value: object) -> bool:
    """Whether something is a response of Starlette's, or like one."""
    return callable(value) and hasattr(value, "raw_headers") and not isinstance(value, type)


_LEAST, _MOST = 200, 599
"""Statuses of answers."""
