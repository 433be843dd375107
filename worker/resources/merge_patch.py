"""JSON Merge Patch, RFC 7386."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merged(target: Any, patch: Any) -> Any:
    """Return the target as the patch changes it; both stay as they are.

    Members that the patch has not are kept, those that are null there are removed, objects are merged, and anything else
    is replaced.
    """
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
