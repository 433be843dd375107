"""The environment that peers run in: made at first use from a lock of its own, and again when that changes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
LOCK = _ROOT / "benchmarks" / "peers" / "requirements.lock"
FOLDER = _ROOT / ".venv-peers"


def python() -> str:
    """Path of its Python; needs the network when it is not made yet.

    Raises:
        CalledProcessError: it could not be made; pip has said why.
    """
    found = FOLDER / "bin" / "python"
    stamp = FOLDER / ".stamp"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making {FOLDER.name} from {LOCK.relative_to(_ROOT)} (once)", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        options = ["--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes"]
        subprocess.run([str(found), "-m", "pip", "install", *options, "-r", str(LOCK)], check=True)
        stamp.write_text(wanted)
    return str(found)


def versions(names: list[str], python: str = sys.executable) -> dict[str, str]:
    """Versions of libraries in an environment."""
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    done = subprocess.run(
        [python, "-c", code, *names], check=True, stdout=subprocess.PIPE, text=True, timeout=60
    )
    return dict(zip(names, done.stdout.split(), strict=True))
