"""What the service guarantees on a transport, in sentences, derived from the transport's features."""

from __future__ import annotations

from worker.messaging.abilities import Requests
from worker.messaging.transport import Features


def guarantees(features: Features) -> list[str]:
    """Return the guarantees that hold on a transport."""
    return [
        _accepted(features),
        _DELIVERY,
        _attempts(features),
        _order(features),
        _delays(features),
        _share(features),
    ]


def price(requests: Requests) -> list[str]:
    """Return how many requests are made of a broker that is paid for them."""
    queues = f"{requests.queues} queue{'s' * (requests.queues != 1)}"
    processes = f"{requests.processes} process{'es' * (requests.processes != 1)}"
    each = f"{requests.per_message:g} in full batches, {requests.per_lone_message:g} where it comes alone"
    return [
        f"requests are paid for: {queues} in {processes} make {requests.idle:,.0f} an hour while idle",
        f"while a little comes to each, {requests.busy:,.0f} an hour, and for each message {each}",
    ]


_DELIVERY = "every message is handled at least once; what a handler stores through context.session happens once per message id"


def _accepted(features: Features) -> str:
    if features.durable:
        return "a 202 is durable: no accepted message is lost by a crash of intake, worker or broker"
    return "NOT durable: messages are lost when the process ends"


def _attempts(features: Features) -> str:
    lease = ", or by a lost lease" if features.lease else ""
    return (
        f"attempts are counted in the message; none is charged by pausing, stopping{lease}, nor by an outage"
    )


def _order(features: Features) -> str:
    if features.ordering == "key":
        return "messages of one key are handled in order; there is no order across keys"
    return "messages of one key are handled in order by a single lane; there is no order across keys"


def _delays(features: Features) -> str:
    if features.max_delay == float("inf"):
        return "delays of any length are kept by the transport"
    if features.max_delay > 0:
        return f"delays up to {features.max_delay:g} s are kept by the transport, longer ones by the database"
    return "delays are kept by the database"


def _share(features: Features) -> str:
    if features.shared:
        return "several worker processes share the work"
    return "ONE process only: others do not see its messages"
