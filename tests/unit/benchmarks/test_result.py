"""A result is compared round by round, and says whether its goals were reached."""

import pytest

from benchmarks.result import Figure, Goal, paired

ROUNDS = [
    (Figure(rate=300.0, cpu=20.0), Figure(rate=100.0, cpu=100.0)),
    (Figure(rate=100.0, cpu=30.0), Figure(rate=50.0, cpu=60.0)),
    (Figure(rate=400.0, cpu=10.0), Figure(rate=100.0, cpu=100.0)),
]


def test_ratios_are_taken_within_a_round():
    result = paired("consume", "messages/s", ROUNDS)

    assert result.ratios == [3.0, 2.0, 4.0]
    assert result.ratio == 3.0
    assert result.cpu_ratio == 0.2


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        (Goal(3.0), ">= 3 met"),
        (Goal(3.1), ">= 3.1 missed"),
        (Goal(0.3, "cpu", least=False), "CPU <= 0.3 met"),
        (Goal(200, "ours", least=False), "<= 200 missed"),
    ],
)
def test_goal_says_whether_it_was_reached(goal, text):
    assert goal.text(paired("consume", "messages/s", ROUNDS)) == text


def test_goal_of_what_was_not_compared_is_only_named():
    assert Goal(0.3, "cpu").text(paired("consume", "messages/s", [])) == "CPU >= 0.3"
