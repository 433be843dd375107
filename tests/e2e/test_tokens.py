"""Tokens with real processes: who is let in, what is counted by two of them, and where no secret is found."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import environment, free_port
from tests.e2e.project import Intake, Project
from tests.e2e.waiting import until

pytestmark = pytest.mark.e2e

ROOT = "root-secret-of-16-and-more"


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def url_of(intake: Intake) -> str:
    return f"http://127.0.0.1:{intake.port}"


def note(url: str, number: int, secret: str, **more: str) -> httpx.Response:
    return httpx.post(f"{url}/commands/Note", json={"number": number}, headers={**bearer(secret), **more})


def test_two_intakes_count_together_and_the_first_token_closes_both(project: Project) -> None:
    """The third of two is refused by whichever process; from then on no call without one is let in, also when it is gone."""
    project.configure(more="[tokens]\ncache = 0.2")
    one, other = project.serve(), project.serve()
    assert httpx.post(f"{url_of(one)}/commands/Note", json={"number": 0}).status_code == 202
    secret = project.ok("tokens", "add", "shop", "--limit", "2/y").strip()
    for url in (url_of(one), url_of(other)):
        # its own token is known at once; that others have none is known after the cache's time
        until(partial(is_closed, url), "it is closed")
    statuses = [
        note(url, 1, secret).status_code for url in (url_of(one), url_of(other), url_of(one), url_of(other))
    ]
    assert statuses == [202, 202, 429, 429]
    refused = note(url_of(one), 1, secret)
    assert int(refused.headers["retry-after"]) > 0
    window(project, one, other)
    done = project.cli("send", "Note", "number:=1", "--token", "shop")
    assert (done.returncode, "limit of 2/y" in done.stderr) == (5, True)
    assert project.cli("send", "Note", "number:=1", "--token", "nobody").returncode == 4

    assert project.ok("tokens", "remove", "--all", "--yes") == "2 tokens removed\n"
    until(lambda: note(url_of(one), 1, secret).status_code == 401, "it is known to be gone")
    assert httpx.get(f"{url_of(one)}/health").status_code == 401
    assert httpx.get(f"{url_of(one)}/livez").status_code == 200


def test_a_public_address_is_bound_with_a_token_and_no_secret_is_found_anywhere(project: Project) -> None:
    """Not in logs, errors, health, configuration, the database, nor in the trace of a crash."""
    project.configure(more=f'[tokens]\nroot = "{ROOT}"')
    intake = project.serve("--host", "0.0.0.0", "--log-level", "debug")
    made = httpx.put(
        f"{url_of(intake)}/tokens", json={"id": "shop", "rights": ["send"]}, headers=bearer(ROOT)
    )
    assert made.status_code == 201
    secret = made.json()["secret"]
    said = [
        note(url_of(intake), 1, secret),
        note(url_of(intake), 1, secret, **{"Content-Type": "text/plain"}),
        note(url_of(intake), 1, f"{secret}x"),
        httpx.get(f"{url_of(intake)}/health", headers=bearer(ROOT)),
        httpx.get(f"{url_of(intake)}/health", headers=bearer(secret)),
        httpx.get(f"{url_of(intake)}/tokens", headers=bearer(ROOT)),
        httpx.put(f"{url_of(intake)}/tokens", json={"id": "root"}, headers=bearer(ROOT)),
    ]
    assert [one.status_code for one in said] == [202, 415, 401, 200, 403, 200, 409]
    # the same by the messages themselves: the right to send is not the right to give
    added = {"token": {"id": "mail", "rights": ["send"]}, "secret_hash": "0" * 64}
    for holder, status in ((secret, 403), (ROOT, 201)):
        answer = httpx.post(f"{url_of(intake)}/commands/AddToken", json=added, headers=bearer(holder))
        assert answer.status_code == status, answer.text
    asked = httpx.get(f"{url_of(intake)}/queries/GetTokens", headers=bearer(ROOT))
    assert [one["id"] for one in asked.json()["items"]] == ["root", "mail", "shop"]
    outputs = [one.text + str(one.headers) for one in said]
    for words in (
        ["debug", "config"],
        ["debug", "config", "--json"],
        ["tokens", "list", "--json"],
        ["check"],
    ):
        done = project.cli(*words)
        outputs.append(done.stdout + done.stderr)
    for wrong in ({"WORKER_TOKENS__ROOT": "short"}, {"WORKER_TOKENS__PING": ROOT}, {"WORKER_TOKENS": ROOT}):
        done = project.cli("check", "-l", "debug", extra=wrong)
        assert done.returncode == 2
        outputs.append(done.stdout + done.stderr)
    # a crash: the whole trace is printed
    program = "import worker.settings\nraise RuntimeError(worker.settings.load())\n"
    crash = subprocess.run(
        [sys.executable, "-c", program], cwd=project.folder, env=environment(), capture_output=True, text=True
    )
    assert "TokensSettings(root)" in crash.stderr
    outputs.append(crash.stderr)
    outputs += [path.read_bytes().decode("latin-1") for path in files(project.folder)]
    for hidden in (ROOT, secret, "short'"):
        assert [text for text in outputs if hidden in text] == []


def test_the_health_port_of_a_worker_is_closed_likewise(project: Project) -> None:
    """As soon as there is a token ``/health`` asks for one with its right; probes of an orchestrator have none."""
    project.configure(more="[tokens]\ncache = 0.2")
    port = free_port()
    project.consume("--health-port", str(port))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=75) as client:

        def asked(path: str, secret: str | None = None) -> int:
            return client.get(path, headers=bearer(secret) if secret else {}).status_code

        until(lambda: asked("/health") == 200, "it is healthy, and open as long as there is no token")
        without, its_right = (
            project.ok("tokens", "add", name, "--right", right).strip()
            for name, right in (("shop", "send"), ("monitor", "health"))
        )
        until(lambda: asked("/health") == 401, "it is known that tokens are in use")
        assert client.get("/health").headers["www-authenticate"] == "Bearer"
        assert [asked("/health", secret) for secret in (without, its_right, "nobody")] == [403, 200, 401]
        assert [asked(path) for path in ("/livez", "/readyz", "/nowhere")] == [200, 200, 401]


def window(project: Project, *intakes: Intake) -> None:
    """Of two a second the third is refused by whichever process, and allowed in the next second."""
    secret = project.ok("tokens", "add", "quick", "--limit", "2/s").strip()
    turns = itertools.cycle(intake.client for intake in intakes)

    def call() -> httpx.Response:
        return next(turns).post("/commands/Note", json={"number": 2}, headers=bearer(secret))

    until(
        lambda: [call().status_code for _ in intakes] == [429] * len(intakes), "both know it, and refuse it"
    )
    ended = [int(time.time())]
    seen: list[httpx.Response] = []

    def within_a_second() -> bool:
        """Three calls one after the other, in a second that had none before, with none of its edges between."""
        if (began := int(time.time())) == ended[-1]:
            return False
        seen[:] = [call() for _ in range(3)]
        ended.append(int(time.time()))
        return ended[-1] == began

    until(within_a_second, "three calls fall into one second", every=0.01)
    assert [one.status_code for one in seen] == [202, 202, 429]
    assert seen[2].headers["retry-after"] == "1"
    until(lambda: call().status_code == 202, "the next second lets it through")


def test_what_a_token_sends_by_the_command_line_is_narrowed(project: Project) -> None:
    """As over HTTP: one by one and line by line, also where the type requires what is left out."""
    project.configure(app="examples.search.app:app")
    project.ok("tokens", "add", "shop", "--scope", "index=films", "--scope", "app=cinema")
    lines = "".join(
        json.dumps({"type": "DeleteItems", "data": {"items_uuid": ["a~film"], **data}}) + "\n"
        for data in ({}, {"index": "*"}, {"index": "films", "app": ""}, {"index": "books"})
    )
    done = project.cli("send", "--ndjson", "-", "--token", "shop", "--json", stdin=lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one.get("error", {}).get("status") for one in answers] == [None, None, None, 403]
    project.ok("send", "CreateIndex", "--token", "shop")
    project.ok("send", "CreateIndex", "index=*", "--token", "shop")
    assert project.cli("send", "CreateIndex", "index=books", "--token", "shop").returncode == 5
    assert project.cli("send", "CreateIndex").returncode == 2
    bodies = project.rows("SELECT body FROM transport_messages ORDER BY id", file=project.queue_file)
    sent = [json.loads(body)["data"] for (body,) in bodies]
    assert [(one["index"], one["app"]) for one in sent] == [("films", "cinema")] * 5


def is_closed(url: str) -> bool:
    return httpx.get(f"{url}/openapi.json").status_code == 401


def files(folder: Path) -> list[Path]:
    """All that the processes have written: logs and databases."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not re.search(r"worker\.toml|\.py", path.name)
    ]
