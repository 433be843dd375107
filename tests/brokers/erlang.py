"""How RabbitMQ is started: with all of its modules at once.

By itself Erlang loads each of a thousand modules when it is first called, and prepares all of them for each: that is
half of the processor time of a start. The first start on a machine leaves a list of what was loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.brokers.java import kept


class Modules:
    """The list of a server's modules, kept for the next start.

    Args:
        program: what starts the server.
        folder: of one server.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        erlang = Path(shutil.which("erl") or "erl").resolve()
        born = erlang.stat().st_mtime_ns if erlang.exists() else 0
        told = hashlib.sha256(f"{program.resolve()} {erlang} {born}".encode()).hexdigest()
        self.list = kept() / f"rabbitmq-{told[:12]}.modules"
        self._draft = folder / "modules"
        self._script = folder / "modules.script"

    def environment(self) -> dict[str, str]:
        """What lets a server load them before all else, where there is a list."""
        self._script.write_text(_LOADING % _quoted(self.list))
        return {"ERL_AFLAGS": f"-eval 'file:script({_quoted(self._script)})'"}

    def learn(self, evaluate: Callable[[str], object]) -> None:
        """Leave the list of a server that runs, where there is none; an empty one says that it tells none."""
        if self.list.exists():
            return
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            evaluate(_LEARNING % _quoted(self._draft))
        self._draft.touch()
        self.list.parent.mkdir(parents=True, exist_ok=True)
        draft = self.list.with_suffix(f".{os.getpid()}")
        shutil.move(self._draft, draft)
        draft.rename(self.list)


def _quoted(path: Path) -> str:
    return f'"{path}"'


# a program that only starts the port mapper gets the same environment: it has a name
_LOADING = """\
case {init:get_argument(sname), file:consult(%s)} of
    {error, {ok, Listed}} ->
        catch begin
            Read = [{Module, File, Code} || {Module, File} <- Listed, not erlang:module_loaded(Module),
                    {ok, Code} <- [file:read_file(File)]],
            {ok, Prepared} = code:prepare_loading(Read),
            ok = code:finish_loading(Prepared)
        end;
    _ -> ok
end.
"""

# a module with something to do when it is loaded must be loaded by itself
_LEARNING = """\
Read = [{Module, File, Code} || {Module, File} <- code:all_loaded(), is_list(File),
        {ok, Code} <- [file:read_file(File)]],
Alone = case code:prepare_loading(Read) of {error, Errors} -> [Module || {Module, _} <- Errors]; _ -> [] end,
file:write_file(%s, [io_lib:format("~p.~n", [{Module, File}])
    || {Module, File, _} <- Read, not lists:member(Module, Alone)]).
"""
