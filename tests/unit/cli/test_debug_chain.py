"""``worker debug chain``: buses, actions and their steps, without making or running any."""

from __future__ import annotations

import msgspec
import pytest

from worker import App, Hook, Post

PLACE = "tests.unit.cli.conftest"


def steps(worker, *arguments):
    """Names of the steps shown."""
    found = worker("debug", "chain", *arguments, "--json").json["steps"]
    return [step["step"].rpartition(".")[2] for step in found]


def test_without_a_name_it_shows_buses_and_actions(worker):
    """With groups and the number of steps; also for reading."""
    found = worker("debug", "chain", "--json").json
    assert found["buses"] == [{"bus": "command", "on": "dispatch", "groups": ["receive", "work"], "steps": 3}]
    assert found["actions"] == [
        {"action": "export", "groups": ["initialize", "load"], "steps": 3, "built_in": False},
        {"action": "import", "groups": ["read"], "steps": 2, "built_in": False},
    ]
    text = worker("debug", "chain").out
    assert "initialize, load" in text
    assert "worker debug chain ACTION" in text


def test_an_action_shows_its_steps_in_order_with_conditions_as_written(worker):
    """And what each says of itself."""
    found = worker("debug", "chain", "export", "--json").json
    assert (found["action"], found["groups"]) == ("export", ["initialize", "load"])
    assert found["steps"] == [
        {"step": f"{PLACE}.begin", "priority": 0, "group": "initialize", "when": "ready: exists",
         "source": "application", "plugin": None, "description": ""},
        {"step": f"{PLACE}.LoadThings", "priority": 10, "group": "load",
         "when": f"request_type: rest&!json_api, class: {PLACE}.Thing",
         "source": "application", "plugin": None, "description": "Load what is asked for."},
        {"step": f"{PLACE}.end", "priority": -1, "group": None, "when": "",
         "source": "application", "plugin": None, "description": "Run behind everything."},
    ]  # fmt: skip
    text = worker("debug", "chain", "export").out
    assert "the steps in the order in which they run" in text
    assert "rest&!json_api" in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["load"], ["LoadThings"]),
        (["--request-type", "rest"], ["begin", "LoadThings", "end"]),
        (["--request-type", "rest", "--request-type", "json_api"], ["begin", "end"]),
        (["--attribute", "class:Book"], ["begin", "end"]),
        (["--attribute", f"class:{PLACE}.Book"], ["begin", "LoadThings", "end"]),
        (["--attribute", "class:Thing"], ["begin", "LoadThings", "end"]),
        (["--attribute", rf"class:{PLACE}.Thing".replace(".", "\\")], ["begin", "LoadThings", "end"]),
        (["--attribute", f"class:{PLACE}.FakeClient"], ["begin", "end"]),
        (["--attribute", "ready:null"], ["LoadThings", "end"]),
        (["--attribute", "ready:true"], ["begin", "LoadThings", "end"]),
        (["--attribute", "request_type:[rest,json_api]"], ["begin", "end"]),
        (["--attribute", "action:import"], ["begin", "LoadThings", "end"]),
        (["--attribute", f"class_:{PLACE}.FakeClient"], ["begin", "end"]),
    ],
)
def test_only_steps_that_have_an_attribute_and_do_not_match_it_are_hidden(worker, arguments, expected):
    """A group keeps its own steps only."""
    assert steps(worker, "export", *arguments) == expected


def test_processors_are_listed_by_name_with_their_actions(worker):
    """Of all actions, or of one with its filters."""
    found = worker("debug", "chain", "--processors", "--json").json["processors"]
    assert [(item["step"].rpartition(".")[2], item["actions"]) for item in found] == [
        ("LoadThings", ["export", "import"]),
        ("begin", ["export"]),
        ("end", ["export", "import"]),
    ]
    found = worker("debug", "chain", "import", "read", "--processors", "--json").json["processors"]
    assert [item["step"] for item in found] == [f"{PLACE}.LoadThings"]
    assert "Load what is asked for." in worker("debug", "chain", "--processors").out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["exprot"], 4, "did you mean 'export'"),
        (["export", "lod"], 4, "did you mean 'load'"),
        (["import", "lod", "--processors"], 4, "no group 'lod'"),
        (["PlaceOrder", "load"], 4, "is a message"),
        (["export", "--attribute", "class"], 2, "expected NAME:VALUE"),
        (["--request-type", "rest"], 2, "of which action"),
        (["export", "--attribute", "a:1", "--attribute", "a:2"], 2, "'a' is given twice; expected a:[1,2]"),
        (
            ["export", "--attribute", "request_type:a", "--request-type", "b"],
            2,
            "'request_type' is given twice",
        ),
        (["export", "load", "--on", "dispatch"], 2, "--on is about"),
    ],
)
def test_what_cannot_be_meant_is_refused(worker, arguments, code, said):
    """With what was probably meant."""
    result = worker("debug", "chain", *arguments)
    assert result.code == code
    assert said in result.err


class Shelf(msgspec.Struct):
    """A resource."""

    title: str


def library():
    """An application with a resource, a listener and a step."""
    app = App("library")
    app.resource(path="/shelves", messenger=True, operations=[Post()])(Shelf)

    @app.handler
    async def keep(shelf: Shelf) -> None: ...

    @app.listener(Hook.POST_WRITE, when={"class": Shelf})
    async def tell(event) -> None: ...

    @app.step(action="create", group="view", priority=30, when={"request_type": "json"})
    async def count(event) -> None: ...

    return app


def test_actions_of_resources_show_their_stages_with_what_the_application_has_between(worker, monkeypatch):
    """Built-in stages, listeners and steps, in one order."""
    monkeypatch.setattr(worker.service, "load_app", lambda target, base: library())
    found = worker("debug", "chain", "create", "view", "--json").json["steps"]
    assert [(step["step"].rpartition(".")[2], step["priority"], step["source"]) for step in found] == [
        ("validate", 64, "built in"),
        ("write", 32, "built in"),
        ("tell", 31, "application"),
        ("count", 30, "application"),
        ("serialize", 16, "built in"),
        ("respond", 8, "built in"),
    ]
    assert found[2]["when"] == f"class: {__name__}.Shelf"
    names = [item["action"] for item in worker("debug", "chain", "--json").json["actions"]]
    assert names == ["get", "get_list", "create", "replace", "update", "delete"]
