"""Properties: what the hot path reads of them."""

from __future__ import annotations

from pamqp import commands, header

from transports.rabbitmq.wire import properties


def written(**given) -> bytes:
    """Properties as they stand in a header frame."""
    return header.ContentHeader(body_size=0, properties=commands.Basic.Properties(**given)).marshal()[12:]


def test_the_brokers_own_count_is_passed_over() -> None:
    """The only header of a first delivery was not set by its sender: the message has none, and what follows is read."""
    data = written(content_type="a/b", headers={"x-delivery-count": 0}, delivery_mode=2, message_id="7")
    assert properties._FIRST in data
    assert properties.read(data) == ("a/b", "7", None)


def test_a_later_delivery_keeps_its_headers() -> None:
    """Whatever else stands there is read."""
    for headers in ({"x-delivery-count": 1}, {"x-delivery-count": 0, "key": "k"}, {"key": "k"}):
        found = properties.read(written(headers=headers, message_id="7"))
        assert (found.id, found.headers) == ("7", headers)
