"""What an application declares: entries of any kind in one collection, and the ground that its decorators stand on.

A kind of declaration is one file: a class for its entries, a class with its decorators over ``Declares``, which becomes a
base of ``App``, and a check, which joins those that ``App.registry`` runs at start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Self, TypeVar

from worker.errors import UsageError
from worker.messaging.declaring.functions import name_of
from worker.suggestion import hint

Entry = TypeVar("Entry")


class Declarations:
    """Entries of all kinds in order of declaration.

    Attributes:
        faults: what was wrong as they were declared; told with all others at start.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._entries: list[Any] = []
        self._places: dict[int, int] = {}
        self._frozen = False

    def add(self, entry: object) -> None:
        """Add an entry; its class is its kind.

        Raises:
            UsageError: they are frozen.
        """
        self.refuse_late(lambda: _said(entry))
        self._places[id(entry)] = len(self._entries)
        self._entries.append(entry)

    def freeze(self) -> None:
        """Take no more: they have been checked, and what comes later would be part of nothing that runs."""
        self._frozen = True

    def refuse_late(self, what: Callable[[], str]) -> None:
        """Refuse what is declared too late.

        Args:
            what: names it.

        Raises:
            UsageError: they are frozen.
        """
        if self._frozen:
            raise UsageError(
                f"{what()}: declared behind the application's checks (app.registry(), a program, TestWorker or a first run), "
                "so that nothing would run it: what they found is frozen; declare it before"
            )

    def of(self, kind: type[Entry]) -> list[Entry]:
        """All entries of one kind."""
        return [entry for entry in self._entries if type(entry) is kind]

    def entries(self) -> list[Any]:
        """All entries."""
        return list(self._entries)

    def place(self, entry: object) -> int:
        """How many entries, of whatever kind, were declared before one of them."""
        return self._places[id(entry)]

    def known(
        self,
        where: str,
        options: dict[str, Any],
        known: Collection[str],
        elsewhere: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the options that there are; the others are faults.

        Args:
            where: what has them.
            options: as they were given.
            known: their names.
            elsewhere: to what else an option belongs, by its name.
        """
        for option, value in options.items():
            if option not in known:
                home = (elsewhere or {}).get(option)
                meant = hint(option, known) if home is None else f"; it is an option of {home}(...)"
                self.faults.append(f"{where}: unknown option {option}={value!r}{meant}")
        return {option: value for option, value in options.items() if option in known}

    @classmethod
    def joined(cls, several: Iterable[Declarations]) -> Self:
        """Make one of several, in this order."""
        one = cls()
        for declared in several:
            one.faults += declared.faults
            for entry in declared._entries:
                one.add(entry)
        return one


class Declares:
    """What has decorators. Each one works bare and with arguments, and returns what it decorated unchanged."""

    def __init__(self) -> None:
        self._declared = Declarations()

    def _decorate(self, entry: Callable[[Any], object], given: Any) -> Any:
        """Declare what was given, when the decorator is used bare; else make the decorator that does."""

        def decorate(target: Any) -> Any:
            self._declared.add(entry(target))
            return target

        return decorate if given is None else decorate(given)


def _said(entry: Any) -> str:
    """What an entry is, and its name: ``command PlaceOrder``, ``step app.load``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(entry).__name__).lower().removesuffix("entry").strip()
    kind = getattr(entry, "kind", words)
    named = next(
        (getattr(entry, one) for one in ("target", "cls", "call", "name") if getattr(entry, one, None)), ""
    )
    return f"{kind} {repr(named) if isinstance(named, str) else name_of(named)}"
