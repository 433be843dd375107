"""The schedules over HTTP."""

from __future__ import annotations

import pytest


async def test_the_document_tells_how_they_stand(client):
    response = await client.get("/schedules")
    assert response.status_code == 200
    (item,) = response.json()["items"]
    assert {"name", "cron", "timezone", "missed", "paused", "next_at", "last_at", "last_id"} <= set(item)
    assert response.headers["Cache-Control"] == "no-store"


async def test_a_schedule_is_paused_and_resumed(client, world):
    response = await client.post("/schedules/nightly/pause", json={"reason": "closed"})
    assert (response.status_code, response.json()["paused"]) == (202, True)
    response = await client.post("/schedules/nightly/resume")
    assert (response.status_code, response.json()["paused"]) == (202, False)
    assert world.schedules.calls == [("pause", "nightly", "http", "closed"), ("resume", "nightly", "http")]


async def test_a_schedule_is_fired_now(client):
    response = await client.post("/schedules/nightly/run")
    assert (response.status_code, response.json()) == (202, {"name": "nightly", "ids": ["0190"]})


async def test_a_function_that_fails_is_500_and_tells_nothing_of_its_inside(client, world):
    world.schedules.fails = True
    response = await client.post("/schedules/nightly/run")
    assert response.status_code == 500
    assert "secret" not in response.text


@pytest.mark.parametrize("what", ["pause", "resume", "run"])
async def test_an_unknown_schedule_is_404(client, world, what):
    assert (await client.post(f"/schedules/nope/{what}")).status_code == 404
    assert world.schedules.calls == []


async def test_a_reason_must_be_text(client, world):
    response = await client.post("/schedules/nightly/pause", json={"reason": 3})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/reason"
    assert world.schedules.calls == []
