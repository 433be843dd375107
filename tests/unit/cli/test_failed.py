"""worker failed."""

import pytest

from worker.messaging.failure import Filter


@pytest.mark.parametrize("command", ["retry", "remove"])
def test_nothing_chosen_exits_2(worker, service, command):
    """retry and remove want ids, a filter or --all: none of them is exit 2."""
    page = worker("failed", command)
    assert page.code == 2
    assert service.failed.calls == []


@pytest.mark.parametrize("arguments", [("a", "--all"), ("a", "--type", "T"), ("--all", "--type", "T")])
def test_two_ways_of_choosing_exit_2(worker, service, arguments):
    """Ids, filters and --all exclude one another."""
    assert worker("failed", "retry", *arguments, "--yes").code == 2
    assert service.failed.calls == []


def test_retry_by_id_asks_nothing(worker, service):
    """Putting single messages back destroys nothing: no question."""
    page = worker("failed", "retry", "a", "b")
    assert (page.code, page.out) == (0, "2 failed messages put back\n")
    assert service.failed.calls == [("retry", ["a", "b"])]


@pytest.mark.parametrize(
    "arguments", [("retry", "--all"), ("retry", "--type", "T"), ("remove", "a"), ("remove", "--all")]
)
def test_without_a_terminal_it_needs_yes(worker, service, arguments):
    """What is destructive is refused without terminal and --yes: exit 5, nothing changed."""
    page = worker("failed", *arguments)
    assert page.code == 5
    assert "--yes" in page.err
    assert [call for call in service.failed.calls if call[0] != "list"] == []


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 5), ("\n", 5), ("", 5)])
def test_on_a_terminal_it_asks_and_defaults_to_no(worker, service, answer, code):
    """Only yes goes on: no, an empty answer and the end of input are exit 5."""
    worker.answer = answer
    page = worker("failed", "remove", "--all")
    assert page.code == code
    assert "Remove 2 failed messages for good?" in page.err
    assert ("remove_many", Filter()) in service.failed.calls or code == 5


def test_yes_goes_on_with_all_filters(worker, service):
    """--yes answers the question; each filter reaches the store."""
    filters = (
        "--type",
        "T",
        "--transport",
        "x",
        "--queue",
        "q",
        "--error",
        "E",
        "--group",
        "g",
        "--since",
        "2026-01-01T00:00:00Z",
    )
    assert worker("failed", "remove", *filters, "--yes", "--json").json == {"removed": 2}
    chosen = Filter(type="T", transport="x", queue="q", error="E", group="g", since=1767225600.0)
    assert service.failed.calls == [("remove_many", chosen)]


def test_of_several_ids_the_known_ones_are_done(worker, service):
    """An unknown id among known ones: the known are done, exit 4 naming the unknown."""
    page = worker("failed", "retry", "a", "nope")
    assert page.code == 4
    assert "nope" in page.err
    assert service.failed.calls == [("retry", ["a"])]


@pytest.mark.parametrize("option", [("--since", "yesterday"), ("--limit", "0"), ("--type", "")])
def test_a_bad_filter_exits_2(worker, option):
    """Bad filter values: exit 2."""
    assert worker("failed", "list", *option).code == 2


@pytest.mark.parametrize("command", [["list"], ["retry", "--yes"], ["remove", "--yes"]])
def test_a_filter_that_is_given_twice_exits_2(worker, service, command):
    """As over HTTP: both cannot hold, and the last one alone would choose something else than was asked."""
    page = worker("failed", *command, "--queue", "mail", "--queue", "parcels")
    assert page.code == 2
    assert "'--queue': is given 2 times, expected once" in page.err
    assert service.failed.calls == []


def test_list_passes_page_and_cursor(worker, service):
    """--limit and --next reach the store; with --json the document of the contract."""
    assert worker("failed", "list", "--limit", "7", "--next", "c", "--json").json == {
        "total": 2,
        "items": [],
        "next": None,
    }
    assert service.failed.calls == [("list", Filter(), 7, "c")]


def test_groups_are_a_document(worker):
    """failed groups --json is the document of GET /failed/groups."""
    assert worker("failed", "groups", "--json").json == {"total": 0, "items": []}


def test_show_of_an_unknown_id_exits_4(worker):
    """failed show of nothing: exit 4."""
    assert worker("failed", "show", "nope").code == 4


def test_edit_takes_json_a_file_or_standard_input(worker, service, tmp_path):
    """--data is JSON, @file or -; --retry puts it back."""
    (tmp_path / "data.json").write_text('{"x": 2}')
    worker("failed", "edit", "a", "--data", '{"x": 1}')
    worker("failed", "edit", "a", "--data", "@data.json", "--retry")
    worker("failed", "edit", "a", "--data", "-", input='{"x": 3}')
    assert service.failed.calls == [("edit", "a", {"x": n}, n == 2) for n in (1, 2, 3)]
    assert worker("failed", "edit", "a", "--data", "{").code == 2
