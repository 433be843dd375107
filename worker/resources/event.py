"""The event: what the stages, listeners and steps of one request share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from worker.chain.context import ChainContext
from worker.messaging.envelope import Envelope
from worker.messaging.idempotency import Finished
from worker.resources.operation import Operation
from worker.resources.stores import Store, StoreWork, Wanted
from worker.tokens.principal import Principal


class RequestEvent(ChainContext):
    """One request of a resource: the context of its chain.

    Attributes:
        request: Starlette's.
        operation: resolved.
        resource: class of the resource.
        uri_variables: of the path, as they stand there.
        data: what was read, then what the body was read into; a ``Page`` of a collection.
        previous_data: a copy of the state before; None of what is new, or only read.
        error: why the exception event runs; None elsewhere.
        attributes: ``receive``, ``respond`` and ``persist`` set to False leave out stages; else it is the application's.
        principal: who calls.
        read_data: what was read.
        parameters: query parameters that the operation declares, validated.
        created: whether ``data`` is new.
        calling: whether a processor or a provider is called, or raised the error.
        handling: whether an inline handler raised it.
    """

    __slots__ = (
        "_attributes",
        "_response",
        "_work",
        "_working",
        "asked",
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
        "media_type",
        "message_id",
        "operation",
        "parameters",
        "previous_data",
        "principal",
        "read_data",
        "remembering",
        "request",
        "resource",
        "store",
        "subject",
        "unread",
        "uri_variables",
        "wanted",
        "wrote",
    )

    def __init__(
        self,
        facts: Mapping[str, Any],
        request: Any,
        operation: Operation,
        uri_variables: dict[str, Any],
        principal: Principal,
        store: Store | None,
    ) -> None:
        super().__init__(operation.action, facts)
        self.request = request
        self.operation = operation
        self.resource: type[Any] = facts["class"]
        self.uri_variables = uri_variables
        self.principal = principal
        self.store = store
        self.data: Any = None
        self.previous_data: Any = None
        self.read_data: Any = None
        self.error: BaseException | None = None
        self.parameters: dict[str, Any] = {}
        self.created = operation.method == "POST"
        self.wrote = False
        """Whether the store was asked to change something."""
        self.calling = False
        self.handling = False
        self.composing = False
        """Whether what is dispatched is kept for the commit of the store."""
        self.later: list[Envelope[Any]] = []
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
        self.envelope: Any = None
        """The envelope of the last message that was dispatched."""
        self.asked: Any = None
        """What the query string asks for."""
        self.subject: Any = None
        """What was serialized."""
        self.format: Any = "json"
        """What the answer is written in."""
        self.media_type: str | None = None
        """Content type of what was serialized."""
        self.headers: Mapping[bytes, bytes] = {}
        """The request's, names in lower case."""
        self._attributes: dict[str, Any] | None = None
        self._response: Any = None
        self._work: StoreWork | None = None
        self._working: AbstractAsyncContextManager[StoreWork] | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """A dict for the application; ``receive``, ``respond`` and ``persist`` set to False leave out stages."""
        if self._attributes is None:
            self._attributes = {}
        return self._attributes

    @property
    def response(self) -> Any:
        """The answer; None while there is none. Setting it on request, view or exception ends that event."""
        return self._response

    @response.setter
    def response(self, response: Any) -> None:
        self._response = response
        self.stop()

    @property
    def result(self) -> Any:
        """What the view event's stages work on: ``data`` until something sets it. The next stage gets what is set."""
        return self.data if self._result is None else self._result[0]

    @result.setter
    def result(self, value: Any) -> None:
        self._result = (value,)

    @result.deleter
    def result(self) -> None:
        """Take it away: it is ``data`` again."""
        self._result = None

    def leaves_out(self, switch: str) -> bool:
        """Whether an attribute switches stages off."""
        return self._attributes is not None and self._attributes.get(switch, True) is False

    def told(self, cls: type[Any]) -> dict[str, Any]:
        """Say what processors and providers are told: the context that they pass on to the built-in ones."""
        work = self._work
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
        if self._work is None and self.store is not None:
            working = self.store.work(read_only=not self.operation.stores)
            self._work = await working.__aenter__()
            self._working = working
        return self._work

    @property
    def begun(self) -> StoreWork | None:
        """The work, where it has begun."""
        return self._work

    async def end_work(self) -> None:
        """Undo what was not committed; may be called again."""
        working, self._working = self._working, None
        if working is not None:
            await working.__aexit__(None, None, None)
