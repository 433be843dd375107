"""Arguments as bytes of the system: what is no UTF-8 can only be the path of a file."""

from __future__ import annotations

import os
from collections.abc import Sequence

from worker.errors import UsageError


def check_utf8(arguments: Sequence[str]) -> None:
    """Refuse arguments that are not UTF-8, but for paths of files that are there.

    Raises:
        UsageError: names the first of them by its place, from 1.
    """
    for place, argument in enumerate(arguments, start=1):
        if argument.isascii():
            continue
        try:
            argument.encode()
        except UnicodeEncodeError:
            path = argument.partition("=")[2] if argument.startswith("--") else argument.removeprefix("@")
            if not os.path.lexists(path):
                raise UsageError(f"argument {place}: {argument!a} is not UTF-8") from None
