"""The connection to MongoDB: its client, in and out of a process, with bounds on every wait."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from worker.errors import ConfigurationError, DatabaseUnavailable
from worker.messaging.bounded import closed
from worker.settings import mask_url

if TYPE_CHECKING:
    from pymongo.asynchronous.database import AsyncDatabase

_ANSWER = 15.0
"""Seconds within which every request to it is answered."""
_GOODBYE = 10.0


class Connection(msgspec.Struct, frozen=True, eq=False):
    """A database of documents.

    Attributes:
        database: PyMongo's.
        shown: its URL, without its password.
        seconds: within which each request to it has to be answered.
    """

    database: AsyncDatabase[dict[str, Any]]
    shown: str
    seconds: float = _ANSWER

    async def ping(self) -> None:
        """Prove that it answers.

        Raises:
            DatabaseUnavailable: it does not.
        """
        from pymongo.errors import PyMongoError

        from worker.mongo.refusals import said

        try:
            await self.database.command("ping")
        except PyMongoError as error:
            raise DatabaseUnavailable(f"documents {self.shown}: {said(error)}") from error


@asynccontextmanager
async def opened_documents(
    url: str, connect_timeout: float, default: str = "worker", seconds: float = _ANSWER, *, asked: bool = True
) -> AsyncIterator[Connection]:
    """Open a database of documents.

    Args:
        url: ``mongodb://…`` or ``mongodb+srv://…``.
        connect_timeout: seconds for which a server is looked for, now and later.
        default: name of the database where the URL has none.
        seconds: within which each request to it has to be answered.
        asked: whether it has to answer at once.

    Raises:
        ConfigurationError: the URL cannot be read, or the client is not installed.
        DatabaseUnavailable: it does not answer.
    """
    shown = mask_url(url)
    try:
        from pymongo import AsyncMongoClient
        from pymongo.errors import ConfigurationError as WrongUrl
        from pymongo.errors import InvalidName

        from worker.mongo.values import OPTIONS
    except ImportError as error:
        raise ConfigurationError(
            f"documents.url={shown!r}: pymongo is not installed; run: pip install 'command-worker[mongo]'"
        ) from error
    milliseconds = int(min(connect_timeout, seconds) * 1000)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "error", UserWarning
            )  # of options that it does not understand and leaves out
            client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
                url,
                serverSelectionTimeoutMS=milliseconds,
                connectTimeoutMS=milliseconds,
                waitQueueTimeoutMS=milliseconds,
                socketTimeoutMS=int(seconds * 1000),
                appname="command-worker",
            )
            database = client.get_default_database(default).with_options(codec_options=OPTIONS)
    except (WrongUrl, InvalidName, UserWarning, ValueError, TypeError):
        # its text may hold a part of the password
        raise ConfigurationError(
            f"documents.url={shown!r}: expected mongodb://user:password@host:port/name, "
            "with special characters of the password percent-encoded: %40 (@), %2F (/), %3F (?), %23 (#), "
            "and options that PyMongo knows"
        ) from None
    connection = Connection(database, shown, seconds)
    try:
        if asked:
            await connection.ping()
        yield connection
    finally:
        await closed(client.close(), _GOODBYE)
