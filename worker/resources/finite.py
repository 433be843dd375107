"""Numbers that are none, wherever they stand in data: MessagePack has them, and no answer in JSON could tell them."""

from __future__ import annotations

import math
from typing import Any


def is_finite(data: Any) -> bool:
    """Tell whether plain data holds no infinite number, and none that is no number."""
    if isinstance(data, float):
        return math.isfinite(data)
    left = [data]
    while left:
        one = left.pop()
        if isinstance(one, float):
            if not math.isfinite(one):
                return False
        elif isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list | tuple):
            left += one
    return True
