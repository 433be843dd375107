"""RabbitMQ for tests: named by the environment, installed here, or in a container."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import httpx

from tests.brokers import docker, owned, packages, ports
from tests.brokers.daemon import Daemon
from tests.brokers.erlang import Modules
from tests.brokers.place import Place
from tests.brokers.unavailable import Unavailable
from tests.e2e.waiting import until

VARIABLE = "WORKER_TEST_RABBITMQ"
MANAGEMENT = "WORKER_TEST_RABBITMQ_MANAGEMENT"
IMAGE = "rabbitmq:4.1.3-management"
HELP = (
    "RabbitMQ: install it (Debian: apt install rabbitmq-server; macOS: brew install rabbitmq), start Docker, or "
    f"name one that is for tests alone: {VARIABLE}=amqp://guest:guest@localhost:5672/ with its management plugin on"
)


@dataclass(eq=False)
class RabbitMQ:
    """A broker that tests share. Each test takes a virtual host of its own: ``with rabbitmq.fresh() as url``.

    Attributes:
        url: the broker's own virtual host.
        management: address of the HTTP API, with credentials.
        how: where it came from, in a few words.
    """

    url: str
    management: str
    how: str

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        """An empty virtual host, removed afterwards; gives its URL."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        user = urlsplit(self.url).username or "guest"
        self.api("PUT", f"vhosts/{name}")
        try:
            self.api("PUT", f"permissions/{name}/{quote(user)}", configure=".*", write=".*", read=".*")
            yield urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
        finally:
            self.api("DELETE", f"vhosts/{name}")

    def api(self, method: str, path: str, **body: str) -> httpx.Response:
        """Ask the management API; anything but success is an error."""
        parts = urlsplit(self.management)
        base = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")
        answer = httpx.request(
            method,
            f"{base}/api/{path}",
            json=body if method in {"PUT", "POST"} else None,
            auth=(parts.username or "guest", parts.password or "guest"),
            timeout=60,
            verify=parts.scheme
            == "https",  # else the authorities of the world are read for nothing, each time
        )
        answer.raise_for_status()
        return answer


def named() -> RabbitMQ | None:
    """The one that the environment names.

    Raises:
        Unavailable: when its management API does not answer.
    """
    url = os.environ.get(VARIABLE)
    if not url:
        return None
    parts = urlsplit(url)
    login = f"{parts.username or 'guest'}:{parts.password or 'guest'}"
    management = os.environ.get(MANAGEMENT) or f"http://{login}@{parts.hostname}:15672"
    found = RabbitMQ(url, management, f"{VARIABLE}, on {parts.hostname}:{parts.port or 5672}")
    try:
        found.api("GET", "overview")
    except httpx.HTTPError as error:
        where = management.rpartition("@")[2]
        raise Unavailable(
            f"RabbitMQ: {VARIABLE} is set, but its management API on {where} does not answer "
            f"({type(error).__name__}); enable rabbitmq_management, or name it by {MANAGEMENT}"
        ) from None
    return found


def programs() -> Path | None:
    """The folder of the server's own scripts; Debian's wrappers in ``/usr/sbin`` want to be root and change users."""
    for folder in (
        Path("/usr/lib/rabbitmq/bin"),
        Path(shutil.which("rabbitmq-server") or "").resolve().parent,
    ):
        if (folder / "rabbitmq-server").exists() and str(folder) != "/usr/sbin":
            return folder
    return None


def prepare() -> None:
    """Install what is missing.

    Raises:
        Unavailable: when there is no way to a server.
    """
    if programs():
        return
    if packages.may_install():
        packages.install("rabbitmq-server")
    elif docker.answers():
        docker.pull(IMAGE)
    else:
        raise Unavailable(HELP)


class OwnRabbitMQ(owned.Owned, RabbitMQ):
    """A server of this run, which can be controlled, too.

    Do not kill it within 10 s of declaring a quorum queue: 3.10 never answers for that queue again.
    """

    title = "RabbitMQ"

    def evaluate(self, expression: str) -> str:
        """Evaluate Erlang in the server, what ``rabbitmqctl`` does with Erlang of its own; returns the value's text."""
        raise NotImplementedError

    def close_connections(self) -> None:
        """Close every client's connection from the broker's side, in every virtual host."""
        self.evaluate(
            'rabbit_networking:close_connections(rabbit_networking:connections(), "closed by a test").'
        )

    def raise_alarm(self) -> None:
        """Memory alarm: publishers are blocked."""
        self._watermark(0.0000001)
        # once it shows the alarm, it has told every connection
        until(
            lambda: "memory" in self.evaluate("rabbit_alarm:get_alarms()."), "there is an alarm", every=0.05
        )

    def clear_alarm(self) -> None:
        """Publishers may go on."""
        self._watermark(0.4)

    def change_password(self, password: str, user: str = "guest") -> None:
        """New connections need it; those that are open stay."""
        words = ", ".join(f'<<"{word}">>' for word in (user, password, "test"))
        self.evaluate(f"rabbit_auth_backend_internal:change_password({words}).")

    def _watermark(self, share: float) -> None:
        self.evaluate(f"vm_memory_monitor:set_vm_memory_high_watermark({share:.7f}).")

    def answers(self) -> bool:
        with socket.create_connection((ports.HOST, self.server.port), timeout=5) as probe:
            probe.sendall(b"AMQP\x00\x00\x09\x01")
            greeted = probe.recv(1) == b"\x01"
        return greeted and self.api("GET", "vhosts").json()[0]["cluster_state"] != {}


class InstalledRabbitMQ(OwnRabbitMQ):
    """The machine's own programs, with data, ports, node name and port mapper of their own."""

    def __init__(self, place: Place, folder: Path) -> None:
        scripts = programs()
        assert scripts is not None, "prepare() was not called"
        port, http, inter, mapper = (ports.choose() for _ in range(4))
        super().__init__(
            url=f"amqp://guest:guest@{ports.HOST}:{port}/",
            management=f"http://guest:guest@{ports.HOST}:{http}",
            how=f"started {scripts / 'rabbitmq-server'} on {ports.HOST}:{port}",
        )
        node = f"test{port}@localhost"
        environment = _environment(folder, node, inter, mapper)
        (folder / "rabbitmq.conf").write_text(_CONFIGURATION.format(host=ports.HOST, port=port, http=http))
        (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        self._control = (scripts / "rabbitmqctl", node, {**os.environ, **environment})
        # a mapper in the foreground: one that the server starts itself would outlive it
        self._mapper = _mapper(place, folder, mapper, environment)
        program = scripts / "rabbitmq-server"
        self._modules = Modules(program, folder)
        environment = environment | self._modules.environment()
        self.server = Daemon(place, [str(program)], folder=folder, port=port, environment=environment)

    def start(self) -> None:
        if self._mapper and not self._mapper.running:
            self._mapper.start()
            until(lambda: ports.is_open(self._mapper.port), "epmd listens")
        super().start()
        self._modules.learn(self.evaluate)

    def end(self) -> None:
        super().end()
        if self._mapper:
            self._mapper.kill()

    def evaluate(self, expression: str) -> str:
        control, node, environment = self._control
        quick = shutil.which("erl_call")
        command = (
            [quick, "-R", "-n", node, "-e"] if quick else [str(control), "-q", "-n", node, "eval", expression]
        )
        done = subprocess.run(
            command, input=f"{expression}\n", env=environment, capture_output=True, text=True, timeout=60
        )
        said = done.stdout.strip()
        if quick and said.startswith("{ok, "):
            return said.removeprefix("{ok, ").removesuffix("}")
        assert done.returncode == 0 and not quick, f"{expression}: {said}{done.stderr}"
        return said


class ContainedRabbitMQ(OwnRabbitMQ):
    """The official image."""

    server: docker.Container

    def __init__(self, place: Place, folder: Path) -> None:
        port, http = ports.choose(), ports.choose()
        super().__init__(
            url=f"amqp://guest:guest@{ports.HOST}:{port}/",
            management=f"http://guest:guest@{ports.HOST}:{http}",
            how=f"Docker: {IMAGE} on {ports.HOST}:{port}",
        )
        self.server = docker.Container(
            place,
            IMAGE,
            published={port: 5672, http: 15672},
            environment={"RABBITMQ_NODENAME": "test@localhost"},
        )

    def evaluate(self, expression: str) -> str:
        return self.server.run("rabbitmqctl", "-q", "eval", expression).strip()


def own(place: Place, folder: Path) -> OwnRabbitMQ:
    """A server of this run, not started yet.

    Raises:
        Unavailable: when there is no way to one.
    """
    prepare()
    return InstalledRabbitMQ(place, folder) if programs() else ContainedRabbitMQ(place, folder)


def _environment(folder: Path, node: str, inter: int, mapper: int) -> dict[str, str]:
    return {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": node,
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_DIST_PORT": str(inter),
        "ERL_EPMD_ADDRESS": ports.HOST,
        "ERL_EPMD_PORT": str(mapper),
        # idle schedulers sleep instead of spinning: several servers may share few cores
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
        "LC_ALL": "C.UTF-8",
    }


def _mapper(place: Place, folder: Path, port: int, environment: dict[str, str]) -> Daemon | None:
    program = shutil.which("epmd")
    if program is None:
        return None
    command = [program, "-address", ports.HOST, "-port", str(port)]
    return Daemon(place, command, folder=folder, port=port, environment=environment)


_CONFIGURATION = """\
listeners.tcp.default = {host}:{port}
distribution.listener.interface = {host}
management.tcp.ip = {host}
management.tcp.port = {http}
collect_statistics_interval = 500
management.sample_retention_policies.global.minute = 1
management.sample_retention_policies.basic.minute = 1
management.sample_retention_policies.detailed.minute = 1
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.relative = 0.4
raft.wal_max_size_bytes = 64000000
log.file.level = warning
"""
