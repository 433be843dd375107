"""The environment as settings: ``WORKER_DATABASE__URL`` is ``database.url``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import msgspec

from worker.settings.given import Given, Tree, put
from worker.settings.model import Settings
from worker.suggestion import near

PREFIX = "WORKER_"
FLAGS = frozenset({"WORKER_CONFIG", "WORKER_LOG_LEVEL", "WORKER_LOG_FORMAT"})
"""Variables that stand for flags of the command line, not for settings."""

INTERNAL = frozenset(
    {"WORKER_CELL", "WORKER_DIED_AT", "WORKER_PARENT", "WORKER_READY_FD", "WORKER_SUPERVISED"}
)
"""Variables that our own processes set for one another."""

_ORCHESTRATOR = re.compile(
    r"(^|_)(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$"
)
_ADDRESS = re.compile(r"^(tcp|udp|sctp)://")


def from_environment(environ: Mapping[str, str]) -> Tree:
    """Read the variables that are ours; empty ones count as not set."""
    tree: Tree = {}
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and value and not is_foreign(name, value):
            put(tree, path_of(name), Given(_table(value), name, text=True))
    return tree


def is_foreign(name: str, value: str) -> bool:
    """Tell whether it is no setting: a flag's, our own, or one that Kubernetes sets for a service ``worker``."""
    if name in FLAGS or name in INTERNAL:
        return True
    return bool(_ORCHESTRATOR.search(name)) or (name.endswith("_PORT") and bool(_ADDRESS.match(value)))


def path_of(name: str) -> tuple[str, ...]:
    """Path of a variable's key. Routing patterns keep their case: types are told apart by it."""
    first, *rest = name.removeprefix(PREFIX).split("__")
    if first.lower() == "routing":
        return ("routing", "__".join(rest)) if rest else ("routing",)
    return (first.lower(), *(part.lower() for part in rest))


def variable_of(path: tuple[str, ...]) -> str:
    """Name of the variable that sets a key."""
    return PREFIX + "__".join(part.upper() for part in path)


def unknown_variable(name: str) -> str:
    """Say that no key goes by this variable, and which was probably meant."""
    flat = re.sub(r"_+", "_", name)
    transport = re.fullmatch(r"WORKER_TRANSPORTS?_(\w+)_(URL|LEASE)", flat)
    known = [*_variables(), *FLAGS]
    exact = [candidate for candidate in known if candidate.replace("__", "_") == flat]
    meant = f"WORKER_TRANSPORTS__{transport[1]}__{transport[2]}" if transport else next(iter(exact), None)
    meant = meant or near(name, known)
    if meant is None or meant == name:
        return f"{name}: unknown variable; known: {', '.join(sorted(known))}, WORKER_TRANSPORTS__<NAME>__URL"
    return f"{name}: unknown variable; did you mean {meant}?"


def _table(value: str) -> object:
    """Take a JSON object as a table: some keys, like the pattern ``*``, cannot stand in a variable's name."""
    if value.lstrip().startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _variables() -> list[str]:
    names = []
    for field in msgspec.structs.fields(Settings):
        if isinstance(field.default, msgspec.Struct):
            names += [variable_of((field.name, inner)) for inner in field.default.__struct_fields__]
        elif field.name in {"app", "plugins", "routing"}:
            names.append(variable_of((field.name,)))
    return names
