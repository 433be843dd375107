"""Writes ``worker.state.sql`` anew: ``python -m worker.state.statements``."""

from __future__ import annotations

from worker.state.statements.compiled import FOLDER, STORES, module

if __name__ == "__main__":
    for store in STORES:
        (FOLDER / f"{store}.py").write_text(module(store))
