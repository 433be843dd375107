"""Google's Pub/Sub emulator for tests: named by the environment, installed here, or from Google's packages."""

from __future__ import annotations

import os
import shutil
import signal
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from tests.brokers import owned, packages, ports
from tests.brokers.java import Java
from tests.brokers.place import Place
from tests.brokers.unavailable import Unavailable

VARIABLE = "WORKER_TEST_PUBSUB"
PACKAGE = "google-cloud-cli-pubsub-emulator"
FOLDERS = (
    Path("/usr/lib/google-cloud-sdk/platform/pubsub-emulator/lib"),
    Path("/usr/share/google-cloud-sdk/platform/pubsub-emulator/lib"),
)
HELP = (
    f"Pub/Sub: install Java 17 and the package {PACKAGE} from Google's apt repository, name the emulator's jar by "
    f"PUBSUB_EMULATOR_JAR, or name an emulator that is for tests alone: {VARIABLE}=localhost:8085"
)


@dataclass(eq=False)
class Pubsub:
    """An emulator that tests share: each test has a project of its own.

    Attributes:
        host: ``host:port``.
        how: where it came from, in a few words.
    """

    host: str
    how: str

    def project(self) -> str:
        """The address of a project of its own."""
        return f"pubsub://t{uuid.uuid4().hex[:12]}"


def named() -> Pubsub | None:
    """The one that the environment names.

    Raises:
        Unavailable: when it does not answer.
    """
    host = os.environ.get(VARIABLE)
    if not host:
        return None
    if not speaks(host):
        raise Unavailable(f"Pub/Sub: {VARIABLE} is set, but {host} does not answer")
    return Pubsub(host, f"{VARIABLE}, on {host}")


def speaks(host: str) -> bool:
    """Whether an emulator answers there: it says ``Ok`` to every client that asks over HTTP."""
    try:
        with urlopen(f"http://{host}/", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def jar() -> Path | None:
    """The emulator, when it is here and Java to run it."""
    given = os.environ.get("PUBSUB_EMULATOR_JAR")
    found = [Path(given)] if given else [path for folder in FOLDERS for path in folder.glob("*pubsub*.jar")]
    return found[0] if found and found[0].is_file() and shutil.which("java") else None


def prepare() -> None:
    """Install what is missing.

    Raises:
        Unavailable: when there is no way to an emulator.
    """
    if jar():
        return
    if not packages.may_install():
        raise Unavailable(HELP)
    packages.install(PACKAGE)
    if not shutil.which("java"):
        packages.install("openjdk-17-jre-headless")
    if not jar():
        raise Unavailable(HELP)


class OwnPubsub(owned.Owned, Pubsub):
    """An emulator of this run; its state is memory, so that a restart empties it."""

    title = "the Pub/Sub emulator"

    def answers(self) -> bool:
        return speaks(self.host)


def own(place: Place, folder: Path) -> OwnPubsub:
    """An emulator in a process of its own, not yet started."""
    prepare()
    found = jar()
    if found is None:
        raise Unavailable(HELP)
    port = ports.choose()
    words = (f"--host={ports.HOST}", f"--port={port}")
    server = OwnPubsub(f"{ports.HOST}:{port}", f"{found.name}, on {ports.HOST}:{port}")
    main = "com.google.cloud.pubsub.testing.v1.Main"
    server.server = Java(place, found, main, *words, folder=folder, port=port, stop_signal=signal.SIGKILL)
    return server
