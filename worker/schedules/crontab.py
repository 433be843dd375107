"""Lines for the system's crontab: ``m h dom mon dow command``."""

from __future__ import annotations

import shlex
from pathlib import Path

from worker.schedules.cron import fields_of

_FIELDS = 5
_CONTROL = "".join(chr(code) for code in (*range(32), 127))


def crontab_line(line: object) -> tuple[str, str]:
    """Read a line: its five fields, also where a name stands for them, and its command.

    Raises:
        ValueError: it is none; says why.
    """
    if not isinstance(line, str) or any(sign in line for sign in _CONTROL if sign != "\t"):
        raise ValueError(f"{str(line)[:64]!r}: expected one line, 'm h dom mon dow command'")
    words = line.split(None, 1 if line.lstrip().startswith("@") else _FIELDS)
    fields, command = " ".join(words[:-1]), (words or [""])[-1].strip()
    if not fields:
        raise ValueError(f"{line[:64]!r}: expected 'm h dom mon dow command'")
    return fields_of(fields), command


def within(root: Path, line: str) -> str:
    """Let a line's command run in a folder, as cron reads it."""
    fields, command = crontab_line(line)
    folder = shlex.quote(str(root)).replace("%", "\\%")  # cron ends the command at a %
    return f"{fields} cd {folder} && {command}"
