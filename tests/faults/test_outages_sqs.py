"""Outages of an SQS server, of the line to it, and of workers that take from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.brokers import ports
from tests.brokers.sqs import InstalledSqs
from tests.deep import DEEP
from tests.e2e.project import Project
from tests.faults.outages import Outages
from tests.faults.sqs import Sqs, sqs
from tests.proxy.proxy import Proxy


@pytest.fixture(scope="module")
def server(private_broker: Callable[..., Any]) -> InstalledSqs:
    """A server that only these tests break; it keeps what it has."""
    own: InstalledSqs = private_broker("sqs", advertised=ports.choose(), kept=True)
    return own


@pytest.mark.usefixtures("aws")
class TestSqsOutages(Outages):
    """Of a server that is stopped in order nothing is left: it is killed."""

    test_server_restarted = None
    if not DEEP:  # every call over HTTP has its own end
        test_half_open_connections = None
        test_network_frozen_for_a_while = None

    @pytest.fixture
    def place(self, server: InstalledSqs, project: Project) -> Iterator[Sqs]:
        with sqs(server, Proxy) as made:
            yield made
            project.close()
