"""Every line of YAML that the documentation of the source shows, as it is written there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.chain.files.steps import User
from worker import App
from worker.settings import Settings
from worker.settings.model import ChainsSettings
from worker.wiring.plugins import registry_of

HEAD = r"""services:
    acme.api.processor.do_something:
        class: tests\unit\chain\files\steps\DoSomething
        tags:
"""
GROUPS = {"initialize": -10, "normalize_input": -30}

ANYTHING: dict[str, Any] = {}
NO_CONDITIONS = "            - { name: oro.api.processor }\n"


def app_of(tmp_path: Path, tags: str) -> App:
    """An application whose chains have a service with these tags."""
    app = App("api")
    for action in ("get", "get_list"):
        app.action(action, groups=GROUPS)

        @app.step(action=action, priority=1000)
        async def first(context: Any) -> None: ...

    (tmp_path / "processors.yml").write_text(HEAD + tags)
    registry_of(app, Settings(base=tmp_path, chains=ChainsSettings(files=("processors.yml",))))
    return app


async def runs(app: App, action: str, **attributes: Any) -> int:
    """How often the service runs."""
    return len((await app.run_action(action, **attributes)).result or ())


@pytest.mark.parametrize(
    ("tag", "runs_in", "not_in"),
    [
        (
            "{ name: oro.api.processor, action: get, group: normalize_input, priority: 10 }",
            [("get", {})],
            [("get_list", {})],
        ),
        ("{ name: oro.api.processor, action: get }", [("get", {})], [("get_list", {})]),
        ("{ name: oro.api.processor }", [("get", {}), ("get_list", {})], []),
        ("{ name: oro.api.processor, action: get_list }", [("get_list", {})], [("get", {})]),
        (
            "{ name: oro.api.processor, action: get_list, group: initialize }",
            [("get_list", {})],
            [("get", {})],
        ),
        (
            "{ name: oro.api.processor, action: get_list, group: initialize, requestType: json_api }",
            [("get_list", {"request_type": ["rest", "json_api"]}), ("get_list", {})],
            [("get_list", {"request_type": ["rest"]})],
        ),
        (
            "{ name: oro.api.processor, action: get_list, group: initialize, requestType: !json_api }",
            [("get_list", {"request_type": ["rest"]}), ("get_list", {})],
            [("get_list", {"request_type": ["rest", "json_api"]})],
        ),
        (
            "{ name: oro.api.processor, action: get_list, group: initialize, requestType: rest&json_api }",
            [("get_list", {"request_type": ["rest", "json_api"]})],
            [("get_list", {"request_type": ["rest"]}), ("get_list", {"request_type": "json_api"})],
        ),
        (
            "{ requestType: !json_api, name: oro.api.processor, action: get_list }",
            [("get_list", {"request_type": "rest"})],
            [("get_list", {"request_type": "json_api"})],
        ),
        (
            r'{ name: oro.api.processor, action: get_list, group: initialize, class: "tests\unit\chain\files\steps\User" }',
            [("get_list", {"class_": User}), ("get_list", {"class_": type("Admin", (User,), {})})],
            [("get_list", {"class_": App})],
        ),
    ],
)
async def test_a_tag_of_the_documentation_means_what_it_says(
    tmp_path: Path, tag: str, runs_in: list[tuple[str, Any]], not_in: list[tuple[str, Any]]
) -> None:
    """One line each; the class is one of this house."""
    app = app_of(tmp_path, f"            - {tag}\n")
    for action, attributes in runs_in:
        assert await runs(app, action, **attributes) == 1, (action, attributes)
    for action, attributes in not_in:
        assert await runs(app, action, **attributes) == 0, (action, attributes)


async def test_several_tags_are_several_entries(tmp_path: Path) -> None:
    """The service is one object in both."""
    app = app_of(
        tmp_path,
        "            - { name: oro.api.processor, action: get, group: initialize, priority: 10 }\n"
        "            - { name: oro.api.processor, action: get_list, group: initialize, priority: 5 }\n",
    )
    assert [await runs(app, action) for action in ("get", "get_list")] == [1, 1]


async def test_the_entity_of_the_documentation_is_read_as_it_stands_there(tmp_path: Path) -> None:
    """Backslashes in double quotes are backslashes; a class of that name matches, no other does."""
    app = app_of(
        tmp_path,
        r'            - { name: oro.api.processor, action: get_list, group: initialize, class: "Oro\Bundle\UserBundle\Entity\User" }'
        "\n",
    )
    entity = type("User", (), {"__module__": "Oro.Bundle.UserBundle.Entity"})
    assert await runs(app, "get_list", class_=entity) == 1
    assert await runs(app, "get_list", class_=r"Oro\Bundle\UserBundle\Entity\User") == 1
    assert await runs(app, "get_list", class_=User) == 0
