"""Our own packages, whatever packages of their names lie in the folders of an application."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The folder that holds our packages."""


def pin(name: str) -> None:
    """Import the package of that name that was installed with this one, before it is looked for elsewhere."""
    folder = ROOT / name
    spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    if name in sys.modules or spec is None or spec.loader is None:
        return
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
