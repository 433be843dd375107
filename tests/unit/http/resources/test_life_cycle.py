"""The life cycle of a request: what runs, in which order, what each switch leaves out, and how it ends."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta
from starlette.responses import PlainTextResponse, Response

from tests.unit.http.resources.memory_store import MemoryStore
from tests.unit.http.resources.serving import served
from worker import App, ChainContext, Delete, Get, GetCollection, Hook, Plugin, Put, TokenDocument
from worker.messaging.stamps import Plugins
from worker.resources import RequestEvent
from worker.tokens.principal import principal_of


class Book(msgspec.Struct):
    title: str
    id: int | None = None


def library(*operations: Any, **options: Any) -> tuple[App, MemoryStore]:
    app, store = App("library"), MemoryStore()
    app.resource(store=store, operations=list(operations) or None, **options)(Book)
    store.rows = {7: Book("Emma", 7)}
    return app, store


def record(app: App) -> list[str]:
    """Note every hook, and ends of the request, in order."""
    seen: list[str] = []

    def at(place: Any, name: str, priority: int | None = None) -> None:
        async def note(event: RequestEvent) -> None:
            seen.append(name)

        note.__qualname__ = name
        app.listener(place, **({} if priority is None else {"priority": priority}))(note)

    for hook in Hook:
        at(hook, hook.name.lower())
    at("request", "first", 200)
    at("view", "last", -200)
    at("exception", "error", 5)
    return seen


CALLS = {
    "GET": ("GET", "/books/7", None),
    "LIST": ("GET", "/books", None),
    "POST": ("POST", "/books", {"title": "x"}),
    "PUT": ("PUT", "/books/7", {"title": "x"}),
    "PATCH": ("PATCH", "/books/7", {"title": "x"}),
    "DELETE": ("DELETE", "/books/7", None),
}
REQUEST = ["first", "pre_read", "post_read", "pre_deserialize", "post_deserialize"]
VIEW = [
    "pre_validate",
    "post_validate",
    "pre_write",
    "post_write",
    "pre_serialize",
    "post_serialize",
    "pre_respond",
]


@pytest.mark.parametrize("call", CALLS)
async def test_every_method_passes_all_hooks_in_order(call: str) -> None:
    """A listener of the view event behind respond never runs: the response is there."""
    app, _ = library()
    seen = record(app)
    method, path, body = CALLS[call]
    async with served(app) as it:
        answer = await it.http.request(method, path, json=body)
    assert answer.is_success, answer.text
    assert seen == [*REQUEST, *VIEW, "post_respond"]


async def test_stages_run_between_their_hooks() -> None:
    app, store = library()
    seen: list[tuple[str, Any]] = []

    def at(hook: Hook) -> None:
        @app.listener(hook, when={"method": "PUT"})
        async def note(event: RequestEvent) -> None:
            title = None if event.data is None else event.data.title
            stored = store.rows[7].title
            seen.append((hook.name, (title, stored, type(event.result).__name__, event.response is not None)))

    for hook in Hook:
        at(hook)
    async with served(app) as it:
        await it.http.put("/books/7", json={"title": "new"})
    assert dict(seen) == {
        "PRE_READ": (None, "Emma", "NoneType", False),
        "POST_READ": ("Emma", "Emma", "Book", False),
        "PRE_DESERIALIZE": ("Emma", "Emma", "Book", False),
        "POST_DESERIALIZE": ("new", "Emma", "Book", False),
        "PRE_VALIDATE": ("new", "Emma", "Book", False),
        "POST_VALIDATE": ("new", "Emma", "Book", False),
        "PRE_WRITE": ("new", "Emma", "Book", False),
        "POST_WRITE": ("new", "new", "Book", False),
        "PRE_SERIALIZE": ("new", "new", "Book", False),
        "POST_SERIALIZE": ("new", "new", "bytes", False),
        "PRE_RESPOND": ("new", "new", "bytes", False),
        "POST_RESPOND": ("new", "new", "bytes", True),
    }


async def test_what_a_listener_sets_as_result_the_next_stage_gets() -> None:
    app, store = library()

    @app.listener(Hook.PRE_WRITE, when={"action": "create"})
    async def shout(event: RequestEvent) -> None:
        event.result = Book(event.result.title.upper())

    @app.listener(Hook.POST_SERIALIZE, when={"action": "create"})
    def pad(event: RequestEvent) -> None:
        event.result = event.result + b"\n"

    async with served(app) as it:
        answer = await it.http.post("/books", json={"title": "x"})
    assert answer.content == b'{"title":"X","id":1}\n'
    assert store.rows[1].title == "X"


async def test_constraints_are_asked_of_the_object_as_listeners_left_it() -> None:
    app, store = App("library"), MemoryStore()

    @app.resource(store=store)
    class Note(msgspec.Struct):
        text: Annotated[str, Meta(min_length=3)]
        id: int | None = None

    @app.listener(Hook.PRE_VALIDATE)
    async def fill(event: RequestEvent) -> None:
        if event.data.text == "?":
            event.data.text = "filled"

    async with served(app) as it:
        filled = await it.http.post("/notes", json={"text": "?"})
        short = await it.http.post("/notes", json={"text": "x"})
    assert (filled.status_code, filled.json()["text"]) == (201, "filled")
    assert short.status_code == 422


async def test_a_response_on_the_request_event_skips_the_view_and_reaches_response_listeners() -> None:
    app, store = library()
    seen = record(app)

    @app.listener("request", priority=4)
    async def close(event: RequestEvent) -> None:
        event.response = PlainTextResponse("closed", 503)

    async with served(app) as it:
        answer = await it.http.post("/books", json={"title": "x"})
    assert (answer.status_code, answer.text) == (503, "closed")
    assert seen == ["first", "pre_read", "post_respond"]
    assert 1 not in store.rows


async def test_a_listener_that_raises_after_write_leaves_the_object_stored() -> None:
    app, store = library()
    seen = record(app)

    @app.listener(Hook.POST_WRITE)
    async def fail(event: RequestEvent) -> None:
        raise ValueError("secret")

    async with served(app) as it:
        answer = await it.http.post("/books", json={"title": "kept"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert store.rows[1].title == "kept"
    assert seen[-3:] == ["post_write", "error", "post_respond"]


@pytest.mark.parametrize(
    "raised", [GeneratorExit, SystemExit, KeyboardInterrupt, StopIteration, asyncio.CancelledError]
)
@pytest.mark.parametrize("place", ["listener", "processor", "provider"])
async def test_whatever_a_plain_function_raises_in_its_thread_is_a_failure_of_its_request(
    place: str, raised: type[BaseException]
) -> None:
    class Own:
        def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> None:
            raise raised

        def provide(self, operation: Any, uri_variables: Any, context: Any) -> None:
            raise raised

    named = {"processor": Own} if place == "processor" else {"provider": Own} if place == "provider" else {}
    app, store = library(Put(**named), Get())

    def listen(event: RequestEvent) -> None:
        if place == "listener" and event.operation.method == "PUT":
            raise raised

    app.listener(Hook.PRE_WRITE)(listen)
    async with served(app) as it:
        assert (await it.http.put("/books/7", json={"title": "x"})).status_code == 500
        assert (await it.http.get("/books/7")).json()["title"] == "Emma"
        assert store.log.count("end") >= store.log.count("find")


async def test_an_exception_listener_may_answer() -> None:
    app, _ = library()

    @app.listener("exception")
    async def tea(event: RequestEvent) -> None:
        if isinstance(event.error, KeyError):
            event.response = Response("tea", 418)

    @app.listener(Hook.PRE_WRITE)
    async def fail(event: RequestEvent) -> None:
        raise KeyError("x")

    async with served(app) as it:
        answer = await it.http.post("/books", json={"title": "x"})
    assert (answer.status_code, answer.text) == (418, "tea")


async def test_an_exception_listener_that_raises_ends_in_a_problem() -> None:
    app, _ = library()

    @app.listener("exception")
    async def worse(event: RequestEvent) -> None:
        raise SystemExit(3)

    async with served(app) as it:
        answer = await it.http.get("/books/8")
    assert answer.status_code == 500


FLAGS: dict[str, tuple[Any, set[str]]] = {
    "read": (Put, {"read"}),
    "deserialize": (Put, {"deserialize"}),
    "validate": (Put, {"validate"}),
    "write": (Put, {"write"}),
    "serialize": (Put, {"serialize"}),
    "query_parameter_validate": (Put, {"query_parameter_validate"}),
    "receive": (Put, {"read", "deserialize", "validate"}),
    "persist": (Put, {"write"}),
    "respond": (Put, {"serialize", "respond"}),
}


@pytest.mark.parametrize("flag", FLAGS)
async def test_each_flag_leaves_out_exactly_its_stages(flag: str) -> None:
    operation, gone = FLAGS[flag]
    assert stages(operation()) - stages(operation(**{flag: False})) == gone


def stages(operation: Any) -> set[str]:
    from tests.unit.http.resources.compiled import compiled

    app, _ = library(operation)
    app.listener(Hook.PRE_VALIDATE)(lambda event: None)  # so that validating is a stage of its own
    return {
        step.name.removeprefix("worker.")
        for step in compiled(app)[0].chain.steps
        if step.name.startswith("worker.")
    }


@pytest.mark.parametrize(
    ("switch", "hook", "call", "missing"),
    [
        ("receive", Hook.PRE_READ, "PUT", "find"),
        ("persist", Hook.PRE_WRITE, "POST", "persist"),
    ],
)
async def test_an_attribute_switches_stages_off_for_one_request(
    switch: str, hook: Hook, call: str, missing: str
) -> None:
    app, store = library()

    @app.listener(hook)
    async def off(event: RequestEvent) -> None:
        event.attributes[switch] = False

    method, path, body = CALLS[call]
    async with served(app) as it:
        await it.http.request(method, path, json=body)
    assert missing not in store.log


async def test_without_respond_something_else_has_to_set_the_response() -> None:
    app, _ = library(Get(respond=False), GetCollection())
    async with served(app) as it:
        nothing = await it.http.get("/books/7")
    assert nothing.status_code == 500

    app, _ = library(Get(respond=False), GetCollection())

    @app.listener("view", priority=7, when={"action": "get"})
    async def answer(event: RequestEvent) -> None:
        event.response = PlainTextResponse(event.result.title)

    async with served(app) as it:
        own = await it.http.get("/books/7")
    assert own.text == "Emma"


async def test_listeners_false_leaves_out_the_applications_own() -> None:
    app, _ = library(Get(listeners=False), Delete())
    seen = record(app)
    async with served(app) as it:
        await it.http.get("/books/7")
        assert seen == []
        await it.http.delete("/books/7")
    assert seen


async def test_a_class_subscribes_its_methods_and_is_made_once_when_it_is_needed() -> None:
    app, _ = library()
    made: list[str] = []

    @app.listener
    class Mailer:
        subscribed_events = {Hook.POST_WRITE: "send_mail", "view": [("first", 40), ("second", 5)]}

        def __init__(self) -> None:
            made.append("made")

        async def send_mail(self, event: RequestEvent) -> None:
            made.append("send_mail")

        def first(self, event: RequestEvent) -> None:
            made.append("first")

        async def second(self, event: RequestEvent) -> None:
            made.append("second")

    async with served(app) as it:
        assert made == []
        await it.http.get("/books/7")
        await it.http.get("/books/7")
    assert made == ["made", "first", "send_mail", "first", "send_mail"]


async def test_conditions_read_what_the_request_is() -> None:
    app, _ = library()
    seen: list[str] = []

    def note(name: str, **when: Any) -> None:
        @app.listener(Hook.PRE_RESPOND, when=when)
        async def it(event: RequestEvent) -> None:
            seen.append(name)

    note("class", **{"class": Book})
    note("other class", **{"class": int})
    note("operation", operation="book_get")
    note("format", request_type="rest&json_ld")
    note("no format", request_type="!json_ld")
    async with served(app) as it:
        await it.http.get("/books/7", headers={"accept": "application/ld+json"})
        assert seen == ["class", "operation", "format"]
        seen.clear()
        await it.http.post("/books", json={"title": "x"})
    assert seen == ["class", "no format"]


async def test_steps_of_an_action_are_listeners_and_may_have_groups_of_their_own() -> None:
    app, _ = library()
    seen = record(app)
    app.action("create", groups={"audit": -50, "prepare": 150})

    @app.step(action="create", group="view", priority=31)
    class Notify:
        async def process(self, event: RequestEvent) -> None:
            seen.append(f"step {event.result.id}")

    @app.step(action="create", group="prepare")
    async def prepare(event: RequestEvent) -> None:
        seen.append("prepare")

    @app.step(action="create", group="audit")
    async def audit(event: RequestEvent) -> None:
        seen.append(f"audit {event.response.status_code}")

    async with served(app) as it:
        await it.http.post("/books", json={"title": "x"})
    assert [
        one
        for one in seen
        if one in {"post_write", "post_respond", "pre_validate"} or " " in one or one == "prepare"
    ] == [
        "prepare",
        "pre_validate",
        "post_write",
        "step 1",
        "post_respond",
        "audit 201",
    ]


async def test_listeners_and_steps_of_one_priority_run_in_order_of_registration() -> None:
    """Also where a part that is included has some."""
    app, _ = library()
    seen: list[str] = []

    @app.step(action="create", group="view", priority=31)
    async def first(event: RequestEvent) -> None:
        seen.append("step")

    @app.listener(Hook.POST_WRITE)
    async def second(event: RequestEvent) -> None:
        seen.append("listener")

    @app.step(action="create", group="view", priority=31)
    async def third(event: RequestEvent) -> None:
        seen.append("another step")

    plugin = Plugin("audit")

    @plugin.listener(Hook.POST_WRITE)
    async def fourth(event: RequestEvent) -> None:
        seen.append("listener of a plugin")

    @plugin.step(action="create", group="view", priority=31)
    async def fifth(event: RequestEvent) -> None:
        seen.append("step of a plugin")

    app.include(plugin)
    async with served(app) as it:
        await it.http.post("/books", json={"title": "x"})
    assert seen == ["step", "listener", "another step", "listener of a plugin", "step of a plugin"]


async def test_a_plugins_listener_is_on_without_a_token() -> None:
    app, _ = library()
    plugin = Plugin("audit")
    seen: list[str] = []

    @plugin.listener(Hook.POST_WRITE)
    async def note(event: RequestEvent) -> None:
        seen.append("audit")

    app.include(plugin)
    async with served(app) as it:
        await it.http.post("/books", json={"title": "x"})
    assert seen == ["audit"]


async def test_a_plugins_listener_runs_only_for_tokens_that_list_it() -> None:
    app, _ = library()
    plugin = Plugin("audit")
    seen: list[str] = []

    @plugin.listener(Hook.PRE_RESPOND)
    async def note(event: RequestEvent) -> None:
        seen.append(str(event["token"]))

    app.include(plugin)
    for id, plugins in (("with", ("audit",)), ("without", ())):
        token = TokenDocument(id=id, plugins=plugins)
        async with served(app, principal_of(token, plugins, lambda _, given: ())) as it:
            assert (await it.http.get("/books/7")).status_code == 200
    assert seen == ["with"]


async def test_a_plugin_may_have_a_name_that_is_a_word_of_conditions() -> None:
    """What it declares runs for tokens that list it, not for each that lists some."""
    app, _ = library()
    seen: list[str] = []
    plugin = Plugin("exists")

    @plugin.listener(Hook.PRE_RESPOND)
    async def listener(event: RequestEvent) -> None:
        seen.append("listener")

    @plugin.step(action="get", group="view", priority=9)
    async def step(event: RequestEvent) -> None:
        seen.append("step")

    @plugin.middleware
    async def middleware(envelope: Any, call_next: Any) -> Any:
        seen.append("middleware")
        return await call_next(envelope)

    @app.query
    class Ask(msgspec.Struct, frozen=True):
        pass

    @app.handler
    async def answer(query: Ask) -> int:
        return 1

    app.include(plugin)
    for plugins in (("other",), ("exists",)):
        token = TokenDocument(id="t", plugins=plugins)
        async with served(app, principal_of(token, plugins, lambda _, given: (Plugins(given or ()),))) as it:
            await it.http.get("/books/7")
            await it.http.get("/queries/Ask")
        assert seen == (["listener", "step", "middleware"] if plugins == ("exists",) else [])


async def test_an_action_that_a_request_runs_has_the_plugins_of_its_token() -> None:
    app, _ = library()
    plugin = Plugin("audit")
    seen: list[str] = []
    app.action("export")

    @app.step(action="export")
    async def own(context: ChainContext) -> None:
        seen.append("own")

    @plugin.step(action="export")
    async def audit(context: ChainContext) -> None:
        seen.append("audit")

    @app.listener(Hook.POST_READ)
    async def export(event: RequestEvent) -> None:
        await app.run_action("export")

    app.include(plugin)
    for plugins, expected in ((("audit",), ["own", "audit"]), ((), ["own"])):
        token = TokenDocument(id="t", plugins=plugins)
        async with served(app, principal_of(token, plugins, lambda _, given: ())) as it:
            await it.http.get("/books/7")
        assert seen == expected
        seen.clear()
        await app.run_action("export")
        assert seen == ["own", "audit"]
        seen.clear()


async def test_a_listener_may_read_the_body_first() -> None:
    app, store = library()
    read: list[bytes] = []

    @app.listener("request", priority=100)
    async def first(event: RequestEvent) -> None:
        read.append(await event.request.body())

    @app.listener(Hook.POST_WRITE)
    async def again(event: RequestEvent) -> None:
        read.append(await event.request.body())

    async with served(app) as it:
        answer = await it.http.post("/books", json={"title": "x"})
    assert answer.status_code == 201
    assert read == [b'{"title":"x"}'] * 2
    assert store.rows[1].title == "x"


async def test_previous_data_is_the_state_before() -> None:
    app, _ = library()
    seen: list[Any] = []

    @app.listener(Hook.POST_WRITE)
    async def note(event: RequestEvent) -> None:
        seen.append((event.previous_data, event.data))

    async with served(app) as it:
        await it.http.patch("/books/7", json={"title": "x"})
        await it.http.post("/books", json={"title": "y"})
    [(before, after), (none, _)] = seen
    assert (before.title, after.title, none) == ("Emma", "x", None)


async def test_a_client_that_goes_away_midway_in_its_body_is_no_failure_of_the_server(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is answered, and no client can fill the log with traces by it."""
    app, store = library()
    said = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    answered: list[Any] = []

    async def receive() -> Any:
        return said.pop(0)

    async def send(message: Any) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/books",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
    }
    async with served(app) as it:
        rows = dict(store.rows)
        await it.http._transport.app(scope, receive, send)  # type: ignore[attr-defined]
    assert (answered, store.rows) == ([], rows)
    assert "request failed" not in capsys.readouterr().out


async def test_a_group_between_view_and_response_runs_when_the_view_is_over() -> None:
    """With the answer there; without an answer it may give one."""
    app, _ = library()
    seen: list[Any] = []
    app.action("get", groups={"sign": 50})
    app.action("create", groups={"sign": 50})

    @app.listener("request", priority=1, when={"action": "create"})
    async def close(event: RequestEvent) -> None:
        event.response = PlainTextResponse("closed", 503)

    async def sign(event: RequestEvent) -> None:
        seen.append((event["action"], event.response.status_code))

    for action in ("get", "create"):
        app.step(action=action, group="sign")(sign)
    async with served(app) as it:
        await it.http.get("/books/7")
        await it.http.get("/books/8")
        await it.http.post("/books", json={"title": "x"})
    assert seen == [("get", 200), ("create", 503)]


async def test_a_group_behind_the_view_may_give_the_answer() -> None:
    app, _ = library(Get(respond=False))
    app.action("get", groups={"answer": 50})

    @app.step(action="get", group="answer")
    async def answer(event: RequestEvent) -> None:
        event.response = PlainTextResponse("mine")

    async with served(app) as it:
        assert (await it.http.get("/books/7")).text == "mine"


async def test_another_response_on_the_response_event_ends_nothing() -> None:
    """Response listeners always run."""
    app, _ = library()
    seen: list[str] = []

    @app.listener("response", priority=5)
    async def replace(event: RequestEvent) -> None:
        event.response = PlainTextResponse("other")

    @app.listener("response", priority=-5)
    async def note(event: RequestEvent) -> None:
        seen.append(bytes(event.response.body).decode())

    async with served(app) as it:
        answer = await it.http.get("/books/7")
    assert (answer.text, seen) == ("other", ["other"])
    assert "hydra" in answer.headers["link"]


async def test_an_error_that_a_response_listener_adds_is_a_failure_as_one_that_it_raises() -> None:
    """It is not lost."""
    app, _ = library()
    errors: list[str] = []

    @app.listener("response")
    async def add(event: RequestEvent) -> None:
        event.add_error(ValueError("late"))

    @app.listener("exception", priority=5)
    async def note(event: RequestEvent) -> None:
        errors.append(str(event.error))

    async with served(app) as it:
        assert (await it.http.get("/books/7")).status_code == 500
    assert errors == ["late"]


@pytest.mark.parametrize("wrong", ["text", {"a": 1}, 3])
async def test_what_is_no_response_fails_the_listener_that_set_it(wrong: Any) -> None:
    app, _ = library()
    errors: list[str] = []

    @app.listener("request")
    async def answer(event: RequestEvent) -> None:
        event.response = wrong

    @app.listener("exception", priority=5)
    async def note(event: RequestEvent) -> None:
        errors.append(str(event.error))

    async with served(app) as it:
        assert (await it.http.get("/books/7")).status_code == 500
    assert len(errors) == 1
    assert "expected a Response" in errors[0]


async def test_conditions_on_what_cannot_be_written_break_no_request() -> None:
    app, _ = library()
    seen = record(app)

    class Unwritable:
        def __str__(self) -> str:
            raise ValueError

    @app.listener("request", priority=5)
    async def give(event: RequestEvent) -> None:
        event["shelf"] = Unwritable()

    @app.listener("view", priority=5, when={"shelf": "a"})
    async def never(event: RequestEvent) -> None:
        seen.append("never")

    async with served(app) as it:
        assert (await it.http.get("/books/7")).status_code == 200
    assert seen == [*REQUEST, *VIEW, "post_respond"]
