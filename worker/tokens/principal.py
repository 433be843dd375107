"""The principal: who calls, made ready to be asked often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from worker.errors import Forbidden
from worker.tokens.document import TokenDocument
from worker.tokens.limits import Rule, rules
from worker.tokens.passes import Declared, Pass, pass_for
from worker.tokens.rights import ALL, granted

Marks = Callable[[str, tuple[str, ...] | None], tuple[Any, ...]]
"""Makes what travels with a token's messages, given its id and plugins; None: all plugins."""


@dataclass(frozen=True, slots=True, eq=False)
class Principal:
    """A caller: one that shows a token, or anyone as long as tokens are not in use.

    Attributes:
        id: of the token; None without one.
        rights: as the token has them.
        scopes: likewise.
        granted: all that the rights let do.
        plugins: that are switched on for what it sends; None: all.
        token: the document; None without one.
        limits: read.
        expires: seconds since the epoch; None for never.
        bound: whether each call is asked for its time or its page.
        marks: travel with each message of it.
    """

    id: str | None
    _: KW_ONLY
    rights: tuple[str, ...] = ("*",)
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    granted: frozenset[str] = ALL
    plugins: tuple[str, ...] | None = None
    token: TokenDocument | None = None
    limits: tuple[Rule, ...] = ()
    expires: float | None = None
    bound: bool = False
    marks: tuple[Any, ...] = ()
    _passes: dict[str, Pass] = field(default_factory=dict)

    def can(self, right: str) -> bool:
        """Whether it has a right."""
        return right in self.granted

    def require(self, right: str) -> None:
        """Refuse what it has no right to.

        Raises:
            Forbidden: names the right.
        """
        if right not in self.granted:
            raise Forbidden(f"token {self.id!r} has no right {right!r}")

    def admitted(self, declared: Declared, message: Any) -> Any:
        """Return a message of a type as it may send it; what that asks of the type is found out once.

        Raises:
            Forbidden: it may not.
        """
        try:
            found = self._passes[declared.name]
        except KeyError:
            found = pass_for(self.id or "", self.token, self.granted, declared)
            self._passes[declared.name] = found
        return message if found is None else found(message)


ANYONE = Principal(None)
"""Every caller as long as tokens are not in use."""


def principal_of(token: TokenDocument, plugins: tuple[str, ...] | None, marks: Marks) -> Principal:
    """Make the principal of a token; ``plugins``: those that it switches on, None for all.

    Raises:
        ValueError: one of its limits cannot be read.
    """
    return Principal(
        token.id,
        rights=token.rights,
        scopes=token.scopes,
        granted=granted(token.rights),
        plugins=plugins,
        token=token,
        limits=rules(token.limits),
        expires=None if token.expires_at is None else token.expires_at.timestamp(),
        bound=token.expires_at is not None or bool(token.referrers),
        marks=marks(token.id, plugins),
    )
