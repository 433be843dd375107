"""Messages without a key are dealt out over all partitions, by every sender."""

from transports.kafka.partitioning import SHARE, Turns


def test_a_batch_stays_together_and_the_next_goes_on():
    """Some in a row have one partition; after a batch, or as many, it is the next one's turn."""
    turns = Turns()
    first = turns.take("t", 3)
    assert {turns.take("t", 3) for _ in range(SHARE - 1)} == {first}
    assert turns.take("t", 3) == (first + 1) % 3
    turns.pass_on()
    assert turns.take("t", 3) == (first + 2) % 3


def test_programs_that_send_one_message_each_reach_every_partition():
    """Each begins anywhere."""
    assert {Turns().take("t", 4) for _ in range(200)} == set(range(4))
