"""Global options, help and mistakes of typing."""

import json

import pytest

from worker import __version__
from worker.cli.program import program

COMMANDS = {
    "run",
    "serve",
    "consume",
    "send",
    "status",
    "pause",
    "resume",
    "schedule",
    "tokens",
    "failed",
    "setup",
    "check",
    "debug",
    "schema",
    "make",
    "completion",
}


def pages(group=program, path=()):
    yield path
    for name, target in group.table.items():
        command = group.get_command(None, name)
        assert command is not None, target
        if hasattr(command, "table"):
            yield from pages(command, (*path, name))
        else:
            yield (*path, name)


def test_the_version_is_printed(worker):
    """--version prints name and version."""
    assert worker("--version").out == f"worker {__version__}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["serve", "--port", "abc"], "'--port': 'abc': expected a whole number from 0 to 65535"),
        (["serve", "--port", "99999"], "'--port': '99999': expected a whole number from 0 to 65535"),
        (["serve", "-w", "0"], "'--workers': '0': expected a whole number from 1 to 1000"),
        (["consume", "-c", "1.5"], "'--concurrency': '1.5': expected a whole number from 1 to "),
        (["consume", "--limit", ""], "'--limit': '': expected a whole number of 1 or more"),
        (["consume", "--health-port=x"], "'--health-port': 'x': expected a whole number"),
        (["failed", "list", "--limit", "9" * 5000], "expected a whole number from 1 to 1000"),
        (["schedule", "list", "--next", "two"], "'--next': 'two': expected a whole number from 1 to 1000"),
    ],
)
def test_a_number_that_is_none_is_told_with_what_is_allowed(worker, words, told):
    """The option, the value and what is expected, and exit 2."""
    page = worker(*words)
    assert (page.code, told in page.err) == (2, True), page.err


def test_the_help_lists_what_there_is_and_no_more(worker):
    """The help page lists the commands that exist; those of later issues are not among them."""
    assert set(program.table) == COMMANDS
    page = worker("--help").out
    assert all(f"  {name} " in page for name in COMMANDS)


@pytest.mark.parametrize("path", list(pages()), ids=" ".join)
def test_every_help_page_has_examples_and_global_options(worker, path):
    """Every help page exits 0 and shows worked examples that begin with the program's name."""
    page = worker(*path, "--help")
    assert page.code == 0
    assert "Examples:\n  " in page.out
    assert "--log-format" in page.out.split("Global options:")[1]


@pytest.mark.parametrize("group", ["", "failed", "debug", "schema"])
def test_without_a_command_the_help_is_shown_and_nothing_else(worker, group):
    """As other programs do: no error stands before it. It is wrong usage all the same: exit 2, and stdout stays empty."""
    words = group.split()
    page = worker(*words)
    assert (page.code, page.out) == (2, "")
    shown = page.err
    assert shown == worker(*words, "--help").out
    if words:
        document = json.loads(worker("--json", *words).err)
        assert document["detail"] == f"expected a command; worker {group} --help lists them"


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("sned",), "'send'"),
        (("failed", "lst"), "'list'"),
        (("status", "--jsno"), "'--json'"),
        (("consume", "--brust"), "'--burst'"),
    ],
)
def test_a_mistyped_word_exits_2_and_says_what_was_meant(worker, arguments, meant):
    """A mistyped command or option: exit 2 with the near name."""
    page = worker(*arguments)
    assert page.code == 2
    assert "id you mean" in page.err
    assert meant in page.err
    assert page.out == ""


@pytest.mark.parametrize(
    "arguments", [("--json", "debug", "config"), ("debug", "--json", "config"), ("debug", "config", "--json")]
)
def test_global_options_stand_before_or_after_the_command(worker, arguments):
    """A global option means the same at every place."""
    assert worker(*arguments).json["app"] == "shop:app"


def test_the_place_nearest_to_the_end_wins(worker):
    """Of two values of a global option the last one counts."""
    assert worker("-A", "one:app", "debug", "config", "--json", "-A", "two:app").json["app"] == "two:app"


def test_an_app_by_flag_wins_over_the_environment(worker):
    """-A wins over WORKER_APP, which wins over the file."""
    assert worker("debug", "config", "--json", environ={"WORKER_APP": "env:app"}).json["app"] == "env:app"
    assert (
        worker("-A", "flag:app", "debug", "config", "--json", environ={"WORKER_APP": "env:app"}).json["app"]
        == "flag:app"
    )


def test_a_flag_wins_over_the_log_variables(worker):
    """A log flag before the command is not undone by the environment after it."""
    page = worker("-l", "debug", "-A", "nope", "check", environ={"WORKER_LOG_LEVEL": "info"})
    assert "Traceback" in page.err


def test_several_faults_of_configuration_are_one_error_with_exit_2(worker, tmp_path):
    """Configuration with three mistakes: exit 2 and one error naming all three."""
    (tmp_path / "worker.toml").write_text("databse = 1\n[http]\nport = 'x'\n[events]\nmode = 'que'\n")
    page = worker("check")
    assert page.code == 2
    assert "3 faults" in page.err
    assert all(word in page.err for word in ("databse", "http.port = 'x'", "events.mode = 'que'"))
    assert "Traceback" not in page.err


def test_an_error_with_json_is_a_problem_on_stderr(worker):
    """With --json an error is one JSON object on stderr, and stdout stays empty."""
    page = worker("check", "--json", "-A", "nope")
    document = json.loads(page.err)
    assert page.code == document["exit_code"] == 2
    assert document["title"] == "Wrong usage or configuration"
    assert "app = 'nope'" in document["errors"][0]["message"]
    assert page.out == ""


def test_no_application_is_named(worker, tmp_path):
    """Without an application: exit 2, saying the three ways to name it."""
    (tmp_path / "worker.toml").write_text("")
    page = worker("status")
    assert page.code == 2
    assert "-A/--app, WORKER_APP or app =" in page.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(worker, shell):
    """completion SHELL prints what the shell evaluates."""
    page = worker("completion", shell)
    assert page.code == 0
    assert "_WORKER_COMPLETE" in page.out


@pytest.mark.parametrize("options", [["-w", "1001"], ["-w", "99999999"], ["-c", "100001"], ["-c", "9" * 30]])
def test_more_processes_or_slots_than_a_machine_has_room_for_are_refused(worker, options):
    """A slip of the finger starts no hundred million processes: exit 2, with the range."""
    page = worker("consume", "--burst", *options)
    assert page.code == 2
    assert "from 1 to " in page.err
