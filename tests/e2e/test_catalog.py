"""Every command and query of the search example over HTTP, at once and by a queue; each event once, and only where it is due."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest

from tests.e2e.catalog import EVENTS, SEEN, Seen
from tests.e2e.project import Intake, Project
from tests.e2e.waiting import until
from worker.tokens.secret import hash_of

pytestmark = pytest.mark.e2e

ROOT = {"Authorization": "Bearer root-secret-of-16-and-more"}
COMMANDS = [
    "AddInteraction",
    "ConfigureIndex",
    "CreateIndex",
    "DeleteAllInteractions",
    "DeleteIndex",
    "DeleteItems",
    "IndexItems",
    "ResetIndex",
    "UpdateItems",
]
OF = {"app": "shop", "index": "books"}
NANA = {"id": "nana", "title": "Nana", "author": "Émile Zola", "year": 1880}
DRAFT = {"id": "draft", "title": "A draft", "published": False}
ZOLA = {"q": "zola", "items_uuid": []}
LATER = [{"field": "year", "value": 1881}]
TITLES = {"searchable": ["title"]}
LOOKED = {"user": "anna", "item_uuid": "nana~book", "weight": 5}
BUILT_IN = {"AddToken", "DeleteToken", "DeleteTokens", "PauseConsumers", "ResumeConsumers"}


class Step(NamedTuple):
    """A message that is sent, and what has to come of it; ``refused``: the status of a command that is handled at once."""

    name: str
    type: str
    data: dict[str, Any]
    answer: Any = None
    events: tuple[tuple[str, dict[str, Any]], ...] = ()
    refused: int | None = None


def added(**members: Any) -> dict[str, Any]:
    return {"token": {"id": "mail", "rights": ["send"], **members}, "secret_hash": hash_of("m" * 40)}


def made(q: str, found: list[str], **members: Any) -> tuple[str, dict[str, Any]]:
    """QueryWasMade, but for its time and the query as a text."""
    data = {"q": q, "q_empty": not q, "q_length": len(q), "size": 10, "item_uuid": found}
    return "QueryWasMade", {**OF, **data, "result_length": len(found), "user": None, **members}


COMMAND_STEPS = (
    Step("create", "CreateIndex", {**OF, "configuration": {"searchable": ["title", "author"]}}),
    Step("create again", "CreateIndex", OF, refused=409),
    Step(
        "index", "IndexItems", {**OF, "items": [NANA, DRAFT]},
        events=(("ItemsWereAdded", {**OF, "nb_items": 2, "item_uuid": ["nana~book", "draft~book"]}),),
    ),
    Step(
        "update", "UpdateItems", {**OF, "query": ZOLA, "changes": LATER},
        events=(("ItemsWereUpdated", {**OF, "filters": ZOLA, "changes": LATER}),),
    ),
    Step("update nothing", "UpdateItems", {**OF, "query": {"q": "tolstoi"}, "changes": LATER}),
    Step(
        "configure", "ConfigureIndex", {**OF, "configuration": TITLES},
        events=(("IndexWasConfigured", {**OF, "config": TITLES}),),
    ),
    Step(
        "interact", "AddInteraction", {"app": "shop", "interaction": LOOKED},
        events=(("InteractionWasAdded", {"app": "shop", "interaction": LOOKED}),),
    ),
    Step("forget interactions", "DeleteAllInteractions", {"app": "shop"}),
)  # fmt: skip
QUERY_STEPS = (
    Step("find", "Query", {**OF, "q": "nana"}, {"total": 1}, (made("nana", ["nana~book"]),)),
    # the root token switches the plugin on: what is not published is not found
    Step("find drafts", "Query", {**OF, "q": "draft", "user": "anna"}, {"total": 0}, (made("draft", [], user="anna"),)),
    Step("find anything", "Query", OF, {"total": 1}, (made("", ["nana~book"]),)),
    Step("check", "CheckIndex", OF, True),
    Step("check another", "CheckIndex", {**OF, "index": "films"}, False),
    Step("list", "GetIndices", {"app": "shop"}),
    Step("ping", "Ping", {}, True),
    Step("health", "CheckHealth", {}, {"healthy": True}),
    Step("crontab", "GetCrontab", {}, ["0 4 * * 0 worker send DeleteAllInteractions"]),
    Step("tokens", "GetTokens", {}),
)  # fmt: skip
LAST_STEPS = (
    Step("pause", "PauseConsumers", {"types": []}),
    Step("resume", "ResumeConsumers", {"types": []}),
    Step("add a token", "AddToken", added(), events=(("TokenWasAdded", {"id": "mail"}),)),
    Step("change a token", "AddToken", added(ttl=5), events=(("TokenWasAdded", {"id": "mail"}),)),
    Step("delete a token", "DeleteToken", {"id": "mail"}, events=(("TokenWasDeleted", {"id": "mail"}),)),
    Step("delete all tokens", "DeleteTokens", {}, events=(("TokensWereDeleted", {}),)),
    Step(
        "delete", "DeleteItems", {**OF, "items_uuid": ["nana~book", "gone~book"]},
        events=(("ItemsWereDeleted", {**OF, "nb_items": 1, "item_uuid": ["nana~book"]}),),
    ),
    Step("delete nothing", "DeleteItems", {**OF, "items_uuid": ["gone~book"]}),
    Step("reset", "ResetIndex", OF, events=(("IndexWasReset", OF),)),
    Step("delete the index", "DeleteIndex", OF),
)  # fmt: skip
STEPS = (*COMMAND_STEPS, *QUERY_STEPS, *LAST_STEPS)


class Story(NamedTuple):
    """All steps, sent one after the other: what was answered, and which events were seen of each."""

    at_once: bool
    answers: dict[str, httpx.Response]
    events: dict[str | None, list[Seen]]


def configuration(transport: str, at_once: bool, url: str) -> str:
    events = "inline" if at_once and transport == "sqlite" else "queue"
    inline = "".join(f'{name} = "inline"\n' for name in COMMANDS) if at_once else ""
    return f"""\
app = "tests.e2e.catalog:app"
[database]
url = "sqlite:///var/worker.db"
[transports.there]
url = "{url}"
[routing]
"*" = "there"
{inline}
[events]
mode = "{events}"
[tokens]
root = "root-secret-of-16-and-more"
"""


@pytest.fixture(
    scope="module",
    params=[("sqlite", True), ("sqlite", False), ("rabbitmq", True), ("rabbitmq", False)],
    ids=["sqlite-at-once", "sqlite-queued", "rabbitmq-at-once", "rabbitmq-queued"],
)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """One process that serves and handles, and all steps in it."""
    transport, at_once = request.param
    project = Project(tmp_path_factory.mktemp("catalog"))

    def told(url: str) -> Story:
        (project.folder / "worker.toml").write_text(configuration(transport, at_once, url))
        intake = project.serve(verb="run")
        answers = {step.name: sent(intake.client, step) for step in STEPS}
        until(lambda: is_quiet(project, intake), "nothing is under way")
        seen: dict[str | None, list[Seen]] = {}
        for line in project.lines(SEEN):
            one = msgspec.json.decode(line, type=Seen)
            seen.setdefault(one.cause, []).append(one)
        return Story(at_once, answers, seen)

    try:
        if transport == "sqlite":
            yield told("sqlite:///var/queue.db")
        else:
            with request.getfixturevalue("rabbitmq").fresh() as url:
                yield told(url)
                project.close()
    finally:
        project.close()


def is_quiet(project: Project, intake: Intake) -> bool:
    """Whether nothing is on a queue, in hand or on its way to one."""
    consumers = intake.client.get("/consumers", headers=ROOT).json()["consumers"]
    counted = [one[kind] for one in consumers for kind in ("ready", "in_flight", "delayed")]
    return not any(counted) and project.outbox() == 0


def sent(client: httpx.Client, step: Step) -> httpx.Response:
    """Send a step's message, and wait for its end; what comes of it can be told by its correlation."""
    kind = "queries" if step in QUERY_STEPS else "commands"
    headers = {**ROOT, "X-Correlation-Id": step.name.replace(" ", "-")}
    if kind == "commands":
        headers["Prefer"] = "wait=60"
    return client.post(f"/{kind}/{step.type}", json=step.data, headers=headers)


@pytest.mark.parametrize("step", [*COMMAND_STEPS, *LAST_STEPS], ids=lambda step: step.name)
def test_a_command_is_done_or_fails_visibly(story: Story, step: Step) -> None:
    """At once with 201, or the status of its error; by a queue with 202, whatever comes of it, and the next is handled."""
    answer = story.answers[step.name]
    at_once = story.at_once or step.type in BUILT_IN
    if step.refused is not None and at_once:
        assert answer.status_code == step.refused, answer.text
        return
    assert answer.status_code == (201 if at_once else 202), answer.text
    assert answer.json()["status"] == ("failed" if step.refused else "done"), answer.text
    if step.refused:
        assert answer.json()["error"]["type"].endswith("IndexExists")


@pytest.mark.parametrize("step", QUERY_STEPS, ids=lambda step: step.name)
def test_a_query_is_answered(story: Story, step: Step) -> None:
    """Never by a queue."""
    answer = story.answers[step.name]
    assert answer.status_code == 200, answer.text
    found = answer.json()
    if isinstance(step.answer, dict):
        found = {name: found[name] for name in step.answer}
    if step.answer is not None:
        assert found == step.answer


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_each_event_is_seen_once_and_no_other(story: Story, step: Step) -> None:
    """With its payload; of what is not in the list, none."""
    seen = story.events.get(step.name.replace(" ", "-"), [])
    assert [(one.type, told(one)) for one in seen] == [(name, data) for name, data in step.events]


def told(event: Seen) -> dict[str, Any]:
    """An event's payload, with what stands in it as a JSON text read; a query's time and text are other each time."""
    data = dict(event.data)
    for name in ("config", "filters", "changes"):
        if name in data:
            data[name] = json.loads(data[name])
    if event.type == "QueryWasMade":
        assert data.pop("time_cost") >= 0
        assert json.loads(data.pop("query_serialized"))["q"] == data["q"]
    return data


def test_no_event_is_without_its_cause(story: Story) -> None:
    """All that were seen go back to a step; each kind of event was seen."""
    assert set(story.events) <= {step.name.replace(" ", "-") for step in STEPS}
    seen = {one.type for events in story.events.values() for one in events}
    assert seen == {cls.__name__ for cls in EVENTS}
