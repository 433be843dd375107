"""What MongoDB's client raises, as the error that a caller is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bson.errors import BSONError
from pymongo import errors

from worker.errors import DatabaseUnavailable, Fault, InvalidMessage, Taken, WorkerError

if TYPE_CHECKING:
    from worker.mongo.shape import DocumentShape

_TAKEN = {11000, 11001}
_REFUSED = {2, 9, 14, 15, 52, 53, 57, 121, 10334, 17280, 51091, 51108}
"""Of a value that a server does not take: bad value, failed to parse, nested too deeply, names with dollars and dots, validation, sizes."""
_KEY = re.compile(r"dup key: \{ ?:?\s*\"?([\w.$]+)\"?:")
_INDEX = re.compile(r"index: (\S+)")
_TOLD = "it is not known whether the change was stored; look before you repeat it"


def meant(error: Exception, resource: str, shape: DocumentShape, shown: str, *, writing: bool) -> Exception:
    """Say what an error means; give any other back as it is.

    Args:
        error: as it was raised.
        resource: name of the resource.
        shape: of its documents.
        shown: the database's URL, without its password.
        writing: whether something was to be changed.
    """
    if isinstance(error, WorkerError):
        return error
    if isinstance(error, errors.DuplicateKeyError):
        return _taken(error, resource, shape)
    if isinstance(error, errors.PyMongoError) and not isinstance(
        error, errors.OperationFailure | errors.InvalidOperation | errors.DocumentTooLarge
    ):
        return _outage(error, shown, writing=writing)
    if isinstance(error, errors.ExecutionTimeout):
        return _outage(error, shown, writing=writing)
    if isinstance(error, errors.OperationFailure):
        if error.code in _REFUSED:
            return InvalidMessage(resource, [Fault("", f"the database does not take it: {said(error)}")])
        return DatabaseUnavailable(f"documents {shown}: {said(error)}")
    if isinstance(error, OverflowError):
        return InvalidMessage(
            resource,
            [Fault("", "expected whole numbers of at most 64 bits, and times of the years 1 to 9999 in UTC")],
        )
    if isinstance(error, BSONError | UnicodeError | errors.DocumentTooLarge | RecursionError):
        return InvalidMessage(resource, [Fault("", f"cannot be kept as a document: {said(error)}")])
    return error


def silent(shown: str, seconds: float, *, writing: bool) -> DatabaseUnavailable:
    """Say that there was no answer in time."""
    made = DatabaseUnavailable(f"documents {shown}: no answer within {seconds:g} s")
    return _unknown(made) if writing else made


def _outage(error: Exception, shown: str, *, writing: bool) -> DatabaseUnavailable:
    made = DatabaseUnavailable(f"documents {shown}: {said(error)}")
    asked = not isinstance(
        error, errors.ServerSelectionTimeoutError | errors.WaitQueueTimeoutError | errors.ConfigurationError
    )
    return _unknown(made) if writing and asked else made


def _unknown(error: DatabaseUnavailable) -> DatabaseUnavailable:
    error.unknown = True
    error.told = _TOLD
    return error


def _taken(error: errors.DuplicateKeyError, resource: str, shape: DocumentShape) -> Taken:
    details: Mapping[str, Any] = error.details or {}
    keys = list(details.get("keyPattern") or _KEY.findall(str(details.get("errmsg") or error)))
    names = {key: name for name, key in shape.keys.items()}
    index = _INDEX.search(str(error))
    if not keys and index is not None and index[1] == "_id_":
        keys = ["_id"]
    fields = [names[key] for key in keys if key in names]
    shown = " and ".join(fields) or (f"a value of index {index[1]}" if index else "a value that is unique")
    return Taken(f"{resource}: {shown} is taken", fields[0] if fields else None)


def said(error: Exception) -> str:
    """What an error says, without the server's whole answer and the state of every server."""
    text = error._message if isinstance(error, errors.PyMongoError) else str(error)
    first = (text.splitlines() or [""])[0].partition(" (configured timeouts")[0].partition(", Timeout:")[0]
    return first[:300] or type(error).__name__
