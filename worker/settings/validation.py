"""A tree of given values becomes settings, or one error with everything that is wrong with it."""

from __future__ import annotations

import math
import re
import typing
from typing import Any

import msgspec

from worker.settings.environment import PREFIX, unknown_variable
from worker.settings.given import Given, Tree, source_of
from worker.settings.masking import mask
from worker.settings.model import (
    INLINE,
    Settings,
    Text,
    TokensSettings,
    TransportSettings,
    default_transports,
)
from worker.suggestion import hint, near

Path = tuple[str, ...]

_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_\-]*$")
_OWN = {"base", "file"}
"""Fields that say where the settings were found; no keys."""


def validate(tree: Tree, faults: list[str]) -> dict[str, Any]:
    """Check every key and value; return what is right as arguments of ``Settings``, and note what is wrong."""
    hints = typing.get_type_hints(Settings, include_extras=True)
    known = [name for name in hints if name not in _OWN]
    values: dict[str, Any] = {}
    for key, given in tree.items():
        if key not in known:
            faults.append(_unknown((key,), given, known))
        elif key == "transports":
            values[key] = _transports(given, faults)
        elif key == "routing":
            values[key] = _routing(given, faults)
        elif isinstance(hints[key], type) and issubclass(hints[key], msgspec.Struct):
            values[key] = _struct(hints[key], given, (key,), faults)
        else:
            _take(values, key, hints[key], given, (key,), faults)
    if not values.get("transports"):
        values["transports"] = default_transports()
    _check_routing(values, tree, faults)
    _check_lasts(tree, faults)
    _check_tokens(values.get("tokens"), faults)
    return values


def _check_tokens(tokens: TokensSettings | None, faults: list[str]) -> None:
    """Refuse one secret for two tokens: it would give the rights of one of them, and it could not be told which."""
    first: dict[str, str] = {}
    for id, secret in ({} if tokens is None else tokens.secrets()).items():
        if first.setdefault(secret, id) != id:
            faults.append(f"tokens.{id}: the same secret as tokens.{first[secret]}; expected one of its own")


def _check_lasts(tree: Tree, faults: list[str]) -> None:
    """Refuse a database in memory: it goes with its process, and no other process sees it."""
    table = tree.get("database")
    given = None if table is None or isinstance(table, Given) else table.get("url")
    if isinstance(given, Given) and isinstance(given.value, str) and in_memory(given.value):
        faults.append(
            f"{_key(('database', 'url'))}={given.value!r}{_source(given)}: a database in memory goes with its process, "
            "and failed messages, pauses and statuses with it; expected sqlite:///path or postgresql://host/name "
            "(in tests, worker.testing needs none)"
        )


def in_memory(url: str) -> bool:
    """Whether a URL means a SQLite database without a file."""
    scheme, separator, rest = url.strip().partition("://")
    if not separator:
        return scheme.startswith((":memory:", "file::memory:"))
    if not scheme.startswith("sqlite"):
        return False
    path, _, options = rest.removeprefix("/").partition("?")
    return path in {"", "/", ":memory:"} or path.startswith("file::memory:") or "mode=memory" in options


def _struct(kind: type[Any], given: Given | Tree, path: Path, faults: list[str]) -> Any:
    hints = typing.get_type_hints(kind, include_extras=True)
    if isinstance(given, Given):
        faults.append(_wrong(path, given, f"a table of {', '.join(hints)}"))
        return kind()
    values: dict[str, Any] = {}
    for key, inner in given.items():
        if key in hints:
            _take(values, key, hints[key], inner, (*path, key), faults)
        else:
            faults.append(_unknown((*path, key), inner, list(hints)))
    return kind(**values)


def _transports(given: Given | Tree, faults: list[str]) -> dict[str, TransportSettings]:
    if isinstance(given, Given):
        faults.append(_wrong(("transports",), given, "a table for each transport, [transports.<name>]"))
        return {}
    found = {}
    for name, table in given.items():
        path = ("transports", name)
        if name == INLINE:
            faults.append(
                f"{_key(path)}{_source(table)}: {INLINE!r} is a reserved word; expected another name"
            )
        elif not _NAME.match(name):
            faults.append(f"{_key(path)}{_source(table)}: expected a name of letters, digits, '-' and '_'")
        found[name] = _transport(path, table, faults)
    return found


def _transport(path: Path, table: Given | Tree, faults: list[str]) -> TransportSettings:
    hints = typing.get_type_hints(TransportSettings, include_extras=True)
    values: dict[str, Any] = {"url": "", "options": {}}
    if isinstance(table, Given):
        faults.append(_wrong(path, table, "a table with a url"))
        return TransportSettings(**values)
    for key, inner in table.items():
        if key in {"url", "lease"}:
            _take(values, key, hints[key], inner, (*path, key), faults)
        else:
            values["options"][key] = _plain(inner)
    if "url" not in table:
        meant = near("url", values["options"])
        faults.append(
            f"{_key((*path, 'url'))}: missing; "
            + (f"did you mean it by {meant!r}?" if meant else "expected a URL")
        )
    return TransportSettings(**values)


def _plain(given: Given | Tree) -> Any:
    """A transport's option: from text, a number or a truth value where it reads as one."""
    if not isinstance(given, Given):
        return {key: _plain(inner) for key, inner in given.items()}
    if not given.text or not isinstance(given.value, str):
        return given.value
    for kind in (int, float, bool):
        try:
            return msgspec.convert(given.value, kind, strict=False)
        except msgspec.ValidationError:
            continue
    return given.value


def _routing(given: Given | Tree, faults: list[str]) -> dict[str, str]:
    if isinstance(given, Given):
        faults.append(_wrong(("routing",), given, 'a table of patterns, like "*" = "sqlite"'))
        return {}
    values: dict[str, str] = {}
    for pattern, inner in given.items():
        _take(values, pattern, Text, inner, ("routing", pattern), faults, f"a transport's name or {INLINE!r}")
    return values


def _check_routing(values: dict[str, Any], tree: Tree, faults: list[str]) -> None:
    """Every route must lead to a transport; what has no route takes the default one, where there is one."""
    names = list(values["transports"])
    routing: dict[str, str] = values.setdefault("routing", {})
    for pattern, name in routing.items():
        if name != INLINE and name not in names:
            table = tree["routing"]
            source = source_of(table[pattern] if isinstance(table, dict) else table)
            faults.append(
                f"{_key(('routing', pattern))} = {name!r} ({source}): "
                f"no transport of that name is configured{hint(name, [*names, INLINE])}"
            )
    if "*" not in routing and "*" not in _given_patterns(tree):
        if "sqlite" in names or len(names) == 1:
            routing["*"] = "sqlite" if "sqlite" in names else names[0]
        elif not routing:
            faults.append(f'routing: missing; expected "*" = one of {", ".join(names)}, or {INLINE!r}')


def _given_patterns(tree: Tree) -> Tree:
    table = tree.get("routing", {})
    return table if isinstance(table, dict) else {"*": table}


def _take(
    values: dict[str, Any],
    key: str,
    kind: Any,
    given: Given | Tree,
    path: Path,
    faults: list[str],
    expected: str | None = None,
) -> None:
    """Convert a value and keep it, or note what was expected."""
    expected = expected or _expected(kind)
    if not isinstance(given, Given):
        faults.append(f"{_key(path)}{_source(given)}: is a table; expected {expected}")
        return
    try:
        value = msgspec.convert(_parted(given, kind), kind, strict=not given.text)
    except msgspec.ValidationError:
        faults.append(_wrong(path, given, expected))
        return
    if isinstance(value, float) and not math.isfinite(value):
        faults.append(_wrong(path, given, expected))
        return
    values[key] = value


def _parted(given: Given, kind: Any) -> Any:
    """A text that stands for a list, as in a variable: names with commas between them."""
    if given.text and typing.get_origin(typing.get_args(kind)[0] if typing.get_args(kind) else kind) is tuple:
        return [part.strip() for part in given.value.split(",") if part.strip()]
    return given.value


def _expected(kind: Any) -> str:
    """What a type's description says, also of the one inside ``X | None``."""
    for part in (kind, *typing.get_args(kind)):
        for meta in getattr(part, "__metadata__", ()):
            if meta.description:
                return str(meta.description)
    return str(getattr(kind, "__name__", kind))


def _wrong(path: Path, given: Given, expected: str) -> str:
    shown = mask(path, given.value)
    return f"{_key(path)} = {shown!r}{_source(given)}: expected {expected}"


def _unknown(path: Path, given: Given | Tree, known: list[str]) -> str:
    source = source_of(given)
    if source.startswith(PREFIX):
        return unknown_variable(source)
    return f"{_key(path)}{_source(given)}: unknown key{hint(path[-1], known)}"


def _key(path: Path) -> str:
    return ".".join(part if re.fullmatch(r"[\w\-]+", part) else f'"{part}"' for part in path)


def _source(given: Given | Tree) -> str:
    """Say in brackets where a value stands; an empty table has no value that could tell."""
    source = source_of(given)
    return f" ({source})" if source else ""
