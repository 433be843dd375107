"""A server in Erlang loads what it will need at once, from a list that the first start on a machine leaves."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.brokers.erlang import Modules

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(shutil.which("erl") is None, reason="there is no Erlang: apt install rabbitmq-server"),
]

LOADED = 'io:format("~p", [[erlang:module_loaded(Module) || Module <- [digraph, array]]])'


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Modules:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Modules(tmp_path / "server", tmp_path)


def erl(modules: Modules, expression: str, *arguments: str) -> str:
    """Evaluate an expression, with what a server would load before; what it prints."""
    command = ["erl", "-noshell", *arguments, "-eval", f"{expression}, halt()."]
    environment = {**os.environ, **modules.environment(), "ERL_CRASH_DUMP_SECONDS": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_one_start_has_loaded_the_next_one_loads_at_once(modules: Modules) -> None:
    """Without a list nothing is, and a program with a name is none of a server's."""
    assert erl(modules, LOADED) == "[false,false]"
    modules.learn(lambda learning: erl(modules, f"digraph:new(), array:new(), {learning.rstrip()[:-1]}"))
    assert erl(modules, LOADED) == "[true,true]"
    # what does not listen needs no port mapper, which runs beside a server only
    named = ("-sname", "epmd-starter-1", "-start_epmd", "false", "-dist_listen", "false")
    assert erl(modules, LOADED, *named) == "[false,false]"


def test_what_cannot_be_loaded_at_once_is_loaded_as_usual(modules: Modules) -> None:
    """A list of something else does no harm, and a server that tells none is asked once."""
    modules.learn(lambda _: None)
    modules.learn(lambda _: pytest.fail("asked again"))
    assert modules.list.read_text() == ""
    wrong = modules.list.parent / "wrong.beam"
    wrong.write_text("none")
    modules.list.write_text(f'{{digraph, "{wrong}"}}.\n{{array, "/nowhere/array.beam"}}.\n')
    # beside what its log says of the file, sooner or later
    assert "[true,false]" in erl(modules, f"digraph:new(), {LOADED}")
