"""A statement: one text with named parameters, translated once for each database's driver."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, TypeAlias

import msgspec

Dialect: TypeAlias = Literal["sqlite", "postgresql"]
"""Which SQL a database speaks."""

_PARAMETER = re.compile(r"(?<!:):(\w+)")
_IN_SQLITE = (
    (re.compile(r"= ANY \((:\w+)\)"), r"IN (SELECT value FROM json_each(\1))"),
    (re.compile(r"::\w+"), ""),
    (re.compile(r" FOR UPDATE\b"), ""),
)


class Sql(msgspec.Struct, frozen=True):
    """The text for one database's driver, and which parameter goes where: a name may stand several times."""

    text: str
    names: tuple[str, ...] = ()

    def bound(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Put values in the order that the driver wants; raises KeyError for one that is missing."""
        return tuple([values[name] for name in self.names])

    def listed(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Do the same, with lists as the JSON that SQLite takes them as."""
        return tuple(
            [
                msgspec.json.encode(value).decode() if type(value) is list else value
                for value in [values[name] for name in self.names]
            ]
        )


class Statement:
    """A fixed statement, made once and executed often: a constant beside its store.

    It is written in PostgreSQL's SQL, with ``:name`` for each parameter, and ``:application`` for whose rows it is
    about. For SQLite three things are translated: ``= ANY (:names)``, which takes a list of any length, becomes a look
    into JSON; a cast (``:since::float8``, for a parameter whose type PostgreSQL cannot tell) goes; and so does
    ``FOR UPDATE``, as a transaction that writes holds every other writer back.

    Args:
        text: for both databases; spaces and line ends are one.
        sqlite: in its place on SQLite, for a statement that has to be another one there.
    """

    def __init__(self, text: str, *, sqlite: str | None = None) -> None:
        self._text = " ".join(text.split())
        self._in_sqlite = self._text if sqlite is None else " ".join(sqlite.split())

    def named(self, schema: str | None = None) -> str:
        """Give the text with its names, as SQLAlchemy's ``text`` takes it: for an insert that needs no translation.

        Args:
            schema: of the table, quoted; None for the one that is found by itself.
        """
        into = "INSERT INTO "
        return self._text if schema is None else self._text.replace(into, f"{into}{schema}.", 1)

    @cached_property
    def postgresql(self) -> Sql:
        """With a number for each parameter, wherever it stands."""
        names = tuple(dict.fromkeys(_PARAMETER.findall(self._text)))
        return Sql(_PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", self._text), names)

    @cached_property
    def sqlite(self) -> Sql:
        """With a question mark for each place where a parameter stands."""
        text = self._in_sqlite
        for written, meant in _IN_SQLITE:
            text = written.sub(meant, text)
        return Sql(_PARAMETER.sub("?", text), tuple(_PARAMETER.findall(text)))
