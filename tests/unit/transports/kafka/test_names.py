"""Topics have names that Kafka takes, and delays a topic for their length."""

from transports.kafka.names import LEVELS, Names, fault, level_for


def test_a_prefix_stands_before_every_topic():
    """Two environments on one cluster share no topic."""
    assert Names("").topic("q") == "q"
    assert Names("staging").all("q") == [
        "staging.q",
        "staging.q.delayed-10s",
        "staging.q.delayed-5m",
        "staging.q.delayed-1h",
    ]


def test_a_delay_waits_with_those_like_it():
    """The level is the shortest that is long enough."""
    assert [level_for(delay).seconds for delay in (0.1, 10.0, 10.1, 300.0, 3600.0)] == [
        10,
        10,
        300,
        300,
        3600,
    ]
    assert [level.seconds for level in LEVELS] == sorted(level.seconds for level in LEVELS)


def test_a_name_that_kafka_refuses_is_told():
    """Too long, or with other characters."""
    assert fault("a-b_c.9") is None
    assert "249" in (fault("x" * 250) or "")
    assert "'a b'" in (fault("a b") or "")
    assert fault(".") is not None


def test_queues_have_a_group_each_or_share_one():
    """The shared one stands behind the prefix like every topic."""
    assert Names("staging").group_of("q") == "staging.q"
    assert Names("staging", "all").group_of("q") == Names("staging", "all").shared == "staging.all"
    assert Names("staging").shared == ""
