"""The policies and the Terraform example in ``deploy/`` name the rights that the transport uses, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from transports.sqs.topology import FEWEST_RECEIVES, LONGEST_RETENTION, RECEIVES

ROOT = Path(__file__).parents[4]
SOURCES = ROOT / "transports" / "sqs"
ACTION = re.compile(
    r'"((?:Send|Receive|Delete|Change|Create|Get|Set|List|Tag|Purge|Start)\w*(?:Message|Queue|Url|Attributes|Batch))"'
)
PARTS = ["intake", "worker", "setup"]


def policy(part: str) -> Any:
    return json.loads((ROOT / "deploy" / "iam" / f"sqs-{part}.json").read_text())


def rights(part: str) -> set[str]:
    return {action for statement in policy(part)["Statement"] for action in statement["Action"]}


def test_all_rights_together_are_what_the_transport_calls() -> None:
    """SQS has one right for a call and its batch."""
    called = {
        f"sqs:{name.removesuffix('Batch')}"
        for path in SOURCES.glob("*.py")
        for name in ACTION.findall(path.read_text())
    }
    assert called == set().union(*map(rights, PARTS))


@pytest.mark.parametrize("part", PARTS)
def test_a_policy_reaches_the_service_s_own_queues_only(part: str) -> None:
    for statement in policy(part)["Statement"]:
        assert statement["Effect"] == "Allow"
        assert all(resource.endswith(":PREFIX*") for resource in statement["Resource"])
        assert not any("*" in action for action in statement["Action"])


def test_each_part_may_what_it_does_and_no_more() -> None:
    assert not rights("intake") & {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:CreateQueue"}
    assert not rights("setup") & {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage"}
    assert "sqs:CreateQueue" not in rights("worker")


@pytest.mark.slow
def test_the_terraform_example_can_be_read_and_makes_queues_that_setup_would_take() -> None:
    import hcl2  # which takes long, and no other test needs it

    text = (ROOT / "deploy" / "terraform" / "sqs" / "main.tf").read_text()
    assert {"terraform", "variable", "resource", "data"} <= set(hcl2.loads(text))
    assert re.search(rf"longest_retention = {LONGEST_RETENTION}\b", text)
    assert re.search(rf"maxReceiveCount     = {RECEIVES}\b", text) and RECEIVES >= FEWEST_RECEIVES
    for part in ("intake", "worker"):
        block = text.partition(f'"aws_iam_policy_document" "{part}"')[2].partition("resources")[0]
        assert set(re.findall(r'"(sqs:\w+)"', block)) == rights(part)
