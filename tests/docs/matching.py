"""Compares what a page shows with what came out.

``...`` stands for anything within a line, a line of only ``...`` for any lines. A time stands for any time. An id stands
for the id that came out in its place, from then on: pages show ids that belong together.
"""

from __future__ import annotations

import re

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
_TOKEN = re.compile(rf"(?P<any>\.\.\.|…)|(?P<id>{_ID})|(?P<time>{_TIME})")


class Ids:
    """Which real id stands behind each id of a page."""

    def __init__(self) -> None:
        self.real: dict[str, str] = {}

    def fill(self, command: str) -> str:
        """Put the real ids into a command."""
        return re.sub(_ID, lambda found: self.real.get(found[0], found[0]), command)

    def match(self, shown: str, actual: str, *, anywhere: bool = False) -> bool:
        """Tell whether the output is what the page shows, and remember its ids."""
        names: dict[str, str] = {}
        pattern = re.compile(self._pattern(shown, names))
        found = pattern.search(actual) if anywhere else pattern.fullmatch(_stripped(actual))
        if found is None:
            return False
        self.real.update({shown_id: found[group] for shown_id, group in names.items()})
        return True

    def _pattern(self, shown: str, names: dict[str, str]) -> str:
        parts = []
        for line in _stripped(shown).splitlines():
            if line.strip() in {"...", "…"}:
                parts.append(r"(?:.*\n)*?")
            else:
                parts.append(self._line(line, names) + r"[ ]*\n")
        return "".join(parts)

    def _line(self, line: str, names: dict[str, str]) -> str:
        parts, end = [], 0
        for token in _TOKEN.finditer(line):
            parts.append(re.escape(line[end : token.start()]))
            parts.append(self._token(token, names))
            end = token.end()
        return "".join([*parts, re.escape(line[end:])])

    def _token(self, token: re.Match[str], names: dict[str, str]) -> str:
        if token["any"]:
            return ".*"
        if token["time"]:
            return _TIME
        shown = token["id"]
        if shown in self.real:
            return re.escape(self.real[shown])
        if shown in names:
            return f"(?P={names[shown]})"
        names[shown] = f"id{len(names)}"
        return f"(?P<{names[shown]}>{_ID})"


def _stripped(text: str) -> str:
    return text.replace("\r\n", "\n").strip("\n") + "\n"
