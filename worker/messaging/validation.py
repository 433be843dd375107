"""Reads bytes or text into a message; what does not fit is reported whole, every field with its pointer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal

import msgspec

from worker.errors import Fault, InvalidMessage, Malformed
from worker.messaging.declaration import MessageType
from worker.messaging.extras import checker, unknown_members
from worker.messaging.faults import collect, from_error
from worker.messaging.filling import filled, filling
from worker.messaging.schema import TextField, text_fields
from worker.raising import as_exception

ContentType = Literal["json", "msgpack"]

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_BYTE = re.compile(r"\(byte (\d+)\)")


def decode(declared: MessageType, body: bytes, *, content_type: ContentType = "json") -> Any:
    """Read a body into a message of the declared class.

    Raises:
        Malformed: it is not JSON or MessagePack; the position is named.
        InvalidMessage: it is, and does not fit; carries every fault.
    """
    message = reader(declared, content_type)(body)
    return message if content_type == "json" else fitting(declared, message)


def reader(declared: MessageType, content_type: ContentType = "json") -> Callable[[bytes], Any]:
    """Return what reads the bodies of a type as the intake does; it raises as ``decode`` does."""
    read = _reads(declared, content_type)
    check = checker(declared.read_as, content_type) if declared.extra == "forbid" else None

    def plain(body: bytes) -> Any:
        """Read a body; members that the type does not have are ignored, or there can be none."""
        try:
            return read(body)
        except (ValueError, RecursionError) as error:
            raise explain(declared, body, content_type, error) from error
        except BaseException as error:  # code of the message's class runs here
            raise as_exception(error) from error

    if check is None:
        return plain

    def strict(body: bytes) -> Any:
        """Read a body; members that the type does not have are refused."""
        try:
            message = read(body)
        except (ValueError, RecursionError) as error:
            raise explain(declared, body, content_type, error) from error
        except BaseException as error:  # code of the message's class runs here
            raise as_exception(error) from error
        try:
            check(body)
        except (ValueError, RecursionError) as error:
            faults = _unknown_in(declared, body, content_type, error)
            if faults:
                raise InvalidMessage(declared.name, faults) from error
        return message

    return strict


def decode_data(declared: MessageType, data: Any) -> Any:
    """Turn decoded JSON data into a message of the declared class.

    Raises:
        InvalidMessage: it does not fit; carries every fault.
    """
    faults = faults_of(declared, data)
    if faults:
        raise InvalidMessage(declared.name, faults)
    return fitting(declared, _made(declared, filled(msgspec.convert(data, declared.read_as, str_keys=True))))


def faults_of(declared: MessageType, data: Any, *, strict: bool = True) -> list[Fault]:
    """Find everything that is wrong with decoded data, members that the type does not have too."""
    faults: list[Fault] = []
    try:
        msgspec.convert(data, declared.read_as, strict=strict, str_keys=True)
    except (ValueError, RecursionError) as error:
        faults = collect(declared.read_as, data, error, strict=strict)
    return _with_unknown(declared, data, faults)


def from_text(declared: MessageType, parameters: Mapping[str, Sequence[str]]) -> Any:
    """Make a message from text parameters, as a query string has them.

    Numbers, booleans and dates are read from their text, a list takes a repeated parameter, an object takes
    JSON. Unknown parameters are what unknown members are in a body.

    Raises:
        InvalidMessage: something is missing, does not fit or is given twice; carries every fault.
    """
    cls: Any = declared.read_as
    fields = _text_fields(cls)
    data: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, values in parameters.items():
        field = fields.get(name)
        try:
            data[name] = values[0] if field is None else field.read(values)
        except ValueError as error:
            faults.append(Fault(f"/{name.replace('~', '~0').replace('/', '~1')}", str(error)))
    bad = {fault.pointer for fault in faults}
    faults += [fault for fault in faults_of(declared, data, strict=False) if fault.pointer not in bad]
    if faults:
        raise InvalidMessage(declared.name, faults)
    read = filled(msgspec.convert(data, declared.read_as, strict=False, str_keys=True))
    return fitting(declared, _made(declared, read))


def fitting(declared: MessageType, message: Any) -> Any:
    """Return the message if it can be written as JSON and read again, as it must to travel.

    MessagePack and text can hold what JSON cannot: infinite numbers, extension types, odd keys.

    Raises:
        InvalidMessage: it cannot.
    """
    try:
        written = msgspec.json.encode(declared.data_of(message))
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise InvalidMessage(declared.name, [Fault("", f"cannot be written as JSON: {error}")]) from error
    try:
        decoder(declared.read_as, "json")(written)
    except (ValueError, RecursionError) as error:
        faults = collect(declared.read_as, msgspec.json.decode(written), error)
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
    return InvalidMessage(
        declared.name, _with_unknown(declared, data, collect(declared.read_as, data, error))
    )


def _with_unknown(declared: MessageType, data: Any, faults: list[Fault]) -> list[Fault]:
    if declared.extra == "ignore":
        return faults
    told = {fault.pointer for fault in faults}
    return [
        *faults,
        *(fault for fault in unknown_members(declared.read_as, data) if fault.pointer not in told),
    ]


def _unknown_in(
    declared: MessageType, body: bytes, content_type: ContentType, error: Exception
) -> list[Fault]:
    """Find the unknown members of a body that fits its type."""
    try:
        data = msgspec.json.decode(body) if content_type == "json" else msgspec.msgpack.decode(body)
    except (ValueError, RecursionError):
        # an unknown member's value is more than can be held: its type passed it over
        return [from_error(error)]
    return unknown_members(declared.read_as, data)


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
    if "truncated" in text and _SURROGATE.search(body):
        return Malformed("a string holds half of a surrogate pair, which UTF-8 cannot express")
    return Malformed("ends too early" if "truncated" in text else text, len(body))


def _reads(declared: MessageType, content_type: ContentType) -> Callable[[bytes], Any]:
    """What reads bytes into a message."""
    read, form = decoder(declared.read_as, content_type), declared.form
    return read if form is None else lambda body: form.message(read(body))


def _made(declared: MessageType, read: Any) -> Any:
    """Make the message of data that fits its type.

    Raises:
        InvalidMessage: its class refuses the values.
    """
    if declared.form is None:
        return read
    try:
        return declared.form.message(read)
    except (ValueError, TypeError) as error:
        raise InvalidMessage(declared.name, [from_error(error)]) from error


def decoder(cls: Any, content_type: ContentType) -> Callable[[bytes], Any]:
    """Return the class's typed decoder, made once."""
    return _decoder(cls, content_type)


@cache
def _decoder(cls: Any, content_type: ContentType) -> Callable[[bytes], Any]:
    read = (msgspec.json.Decoder if content_type == "json" else msgspec.msgpack.Decoder)(cls).decode
    fill = filling(cls)
    return read if fill is None else lambda body: fill(read(body))


@cache
def _text_fields(cls: Any) -> Mapping[str, TextField]:
    return {field.name: field for field in text_fields(cls)}
