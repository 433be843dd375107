"""Actions: how they are declared and run, and what is wrong with them at start."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from worker import App, ChainContext, ConfigurationError, NotFound, Plugin, StepFailed, UsageError

GROUPS = {"initialize": 30, "load": 20, "finalize": 10}


class Book: ...


class Novel(Book): ...


class Message(msgspec.Struct, frozen=True): ...


def noting(name: str) -> Callable[[ChainContext], Any]:
    async def step(context: ChainContext) -> None:
        context.result = [*(context.result or []), name]

    return step


def faults_of(app: App) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        app.registry()
    return caught.value.faults


async def test_an_action_runs_its_steps_that_apply() -> None:
    """Classes and functions; by the action itself or by its name."""
    app = App("shop")
    export = app.action("export", groups=GROUPS)

    @app.step(
        action="export", group="load", priority=10, when={"request_type": "rest&json_api", "class": Book}
    )
    class LoadBooks:
        async def process(self, context: ChainContext) -> None:
            context.result = [*context.result, "books"]

    @app.step(action="export", group="load", when={"request_type": "!rest"})
    class LoadOthers:
        async def process(self, context: ChainContext) -> None:
            raise AssertionError

    @app.step(action="export", group="initialize")
    async def begin(context: ChainContext) -> None:
        context.result = ["begun"]

    attributes: dict[str, Any] = {"request_type": ["rest", "json_api"], "class_": Novel}
    for context in (await export.run(**attributes), await app.run_action("export", **attributes)):
        assert context.result == ["begun", "books"]
        assert (context.action, context["class"], "class_" in context) == ("export", Novel, False)
    assert (await export.run(request_type=["rest", "json_api"], class_=App)).result == ["begun"]


async def test_several_decorators_are_several_entries_of_one_object() -> None:
    """Made once, when the first of them applies."""
    app = App("shop")
    app.action("get", groups={"initialize": 1})
    app.action("get_list", groups={"initialize": 1})
    made: list[object] = []

    @app.step(action="get", group="initialize", priority=10)
    @app.step(action="get_list", group="initialize", priority=5, when={"format": "csv"})
    class DoSomething:
        def __init__(self) -> None:
            made.append(self)

        async def process(self, context: ChainContext) -> None:
            context.result = self

    assert not (await app.run_action("get_list", format="json")).has_result
    assert made == []
    results = [(await app.run_action(name, format="csv")).result for name in ("get", "get_list")]
    assert results == made * 2


async def test_common_steps_run_for_every_action_that_has_steps() -> None:
    """Outside of all others."""
    app = App("shop")
    app.action("export", groups={"load": 1})
    app.action("empty")
    app.step(noting("before"))
    app.step(priority=-1)(noting("behind"))
    app.step(when={"action": "import"})(noting("import only"))
    app.step(action="export", group="load")(noting("load"))
    app.step(action="export", priority=9)(noting("head"))
    assert (await app.run_action("export")).result == ["before", "head", "load", "behind"]
    assert not (await app.run_action("empty")).has_result


async def test_a_step_may_be_an_object_or_a_plain_method() -> None:
    """What has ``process`` already is not made; a plain function runs in a thread."""
    app = App("shop")
    app.action("export")

    class Step:
        def process(self, context: ChainContext) -> None:
            context.result = "done"

    app.step(action="export")(Step())
    assert (await app.run_action("export")).result == "done"


async def test_what_is_included_joins_the_chain() -> None:
    """The part that declares the action may run it; steps of applications and plugins that are joined are in it."""
    part, plugin, app = App("part"), Plugin("extra"), App("shop")
    export = part.action("export", groups=GROUPS)
    part.step(action="export", group="load", priority=2)(noting("part"))
    plugin.step(action="export", group="load", priority=1)(noting("plugin"))
    app.step(action="export", group="load")(noting("app"))
    app.include(part)
    app.include(plugin)
    assert (await export.run()).result == ["part", "plugin", "app"]
    assert (await export.run(plugins=["extra"])).result == ["part", "plugin", "app"]
    assert (await export.run(plugins=["other"])).result == ["part", "app"]


async def test_a_plugin_alone_runs_nothing() -> None:
    """It belongs to no application yet."""
    with pytest.raises(UsageError, match="part of no application"):
        await Plugin("extra").action("export").run()


async def test_a_handler_may_run_actions() -> None:
    """What a registry that was checked for a service found is what runs."""
    app = App("shop")
    app.action("export")
    app.step(action="export")(noting("a"))
    app.registry()
    assert (await app.run_action("export")).result == ["a"]


async def test_what_ran_is_frozen() -> None:
    """Nothing can be added after the first run."""
    app = App("shop")
    export = app.action("export")
    app.step(action="export")(noting("a"))
    await export.run()
    with pytest.raises(UsageError, match="frozen"):
        app.step(action="export")(noting("b"))
    with pytest.raises(UsageError, match="action 'more'"):
        app.action("more")


async def test_what_is_declared_behind_the_checks_is_refused() -> None:
    """It would be in nothing that was made of them: not by the application, and not by its parts."""
    app, part, plugin = App("shop"), App("part"), Plugin("plugin")
    export = app.action("export")
    app.step(action="export")(noting("a"))
    app.include(part)
    app.include(plugin)
    app.registry()
    for declares in (app, part, plugin):
        with pytest.raises(UsageError, match=r"step .*step: declared behind the application's checks"):
            declares.step(action="export")(noting("b"))
        with pytest.raises(UsageError, match="action 'more'"):
            declares.action("more")
    assert (await export.run()).result == ["a"]


DECORATORS: list[Callable[[App | Plugin], object]] = [
    lambda it: it.command(Message),
    lambda it: it.command("message")(Message),
    lambda it: it.query(Message),
    lambda it: it.event(Message),
    lambda it: it.handler(noting("late")),
    lambda it: it.subscriber(noting("late")),
    lambda it: it.middleware(priority=3)(noting("late")),
    lambda it: it.health("late")(noting("late")),
    lambda it: it.schedule("@hourly")(noting("late")),
    lambda it: it.schedule(noting("late")),  # type: ignore[call-overload]
    lambda it: it.crontab(noting("late")),
    lambda it: it.resource(Message),
    lambda it: it.processor(Message),
    lambda it: it.provider(Message),
    lambda it: it.listener("view")(noting("late")),
    lambda it: it.action("late"),
    lambda it: it.step(noting("late")),
]


@pytest.mark.parametrize("declare", DECORATORS)
def test_nothing_is_declared_behind_the_checks(declare: Callable[[App | Plugin], object]) -> None:
    """One rule for all decorators, of the application and of its parts."""
    app, part, plugin = App("shop"), App("part"), Plugin("plugin")
    app.include(part)
    part.include(plugin)
    app.registry()
    for it in (app, part, plugin):
        with pytest.raises(UsageError, match="declared behind the application's checks"):
            declare(it)


def test_nothing_is_included_behind_the_checks() -> None:
    app, part = App("shop"), App("part")
    app.include(part)
    app.registry()
    for it in (app, part):
        with pytest.raises(UsageError, match=r"include\(.*declared behind the application's checks"):
            it.include(Plugin("late"))


def test_what_was_refused_at_start_may_be_mended() -> None:
    app = App("shop")
    app.command(Message)
    with pytest.raises(ConfigurationError, match="no handler"):
        app.registry()

    async def handle(message: Message) -> None: ...

    app.handler(handle)
    assert app.registry().by_name.keys() >= {"Message"}


async def test_an_unknown_action_says_what_there_is() -> None:
    """With the one that was probably meant."""
    app = App("shop")
    app.action("export")
    with pytest.raises(NotFound, match="did you mean 'export'"):
        await app.run_action("exprot")


@pytest.mark.parametrize("attributes", [{"action": "x"}, {"class": 1, "class_": 2}])
async def test_attributes_that_cannot_be_meant_are_refused(attributes: dict[str, Any]) -> None:
    """The action's name is the context's own, and two names may not come to one."""
    app = App("shop")
    app.action("export")
    with pytest.raises(UsageError):
        await app.run_action("export", **attributes)


async def test_any_other_attribute_is_taken() -> None:
    """Also those named as parameters are."""
    app = App("shop")
    export = app.action("export")
    context = await export.run(name="n", self="s", groups=1)
    assert dict(context) == {"action": "export", "name": "n", "self": "s", "groups": 1}


async def test_a_failed_step_says_which_one() -> None:
    """By module and name."""
    app = App("shop")
    export = app.action("export", groups={"load": 1})

    @app.step(action="export", group="load")
    class Break:
        async def process(self, context: ChainContext) -> None:
            raise LookupError("gone")

    with pytest.raises(StepFailed) as caught:
        await export.run()
    assert (caught.value.step, caught.value.group) == (f"{__name__}.{Break.__qualname__}", "load")


def test_all_faults_of_actions_come_at_once_and_name_the_culprit() -> None:
    """Groups that clash or cannot be, and two declarations of one name."""
    app = App("shop")
    app.action("export", groups={"a": 1, "b": 1, "far": 256, "low": -256, "half": 0.5, "no name": 2})  # type: ignore[dict-item]
    app.action("export")
    app.action("two words")
    app.action("odd", groups=["a"])  # type: ignore[arg-type]
    assert faults_of(app) == (
        "action 'export': groups 'a' and 'b' share the priority 1; give each its own",
        "action 'export': group 'far': priority 256, expected -255 to 255",
        "action 'export': group 'low': priority -256, expected -255 to 255",
        "action 'export': group 'half': priority 0.5, expected a whole number",
        "action 'export': group 'no name': expected a name of letters, digits, '.', '-' or '_'",
        "action 'export': is declared twice; expected one declaration with all groups",
        "action 'two words': expected a name of letters, digits, '.', '-' or '_'",
        "action 'odd': groups=['a'], expected names with priorities, like {'load': 20, 'finalize': 10}",
    )


def test_all_faults_of_steps_come_at_once_and_name_the_culprit() -> None:
    """Where they stand, when they run, and what they are."""
    app = App("shop")
    app.action("export", groups=GROUPS)
    app.action("bare")

    def step(**options: Any) -> None:
        async def one(context: ChainContext) -> None: ...

        one.__qualname__ = f"step{len(places)}"
        places.append(one)
        app.step(**options)(one)

    places: list[object] = []
    step(group="load")
    step(action="exprot")
    step(action="zzz")
    step(action="export", group="lod")
    step(action="bare", group="load")
    step(action="export", group="load", priority=256)
    step(action="export", priority="high")
    step(action="export", when={"a": "&x", "group": "load", "b": ["c"], "d": "exists|e"})
    step(action="export", when={"action": "import"})
    step(action="export", when="a")
    step(action=3)
    step(action="export", colour="red")
    step(action="export", when={"action_": "import", "group_": "load"})
    step(action="export", when={"a": step})
    prefix = f"step {__name__}.step"
    assert faults_of(app) == (
        "step: unknown option colour='red'; known: action, group, priority, when",
        f"{prefix}0: group='load' without an action, and groups are an action's own; expected action= beside it",
        f"{prefix}1 of action 'exprot': there is no action of this name; did you mean 'export'?",
        (
            f"{prefix}2 of action 'zzz': there is no action of this name; known: bare, export; "
            "declare it with app.action(...)"
        ),
        f"{prefix}3 of action 'export': group='lod' is not declared for the action; did you mean 'load'?",
        f"{prefix}4 of action 'bare': group='load' is not declared for the action; the action has no groups",
        f"{prefix}5 of action 'export': priority=256 in a group, expected -255 to 255",
        f"{prefix}6 of action 'export': priority='high', expected a whole number",
        (
            f"{prefix}7 of action 'export': condition a='&x': an empty part; write values joined by & or by |, "
            "each with at most one !"
        ),
        (
            f"{prefix}7 of action 'export': when={{'group': ...}}: that is no attribute of a context; "
            "expected group= beside when="
        ),
        f"{prefix}7 of action 'export': condition b=['c']: expected text such as 'a|b', a number, a boolean or a class",
        f"{prefix}7 of action 'export': condition d='exists|e': exists cannot be joined with other values",
        f"{prefix}8 of action 'export': action='export' and when={{'action': 'import'}}: both can never hold",
        f"{prefix}9 of action 'export': when='a', expected conditions by attribute, like {{'format': 'json|csv'}}",
        f"{prefix}10: action=3, expected an action's name",
        f"{prefix}12 of action 'export': action='export' and when={{'action_': 'import'}}: both can never hold",
        (
            f"{prefix}12 of action 'export': when={{'group_': ...}}: that is no attribute of a context; "
            "expected group= beside when="
        ),
        (
            f"{prefix}13 of action 'export': condition a={step!r}: expected text such as 'a|b', a number, "
            "a boolean or a class"
        ),
    )


def test_what_cannot_be_a_step_is_refused() -> None:
    """Without ``process``, with other parameters, not to be made without arguments, or never to run its body."""
    app = App("shop")
    app.action("export")

    class Nothing: ...

    class Needy:
        def __init__(self, session: object) -> None: ...

        async def process(self, context: ChainContext) -> None: ...

    class Abstract(abc.ABC):
        @abc.abstractmethod
        async def process(self, context: ChainContext) -> None: ...

    class Wide:
        async def process(self, context: ChainContext, other: object) -> None: ...

    async def generator(context: ChainContext) -> Any:
        yield

    for target in (Nothing, Needy, Abstract, Wide, generator, "text"):
        app.step(action="export")(target)
    expected = (
        "has no method process; expected a class with process(self, context), or a function of the context",
        "cannot be called without arguments: missing a required argument: 'session'; give its parameters defaults",
        "the class is abstract: process; expected one that can be made",
        "cannot be called with the context alone: TypeError: missing a required argument: 'other'",
        "is a generator, whose body would never run; expected a function without yield",
        "'text' cannot be called; expected a class with process(self, context), or a function of the context",
    )
    found = faults_of(app)
    assert len(found) == len(expected)
    assert all(fault.endswith(text) for fault, text in zip(found, expected, strict=True)), found


def test_priorities_without_a_group_have_no_limit() -> None:
    """Only those in a group lie within plus and minus 255."""
    app = App("shop")
    app.action("export")
    app.step(action="export", priority=70_000)(noting("a"))
    app.step(priority=-70_000)(noting("b"))
    app.registry()
