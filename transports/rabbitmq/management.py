"""What only the broker's HTTP interface tells: how many messages are handed out and not settled."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from transports.dsn import Dsn

_TIMEOUT = 3.0
_OK, _MISSING = 200, 404


class Counted(NamedTuple):
    """One queue's numbers; the broker renews them every few seconds."""

    ready: int
    in_flight: int
    consumers: int


def count(url: Dsn, vhost: str, queues: Sequence[str]) -> dict[str, Counted]:
    """Count queues over one connection; those that are missing are left out. Blocks, for some seconds at most.

    Raises:
        OSError: the broker does not answer, or not as expected; the text holds no password.
    """
    found: dict[str, Counted] = {}
    connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = connect(url.hosts[0], timeout=_TIMEOUT)
    login = f"{url.username or 'guest'}:{url.password if url.password is not None else 'guest'}"
    headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    try:
        for queue in queues:
            path = f"{url.path.rstrip('/')}/api/queues/{quote(vhost, safe='')}/{quote(queue, safe='')}"
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == _MISSING:
                continue
            if answer.status != _OK:
                raise OSError(f"HTTP {answer.status} {answer.reason}")
            numbers = json.loads(body)
            # a queue that was just declared has no numbers yet
            found[queue] = Counted(
                numbers.get("messages_ready", 0),
                numbers.get("messages_unacknowledged", 0),
                numbers.get("consumers", 0),
            )
    except (http.client.HTTPException, ValueError, AttributeError) as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()
    return found
