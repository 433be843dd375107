"""The image makes a root token at its first start, once, for its owner's eyes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
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


@pytest.mark.parametrize(
    ("mode", "text", "said"),
    [
        (0o620, "s" * 32, "others than its owner can write it"),
        (0o602, "s" * 32, "others than its owner can write it"),
        (0o600, "", "it is empty"),
        (0o600, " \n", "it is empty"),
    ],
)
def test_a_file_that_may_be_anybodys_is_no_secret(script, tmp_path, mode, text, said):
    """Another user that may have written it would be root; an empty file would leave the service without a root token."""
    file = tmp_path / "root"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(ValueError, match=f"{file}: .*{said}"):
        script.secret_in(file)


def test_a_file_that_others_can_read_is_said_and_used(script, tmp_path, capsys):
    """As mounted secrets are; the secret is not said."""
    file = tmp_path / "root"
    file.write_text("s" * 32)
    file.chmod(0o444)
    (tmp_path / "link").symlink_to(file)
    assert script.secret_in(tmp_path / "link") == "s" * 32
    said = capsys.readouterr()
    assert "can read the root token" in said.err
    assert "sss" not in said.err + said.out


@pytest.mark.parametrize("kind", ["nowhere", "folder", "dangling"])
def test_what_cannot_be_read_or_made_is_said_in_a_line(tmp_path, kind):
    """Nothing is started then."""
    file = tmp_path / "there" / "root" if kind == "nowhere" else tmp_path / "root"
    if kind == "folder":
        file.mkdir()
    if kind == "dangling":
        file.symlink_to(tmp_path / "gone")
    done = subprocess.run(
        [sys.executable, "-I", ROOT / "deploy/image/with_root_token.py", "serve"],
        env={"ROOT_TOKEN_FILE": str(file)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert str(file) in done.stderr
