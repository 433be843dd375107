"""``python -m worker`` is the command ``worker``; the processes that it starts run this file by its path."""

import os
import signal
import sys
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_PROGRAMS = {"run", "serve", "consume"}
_WITH_VALUE = {"-A", "--app", "--config", "-l", "--log-level", "--log-format"}
"""Global options whose value is a word of its own."""


def heed_signals(arguments: Sequence[str]) -> None:
    """Let a program that is to run on heed signals from its first step, before it has set up anything.

    TERM ends it with 0: nothing has begun that could be lost, and the first process of a container would not even get
    it. HUP is kept back until the program takes signals. Other commands, which do something and end, are not concerned.
    """
    if command_of(arguments) in _PROGRAMS:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def command_of(arguments: Sequence[str]) -> str | None:
    """Find the command among the words of a command line, behind global options; None where there is none."""
    words = iter(arguments)
    for word in words:
        if not word.startswith("-"):
            return word
        if word in _WITH_VALUE:
            next(words, None)
    return None


def _import_this_package() -> None:
    """Import the package that this file is of, whatever is called ``worker`` on the path."""
    folder = Path(__file__).parent
    if not sys.flags.safe_path:
        sys.path.append(sys.path.pop(0))  # the current folder goes behind everything that is installed
    if str(folder.parent) not in sys.path:
        sys.path.append(str(folder.parent))
    spec = spec_from_file_location("worker", folder / "__init__.py", submodule_search_locations=[str(folder)])
    if "worker" not in sys.modules and spec is not None and spec.loader is not None:
        module = sys.modules["worker"] = module_from_spec(spec)
        spec.loader.exec_module(module)


if __name__ == "__main__":
    heed_signals(sys.argv[1:])
    _import_this_package()
    from worker.cli.main import main

    sys.exit(main())
