"""The crontab of an application: the lines that its functions give."""

from __future__ import annotations

from worker.errors import ConfigurationError
from worker.messaging.declaration import Registry
from worker.messaging.schedule import CrontabLines
from worker.raising import is_failure
from worker.schedules.crontab import crontab_line
from worker.texts import told


def crontab_lines(registry: Registry) -> list[str]:
    """Ask every function for its lines, in order of declaration; fields and command are one space apart.

    Raises:
        ConfigurationError: with every function that raised or gave what is no line.
    """
    lines: list[str] = []
    faults: list[str] = []
    for entry in registry.entries_of(CrontabLines):
        try:
            given: object = entry.call()
        except BaseException as error:
            if not is_failure(error):
                raise
            faults.append(f"crontab {entry.name}: {told(error)}")
            continue
        if not isinstance(given, list | tuple):
            faults.append(f"crontab {entry.name}: gave a {type(given).__name__}, expected a list of lines")
            continue
        for line in given:
            try:
                lines.append(" ".join(crontab_line(line)))
            except ValueError as error:
                faults.append(f"crontab {entry.name}: {error}")
    if faults:
        raise ConfigurationError(faults)
    return lines
