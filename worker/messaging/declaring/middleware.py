"""Middleware: how it is declared, and what is wrong with its declarations; ``placement`` says what with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar, overload

from worker.messaging.declaration import Kind, MiddlewareEntry
from worker.messaging.declaring.declarations import Declares
from worker.messaging.declaring.draft import Draft
from worker.messaging.declaring.functions import name_of
from worker.messaging.declaring.placement import Names, placed

T = TypeVar("T")

_PLACEMENT = tuple(
    field for field in MiddlewareEntry.__struct_fields__ if field not in {"name", "call", "when"}
)


class DeclaresMiddleware(Declares):
    """The decorator of middleware."""

    @overload
    def middleware(self, call: T, /) -> T: ...
    @overload
    def middleware(
        self,
        *,
        priority: int = 0,
        group: str | None = None,
        messages: Iterable[type[Any] | str] | None = None,
        when: Mapping[str, object] | None = None,
        plugin: str | None = None,
        bus: Kind | None = None,
        on: Literal["dispatch", "consume"] | None = None,
    ) -> Callable[[T], T]: ...
    def middleware(self, call: Any = None, **options: Any) -> Any:
        """Declare a middleware: ``async def trim(envelope, call_next) -> Envelope``.

        Args:
            call: the function, when used bare.
            **options: ``priority`` (higher is outer), ``group``, ``messages`` (classes or wire names),
                ``when`` (conditions by attribute), ``plugin``, ``bus``, and ``on``: dispatch or consume.
        """
        options = self._declared.known("middleware", options, (*_PLACEMENT, "messages", "when"))
        messages = options.pop("messages", None)
        when = dict(options.pop("when", None) or {})

        def entry(function: Any) -> MiddlewareEntry:
            conditions = dict(when)
            if messages is not None:
                one = isinstance(messages, str | type)
                conditions["type"] = Names((messages,) if one else tuple(messages), also=when.get("type"))
            return MiddlewareEntry(name=name_of(function), call=function, when=conditions, **options)

        return self._decorate(entry, call)


def check_middleware(draft: Draft) -> None:
    """Check where each middleware stands, and find the messages that it is for."""
    entries = draft.declared.of(MiddlewareEntry)
    draft.keep(
        MiddlewareEntry, [placed(entry, draft.by_name, draft.by_class, draft.faults) for entry in entries]
    )
