"""A statement as text, with the names of its parameters in their order, for each database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

Dialect: TypeAlias = Literal["sqlite", "postgresql"]
"""Which SQL a database speaks."""


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


class Statement(msgspec.Struct, frozen=True):
    """The same statement for both databases."""

    sqlite: Sql
    postgresql: Sql
