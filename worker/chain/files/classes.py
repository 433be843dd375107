"""The class that a file names."""

from __future__ import annotations

import importlib
import re

from worker.texts import told

_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


def class_named(written: str) -> type:
    r"""Import ``package.module.Class``, or ``package\module\Class``.

    Raises:
        ValueError: there is none, or importing it fails.
    """
    path = written.strip("\\").replace("\\", ".")
    if not _PATH.fullmatch(path):
        raise ValueError(f"class {written!r}: expected package.module.Class")
    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            raise ValueError(f"class {written!r}: there is no module {error.name!r}") from None
        raise ValueError(f"class {written!r}: importing {module} failed: {told(error)}") from error
    except (Exception, SystemExit) as error:
        raise ValueError(f"class {written!r}: importing {module} failed: {told(error)}") from error
    if isinstance(found, type):
        return found
    what = f"has no {name}" if found is None else f"has {name}, which is no class"
    raise ValueError(f"class {written!r}: module {module} {what}")
