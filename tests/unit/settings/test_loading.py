"""Where settings come from, and which source wins."""

import pytest

from worker.errors import ConfigurationError
from worker.settings import Settings, load


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def write(folder, text, name="worker.toml"):
    path = folder / name
    path.write_text(text)
    return path


def test_without_any_source_the_embedded_service_is_set_up(folder):
    """Without any source: the embedded transport, its routing, and the documented defaults."""
    settings = load(environ={}, cwd=folder)
    assert settings.transports["sqlite"].url == f"sqlite:///{folder}/var/queue.db"
    assert settings.database.url == f"sqlite:///{folder}/var/worker.db"
    assert settings.routing == {"*": "sqlite"}
    assert (settings.http.host, settings.http.port, settings.http.max_body) == ("127.0.0.1", 8000, 1_048_576)
    assert settings.events.mode == "queue"
    assert settings.app is None
    assert settings.base == folder
    assert settings.file is None


def test_flags_win_over_environment_over_file_over_defaults(folder):
    """Each source wins over the ones below it, key by key."""
    write(folder, "[http]\nport = 1\nhost = 'localhost'\nmax_body = 7\n")
    settings = load(
        {"http.port": 3}, environ={"WORKER_HTTP__PORT": "2", "WORKER_HTTP__HOST": "::1"}, cwd=folder
    )
    assert (settings.http.port, settings.http.host, settings.http.max_body) == (3, "::1", 7)
    assert settings.http.max_batch == 16_777_216


def test_a_flag_that_is_none_was_not_given(folder):
    """None as a flag leaves the other sources alone."""
    assert load({"http.port": None}, environ={"WORKER_HTTP__PORT": "2"}, cwd=folder).http.port == 2


def test_the_table_in_pyproject_is_read_when_there_is_no_worker_toml(folder):
    """[tool.worker] of pyproject.toml stands in for worker.toml, and yields to it."""
    write(folder, "[tool.worker]\napp = 'shop.app:app'\n", "pyproject.toml")
    assert load(environ={}, cwd=folder).app == "shop.app:app"
    write(folder, "app = 'other:app'\n")
    assert load(environ={}, cwd=folder).app == "other:app"


def test_a_pyproject_without_our_table_is_left_alone(folder):
    """A pyproject.toml without our table is no configuration."""
    write(folder, "[tool.other]\nx = 1\n", "pyproject.toml")
    assert load(environ={}, cwd=folder).file is None


def test_the_file_is_named_by_flag_then_by_environment(folder):
    """config= wins over WORKER_CONFIG, which wins over the current folder's file."""
    write(folder, "[http]\nport = 1\n")
    write(folder, "[http]\nport = 2\n", "two.toml")
    write(folder, "[http]\nport = 3\n", "three.toml")
    assert load(environ={"WORKER_CONFIG": "two.toml"}, cwd=folder).http.port == 2
    assert load(config="three.toml", environ={"WORKER_CONFIG": "two.toml"}, cwd=folder).http.port == 3


def test_relative_sqlite_paths_start_at_the_file_s_folder(folder):
    """Relative SQLite paths resolve from the configuration file's folder, wherever the command is called."""
    (folder / "conf").mkdir()
    write(
        folder / "conf",
        "[transports.q]\nurl = 'sqlite:///q.db?x=1'\n[transports.a]\nurl='sqlite:////a.db'\n[routing]\n'*'='q'\n",
    )
    settings = load(config="conf/worker.toml", environ={}, cwd=folder)
    assert settings.base == folder / "conf"
    assert settings.transports["q"].url == f"sqlite:///{folder}/conf/q.db?x=1"
    assert settings.transports["a"].url == "sqlite:////a.db"
    assert settings.database.url == f"sqlite:///{folder}/conf/var/worker.db"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        ":memory:",
        "file::memory:",
        "file::memory:?cache=shared",
        "sqlite:///file::memory:?cache=shared",
        "sqlite:///state?mode=memory",
        "sqlite+aiosqlite:///:memory:",
    ],
)
def test_a_database_in_memory_is_refused(folder, url):
    """It would go with its process, and the failed messages with it; the error says where tests find one."""
    with pytest.raises(
        ConfigurationError, match=r"database\.url.*in memory.*sqlite:///path.*worker\.testing"
    ):
        load({"database.url": url}, environ={}, cwd=folder)


def test_other_keys_of_a_transport_are_its_options(folder):
    """A transport's table holds url, lease, and options that only the transport knows."""
    write(folder, "[transports.kafka]\nurl = 'kafka://h'\nlease = 60\npartitions = 12\ntls = {ca = 'x'}\n")
    transport = load(environ={}, cwd=folder).transports["kafka"]
    assert transport.lease == 60.0
    assert transport.options == {"partitions": 12, "tls": {"ca": "x"}}


def test_the_only_transport_takes_what_has_no_route(folder):
    """Without routing, the one transport that is configured takes everything."""
    write(folder, "[transports.kafka]\nurl = 'kafka://h'\n")
    assert load(environ={}, cwd=folder).routing == {"*": "kafka"}


def test_a_route_of_one_type_keeps_the_default_for_the_rest(folder):
    """Routing one pattern elsewhere does not leave the other types without a route."""
    write(folder, "[routing]\n'catalog.*' = 'inline'\n")
    assert load(environ={}, cwd=folder).routing == {"catalog.*": "inline", "*": "sqlite"}


def test_the_environment_sets_transports_and_routes(folder):
    """Nested keys by double underscore; a table may be given as JSON; values are read as what the key holds."""
    settings = load(
        environ={
            "WORKER_APP": "shop:app",
            "WORKER_TRANSPORTS__RABBITMQ__URL": "amqp://h",
            "WORKER_TRANSPORTS__RABBITMQ__LEASE": "30",
            "WORKER_TRANSPORTS__RABBITMQ__PREFETCH": "8",
            "WORKER_ROUTING": '{"*": "rabbitmq", "mail.*": "inline"}',
            "WORKER_STATUS__TRACK": "false",
            "WORKER_HTTP__PORT": "",
            "OTHER_THING": "x",
        },
        cwd=folder,
    )
    assert settings.app == "shop:app"
    assert settings.transports["rabbitmq"].lease == 30.0
    assert settings.transports["rabbitmq"].options == {"prefetch": 8}
    assert settings.routing == {"*": "rabbitmq", "mail.*": "inline"}
    assert settings.status.track is False
    assert settings.http.port == 8000


def test_variables_of_others_are_left_alone(folder):
    """Flags' variables, our own processes' and those Kubernetes makes for a service called worker are no settings."""
    load(
        environ={
            "WORKER_LOG_LEVEL": "debug",
            "WORKER_LOG_FORMAT": "json",
            "WORKER_SUPERVISED": "1",
            "WORKER_READY_FD": "7",
            "WORKER_SERVICE_HOST": "10.0.0.1",
            "WORKER_SERVICE_PORT_HTTP": "80",
            "WORKER_PORT": "tcp://10.0.0.1:80",
            "WORKER_PORT_80_TCP_ADDR": "10.0.0.1",
            "WORKER_HTTP_PORT": "tcp://10.0.0.1:80",
        },
        cwd=folder,
    )


def test_settings_are_immutable():
    """Settings cannot be changed after loading."""
    with pytest.raises(AttributeError):
        Settings().app = "x"


def test_a_missing_file_is_named(folder):
    """A configuration file that was named and is not there is an error."""
    with pytest.raises(ConfigurationError, match=r"nope\.toml: no such configuration file"):
        load(config="nope.toml", environ={}, cwd=folder)


def test_a_syntax_error_names_file_and_line(folder):
    """A file that is no TOML is refused with the line."""
    write(folder, "app = 'a:b'\n[http\n")
    with pytest.raises(ConfigurationError, match=r"worker\.toml: no valid TOML: .*line 2"):
        load(environ={}, cwd=folder)


def test_a_byte_order_mark_is_no_part_of_the_file(folder):
    """Some editors write one."""
    (folder / "worker.toml").write_bytes(b"\xef\xbb\xbf[http]\nport = 8001\n")
    assert load(environ={}, cwd=folder).http.port == 8001


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[http]\nport = 1".encode("utf-16"), "UTF-16"),
        (b"[http]\nhost = '\xff'", "not UTF-8.*line 2"),
        (b"a = " + b"[" * 100_000, "deeply"),
        (b"a = " + b"9" * 5000, "no valid TOML"),
        (b"a = 1\x00", "no valid TOML"),
    ],
)
def test_a_file_that_is_no_toml_says_what_it_is(folder, body, said):
    """Each is one clear error."""
    (folder / "worker.toml").write_bytes(body)
    with pytest.raises(ConfigurationError, match=said):
        load(environ={}, cwd=folder)


def test_a_worker_toml_that_is_no_file_is_an_error(folder):
    """A folder or a dangling link of that name is not taken for no configuration at all."""
    (folder / "worker.toml").mkdir()
    with pytest.raises(ConfigurationError, match=r"worker\.toml"):
        load(environ={}, cwd=folder)
