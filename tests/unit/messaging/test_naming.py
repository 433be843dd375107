"""Portable queue names: one rule, the same result on every broker."""

from __future__ import annotations

import pytest

from worker.messaging.naming import MAX_LENGTH, queue_name, slug


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NoRetry", "no-retry"),
        ("no.retry", "no-retry"),
        ("mail.send_welcome", "mail-send-welcome"),
        ("HTTPServer", "http-server"),
        ("parseURL", "parse-url"),
        ("Int2", "int2"),
        ("OrderV2Placed", "order-v2-placed"),
        ("b2b", "b2b"),
        ("B2B", "b2b"),
        ("B2b", "b2b"),
        ("b2-b", "b2-b"),
        ("k8s-ops", "k8s-ops"),
        ("K8sOps", "k8s-ops"),
        ("Order2Cash", "order2-cash"),
        ("OrderB2BSync", "order-b2b-sync"),
        ("S3Upload", "s3-upload"),
        ("HTTP2Server", "http2-server"),
        ("sha256sum", "sha256sum"),
        ("catalog.IndexItems", "catalog-index-items"),
        ("a--b__c", "a-b-c"),
        ("7days", "7days"),
        ("", ""),
    ],
)
def test_a_name_becomes_lower_case_words(text: str, expected: str) -> None:
    """Words start at capitals and signs; a digit starts none and ends none."""
    assert slug(text) == expected


@pytest.mark.parametrize(
    ("application", "type_name", "expected"),
    [
        ("shop", "NoRetry", "shop-no-retry"),
        ("b2b", "NoRetry", "b2b-no-retry"),
        ("b2-b", "NoRetry", "b2-b-no-retry"),
        ("search", "IndexItems", "search-index-items"),
        ("7days", "Go", "q-7days-go"),
        ("google-ads", "Sync", "q-google-ads-sync"),
    ],
)
def test_a_queue_is_named_by_application_and_type(application: str, type_name: str, expected: str) -> None:
    """Two applications never share a queue by accident, and names that a broker refuses get a prefix."""
    assert queue_name(application, type_name) == expected


def test_a_long_name_is_cut_with_a_hash() -> None:
    """What is too long keeps its beginning and stays distinct by eight digits of a hash."""
    first, second = (queue_name("shop", "VeryLong" * 12 + end) for end in ("A", "B"))
    assert first.startswith("shop-very-long-very-long")
    assert first != second
    assert (len(first), len(second)) <= (MAX_LENGTH, MAX_LENGTH)


def test_a_name_of_just_the_longest_length_is_not_cut() -> None:
    """The limit itself is allowed."""
    assert queue_name("a", "b" * (MAX_LENGTH - 2)) == "a-" + "b" * (MAX_LENGTH - 2)
