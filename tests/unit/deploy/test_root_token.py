"""The image makes a root token at its first start, once, for its owner's eyes."""

from __future__ import annotations

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from worker.settings import load

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("with_root_token", ROOT / "deploy/image/with_root_token.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_made_once_and_read_by_its_owner_alone(script, tmp_path, capsys):
    """Where it is is said at the first start, and never the secret."""
    environ = {"ROOT_TOKEN_FILE": str(tmp_path / "root")}
    script.with_secret(environ)
    said = capsys.readouterr()
    secret = environ["WORKER_TOKENS__ROOT"]
    assert str(tmp_path / "root") in said.err
    assert secret not in said.err + said.out
    assert (tmp_path / "root").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["root"]
    assert load(environ=environ, cwd=tmp_path).tokens.root == secret
    again = {"ROOT_TOKEN_FILE": str(tmp_path / "root")}
    script.with_secret(again)
    assert again == environ
    assert capsys.readouterr().err == ""


def test_of_several_first_starts_one_makes_it(script, tmp_path):
    """All of them have the same."""
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: script.secret_in(tmp_path / "root"), range(8)))
    assert len(found) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_secret_that_is_set_is_the_one(script, tmp_path):
    """Then no file is made."""
    environ = {"WORKER_TOKENS__ROOT": "mine" * 4, "ROOT_TOKEN_FILE": str(tmp_path / "root")}
    script.with_secret(environ)
    assert environ["WORKER_TOKENS__ROOT"] == "mine" * 4
    assert not (tmp_path / "root").exists()
