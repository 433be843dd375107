"""worker send."""

import json

import pytest

from worker import Delay
from worker.errors import Reject, TransportUnavailable

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def test_send_prints_the_id(worker, service):
    """A command given as JSON is sent; its id is printed, and nothing else."""
    page = worker("send", "PlaceOrder", '{"order_id": "7", "lines": ["a"]}')
    assert (page.code, page.out) == (0, "id-0\n")
    assert service.sent[0].message.lines == ["a"]


def test_json_answers_what_http_answers(worker):
    """With --json: what POST /commands/{type} answers."""
    assert worker("send", "PlaceOrder", "order_id=7", "--json").json == {
        "id": "id-0", "type": "PlaceOrder", "status": "/commands/id-0",
    }  # fmt: skip


def test_field_by_field(worker, service):
    """field=value is text, field:=value is JSON; a value may hold any sign."""
    assert worker("send", "PlaceOrder", "order_id=a=b:=c", "count:=3", 'lines:=["x y"]').code == 0
    sent = service.sent[0].message
    assert (sent.order_id, sent.count, sent.lines) == ("a=b:=c", 3, ["x y"])


def test_data_from_standard_input_and_from_a_file(worker, service, tmp_path):
    """- reads standard input, @file a file; no data is an empty object."""
    (tmp_path / "order.json").write_text('{"order_id": "file"}')
    worker("send", "PlaceOrder", "-", input='{"order_id": "stdin"}')
    worker("send", "PlaceOrder", "@order.json")
    worker("send", "mail.send")
    assert [getattr(sent.message, "order_id", None) for sent in service.sent] == ["stdin", "file", None]


def test_options_travel(worker, service):
    """--delay, --key and --id travel with the command."""
    worker("send", "PlaceOrder", "order_id=7", "--delay", "1.5m", "--key", "k", "--id", ID)
    sent = service.sent[0]
    assert (sent.id, sent.key) == (ID, "k")
    assert sent.stamps == {Delay: Delay(90.0)}


def test_a_transport_by_flag_wins_over_routing(worker, service, tmp_path):
    """--transport sends it there whatever the routing says; inline handles it here."""
    (tmp_path / "worker.toml").write_text(
        'app = "a:b"\n[transports.one]\nurl="memory://"\n[transports.two]\nurl="memory://"\n[routing]\n"*"="one"\n'
    )
    worker("send", "mail.send", "--transport", "two")
    assert worker("send", "mail.send", "--transport", "inline", "--json").json["status"] == "done"
    assert [sent.transport for sent in service.sent] == ["two", "inline"]
    page = worker("send", "mail.send", "--transport", "two")
    assert "Warning: mail.send is routed to one; it waits on two for a worker whose [routing]" in page.err
    assert worker("send", "mail.send", "--transport", "one").err == ""
    page = worker("send", "mail.send", "--transport", "three")
    assert page.code == 2
    assert "known: one, two" in page.err


def test_an_unknown_type_exits_4_with_near_names(worker):
    """An unknown type: exit 4 and the near name; an alias is known."""
    page = worker("send", "PlaceOrdr", "order_id=7")
    assert page.code == 4
    assert "did you mean 'PlaceOrder'?" in page.err
    assert worker("send", "mail.deliver").code == 0


@pytest.mark.parametrize("data", ["{", "", "nonsense", '{"order_id": "7"} {}'])
def test_data_that_is_no_json_is_named(worker, service, data):
    """Exit 2, with what was expected where."""
    page = worker("send", "PlaceOrder", data)
    assert page.code == 2
    assert "Error: DATA: expected JSON: " in page.err
    assert service.sent == []


def test_a_query_is_not_sent(worker):
    """A query or an event is no command: exit 4."""
    page = worker("send", "Find", "text=x")
    assert page.code == 4
    assert "is a query" in page.err


def test_invalid_data_exits_2_and_lists_all_faults(worker, service):
    """Data that does not fit: exit 2 with every fault."""
    page = worker("send", "PlaceOrder", "count=3", "lines:=1")
    assert page.code == 2
    assert all(pointer in page.err for pointer in ("/order_id", "/count", "/lines"))
    assert "count:=" in page.err
    assert service.sent == []
    document = json.loads(worker("send", "PlaceOrder", '{"count": "x"}', "--json").err)
    assert {fault["pointer"] for fault in document["errors"]} == {"/order_id", "/count"}


@pytest.mark.parametrize(
    "arguments",
    [(), ("PlaceOrder", "{"), ("PlaceOrder", "@nope.json"), ("PlaceOrder", "a=1", "b"), ("PlaceOrder", "a=1", "b:={"),
     ("PlaceOrder", "order_id=1", "--id", "x"), ("PlaceOrder", "order_id=1", "--delay", "-1"), ("mail.send", "--wait", "1")],
)  # fmt: skip
def test_what_cannot_be_read_exits_2(worker, service, arguments):
    """Wrong usage exits 2 and sends nothing."""
    page = worker("send", *arguments)
    assert page.code == 2
    assert page.err.startswith("Error: ")
    assert service.sent == []


def test_waiting_for_a_command_that_is_done(worker):
    """--wait prints the id and exits 0 once it is done; with --json the command document."""
    assert worker("send", "PlaceOrder", "order_id=7", "--wait", "5").code == 0
    assert worker("send", "PlaceOrder", "order_id=7", "--wait", "5", "--json").json["status"] == "done"


def test_waiting_for_a_command_that_fails_exits_1(worker, service):
    """--wait of a command that fails: exit 1 with its error."""
    service.state = "failed"
    page = worker("send", "PlaceOrder", "order_id=7", "--wait", "5")
    assert (page.code, page.out) == (1, "id-0\n")
    assert "ValueError: no" in page.err


def test_waiting_in_vain_exits_1(worker, service):
    """--wait of a command that is not done in time: exit 1 with where it stands."""
    service.state = "retrying"
    page = worker("send", "PlaceOrder", "order_id=7", "--wait", "0")
    assert page.code == 1
    assert "retrying" in page.err
    assert "paused" not in page.err


def test_waiting_for_what_is_paused_says_so(worker, service):
    """Time does not help it: the message names the type and what lets it go on."""
    service.state, service.paused = "accepted", True
    page = worker("send", "PlaceOrder", "order_id=7", "--wait", "0")
    assert page.code == 1
    assert "PlaceOrder is paused" in page.err
    assert "worker resume PlaceOrder" in page.err


def test_a_command_handled_at_once_that_fails_exits_1(worker, service):
    """An inline command whose handler raises anything: exit 1, naming it."""
    service.dispatch_error = KeyError("stock")
    page = worker("send", "mail.send", "--transport", "inline")
    assert page.code == 1
    assert "mail.send failed: KeyError: 'stock'" in page.err


def test_a_command_that_a_middleware_refuses_exits_2(worker, service):
    """Queued or handled at once: with the reason, which a line of NDJSON tells with its status, too."""
    service.dispatch_error = Reject("no orders on Sunday")
    for arguments in (["PlaceOrder", "order_id=7"], ["mail.send", "--transport", "inline"]):
        page = worker("send", *arguments)
        assert page.code == 2
        assert "no orders on Sunday" in page.err
    page = worker("send", "--ndjson", "--json", input='{"type": "mail.send", "data": {}}\n')
    error = json.loads(page.out)["error"]
    assert (error["status"], error["detail"]) == (422, "no orders on Sunday")


def test_a_broker_that_does_not_answer_exits_3_with_its_url_masked(worker, service):
    """A broker that is not reachable: exit 3, naming its URL without the password."""
    service.open_error = TransportUnavailable("cannot reach amqp://guest:geheim@h:5672/")
    page = worker("send", "mail.send")
    assert page.code == 3
    assert "amqp://guest:***@h:5672/" in page.err
    assert "geheim" not in page.err


NDJSON = (
    '{"type": "PlaceOrder", "data": {"order_id": "1"}, "key": "k", "delay": 2}\n'
    '{"type": "Nope", "data": {}}\n'
    "\n"
    '{"type": "PlaceOrder", "data": {"order_id": 1}, "id": "x"}\n'
    "{\n"
    f'{{"type": "mail.send", "data": {{}}, "id": "{ID}"}}\n'
)


def test_bad_lines_fail_alone(worker, service):
    """NDJSON: good lines are sent in order, bad ones are told on stderr with their number; exit 1."""
    page = worker("send", "--ndjson", input=NDJSON)
    assert (page.code, page.out) == (1, f"id-0\n{ID}\n")
    assert "line 2: no command 'Nope'" in page.err
    assert "line 4:" in page.err
    assert "line 5:" in page.err
    assert service.sent[0].key == "k"
    assert service.sent[0].stamps == {Delay: Delay(2.0)}


def test_ndjson_answers_line_by_line(worker, tmp_path):
    """NDJSON with --json: one line an input line, as HTTP answers."""
    (tmp_path / "in.ndjson").write_text(NDJSON)
    page = worker("send", "--ndjson", "in.ndjson", "--json")
    answers = [json.loads(line) for line in page.out.splitlines()]
    assert [answer.get("id") for answer in answers] == ["id-0", None, None, None, ID]
    assert [answer["error"]["status"] for answer in answers if "error" in answer] == [404, 422, 400]
    assert {fault["pointer"] for fault in answers[2]["error"]["errors"]} == {"/id", "/data/order_id"}


def test_ndjson_of_good_lines_exits_0(worker, service):
    """A thousand good lines are a thousand ids."""
    page = worker("send", "--ndjson", "-", input='{"type": "mail.send", "data": {}}\n' * 1200)
    assert page.code == 0
    assert len(page.out.splitlines()) == len(service.sent) == 1200


def test_ndjson_stops_when_the_broker_is_gone(worker, service):
    """A broker that goes away: exit 3, and the lines after the chunk are not tried."""
    service.dispatch_error = TransportUnavailable("gone")
    assert worker("send", "--ndjson", input='{"type": "mail.send", "data": {}}\n' * 3).code == 3


def test_a_token_that_does_not_exist_exits_4(worker, service):
    """A command is not sent in the name of a token that does not exist."""
    page = worker("send", "PlaceOrder", "order_id=7", "--token", "shop")
    assert (page.code, service.sent) == (4, [])
    assert "'shop'" in page.err
    assert worker("send", "--ndjson", "-", "--token", "shop", input="").code == 4


def test_a_member_that_the_type_does_not_have_exits_2(worker, service):
    """Every one is named, with what was probably meant."""
    page = worker("send", "PlaceOrder", "order_id=7", "cuont:=1", "x=1")
    assert (page.code, service.sent) == (2, [])
    assert "/cuont: is not known; did you mean 'count'?" in page.err
    assert "/x" in page.err


@pytest.mark.parametrize("option", ["delay", "key"])
def test_what_no_line_may_say_no_option_may(worker, service, option):
    """A key of nothing, a delay of a command that is handled at once: exit 2."""
    value = {"delay": "5", "key": ""}[option]
    page = worker("send", "mail.send", f"--{option}", value, "--transport", "inline")
    assert (page.code, service.sent) == (2, [])
    assert f"--{option}" in page.err
