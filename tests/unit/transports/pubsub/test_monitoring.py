"""How much waits, by a local server that answers as Cloud Monitoring does: what is not known is null, never 0."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from google.auth.credentials import AnonymousCredentials

from tests.unit.transports.pubsub.service import CONFIGURED, FakeConnection, failure
from transports.pubsub import monitoring, wire
from transports.pubsub.faults import Failed
from transports.pubsub.monitoring import AGE, COUNT, Backlog, Monitoring
from transports.pubsub.transport import PubsubTransport
from worker.messaging.transport import Depth


class StandIn(ThreadingHTTPServer):
    """Answers with the series that a test puts in, one a page."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.series = {COUNT: [], AGE: []}
        self.asked = []
        self.status = 200
        self.endless = False
        self.silent = threading.Event()
        self.silent.set()

    def put(self, metric, name, *points):
        """Points as (minute, value), in any order."""
        kind = "int64Value" if metric == COUNT else "doubleValue"
        self.series[metric].append(
            {
                "resource": {"type": "pubsub_subscription", "labels": {"subscription_id": name}},
                "points": [
                    {
                        "interval": {"endTime": f"2026-11-30T09:{minute:02}:00Z"},
                        "value": {kind: str(value) if metric == COUNT else value},
                    }
                    for minute, value in points
                ],
            }
        )


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self):
        """``projects.timeSeries.list``."""
        self.server.silent.wait(10)
        address = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(address.query).items()}
        self.server.asked.append((address.path, asked))
        (metric,) = [metric for metric in (COUNT, AGE) if metric in asked["filter"]]
        series = [
            one
            for one in self.server.series[metric]
            if f'"{one["resource"]["labels"]["subscription_id"]}"' in asked["filter"]
        ]
        place = int(asked.get("pageToken", "0"))
        page = {"timeSeries": series[place : place + 1]} if series else {}
        if place + 1 < len(series) or self.server.endless:
            page["nextPageToken"] = str(place + 1)
        body = json.dumps(page).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        """Say nothing."""


@pytest.fixture
def server():
    with StandIn() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.silent.set()
        made.shutdown()
        thread.join()


@pytest.fixture
async def asking(server):
    made = Monitoring("p", AnonymousCredentials(), 0.5, f"http://127.0.0.1:{server.server_port}")
    yield made
    made.close()


async def test_the_newest_sample_of_each_subscription_counts_over_all_pages(asking, server):
    server.put(COUNT, "orders", (58, 7), (57, 9))
    server.put(COUNT, "bills", (57, 1), (58, 3))
    server.put(AGE, "orders", (58, 12.5))
    assert await asking.backlogs(["orders", "bills"]) == {
        "orders": Backlog(7, 12.5),
        "bills": Backlog(3, None),
    }
    path, asked = server.asked[0]
    assert path == "/v3/projects/p/timeSeries"
    assert 'resource.labels.subscription_id = one_of("orders", "bills")' in asked["filter"]


async def test_a_subscription_without_a_sample_is_unknown(asking):
    assert await asking.backlogs(["orders"]) == {"orders": Backlog(None, None)}


async def test_it_is_not_asked_again_at_once(asking, server, monkeypatch):
    await asking.backlogs(["orders"])
    await asking.backlogs(["orders"])
    assert len(server.asked) == 2  # one for each metric
    monkeypatch.setattr(monitoring, "FRESH", -1.0)
    await asking.backlogs(["orders"])
    assert len(server.asked) == 4


@pytest.mark.parametrize("fault", ["refused", "silent", "nonsense", "no number", "endless", "gone"])
async def test_whatever_it_does_what_is_not_told_is_unknown(asking, server, fault, caplog):
    server.put(COUNT, "orders", (58, 7))
    if fault == "refused":
        server.status = 403
    elif fault == "silent":
        server.silent.clear()
    elif fault == "nonsense":
        del server.series[COUNT][0]["points"][0]["value"]
    elif fault == "no number":
        server.series[COUNT][0]["points"][0]["value"] = {"doubleValue": "Infinity"}
    elif fault == "endless":
        server.endless = True
    else:
        asking._url = "http://127.0.0.1:1/v3"
    begun = time.monotonic()
    assert await asking.backlogs(["orders"]) == {"orders": Backlog(None, None)}
    assert time.monotonic() - begun < 5
    assert len(server.asked) <= monitoring._PAGES


async def test_many_subscriptions_are_several_questions(asking, server):
    names = [f"queue-{number}" for number in range(150)]
    assert len(await asking.backlogs(names)) == 150
    assert len(server.asked) == 4


async def test_depth_counts_what_was_put_aside_too(asking, server):
    """Workers take it as from the queue itself. How much of it is in hand is not told."""
    made = PubsubTransport("jobs", msgspec.structs.replace(CONFIGURED, prefix="stage", monitoring=True))
    made.connection = FakeConnection()
    made.connection.open = True
    made._monitoring = asking
    server.put(COUNT, "stage.orders", (58, 7))
    server.put(AGE, "stage.orders", (58, 12.5))
    server.put(COUNT, "stage.orders.dead", (58, 2))
    server.put(AGE, "stage.orders.dead", (58, 90.0))
    server.put(COUNT, "stage.empty", (58, 0))
    server.put(AGE, "stage.empty", (58, 0.0))
    assert await made.depth(["orders", "empty", "other"]) == {
        "orders": Depth(ready=9, oldest_age=90.0),
        "empty": Depth(ready=0),
        "other": Depth(),
    }
    assert made.features.depth == "late"


async def test_a_connection_that_fails_leaves_nothing_open(monkeypatch):
    """What asks Cloud Monitoring has connections of its own."""
    opened, closed = [], []
    made = PubsubTransport("jobs", msgspec.structs.replace(CONFIGURED, monitoring=True))
    made.connection = connection = FakeConnection()
    connection.open, connection.credentials = False, AnonymousCredentials()

    async def connect():
        connection.open = True

    async def close():
        connection.open = False

    class Asking:
        def __init__(self, *given):
            opened.append(self)

        def close(self):
            closed.append(self)

    connection.connect, connection.close = connect, close
    monkeypatch.setattr("transports.pubsub.transport.Monitoring", Asking)
    connection.next(wire.GET_SUBSCRIPTION, failure("UNAVAILABLE"))
    with pytest.raises(Failed):
        await made.connect()
    assert not connection.open
    assert closed == opened
    await made.connect()
    assert len(opened) == len(closed) + 1
    await made.close()
    assert closed == opened


async def test_without_monitoring_nothing_is_known():
    made = PubsubTransport("jobs", CONFIGURED)
    made.connection = FakeConnection()
    made.connection.open = True
    assert await made.depth(["orders"]) == {"orders": Depth()}
    assert made.features.depth == "none"
