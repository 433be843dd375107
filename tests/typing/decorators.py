"""Every decorator, bare and with arguments, gives back exactly the type that it was given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, assert_type

import msgspec

from worker import App, CallNext, Context, Envelope, Recoverable, Reject, Retry

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
