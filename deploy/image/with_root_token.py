"""Starts ``worker`` with a root token; at the first start it is made, and kept in a file that only its owner reads.

``with_root_token.py serve …`` is ``worker serve …`` where ``WORKER_TOKENS__ROOT`` is set. Else the secret stands in the
file that ``ROOT_TOKEN_FILE`` names, by default ``/var/lib/worker/root-token``. When it is made, a line says so, and in
which file; the secret itself is never printed. With a file that another user may have written nothing is started; one that
other users can read is used, with a warning. Standard library only.
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import MutableMapping
from pathlib import Path

SETTING = "WORKER_TOKENS__ROOT"
FILE = "/var/lib/worker/root-token"


def secret_in(file: Path) -> str:
    """Return the secret that a file holds; make it where there is none.

    It is written into a file beside, which is then linked to its name: so a file of that name is always whole, and of
    several starts at the same time one makes it and the others read it.

    Raises:
        OSError: it cannot be read or made.
        ValueError: it holds nothing that can be a secret, or others can write it.
    """
    if not file.exists():
        beside = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        made = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(made, "w") as out:
                out.write(f"cwt_{secrets.token_urlsafe(32)}\n")
                out.flush()
                os.fsync(out.fileno())
            os.link(beside, file)
            print(
                f"a root token was made: its secret is in {file}, which only its owner reads", file=sys.stderr
            )
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    return _read(file)


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        found = os.fstat(opened.fileno())
        if found.st_uid not in {0, os.geteuid()} or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ValueError(
                f"{file}: others than its owner can write it, or it is another user's; "
                "expected a file of this user's or of root's, with mode 600"
            )
        if found.st_mode & stat.S_IROTH:
            print(f"{file}: every user of this machine can read the root token: chmod 600", file=sys.stderr)
        secret = opened.read(4096).decode("ascii", "replace").strip()
    if not secret:
        raise ValueError(f"{file}: it is empty; remove it, and a secret is made, or write one into it")
    return secret


def with_secret(environ: MutableMapping[str, str]) -> None:
    """Set the secret, unless there is one."""
    if not environ.get(SETTING):
        environ[SETTING] = secret_in(Path(environ.pop("ROOT_TOKEN_FILE", None) or FILE))


if __name__ == "__main__":
    try:
        with_secret(os.environ)
    except (OSError, ValueError) as error:
        print(f"no root token: {error}", file=sys.stderr)
        sys.exit(2)
    os.execvp("worker", ["worker", *sys.argv[1:]])  # noqa: S606, S607 - this is what the image is for
