"""Tables of resources that are mapped classes: the application's own, created where they are missing, never altered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worker.errors import ConfigurationError
from worker.state.database import Database

_MIGRATE = "run: your migrations, such as alembic upgrade head"


class ResourceTables:
    """Creates what is missing, or says it.

    Args:
        database: where they are.
        classes: mapped classes.
        made: whether missing ones are created.

    Attributes:
        created: names of those that were missing when they were prepared, and are there now.
    """

    def __init__(self, database: Database, classes: Sequence[type[Any]], *, made: bool) -> None:
        self._database = database
        self._classes = classes
        self._made = made
        self.created: list[str] = []

    async def prepare(self, *, creates: bool) -> None:
        """Have them there, for a program that uses them; ``creates``: whether it may create some.

        Raises:
            ConfigurationError: tables or columns are missing.
            DatabaseUnavailable: the database does not answer.
        """
        if not self._classes:
            return
        if creates and self._made:
            self.created = await self.missing()
            if self.created:
                await self._database.tables.create(self._classes)
        elif self._made and (missing := await self.missing()):
            raise ConfigurationError(
                f"missing in database {self._database.shown}: tables of resources: {', '.join(missing)}; run: worker setup"
            )
        if faults := await self.faults():
            raise ConfigurationError(faults)

    async def missing(self) -> list[str]:
        """Names of those that ``worker setup`` would create.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        return await self._database.tables.missing(self._classes) if self._classes and self._made else []

    async def faults(self) -> list[str]:
        """Say what is missing that only the application's own migrations create.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        if not self._classes or not self._database.there:
            return []
        where = f"missing in database {self._database.shown}"
        if not self._made and (tables := await self._database.tables.missing(self._classes)):
            return [f"{where}: tables of resources: {', '.join(tables)}; {_MIGRATE}"]
        if columns := await self._database.tables.missing_columns(self._classes):
            names = ", ".join(columns)
            return [
                f"{where}: columns of resources: {names}; a table that is there is never altered; {_MIGRATE}"
            ]
        return []
