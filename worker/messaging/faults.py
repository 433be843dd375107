"""Walks data beside its type and finds every fault, each with an RFC 6901 pointer."""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec

from worker.errors import Fault
from worker.messaging.schema import Field, fields_of, forbids_unknown, tag_of

MAX_FAULTS = 100
"""More are not listed: they would not be read, and bad input must stay cheap."""
MAX_CHOICES = 20
"""More values, or names, are not listed in one fault."""
MAX_DEPTH = 24
"""Levels that are walked; deeper faults are reported one at a time. Each level converts what is below it again."""

_MISSING = re.compile(r"Object missing required field `(.+)`$")
_CHOICE = "Invalid enum value"
_TIMES = {
    "Invalid RFC3339 encoded date": "expected a date, like 2026-01-31",
    "Invalid RFC3339 encoded datetime": "expected a time, like 2026-01-31T12:00:00Z",
    "Invalid RFC3339 encoded time": "expected a time of day, like 12:00:00",
}
_SEQUENCES = (list, tuple, set, frozenset, Sequence)


def collect(cls: Any, data: Any, error: Exception, *, strict: bool = True) -> list[Fault]:
    """Find all faults of ``data``, whose conversion to ``cls`` raised ``error``; at least one."""
    walk = _Walk(strict)
    walk.visit(cls, data, "", 0)
    return walk.faults or [from_error(error)]


def from_error(error: Exception, base: str = "", hint: Any = None) -> Fault:
    """Turn one conversion error into a fault; its path is read as well as it can be.

    Args:
        error: as it was raised.
        base: pointer of what was converted.
        hint: its type, where what would fit may be said.
    """
    text, _, path = str(error).partition(" - at `")
    if path.startswith("$"):
        path = path.split("`")[0].removeprefix("$").replace("[...]", "").replace("[", ".").replace("]", "")
        base += "".join(f"/{escape(part)}" for part in path.split(".") if part)
    missing = _MISSING.match(text)
    if missing:
        return Fault(f"{base}/{escape(missing[1])}", "is missing")
    if text.startswith(_CHOICE) and path == "":
        text += _choices(hint)
    return Fault(base, _TIMES.get(text) or _worded(text))


def escape(part: str) -> str:
    """Write a name as one step of a pointer."""
    return part.replace("~", "~0").replace("/", "~1")


def unknown_member(name: str, known: Iterable[str]) -> str:
    """Say that there is no member of this name, and which was probably meant."""
    names = list(known)[:100]
    near = difflib.get_close_matches(name[:100], names, n=1)
    if near:
        return f"is not known; did you mean {near[0]!r}?"
    return (
        f"is not known; known: {', '.join(sorted(names))}"
        if 0 < len(names) <= MAX_CHOICES
        else "is not known"
    )


def _choices(hint: Any) -> str:
    """Say which values there are, where they are few."""
    bare = _bare(hint)
    values: list[Any] = []
    for member in typing.get_args(bare) if _is_union(bare) else (bare,):
        kind = _bare(member)
        if isinstance(kind, type) and issubclass(kind, Enum):
            values += [one.value for one in kind]
        elif typing.get_origin(kind) is typing.Literal:
            values += [value for value in typing.get_args(kind) if value is not None]
    if not 0 < len(values) <= MAX_CHOICES:
        return ""
    return f"; expected {'one of ' if len(values) > 1 else ''}{', '.join(repr(value) for value in values)}"


def _worded(text: str) -> str:
    text = text.strip() or "does not fit"
    return f"{text[0].lower()}{text[1:]}".replace("`", "")


class _Walk:
    def __init__(self, strict: bool) -> None:
        self.faults: list[Fault] = []
        self._strict = strict

    def visit(self, hint: Any, value: Any, pointer: str, depth: int) -> None:
        """Note the faults of one value; nothing when it fits."""
        if len(self.faults) >= MAX_FAULTS:
            return
        error = self._error(hint, value)
        if error is None:
            return
        before = len(self.faults)
        if depth < MAX_DEPTH:
            self._descend(hint, value, pointer, depth)
        if len(self.faults) == before:
            self.faults.append(from_error(error, pointer, hint))

    def _error(self, hint: Any, value: Any) -> Exception | None:
        try:
            msgspec.convert(value, hint, strict=self._strict, str_keys=True)
        except (ValueError, RecursionError) as error:
            return error
        return None

    def _descend(self, hint: Any, value: Any, pointer: str, depth: int) -> None:
        hint = _member(_bare(hint), value)
        origin = typing.get_origin(hint) or hint
        if isinstance(value, Mapping):
            fields = fields_of(hint)
            if fields is not None:
                self._fields(hint, fields, value, pointer, depth)
            elif isinstance(origin, type) and issubclass(origin, Mapping):
                self._items(typing.get_args(hint), value, pointer, depth)
        elif isinstance(value, list | tuple) and origin in _SEQUENCES:
            arguments = typing.get_args(hint)
            fixed = origin is tuple and arguments[-1:] != (...,)
            for index, item in enumerate(value):
                if arguments and not (fixed and index >= len(arguments)):
                    self.visit(
                        arguments[index] if fixed else arguments[0], item, f"{pointer}/{index}", depth + 1
                    )

    def _fields(
        self, cls: Any, fields: Sequence[Field], value: Mapping[Any, Any], pointer: str, depth: int
    ) -> None:
        for field in fields:
            where = f"{pointer}/{escape(field.name)}"
            if field.name in value:
                self.visit(field.hint, value[field.name], where, depth + 1)
            elif field.required:
                self.faults.append(Fault(where, "is missing"))
        if forbids_unknown(cls):
            known = [field.name for field in fields] + [tag for tag in tag_of(cls)[:1] if tag]
            self.faults.extend(
                Fault(f"{pointer}/{escape(str(name))}", unknown_member(str(name), known))
                for name in value
                if name not in known
            )

    def _items(self, arguments: tuple[Any, ...], value: Mapping[Any, Any], pointer: str, depth: int) -> None:
        if len(arguments) != 2:
            return
        for name, item in value.items():
            where = f"{pointer}/{escape(str(name))}"
            wrong = self._error(dict[arguments[0], Any], {name: None})  # type: ignore[valid-type]
            if wrong is not None:
                self.faults.append(Fault(where, f"its name does not fit: {from_error(wrong).message}"))
            self.visit(arguments[1], item, where, depth + 1)


def _bare(hint: Any) -> Any:
    """Take ``Annotated``, ``Required`` and new names away."""
    while True:
        if typing.get_origin(hint) is typing.Annotated:
            hint = typing.get_args(hint)[0]
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        else:
            return hint


def _member(hint: Any, value: Any) -> Any:
    """Choose the member of a union that a value is meant for: by its tag, else the only one of its shape."""
    if not _is_union(hint):
        return hint
    members = [_bare(member) for member in typing.get_args(hint)]
    if isinstance(value, Mapping):
        tagged = [m for m in members if tag_of(m)[0] in value and value[tag_of(m)[0]] == tag_of(m)[1]]
        shaped = tagged or [m for m in members if _takes_object(m) and tag_of(m)[0] is None]
    else:
        shaped = [m for m in members if (typing.get_origin(m) or m) in _SEQUENCES]
    return shaped[0] if len(shaped) == 1 else hint


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _takes_object(hint: Any) -> bool:
    origin = typing.get_origin(hint) or hint
    return fields_of(hint) is not None or (isinstance(origin, type) and issubclass(origin, Mapping))
