"""Credentials that are used up are renewed by the SDK's own chain, in the middle of everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.brokers import ports
from tests.brokers.sqs import ENVIRONMENT, address
from tests.proxy.gate import Gate
from transports import registry
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, Outgoing, QueueSpec, Settled

pytestmark = pytest.mark.broker

SPEC = QueueSpec(name="renewed", types=("T",))
ROTATIONS = 20


async def test_twenty_rotations_of_credentials_refuse_no_call(
    sqs: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Every call has credentials that are valid, though no two have the same; then they are refused, and told so."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    with Gate(int(sqs.endpoint.rpartition(":")[2])) as gate, sqs.fresh() as url:
        for name, value in gate.environment.items():
            monkeypatch.setenv(name, value)
        through = f"{address(f'http://{ports.HOST}:{gate.port}')}&prefix={url.partition('prefix=')[2]}"
        transport: Any = registry.create("sqs", through, {"wait": 1}, base=tmp_path)
        await transport.connect()
        try:
            await transport.setup([SPEC])
            subscription = await transport.subscribe(SPEC, slots=10)
            number = 0
            while gate.rotations < ROTATIONS:
                number += 1
                message = Outgoing(queue=SPEC.name, id=str(number), type="T", body=b"1")
                assert [one.accepted for one in await transport.publish([message])] == [True]
                (delivery,) = await subscription.receive(1, 60.0)
                assert delivery.id == str(number)
                assert list(await subscription.settle([Ack(delivery)])) == [Settled.DONE]
            assert gate.refused == 0
            gate.expired = True
            with pytest.raises(TransportUnavailable, match=r"ExpiredToken.*brought no new ones") as raised:
                await transport.ping()
            assert "secret" not in str(raised.value) and "token-" not in str(raised.value)
        finally:
            await transport.close()
