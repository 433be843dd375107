"""The beginning: where and with what environment a process was started, which its handlers may change for all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import msgspec


class Beginning(msgspec.Struct, frozen=True):
    """What the processes are given that are started in this one's place, or for it.

    Attributes:
        folder: the current one; None where there was none any more.
        environment: variables.
    """

    folder: Path | None
    environment: Mapping[str, str]

    @classmethod
    def now(cls) -> Self:
        """Take down how things stand; to be called before any handler runs."""
        folder = None
        with contextlib.suppress(OSError):
            folder = Path.cwd()
        return cls(folder, dict(os.environ))

    def go_back(self) -> None:
        """Make the folder the current one again, where it is still there."""
        if self.folder is not None:
            with contextlib.suppress(OSError):
                os.chdir(self.folder)
