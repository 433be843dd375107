"""The question before something is destroyed."""

from __future__ import annotations

import click

from worker.cli.invocation import Invocation
from worker.errors import Guarded


def confirm(invocation: Invocation, question: str) -> None:
    """Ask, with no as the default; ``--yes`` answers, and without a terminal it has to.

    Raises:
        Guarded: the answer was no, or there is no terminal to ask at.
    """
    if invocation.yes:
        return
    if not invocation.interactive():
        raise Guarded(f"{question} There is no terminal to ask on: say --yes to go on")
    try:
        answer = click.confirm(question, default=False, err=True)
    except click.Abort:
        answer = False
    if not answer:
        raise Guarded("not confirmed; nothing was changed")
