"""status, setup, check, debug, schema: what is there."""

import json

import msgspec

from worker import App, Get, GetCollection, Post
from worker.errors import DatabaseUnavailable, TransportUnavailable
from worker.messaging.abilities import Requests
from worker.messaging.declaration import MessageType


def test_status_is_a_table_in_a_pipe(worker):
    """In a pipe: plain aligned text; an unknown number is a dash."""
    lines = worker("status").out.splitlines()
    assert lines[0].split("  ")[0] == "TYPE"
    assert lines[1].split() == [
        "PlaceOrder",
        "command",
        "sqlite",
        "q",
        "active",
        "0/0",
        "-",
        "0",
        "0",
        "-",
        "3",
    ]


def test_status_names_the_command_that_all_others_wait_for(worker, service):
    """Its type, since when, and where it runs."""
    assert "Exclusive" not in worker("status").out
    service.exclusive = {"type": "Rebuild", "worker": "host-1", "since": "2026-01-31T12:00:00.000Z"}
    out = worker("status").out
    assert "Exclusive: all other commands wait" in out
    assert out.splitlines()[out.splitlines().index("Exclusive: all other commands wait") + 2].split() == [
        "Rebuild",
        "2026-01-31T12:00:00.000Z",
        "host-1",
    ]


def test_status_is_a_document_with_json(worker):
    """With --json the consumers document; an unknown number is null."""
    assert worker("status", "--json").json["consumers"][0]["ready"] is None


def test_setup_names_what_it_created(worker):
    """setup names tables and queues that were missing."""
    assert worker("setup").out == "created table commands\ncreated queue q on sqlite\n"
    assert worker("setup", "--json").json == {"created": ["table commands", "queue q on sqlite"]}


def test_check_tells_what_holds(worker):
    """check prints each part, each transport's features, and what is guaranteed there."""
    page = worker("check")
    assert page.code == 0
    for text in (
        "shop:app",
        "transport.sqlite  answers",
        "Transport sqlite",
        "a 202 is durable",
    ):
        assert text in page.out


def test_check_counts_resources_and_says_what_cannot_be_meant_of_them(worker, service):
    """It makes the endpoints as a start does: what that would refuse is exit 2 here, too."""
    library = App("library")

    @library.resource(operations=[Post()])
    class Book(msgspec.Struct):
        title: str

    service.load_app = lambda target, base: library
    page = worker("check")
    assert (page.code, "0 commands, 0 queries, 0 events, 1 resource\n" in page.out) == (0, True), page.out

    library = App("library")

    @library.resource(operations=[Post(), Get("/failed/{id}"), GetCollection(parameters={"limit": int})])
    class Other(msgspec.Struct):
        id: int

    page = worker("check")
    assert page.code == 2
    assert "/failed is the product's own" in page.err
    assert "'limit' is two parameters" in page.err


def test_debug_resource_says_which_get_is_the_collection(worker, service):
    library = App("library")

    @library.resource(operations=[Get(), GetCollection(name="shelf"), Post()])
    class Book(msgspec.Struct):
        id: int

    service.load_app = lambda target, base: library
    page = worker("debug", "resource", "Book")
    assert "GET /books/{id} (book_get)\n" in page.out
    assert "GET collection /books (shelf)\n" in page.out
    assert "get_list" in page.out
    assert "GET, GET collection, POST" in worker("debug", "resource").out


def test_check_names_what_is_missing_and_exits_1(worker, service):
    """It makes none of it, no more than anything else that only looks."""
    service.missing = ["queue q on sqlite"]
    page = worker("check")
    assert (page.code, "missing: queue q on sqlite" in page.out) == (1, True)
    assert service.asked_tables == "ignore"
    for words in (["status", "--json"], ["failed", "list"], ["failed", "groups"]):
        assert worker(*words).code == 0
        assert service.asked_tables == "require"
    for words in (["pause"], ["resume"]):
        assert worker(*words).code == 0
        assert service.asked_tables == "create"


def test_check_with_json_is_the_health_document_with_the_configuration(worker, tmp_path):
    """check --json: the health document and the configuration, secrets masked."""
    (tmp_path / "worker.toml").write_text('app = "a:b"\n[database]\nurl = "postgresql://u:geheim@h/x"\n')
    page = worker("check", "--json")
    assert page.json["healthy"] is True
    assert page.json["status"] == {"database": True, "transport.sqlite": True}
    assert page.json["configuration"]["database"]["url"] == "postgresql://u:***@h/x"
    assert "geheim" not in page.out


def test_what_has_no_limit_is_null(worker):
    """JSON has no infinity."""
    page = worker("check", "--json")
    assert page.json["features"]["sqlite"]["max_delay"] is None
    assert "Infinity" not in page.out


def test_looking_at_the_application_asks_no_broker(worker, service):
    """A broker that is down does not keep operators from reading the failure store or a chain."""
    for words in (["failed", "list"], ["failed", "groups"], ["debug", "chain", "PlaceOrder"]):
        service.asked_transports = None
        assert worker(*words).code == 0
        assert service.asked_transports == ()


def test_check_says_what_setup_does_not_create_and_exits_1(worker, service):
    """A column that only the application's own migrations make."""
    service.faults = ["missing in database x: columns of resources: books.year"]
    page = worker("check")
    assert (page.code, "books.year" in page.err) == (1, True)
    assert worker("check", "--json").json["reasons"] == service.faults


def test_check_of_what_does_not_answer_exits_3(worker, service):
    """A part that does not answer: exit 3."""
    service.healthy = False
    page = worker("check", "--json")
    assert page.code == 3
    assert page.json["healthy"] is False


def test_check_says_what_was_not_reached(worker, service):
    """When the service cannot be opened there is still a document; what was not asked is null."""
    service.open_error = DatabaseUnavailable("database does not answer")
    page = worker("check", "--json")
    assert (page.code, page.json["status"]) == (3, {"database": False, "transport.sqlite": None})
    service.open_error = TransportUnavailable("transport sqlite does not answer")
    assert worker("check", "--json").json["status"] == {"database": True, "transport.sqlite": False}


def test_debug_messages_tells_routes_and_handlers(worker):
    """debug messages: type, kind, transport, queue and handlers, without asking a broker."""
    items = {item["type"]: item for item in worker("debug", "messages", "--json").json["messages"]}
    assert items["PlaceOrder"]["queue"] == "shop-place-order"
    assert items["Find"]["transport"] == "inline"
    assert items["mail.send"]["aliases"] == ["mail.deliver"]
    assert "PlaceOrder  command" in worker("debug", "messages").out


def test_debug_messages_tells_every_option_of_a_declaration(worker):
    """As JSON: also those that come to be; a retry policy is an object, a key its attribute."""
    items = {item["type"]: item for item in worker("debug", "messages", "--json").json["messages"]}
    said = set(MessageType.__struct_fields__) - {"name", "cls"} | {"type", "class"}
    assert said <= set(items["PlaceOrder"])
    assert items["PlaceOrder"]["key"] == "order_id"
    assert items["PlaceOrder"]["exclusive"] is False


def test_debug_chain_shows_both_sides(worker):
    """debug chain TYPE: the steps on each side; an unknown type is exit 4."""
    chains = worker("debug", "chain", "PlaceOrder", "--json").json["chains"]
    assert set(chains) == {"dispatch", "consume"}
    assert chains["dispatch"][0]["step"] == "worker.route"
    assert worker("debug", "chain", "Find", "--json").json["chains"].keys() == {"dispatch"}
    assert worker("debug", "chain", "Nope").code == 4


def test_debug_config_masks_secrets(worker):
    """debug config shows what is in force, a key a line, without secrets."""
    page = worker("debug", "config", environ={"WORKER_TRANSPORTS__SQLITE__URL": "amqp://u:geheim@h"})
    assert 'transports.sqlite.url = "amqp://u:***@h"' in page.out
    assert 'routing."*" = "sqlite"' in page.out


def test_jsonschema_of_one_type_and_of_all(worker):
    """schema jsonschema: of one TYPE its schema, else all by wire name."""
    one = worker("schema", "jsonschema", "PlaceOrder").json
    assert one["$defs"]["PlaceOrder"]["required"] == ["order_id"]
    assert set(worker("schema", "jsonschema").json["messages"]) == {"PlaceOrder", "mail.send", "Find"}
    assert worker("schema", "jsonschema", "Nope").code == 4


def test_openapi_is_json_without_asking(worker):
    """schema openapi prints what it is, also without --json."""
    document = json.loads(worker("schema", "openapi").out)
    assert document["openapi"].startswith("3.1")
    assert "/commands/PlaceOrder" in document["paths"]


def test_check_counts_the_requests_that_are_paid_for(worker, service):
    """Idle and busy, for the queues and processes that there are."""
    made = Requests(queues=3, processes=2, idle=1080, busy=21_600, per_message=0.3, per_lone_message=4)
    service.requests = {"sqlite": made}
    out = worker("check").out
    assert "3 queues in 2 processes make 1,080 an hour while idle" in out
    assert "21,600 an hour, and for each message 0.3 in full batches, 4 where it comes alone" in out
    assert worker("check", "--json").json["requests"]["sqlite"]["idle"] == 1080
