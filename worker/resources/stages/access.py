"""Access: whether a caller may do this, asked by the application's predicates and by the scopes of the caller's token."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from worker.errors import Forbidden
from worker.resources.calling import said
from worker.resources.event import RequestEvent
from worker.resources.resource import Resource
from worker.resources.shape import Shape
from worker.resources.stores import Filtered, Page
from worker.tokens.principal import Principal
from worker.tokens.scopes import container_of, narrowed


class Access:
    """Asks a predicate and the scopes before anything is read of the body: of the object as it is stored.

    Args:
        resource: that is asked for.
        security: ``(principal, object, request) -> bool``; None: nothing is asked.
    """

    def __init__(self, resource: Resource, security: Callable[..., Any] | None) -> None:
        self._resource = resource
        self._security = security
        self._scopes = Scopes(resource)

    async def __call__(self, event: RequestEvent) -> None:
        """Ask.

        Raises:
            Forbidden: the caller may not.
        """
        obj = event.data if isinstance(event.data, self._resource.cls) else None
        if obj is not None:
            self._scopes.check(event.principal, obj)
        elif event.operation.is_collection:
            event.data = self._scopes.reached(event.principal, event.data)
        await ask(self._security, event, obj)


class AccessAfter:
    """Asks again when the body was read into the object, and narrows the object to what the caller's token reaches.

    Args:
        resource: that is asked for.
        security: ``(principal, object, request) -> bool``; None: nothing is asked.
        shapes: by class: of what a body may have been read into. Fields of an ``input`` class are narrowed as those of
            the resource that have their names.
    """

    def __init__(
        self, resource: Resource, security: Callable[..., Any] | None, shapes: Mapping[type[Any], Shape]
    ) -> None:
        self._security = security
        self._scopes = [(cls, Scopes(resource, shape)) for cls, shape in shapes.items()]

    async def __call__(self, event: RequestEvent) -> None:
        """Ask.

        Raises:
            Forbidden: the caller may not.
        """
        for cls, scopes in self._scopes:
            if isinstance(event.data, cls) and event.operation.reads_body:
                event.data = scopes.narrowed(event.principal, event.data)
                break
        await ask(self._security, event, event.data)


async def ask(security: Callable[..., Any] | None, event: RequestEvent, obj: Any) -> None:
    """Ask a predicate.

    Raises:
        Forbidden: it says no.
    """
    if security is not None and not await said(security, event.principal, obj, event.request):
        raise Forbidden(f"{event.operation.name} is not allowed here")


class Scopes:
    """What the scopes of a token say about the objects of a resource.

    Args:
        resource: that has the scopes.
        shape: of the objects, where they are others than the resource's: the fields that they do not have are not asked.
    """

    def __init__(self, resource: Resource, shape: Shape | None = None) -> None:
        self._resource = resource
        self._shape = resource.shape if shape is None else shape
        self._fields = [
            (scope, field, container_of(self._shape.struct, field))
            for scope, field in resource.scopes.items()
            if shape is None or field in shape.fields
        ]

    def of(self, principal: Principal) -> list[tuple[str, str, type[Any] | None, Sequence[str]]]:
        """Scopes of which the caller's token reaches only some values, with field, container and these."""
        if principal.token is None or not self._fields:
            return []
        held: Mapping[str, Sequence[str]] = principal.scopes
        return [
            (scope, field, container, held[scope])
            for scope, field, container in self._fields
            if scope in held
        ]

    def check(self, principal: Principal, obj: Any) -> None:
        """Refuse an object that lies outside.

        Raises:
            Forbidden: it does.
        """
        outside = self._outside(principal, obj)
        if outside is not None:
            raise self._refused(principal, f"its {outside} is outside of what it reaches")

    def reached(self, principal: Principal, found: Any) -> Any:
        """Leave out of a list or page what lies outside: a provider of the application's may not have asked."""
        if found is None or not self.of(principal):
            return found
        page = found if isinstance(found, Page) else None
        items = [*(found if page is None else page.items)]
        cls = self._resource.cls
        kept = [one for one in items if not isinstance(one, cls) or self._outside(principal, one) is None]
        return kept if page is None else Page(kept, page.total - len(items) + len(kept), page.last)

    def _outside(self, principal: Principal, obj: Any) -> str | None:
        """The scope in which an object lies outside; None where it lies inside."""
        for scope, field, _, allowed in self.of(principal):
            value = getattr(obj, field)
            values = (
                value if isinstance(value, list | tuple | set | frozenset) else str(value or "").split(",")
            )
            if not values or any(one not in allowed for one in values):
                return scope
        return None

    def narrowed(self, principal: Principal, obj: Any) -> Any:
        """Return the object with the fields narrowed that reached further.

        Raises:
            Forbidden: some of it lies outside.
        """
        changed = {}
        for scope, field, container, allowed in self.of(principal):
            value = getattr(obj, field)
            found = narrowed(scope, value, allowed, container, lambda what: self._refused(principal, what))
            if found is not value:
                changed[field] = found
        return self._shape.fill(obj, changed) if changed else obj

    def conditions(self, principal: Principal) -> tuple[Filtered, ...]:
        """Conditions that leave of a collection what the token reaches."""
        return tuple(Filtered(field, "in", tuple(allowed)) for _, field, _, allowed in self.of(principal))

    def _refused(self, principal: Principal, what: str) -> Forbidden:
        return Forbidden(f"token {principal.id!r} may not do this with {self._resource.name}: {what}")
