"""A key longer than its broker takes goes by its hash."""

from __future__ import annotations

import pytest

from worker.messaging.keys import carried, kept


@pytest.mark.parametrize("key", ["", "k" * 64, "\U0001f600" * 16])
def test_a_key_that_fits_stays_as_it_is(key: str) -> None:
    """Up to the limit in bytes, not in characters."""
    assert kept(key, 64) == key


@pytest.mark.parametrize("key", ["k" * 65, "\U0001f600" * 17, "\ud800" * 40])
def test_a_longer_one_is_a_hash_that_tells_keys_apart(key: str) -> None:
    """The same for equal keys, another for others, and its own hash is kept as it is."""
    assert kept(key, 64) == kept(key, 64) != kept(key + "k", 64)
    assert kept(kept(key, 64), 64) == kept(key, 64)


def test_a_message_without_a_key_has_none() -> None:
    """And a short one is given to the broker as it is."""
    assert (carried(None), carried(""), carried("7")) == (None, "", "7")
    assert len(carried("k" * 3_000) or "") == 64
