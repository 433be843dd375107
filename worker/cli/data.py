"""Data of a message as it stands on the command line: JSON, ``-``, ``@file``, or field by field."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from worker.errors import UsageError

_FIELD = re.compile(r"([^\s=:{}\[\]\"]+)(:?=)(.*)", re.DOTALL)


def read_data(words: Sequence[str]) -> bytes:
    """Return the data as JSON bytes, unchecked where it is given as JSON.

    No words are an empty object: a message without fields.

    Raises:
        UsageError: the words are none of the forms, or a file cannot be read.
    """
    if not words:
        return b"{}"
    if len(words) == 1:
        if words[0] == "-":
            return sys.stdin.buffer.read()
        if words[0].startswith("@"):
            return read_file(words[0][1:])
        if not _FIELD.fullmatch(words[0]):
            return encoded(words[0])
    fields: dict[str, object] = {}
    for name, value in map(_field, words):
        if name in fields:
            raise UsageError(f"{name!r} is given twice; for a list: {name}:='[…]'")
        fields[name] = value
    return msgspec.json.encode(fields)


def encoded(text: str) -> bytes:
    """Return an argument's bytes.

    Raises:
        UsageError: they are no UTF-8.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{text!a}: expected UTF-8") from error


def read_file(name: str) -> bytes:
    """Read a file's bytes.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return Path(name).read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _field(word: str) -> tuple[str, object]:
    encoded(word)
    match = _FIELD.fullmatch(word)
    if match is None:
        raise UsageError(f"{word!r}: expected field=text or field:=JSON")
    name, sign, text = match.groups()
    if sign == "=":
        return name, text
    try:
        return name, msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{word!r}: expected JSON after ':=': {error}") from error
