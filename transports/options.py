"""Options of a transport's table in the configuration: read one by one, all faults reported together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from worker.errors import ConfigurationError


class Options:
    """Reads one transport's options; ``finish`` raises everything that was wrong with them.

    Args:
        name: of the transport, as in ``[transports.<name>]``.
        values: the table without its ``url``.
    """

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self._name = name
        self._values = values
        self._known: list[str] = []
        self._faults: list[str] = []

    def number(self, key: str, default: float, *, minimum: float, unit: str = "seconds") -> float:
        """Read a number that is at least ``minimum``."""
        value = self._take(key, default)
        if not _is_number(value) or value < minimum:
            self.fault(key, value, f"a number of {unit}, at least {minimum:g}")
            return default
        return float(value)

    def whole(self, key: str, default: int, *, minimum: int, unit: str) -> int:
        """Read a whole number that is at least ``minimum``."""
        value = self._take(key, default)
        if not _is_number(value) or value != int(value) or value < minimum:
            self.fault(key, value, f"a whole number of {unit}, at least {minimum}")
            return default
        return int(value)

    def choice(self, key: str, default: str, choices: Sequence[str]) -> str:
        """Read one of some words."""
        value = self._take(key, default)
        if value not in choices:
            self.fault(key, value, "one of " + ", ".join(repr(choice) for choice in choices))
            return default
        return str(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            self.fault(key, value, "true or false")
            return default
        return value

    def text(self, key: str) -> str | None:
        """Read a text that is not empty; None where it is not given."""
        value = self._take(key, None)
        if value is not None and (not isinstance(value, str) or not value):
            self.fault(key, value, "a text")
            return None
        return value

    def fault(self, key: str, value: object, expected: str) -> None:
        """Note that ``key`` holds what it must not."""
        self._faults.append(f"transports.{self._name}.{key} = {value!r}: expected {expected}")

    def finish(self) -> None:
        """Refuse the keys that were not read, and every value that was wrong.

        Raises:
            ConfigurationError: some options are unknown or hold wrong values; names each.
        """
        known = ", ".join(["url", *sorted(self._known)])
        unknown = [key for key in self._values if key not in self._known]
        self._faults.extend(f"transports.{self._name}.{key}: unknown key; known: {known}" for key in unknown)
        if self._faults:
            raise ConfigurationError(self._faults)

    def _take(self, key: str, default: Any) -> Any:
        self._known.append(key)
        return self._values.get(key, default)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
