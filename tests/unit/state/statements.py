"""All statements of the state, by module and name."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from worker import state
from worker.state.statement import Statement

STATEMENTS: dict[str, Statement] = {}

for _module in iter_modules(state.__path__):
    for _name, _found in vars(import_module(f"worker.state.{_module.name}")).items():
        if isinstance(_found, Statement) and _found not in STATEMENTS.values():
            STATEMENTS[f"{_module.name}.{_name}"] = _found
