"""What an application declares about one message type, handler or middleware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from worker.messaging.breaker import Breaker
from worker.messaging.form import Form
from worker.messaging.retry import Retry
from worker.tokens.rights import Right

Entry = TypeVar("Entry")

Kind = Literal["command", "query", "event"]
Extra = Literal["forbid", "ignore"]


class MessageType(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A declared message type.

    Attributes:
        name: wire name.
        cls: the Python class of its values.
        kind: command, query or event.
        queue: name of its queue as given, None for the portable name.
        transport: name of its transport as given, None for what routing says.
        key: attribute that holds the ordering key, or a callable that makes it.
        retry: its policy; None for the default.
        timeout: seconds a handler may run; None for no limit.
        concurrency: messages of this type that one process handles at once; None for no limit of its own.
        priority: 0 to 9, higher first.
        exclusive: runs with no other command of the application in flight, in any worker; for queued commands.
        version: of its data, on the wire as ``dataversion``.
        aliases: further wire names it is taken under.
        errors: HTTP status by error class, for what is handled inline and for queries.
        many_handlers: whether a command may have more than one handler.
        track: whether its status is kept.
        extra: what the intake (HTTP, command line) does with members that the type does not have, nested ones too:
            ``forbid`` or ``ignore``; consumers ignore them.
        cache: seconds an answer to the query may be kept by clients; None for not at all.
        scopes: field by the name of the scope whose values it holds; tokens may reach only some of these.
        hits: field of a query that says how many results are asked for; tokens may have a most.
        right: what a token needs to send it, beside the right to send or ask; of built-in messages.
        posted: whether HTTP takes it by its name; a resource's own message comes by the resource's paths alone.
        form: how its messages travel, where msgspec does not read their class by itself.
    """

    name: str
    cls: type[Any]
    kind: Kind
    queue: str | None = None
    transport: str | None = None
    key: str | Callable[[Any], str | None] | None = None
    retry: Retry | None = None
    timeout: float | None = None
    concurrency: int | None = None
    priority: int = 0
    exclusive: bool = False
    version: int = 1
    aliases: tuple[str, ...] = ()
    errors: Mapping[type[BaseException], int] = {}
    many_handlers: bool = False
    track: bool = True
    extra: Extra = "forbid"
    cache: float | None = None
    scopes: Mapping[str, str] = {}
    hits: str | None = None
    right: Right | None = None
    posted: bool = True
    form: Form | None = None

    @property
    def read_as(self) -> type[Any]:
        """The class that its data is read as: its own, or that of its form."""
        return self.cls if self.form is None else self.form.struct

    def data_of(self, message: Any) -> Any:
        """What msgspec writes for a message of this type."""
        return message if self.form is None else self.form.data(message)

    def key_of(self, message: Any) -> str | None:
        """Ordering key of a message of this type; None when it has none."""
        if self.key is None:
            return None
        value = getattr(message, self.key) if isinstance(self.key, str) else self.key(message)
        return None if value is None else str(value)


class Handler(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A function that handles one message type.

    Attributes:
        name: its module and qualified name; what the ``handled`` stamp and the inbox remember.
        call: the function.
        message: class of its first parameter.
        wants_context: whether it takes a second parameter.
        is_async: whether it runs on the loop; else in a thread.
        priority: higher first among several handlers.
        breaker: what pauses its type when it fails too much; None for none.
    """

    name: str
    call: Callable[..., Any]
    message: type[Any]
    wants_context: bool
    is_async: bool
    priority: int = 0
    breaker: Breaker | None = None


class MiddlewareEntry(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A declared middleware and where it applies."""

    name: str
    call: Callable[..., Any]
    priority: int = 0
    group: str | None = None
    when: Mapping[str, object] = {}
    plugin: str | None = None
    bus: Kind | None = None
    on: Literal["dispatch", "consume"] | None = None


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Says whether something of the application's own is well; ``name`` is its member of the health document."""

    name: str
    call: Callable[[], Any]
    is_async: bool


class Registry(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All that an application declares, checked.

    ``by_name`` has aliases too; ``handlers`` is by wire name, higher priority first; ``entries`` are all others by kind.
    """

    application: str
    messages: Mapping[str, MessageType]
    by_name: Mapping[str, MessageType]
    by_class: Mapping[type[Any], MessageType]
    handlers: Mapping[str, tuple[Handler, ...]]
    entries: Mapping[type[Any], tuple[Any, ...]] = {}
    plugins: tuple[str, ...] = ()

    def entries_of(self, kind: type[Entry]) -> tuple[Entry, ...]:
        """Entries of one kind, in order of declaration."""
        return self.entries.get(kind, ())

    @property
    def middleware(self) -> tuple[MiddlewareEntry, ...]:
        """The application's, in order of declaration."""
        return self.entries_of(MiddlewareEntry)

    def of_kind(self, kind: Kind) -> list[MessageType]:
        """Declared types of one kind, in order of declaration."""
        return [message for message in self.messages.values() if message.kind == kind]
