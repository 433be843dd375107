"""The commands of ``sh`` and ``console`` blocks, and what the page shows for each."""

from __future__ import annotations

from dataclasses import dataclass

from tests.docs.pages import Block

STOP = "^C"
"""Stands in a console where the reader presses Ctrl-C."""


@dataclass(frozen=True)
class Command:
    """One command as typed, and the lines that the page shows after it; empty: none are compared."""

    block: Block
    text: str
    shown: str = ""


def commands(block: Block) -> list[Command]:
    """Commands of a block in order. In a console they follow ``$``, continued after ``>``; a script has nothing else."""
    return _console(block) if block.language == "console" else _script(block)


def _console(block: Block) -> list[Command]:
    found: list[Command] = []
    typed: list[str] = []
    shown: list[str] = []

    def end() -> None:
        if typed:
            found.append(Command(block, "\n".join(typed), "\n".join(shown)))
        typed.clear()
        shown.clear()

    for line in block.text.splitlines():
        if line.startswith("$ "):
            end()
            typed.append(line[2:])
        elif line.startswith("> ") and typed and not shown:
            typed.append(line[2:])
        elif line.strip() == STOP:
            end()
            found.append(Command(block, STOP))
        elif typed:
            shown.append(line)
        else:
            raise AssertionError(f"{block.where}: {line!r} stands before the first command")
    end()
    return found


def _script(block: Block) -> list[Command]:
    found: list[Command] = []
    typed: list[str] = []
    for line in block.text.splitlines():
        if not typed and (not line.strip() or line.startswith("#")):
            continue
        typed.append(line)
        if not line.endswith("\\"):
            found.append(Command(block, "\n".join(typed)))
            typed = []
    return found
