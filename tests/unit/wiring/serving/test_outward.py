"""What goes out over HTTP names whose a trouble is, and no host, user or path."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from worker.wiring.serving.outward import Outward, cut, with_cut_troubles

WHOLE = [
    "database: database postgresql://shop:***@db.internal/shop: no answer",
    "documents: documents mongodb://shop:***@db.internal/shop: no answer",
    "transport.rabbitmq: cannot reach amqp://shop:***@mq.internal:5672/",
    "queue shop-go: amqp://localhost does not answer",
    "stopping",
    "8 threads are held, and no more are replaced: 0 of 8 are left",
]


def test_a_reason_is_cut_after_whose_it_is():
    """Names stay, what the driver said does not."""
    assert [cut(reason) for reason in WHOLE] == [
        "database: see the log",
        "documents: see the log",
        "transport.rabbitmq: see the log",
        "queue shop-go: see the log",
        *WHOLE[4:],
    ]


def test_what_holds_while_pauses_cannot_be_read_is_told():
    """That part is the worker's own; an operator must see that a paused type stays paused."""
    whole = "pauses: cannot reach postgresql://db.internal; no answer; the pauses as of version 3 hold"
    assert cut(whole) == "pauses: see the log; the pauses as of version 3 hold"


def test_the_log_has_the_whole_of_it_once():
    """Probes ask every few seconds: only what is new is written."""
    outward = Outward()
    with capture_logs() as logs:
        for reasons in (WHOLE, WHOLE, [], WHOLE[:1]):
            outward.reasons(reasons)
    assert [entry["reasons"] for entry in logs] == [WHOLE, WHOLE[:1]]


def test_troubles_of_workers_are_cut_too():
    """The consumers document keeps everything else."""
    document = {"version": 1, "workers": [{"id": "w", "troubles": WHOLE[3:4]}], "consumers": []}
    assert with_cut_troubles(document) == {
        "version": 1,
        "workers": [{"id": "w", "troubles": ["queue shop-go: see the log"]}],
        "consumers": [],
    }


@pytest.mark.parametrize("reason", WHOLE)
def test_no_address_is_left(reason):
    """Whatever the driver put into its text."""
    assert "://" not in cut(reason)
