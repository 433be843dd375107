"""What cannot be meant of resources is an error at start, and all of it is told at once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from worker import App, ConfigurationError, Delete, Get, GetCollection, Hook, Patch, Post, Put
from worker.resources import MessengerProcessor, PersistProcessor
from worker.resources.declared import DeclaredResource
from worker.resources.resolving import resolved


class Book(msgspec.Struct):
    title: str
    id: int | None = None


class Other(msgspec.Struct):
    title: str


class Counted(msgspec.Struct):
    title: int


def resolve(app: App) -> None:
    resolved(app.registry().entries_of(DeclaredResource), lambda declared: declared.store)


def faults(app: App) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as told:
        resolve(app)
    return told.value.faults


def of(*operations: Any, **options: Any) -> tuple[str, ...]:
    app = App("library")
    app.resource(operations=list(operations) or None, **options)(Book)
    if options.get("messenger") or any(getattr(one, "messenger", None) for one in operations):
        app.handler(handle)
    return faults(app)


async def handle(book: Book) -> None: ...


def yields(principal: Any, obj: Any, request: Any) -> Any:
    yield False


async def yields_later(principal: Any, obj: Any, request: Any) -> Any:
    yield False


class Process:
    async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> None: ...


WRONG: list[tuple[Any, dict[str, Any], str]] = [
    (Post(allow_create=True), {}, "allow_create=True has no effect on POST"),
    (Get(messenger=True), {}, "a GET dispatches nothing"),
    (Get(processor=Process), {}, "a GET changes nothing"),
    (Get(write=False), {}, "a GET changes nothing"),
    (Get(input=Other), {}, "input has no effect on GET"),
    (Delete(input=Other), {}, "input has no effect on DELETE"),
    (Delete(output=Other), {}, "the status is 204"),
    (Get(security=yields), {}, "security yields"),
    (Put(security_after=yields_later), {}, "security_after yields"),
    (
        Put(security_after=lambda *_: False, deserialize=False),
        {},
        "security_after has no effect: deserialize",
    ),
    (Post(security_after=lambda *_: False, receive=False), {}, "security_after has no effect: receive"),
    (Post(input=Counted), {"scopes": {"index": "title"}}, "input=Counted: scopes={'index': 'title'}"),
    (Delete(messenger="input"), {}, "messenger='input' has no effect on DELETE"),
    (Put(allow_create=True, read=False), {}, "allow_create=True has no effect"),
    (Put(allow_create=True, receive=False), {}, "allow_create=True has no effect"),
    (Post(status=204, serialize=True), {}, "serialize=True has no effect: the status is 204"),
    (Post(provider="x"), {}, "no provider of this name"),
    (Post(processor="Proces"), {}, "no processor of this name"),
    (Post(processor=Other), {}, "has no process"),
    (Post(timeout=0), {}, "timeout=0, expected seconds"),
    (Post(), {"timeout": "5"}, "timeout='5', expected seconds"),
    (Post(status=99), {}, "status=99, expected 200 to 599"),
    (Post(messenger="inputs"), {}, "messenger='inputs', expected True, False or 'input'"),
    (Post(messenger="input"), {}, "expected input=SomeClass"),
    (Post(messenger=True, processor=Process), {}, "asks for no MessengerProcessor"),
    (Post(receive=False, validate=True), {}, "receive=False leaves it out"),
    (Post(persist=False, processor=Process), {}, "nothing is written here"),
    (Post(security=lambda principal: True), {}, "security does not take three arguments"),
    (Post(errors={KeyError: 200}), {}, "expected a status from 400 to 599"),
    (Post(errors={"x": 404}), {}, "expected an error class"),
    (Post(validate="no"), {}, "validate='no', expected True or False"),
    (Post("bad path"), {}, "expected segments"),
    (GetCollection(filters={"titel": "exact"}), {}, "did you mean 'title'"),
    (GetCollection(filters={"title": "like"}), {}, "expected one of 'exact', 'partial', 'range'"),
    (GetCollection(order=("nope",)), {}, "'nope' is no field"),
    (GetCollection(order="title"), {}, "expected names of fields"),
    (GetCollection(page_size=200), {}, "page_size=200 is more than max_page_size=100"),
    (Post, {}, "is no operation; expected Post()"),
    (Get(), {"messenger": True}, "messenger has no effect: all its operations are GETs"),
    (Get(), {"identifier": "isbn"}, "identifier='isbn' is no field"),
    (Post(), {"path": "books/"}, "expected '/' and segments"),
    (Post(), {"scopes": {"index": "id"}}, "neither a text nor a list of texts"),
    (Post(), {"pth": "/x"}, "unknown option pth"),
    (Post(), {"store": None, "processor": 7}, "7 is no class"),
]


@pytest.mark.parametrize(("operation", "options", "expected"), WRONG)
def test_what_cannot_be_meant_is_told(operation: Any, options: dict[str, Any], expected: str) -> None:
    assert any(expected in fault for fault in of(operation, **options)), of(operation, **options)


def test_all_faults_come_at_once() -> None:
    found = of(Get(messenger=True), Post(status=99, allow_create=True), path="x")
    assert len(found) >= 4


def test_two_operations_of_one_name_or_place_are_told() -> None:
    assert any("is there twice" in fault for fault in of(Post(name="a"), Post(name="b")))
    assert any("two operations are named" in fault for fault in of(Post(), Post()))
    app = App("library")
    app.resource(name="Book")(Book)
    app.resource(name="Book")(Other)
    assert any("'Book' is declared twice" in fault for fault in faults(app))


def test_a_path_that_cannot_be_is_told_once() -> None:
    assert of(path="books") == (
        "resource tests.unit.resources.test_checks.Book: path='books', expected '/' and segments, without '/' at the end",
    )


def test_what_is_no_list_of_operations_is_told_as_it_was_written() -> None:
    app = App("library")
    app.resource(operations=Post(status=202))(Book)  # type: ignore[call-overload]
    app.resource(operations=[Post, "get"])(Other)  # type: ignore[list-item]
    found = [fault.partition(": ")[2] for fault in faults(app)]
    assert found == [
        "operations=Post(status=202), expected a list of Post(), Get() …",
        "operations: Post is no operation; expected Post()",
        "operations: 'get' is no operation; expected Post(), Get() …",
    ]


def test_an_option_of_operations_is_told_where_it_belongs() -> None:
    app = App("library")
    app.resource(filters={"title": "exact"}, allow_create=True)(Book)  # type: ignore[call-overload]
    assert faults(app) == (
        "resource: unknown option filters={'title': 'exact'}; it is an option of GetCollection(...)",
        "resource: unknown option allow_create=True; it is an option of Put(...)",
    )


def test_a_store_that_names_the_resource_is_quoted_without_its_name() -> None:
    app = App("library")
    app.resource(Book)

    def refuse(declared: DeclaredResource) -> None:
        raise ConfigurationError([f"resource {__name__}.Book: it does not fit"])

    with pytest.raises(ConfigurationError) as told:
        resolved(app.registry().entries_of(DeclaredResource), refuse)
    assert told.value.faults == (f"resource {__name__}.Book: it does not fit",)


def test_a_class_without_fields_is_told() -> None:
    app = App("library")
    app.resource(int)
    app.resource(object)
    assert len([fault for fault in faults(app) if "no fields that are known" in fault]) == 2


def test_an_event_cannot_be_dispatched_as_a_command() -> None:
    app = App("library")
    app.event(Book)
    app.resource(messenger=True)(Book)
    assert any("declared as event" in fault for fault in faults(app))


def test_options_of_processors_that_can_have_no_effect_are_told() -> None:
    app = App("library")
    app.processor(priority=3)(Process)

    @app.processor(name="second", resumable=True)
    class Second:
        def __init__(self, persist: PersistProcessor, mailer: str) -> None: ...

        async def process(self, data: Any) -> None: ...

    found = " ".join(faults(app))
    assert "priority=3 has no effect without supports" in found
    assert "resumable=True has no effect without supports" in found
    assert "parameter 'mailer' of its constructor has no default" in found
    assert "does not take what it is given" in found


LISTENERS: list[tuple[Any, dict[str, Any], str]] = [
    ("veiw", {}, "'veiw' is no hook and no event; did you mean 'view'"),
    (Hook.POST_WRITE, {"priority": 3}, "priority=3 has no effect at Hook.POST_WRITE"),
    ("POST_WRITE", {}, "'POST_WRITE' is text; did you mean Hook.POST_WRITE?"),
    ("post_wirte", {}, "'post_wirte' is no hook and no event; did you mean Hook.POST_WRITE?"),
    ("view", {"priority": 300}, "expected -255 to 255"),
    ("view", {"when": {"method": "PSOT"}}, "method is never 'PSOT'"),
    ("view", {"when": {"operation": "book_gt"}}, "operation is never 'book_gt'; did you mean 'book_get'"),
    ("view", {"when": {"methods": "GET"}}, "did you mean 'method'"),
    ("view", {"when": {"action": "a||b"}}, "an empty part"),
    ("view", {"when": "POST"}, "when='POST', expected conditions by attribute"),
    ("view", {"when": ["method"]}, "expected conditions by attribute"),
]


def test_an_attribute_of_a_steps_condition_may_end_in_an_underscore() -> None:
    """As where a run is given it; in requests, too."""
    app = App("library")
    app.resource(Book)

    @app.step(action="get", group="view", when={"class_": Book, "method_": "GET"})
    async def step(event: Any) -> None: ...

    app.registry()
    app = App("library")
    app.resource(Book)
    app.step(action="get", group="view", when={"method_": "PSOT"})(step)
    assert "method is never 'PSOT'" in " ".join(faults(app))


@pytest.mark.parametrize("plugin", ["", "a|b", "!a", "a&b", 3])
def test_a_plugin_has_a_name_that_no_condition_takes_apart(plugin: Any) -> None:
    """Of middleware and of listeners, as of ``Plugin``: ``!a`` would run for all that do not have it."""
    app = App("library")
    app.resource(Book)

    @app.listener("view", plugin=plugin)
    async def listen(event: Any) -> None: ...

    @app.middleware(plugin=plugin)
    async def around(envelope: Any, call_next: Any) -> Any: ...

    assert (
        len([fault for fault in faults(app) if f"plugin={plugin!r}, expected a plugin's name" in fault]) == 2
    )


@pytest.mark.parametrize(("place", "options", "expected"), LISTENERS)
def test_listeners_that_can_never_run_are_told(place: Any, options: dict[str, Any], expected: str) -> None:
    app = App("library")
    app.resource(Book)

    @app.listener(place, **options)
    async def listen(event: Any) -> None: ...

    assert any(expected in fault for fault in faults(app)), faults(app)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"clas": Book}, "when={'clas': ...}: nothing provides 'clas'; did you mean 'class'?"),
        ({"method": "PSOT"}, "when={'method': 'PSOT'}: method is never 'PSOT'; did you mean 'POST'?"),
        ({"action": "a||b"}, "an empty part"),
    ],
)
def test_conditions_of_a_requests_step_are_checked_as_a_listeners_are(when: Any, expected: str) -> None:
    app = App("library")
    app.resource(Book)

    @app.step(action="create", group="view", when=when)
    async def note(event: Any) -> None: ...

    found = [fault for fault in faults(app) if expected in fault]
    assert len(found) == 1, faults(app)
    assert found[0].startswith("step ") and " of action 'create': " in found[0]


def test_a_step_of_a_request_may_ask_for_what_a_step_before_it_has_set() -> None:
    app = App("library")
    app.resource(Book)

    @app.step(action="create", group="view", when={"customer": "exists", "class": "Book"})
    async def note(event: Any) -> None: ...

    resolve(app)


def test_a_class_that_subscribes_to_nothing_is_told() -> None:
    app = App("library")

    @app.listener
    class Nothing: ...

    @app.listener
    class Missing:
        subscribed_events = ((Hook.POST_WRITE, "gone"), ("later", "here"))

        def __init__(self, mailer: str) -> None: ...

        async def here(self, event: Any) -> None: ...

    found = " ".join(faults(app))
    assert "has no subscribed_events" in found
    assert "has no method 'gone'" in found
    assert "'later' is no hook" in found
    assert "parameters without defaults" in found


def test_what_comes_from_the_resource_and_the_method_is_filled_in() -> None:
    app = App("library")

    @app.resource(errors={KeyError: 404}, listeners=False)
    class LibraryCategory(msgspec.Struct):
        title: str
        id: int | None = None

    class Composed:
        def __init__(self, messenger: MessengerProcessor) -> None: ...

        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> None: ...

    app.resource(
        path="/b",
        operations=[
            Post("publish", output=False),
            Put(errors={ValueError: 400}),
            Patch("/anywhere/{id}"),
            Post(messenger=True, processor=Composed),
        ],
        errors={KeyError: 410},
    )(Book)
    app.handler(handle)
    categories, books = app.registry().entries_of(DeclaredResource)
    assert [(one.method, one.path, one.name, one.status) for one in categories.operations] == [
        ("POST", "/library-categories", "library_category_create", 201),
        ("GET", "/library-categories/{id}", "library_category_get", 200),
        ("GET", "/library-categories", "library_category_get_list", 200),
        ("PUT", "/library-categories/{id}", "library_category_replace", 200),
        ("PATCH", "/library-categories/{id}", "library_category_update", 200),
        ("DELETE", "/library-categories/{id}", "library_category_delete", 204),
    ]
    assert all(one.listeners is False and one.errors == {KeyError: 404} for one in categories.operations)
    publish, put, patch, _ = books.operations
    assert (publish.path, publish.name, publish.status) == ("/b/publish", "book_create_publish", 204)
    assert put.errors == {KeyError: 410, ValueError: 400}
    assert patch.path == "/anywhere/{id}"
