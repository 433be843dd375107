"""Reads the answers to what is asked most often: their bodies, and their errors as botocore names them."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import responses
from typing import Any, TypedDict

import msgspec


class _Attribute(TypedDict, total=False):
    DataType: str | None
    StringValue: str | None
    BinaryValue: str | None


class _Message(TypedDict, total=False):
    MessageId: str
    ReceiptHandle: str
    Body: str
    Attributes: dict[str, str] | None
    MessageAttributes: dict[str, _Attribute] | None


class _Received(TypedDict, total=False):
    Messages: list[_Message] | None


class _Done(TypedDict, total=False):
    Id: str


class _Failed(TypedDict, total=False):
    Id: str
    SenderFault: bool
    Code: str
    Message: str | None


class _Batch(TypedDict, total=False):
    Successful: list[_Done] | None
    Failed: list[_Failed] | None


_READ_BATCH = msgspec.json.Decoder(_Batch).decode
READERS: Mapping[str, Any] = {
    "ReceiveMessage": msgspec.json.Decoder(_Received).decode,
    "SendMessageBatch": _READ_BATCH,
    "DeleteMessageBatch": _READ_BATCH,
    "ChangeMessageVisibilityBatch": _READ_BATCH,
}
"""By action: reads the body of an answer; members that are not used here are left out."""


def error(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, dict[str, str]]:
    """Return code and message of an answer that is an error, as botocore's errors have them.

    The code is the one of the older protocol where the service gives it, else the name of the error, else the status.
    """
    code, text = str(status), responses.get(status, "")
    try:
        told = msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:  # not the service's: an HTML page of a proxy, perhaps
        told = None
    if isinstance(told, dict):
        text = str(told.get("message") or told.get("Message") or "")
        code = str(told.get("__type") or code).partition(":")[0].rpartition("#")[2]
    older = headers.get("x-amzn-query-error", "").split(";")
    if len(older) == 2 and older[0]:
        code = older[0]
    return {"Error": {"Code": code, "Message": text}}
