"""What is wrong with settings, said whole."""

import pytest

from worker.errors import ConfigurationError
from worker.settings import load


def faults(tmp_path, text="", environ=None, flags=None):
    (tmp_path / "worker.toml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(flags, environ=environ or {}, cwd=tmp_path)
    return list(caught.value.faults)


def test_three_mistakes_are_one_error_that_names_all(tmp_path):
    """Configuration with three mistakes: one error naming key, value and what is expected of all three."""
    found = faults(
        tmp_path,
        "databse = 1\n[http]\nport = '80'\n[routing]\n'*' = 'rabitmq'\n[transports.rabbitmq]\nurl = 'amqp://h'\n",
    )
    assert found == [
        "databse (worker.toml): unknown key; did you mean 'database'?",
        "http.port = '80' (worker.toml): expected a port, 0 to 65535",
        "routing.\"*\" = 'rabitmq' (worker.toml): no transport of that name is configured; did you mean 'rabbitmq'?",
    ]


def test_faults_of_all_sources_are_told_together(tmp_path):
    """A broken file does not hide what is wrong in the environment and the flags."""
    found = faults(tmp_path, "[http", {"WORKER_HTTP__PORT": "x"}, {"worker.concurrency": 0})
    assert len(found) == 3
    assert any("http.port = 'x' (WORKER_HTTP__PORT)" in fault for fault in found)
    assert any(
        "worker.concurrency = 0 (flag): expected a whole number, 1 to 100000" in fault for fault in found
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("app = 'x'", "app = 'x' (worker.toml): expected module:attribute"),
        ("app = 3", "app = 3 (worker.toml): expected module:attribute"),
        ("database = 1", "database = 1 (worker.toml): expected a table of url"),
        ("[http]\nport = true", "http.port = True (worker.toml): expected a port, 0 to 65535"),
        ("[http]\nport = 65536", "http.port = 65536 (worker.toml): expected a port, 0 to 65535"),
        ("[http.port]\nx = 1", "http.port (worker.toml): is a table; expected a port, 0 to 65535"),
        (
            "[worker]\ngraceful_timeout = nan",
            "worker.graceful_timeout = nan (worker.toml): expected seconds, 0 to 3200000000",
        ),
        (
            "[worker]\nconnect_timeout = inf",
            "worker.connect_timeout = inf (worker.toml): expected seconds, more than 0, at most 3200000000",
        ),
        *(
            (f"{table} = 1e300", "= 1e+300 (worker.toml): expected seconds")
            for table in (
                "[worker]\ngraceful_timeout",
                "[worker]\nconnect_timeout",
                "[status]\nkeep",
                "[ramp]\nafter",
                "[http]\nmax_wait",
                "[database]\nstatement_timeout",
                "[transports.x]\nurl='memory://'\nlease",
            )
        ),
        ("[retry]\njitter = 2", "retry.jitter = 2 (worker.toml): expected a share, 0 to 1"),
        ("[events]\nmode = 'que'", "events.mode = 'que' (worker.toml): expected queue, inline or ignore"),
        ("[transports.x]\nurl='x'", "expected a URL whose scheme says what it is"),
        ("[transports.x]\nulr='memory://'", "transports.x.url: missing; did you mean it by 'ulr'?"),
        ("[transports.inline]\nurl='memory://'", "'inline' is a reserved word"),
        ("[transports.'a b']\nurl='memory://'", "expected a name of letters, digits, '-' and '_'"),
        (
            "[transports.x]\nurl='memory://'\nlease=0",
            "transports.x.lease = 0 (worker.toml): expected seconds, more than 0, at most 3200000000",
        ),
        ("transports = 3", "expected a table for each transport"),
        ("routing = 'x'", 'expected a table of patterns, like "*" = "sqlite"'),
        ("[http]\nprot = 1", "http.prot (worker.toml): unknown key; did you mean 'port'?"),
        ("base = 'x'", "base (worker.toml): unknown key"),
    ],
)
def test_each_fault_names_key_value_and_expectation(tmp_path, text, expected):
    """A fault names the key, the value, its source, and what is expected."""
    found = faults(tmp_path, text)
    assert len([fault for fault in found if expected in fault]) == 1, found


def test_two_transports_without_any_route_need_one(tmp_path):
    """With several transports and no routing, the choice cannot be guessed: it is asked for."""
    text = "[transports.a]\nurl='memory://'\n[transports.b]\nurl='memory://'\n"
    assert faults(tmp_path, text) == ["routing: missing; expected \"*\" = one of a, b, or 'inline'"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WORKER_DATABASE_URL", "WORKER_DATABASE__URL"),
        ("WORKER_DATABSE__URL", "WORKER_DATABASE__URL"),
        ("WORKER_TRANSPORTS_KAFKA_URL", "WORKER_TRANSPORTS__KAFKA__URL"),
        ("WORKER_HTTP_PORT", "WORKER_HTTP__PORT"),
        ("WORKER_LOGLEVEL", "WORKER_LOG_LEVEL"),
    ],
)
def test_an_unknown_variable_is_an_error_with_a_suggestion(tmp_path, name, meant):
    """A WORKER_ variable that is no setting is an error, and the right one is named."""
    assert faults(tmp_path, environ={name: "x"}) == [f"{name}: unknown variable; did you mean {meant}?"]


def test_secrets_are_masked_in_faults(tmp_path):
    """A wrong value is shown without its password."""
    found = faults(tmp_path, environ={"WORKER_DATABASE__URL": "mysql://u:geheim@h/x"})
    assert "mysql://u:***@h/x" in found[0]
    assert "geheim" not in found[0]
