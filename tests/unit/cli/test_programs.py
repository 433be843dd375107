"""serve, consume and run: options, processes, refusals."""

import socket

import msgspec
import pytest

from worker.runtime.options import ConsumeOptions, ServeOptions


def started(service):
    """The options of the only program that was started, without the command that starts another one."""
    ((program, options),) = service.started
    assert program == "consume"
    return msgspec.structs.replace(options, cell=())


def test_consume_takes_every_option_of_the_contract(worker, service):
    """Each option of consume reaches the program; sizes and times have units."""
    page = worker(
        *(
            "consume",
            "sqlite",
            "-Q",
            "a",
            "-Q",
            "b",
            "-X",
            "c",
            "--type",
            "PlaceOrder",
            "-c",
            "4",
            "--limit",
            "5",
        ),
        *(
            "--time-limit",
            "2m",
            "--memory-limit",
            "256M",
            "--failure-limit",
            "6",
            "--burst",
            "--graceful-timeout",
            "7",
        ),
        *("--no-setup", "--health-port", "9000"),
    )
    assert page.code == 0
    assert started(service) == ConsumeOptions(
        transports=("sqlite",), queues=("a", "b"), exclude_queues=("c",), types=("PlaceOrder",), concurrency=4,
        limit=5, time_limit=120.0, memory_limit=268_435_456, failure_limit=6, burst=True, graceful_timeout=7.0,
        setup=False, health_port=9000,
    )  # fmt: skip


def test_consume_takes_what_the_file_says_without_flags(worker, service, tmp_path):
    """Without flags the file's values hold."""
    (tmp_path / "worker.toml").write_text('app = "a:b"\n[worker]\nconcurrency = 3\ngraceful_timeout = 4\n')
    worker("consume")
    assert started(service) == ConsumeOptions(concurrency=3, graceful_timeout=4.0)


def test_consume_knows_how_a_process_for_single_messages_is_started(worker, service, tmp_path):
    """By the same arguments, as one process."""
    (tmp_path / "worker.toml").write_text('app = "a:b"\n')
    worker("consume", "-c", "4")
    ((_, options),) = service.started
    assert options.cell[-6:] == ("consume", "-c", "4", "--workers", "1", "--no-reload")


def test_a_transport_that_is_not_configured_exits_2(worker, service):
    """Unknown transports: exit 2, naming all of them and the known ones."""
    page = worker("consume", "rabbit", "kafka")
    assert page.code == 2
    assert "'rabbit' is not configured; known: sqlite" in page.err
    assert "'kafka'" in page.err
    assert service.started == []


@pytest.mark.parametrize(
    "option",
    [
        ("-c", "0"),
        ("--limit", "0"),
        ("--memory-limit", "lots"),
        ("--time-limit", "-1"),
        ("--time-limit", "0"),
        ("--port", "1"),
    ],
)
def test_a_value_that_does_not_fit_exits_2(worker, service, option):
    """A wrong value of an option, or an option of another command: exit 2 before anything starts."""
    assert worker("consume", *option).code == 2
    assert service.started == []


def test_serve_listens_where_it_is_told(worker, service):
    """--host and --port reach the intake."""
    worker("serve", "--host", "::1", "--port", "9000", "--no-setup")
    assert service.started == [("serve", ServeOptions(host="::1", port=9000, setup=False))]


@pytest.mark.parametrize("command", ["serve", "run"])
@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::", "shop.example"])
def test_a_public_address_exits_2(worker, service, command, host):
    """Binding a public address without tokens: exit 2, saying why."""
    page = worker(command, "--host", host)
    assert page.code == 2
    assert "token" in page.err
    assert service.started == []


def test_run_does_both(worker, service):
    """run takes the options of serve and consume."""
    worker("run", "--port", "9000", "-c", "2", "--burst")
    ((name, serving, consuming),) = service.started
    assert (name, serving.port, consuming.concurrency, consuming.burst) == ("run", 9000, 2, True)


def test_several_processes_get_the_same_command_line(worker, service):
    """-w N hands the command line to the supervisor; in the children the last --workers counts, and it is 1."""
    page = worker("-l", "debug", "consume", "sqlite", "-w", "4", "--graceful-timeout", "5")
    assert page.code == 0
    arguments, processes, grace, once = service.supervised
    assert arguments == [
        "-l",
        "debug",
        "consume",
        "sqlite",
        "-w",
        "4",
        "--graceful-timeout",
        "5",
        "--workers",
        "1",
    ]
    assert (processes, grace, once) == (4, 5.0, False)
    assert service.started == []
    worker(*arguments)
    assert [name for name, _ in service.started] == ["consume"]


def test_what_is_appended_stands_before_a_double_dash(worker, service):
    """Words after -- are arguments: nothing is appended among them."""
    worker("consume", "-w", "2", "--burst", "--", "sqlite")
    arguments, _, _, once = service.supervised
    assert arguments == ["consume", "-w", "2", "--burst", "--workers", "1", "--", "sqlite"]
    assert once


@pytest.mark.parametrize("command", ["serve", "run"])
def test_several_processes_take_no_port_that_another_service_has(worker, service, command):
    """Also where that one shares it with its own: each would take a part of the other's requests."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        page = worker(command, "--port", str(port), "-w", "2")
        assert page.code == 2
        assert f"127.0.0.1:{port}" in page.err and "in use" in page.err
        assert service.supervised is None
    assert worker(command, "--port", str(port), "-w", "2").code == 0
