"""Every decorator, bare and with arguments, gives back exactly the type that it was given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, assert_type

import msgspec

from worker import (
    App,
    CallNext,
    Context,
    Envelope,
    Get,
    GetCollection,
    Hook,
    Post,
    Put,
    Recoverable,
    Reject,
    Retry,
)
from worker.resources import Operation, Page, PersistProcessor, RemoveProcessor, RequestEvent

app = App("shop", plugins=["audit"])
other = App("mail")
app.include(other)


@app.command
class Bare(msgspec.Struct, frozen=True):
    to: str


@app.command()
class Called(msgspec.Struct, frozen=True):
    to: str


@app.command("travel.named")
class Named(msgspec.Struct, frozen=True):
    to: str


def lane_of(message: Any) -> str | None:
    return None


@app.command(
    name="travel.full",
    queue="q",
    transport="sqlite",
    key=lane_of,
    retry=Retry(),
    timeout=1.5,
    concurrency=2,
    priority=9,
    exclusive=True,
    version=2,
    aliases=("walk",),
    errors={KeyError: 404},
    many_handlers=True,
    track=False,
)
@dataclass(frozen=True)
class Full:
    to: str


@app.query(errors={KeyError: 404}, cache=5)
class Find(msgspec.Struct, frozen=True):
    to: str


@app.query
class FindAll(msgspec.Struct, frozen=True):
    pass


@app.event("went", queue="q", key="to", errors={KeyError: 404}, many_handlers=True, exclusive=False)
class Went(msgspec.Struct, frozen=True):
    to: str


@app.handler
async def bare(command: Bare) -> None: ...


@app.handler(priority=5)
async def called(command: Called, context: Context) -> int:
    raise Recoverable(delay=2.0)


@app.handler()
def in_a_thread(query: Find) -> list[str]:
    raise Reject("no")


@app.handler
class Desk:
    limit: int = 3

    async def full(self, command: Full, context: Context) -> None: ...


@app.subscriber(priority=-1)
async def went(event: Went) -> None: ...


@app.middleware
async def plain(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
    return await call_next(envelope)


@app.middleware(
    priority=5,
    group="authorize",
    messages=[Bare, "travel.named"],
    when={"region": "eu&!us", "attempt": 1},
    plugin="audit",
    bus="command",
    on="consume",
)
async def narrow(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
    return await call_next(envelope)


@app.resource
class BareResource(msgspec.Struct):
    id: int


@app.resource(
    path="/r",
    operations=[Post(status=202, output=False), Get(), GetCollection(order=("id",)), Put(allow_create=True)],
    messenger=True,
    security=lambda principal, obj, request: principal.can("resources"),
    errors={KeyError: 404},
    scopes={"index": "id"},
)
class FullResource(msgspec.Struct):
    id: str


@app.listener(Hook.POST_WRITE, when={"class": FullResource})
async def listen(event: RequestEvent) -> None: ...


@app.listener("view", priority=3)
def listen_in_a_thread(event: RequestEvent) -> None: ...


@app.listener
class Subscriber:
    subscribed_events = {Hook.POST_WRITE: "send", "view": [("first", 40)]}

    async def send(self, event: RequestEvent) -> None: ...
    async def first(self, event: RequestEvent) -> None: ...


@app.processor(supports=lambda data, operation: True, priority=2, resumable=True)
class Process:
    def __init__(self, persist: PersistProcessor, remove: RemoveProcessor) -> None:
        self._persist = persist

    async def process(
        self, data: Any, operation: Operation, uri_variables: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Any:
        return await self._persist.process(data, operation, uri_variables, context)


@app.provider
class Provide:
    def provide(
        self, operation: Operation, uri_variables: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Page:
        return Page([], 0)


assert_type(BareResource(1), BareResource)
assert_type(FullResource("a"), FullResource)
assert_type(Subscriber(), Subscriber)
assert_type(Provide(), Provide)
assert_type(Bare("a"), Bare)
assert_type(Called("a"), Called)
assert_type(Named("a"), Named)
assert_type(Full("a"), Full)
assert_type(Find("a"), Find)
assert_type(FindAll(), FindAll)
assert_type(Went("a").to, str)
assert_type(Desk().limit, int)
assert_type(in_a_thread(Find("a")), list[str])


async def calls() -> None:
    assert_type(await called(Called("a"), context()), int)


def context() -> Context:
    raise NotImplementedError


handler: Callable[[Bare], Awaitable[None]] = bare
step: Callable[[Envelope[Any], CallNext], Awaitable[Envelope[Any]]] = narrow
