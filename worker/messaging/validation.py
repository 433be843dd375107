"""Reads bytes or text into a message; what does not fit is reported whole, every field with its pointer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal

import msgspec

from worker.errors import Fault, InvalidMessage, Malformed
from worker.messaging.declaration import MessageType
from worker.messaging.faults import collect, from_error
from worker.messaging.raising import as_exception
from worker.messaging.schema import TextField, text_fields

ContentType = Literal["json", "msgpack"]

_BYTE = re.compile(r"\(byte (\d+)\)")


def decode(declared: MessageType, body: bytes, *, content_type: ContentType = "json") -> Any:
    """Read a body into a message of the declared class.

    Raises:
        Malformed: it is not JSON or MessagePack; the position is named.
        InvalidMessage: it is, and does not fit; carries every fault.
    """
    read = decoder(declared.cls, content_type)
    try:
        message = read(body)
    except (ValueError, RecursionError) as error:
        raise explain(declared, body, content_type, error) from error
    except BaseException as error:  # code of the message's class runs here
        raise as_exception(error) from error
    return message if content_type == "json" else fitting(declared, message)


def decode_data(declared: MessageType, data: Any) -> Any:
    """Turn decoded JSON data into a message of the declared class.

    Raises:
        InvalidMessage: it does not fit; carries every fault.
    """
    try:
        return fitting(declared, msgspec.convert(data, declared.cls, str_keys=True))
    except (ValueError, RecursionError) as error:
        raise InvalidMessage(declared.name, collect(declared.cls, data, error)) from error


def from_text(declared: MessageType, parameters: Mapping[str, Sequence[str]]) -> Any:
    """Make a message from text parameters, as a query string has them.

    Numbers, booleans and dates are read from their text, a list takes a repeated parameter, an object takes
    JSON. Unknown parameters are ignored unless the class forbids them, as in a body.

    Raises:
        InvalidMessage: something is missing, does not fit or is given twice; carries every fault.
    """
    cls: Any = declared.cls
    fields = _text_fields(cls)
    data: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, values in parameters.items():
        field = fields.get(name)
        try:
            data[name] = values[0] if field is None else field.read(values)
        except ValueError as error:
            faults.append(Fault(f"/{name.replace('~', '~0').replace('/', '~1')}", str(error)))
    try:
        message = msgspec.convert(data, declared.cls, strict=False, str_keys=True)
    except (ValueError, RecursionError) as error:
        bad = {fault.pointer for fault in faults}
        found = collect(declared.cls, data, error, strict=False)
        more = [fault for fault in found if fault.pointer not in bad]
        raise InvalidMessage(declared.name, [*faults, *more]) from error
    if faults:
        raise InvalidMessage(declared.name, faults)
    return fitting(declared, message)


def fitting(declared: MessageType, message: Any) -> Any:
    """Return the message if it can be written as JSON and read again, as it must to travel.

    MessagePack and text can hold what JSON cannot: infinite numbers, extension types, odd keys.

    Raises:
        InvalidMessage: it cannot.
    """
    try:
        written = msgspec.json.encode(message)
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise InvalidMessage(declared.name, [Fault("", f"cannot be written as JSON: {error}")]) from error
    try:
        decoder(declared.cls, "json")(written)
    except (ValueError, RecursionError) as error:
        faults = collect(declared.cls, msgspec.json.decode(written), error)
        raise InvalidMessage(declared.name, faults) from error
    return message


def explain(
    declared: MessageType, body: bytes, content_type: ContentType, error: Exception
) -> Malformed | InvalidMessage:
    """Say what is wrong with a body that could not be read: where it ends being readable, or every fault."""
    try:
        data = msgspec.json.decode(body) if content_type == "json" else msgspec.msgpack.decode(body)
    except msgspec.ValidationError as out_of_range:
        known = error if isinstance(error, msgspec.ValidationError) else out_of_range
        return InvalidMessage(declared.name, [from_error(known)])
    except (ValueError, RecursionError) as unreadable:
        return malformed(body, unreadable)
    return InvalidMessage(declared.name, collect(declared.cls, data, error))


def malformed(body: bytes, error: Exception) -> Malformed:
    """Say where bytes stop being readable."""
    if not body:
        return Malformed("the body is empty", 0)
    if isinstance(error, RecursionError):
        return Malformed("nested too deeply")
    if isinstance(error, UnicodeDecodeError):
        # its own position counts from the start of the string, not of the body
        try:
            body.decode()
        except UnicodeDecodeError as whole:
            return Malformed("not UTF-8", whole.start)
        return Malformed("a string is not UTF-8")
    text = str(error)
    if text.startswith("JSON is malformed: trailing"):
        # its position is one past the first of them
        return Malformed(_BYTE.sub("", text).strip(), int(text.rpartition(" ")[2][:-1]) - 1)
    found = _BYTE.search(text)
    if found:
        return Malformed(text, int(found[1]))
    return Malformed("ends too early" if "truncated" in text else text, len(body))


def decoder(cls: Any, content_type: ContentType) -> Callable[[bytes], Any]:
    """Return the class's typed decoder, made once."""
    return _decoder(cls, content_type)


@cache
def _decoder(cls: Any, content_type: ContentType) -> Callable[[bytes], Any]:
    return (msgspec.json.Decoder if content_type == "json" else msgspec.msgpack.Decoder)(cls).decode


@cache
def _text_fields(cls: Any) -> Mapping[str, TextField]:
    return {field.name: field for field in text_fields(cls)}
