"""The client's errors, told apart and named in our words."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from transports.pubsub.library import grpc
from worker.errors import TransportUnavailable

_HINTS = {
    "PERMISSION_DENIED": "the account needs roles/pubsub.publisher to send, roles/pubsub.subscriber to consume, "
    "pubsub.topics.get and pubsub.subscriptions.get for both, roles/pubsub.editor for: worker setup",
    "NOT_FOUND": "a topic or subscription was never made, or is deleted; run: worker setup",
    "UNAUTHENTICATED": "no valid application default credentials (gcloud auth application-default login, or a "
    "service account of the machine)",
}
_PASSING = {
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "INTERNAL",
    "ABORTED",
    "RESOURCE_EXHAUSTED",
    "CANCELLED",
    "UNKNOWN",
}
_NEVER_SENT = ("failed to connect", "Name resolution failed", "DNS resolution failed", "Channel is closed")
_UNDONE = {"PERMISSION_DENIED", "UNAUTHENTICATED", "NOT_FOUND", "INVALID_ARGUMENT", "FAILED_PRECONDITION"}
_DETAILS = "grpc-status-details-bin"
_OF_AN_ID = ("PERMANENT_FAILURE_", "TRANSIENT_FAILURE_")
"""How a reason for one acknowledgement id begins; the same place holds other details, of quotas and rights."""


class Failed(TransportUnavailable):
    """A call that failed.

    Attributes:
        code: gRPC's name for what happened.
        passes: the same call, made again, may succeed.
        doubtful: it may have been done all the same.
        reasons: what is said of single acknowledgement ids, by id.
    """

    def __init__(
        self, text: str, code: str, *, doubtful: bool = False, reasons: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.code = code
        self.passes = code in _PASSING
        self.doubtful = doubtful
        self.reasons: Mapping[str, str] = reasons or {}


def failed(shown: str, error: Any) -> Failed:
    """Name the project and the cause."""
    code = error.code().name
    detail = (error.details() or code).splitlines()[0]
    hint = f": {_HINTS[code]}" if code in _HINTS else ""
    doubtful = code not in _UNDONE and not any(text in detail for text in _NEVER_SENT)
    return Failed(f"{shown}: {code}: {detail}{hint}", code, doubtful=doubtful, reasons=_reasons(error))


def unreadable(shown: str) -> Failed:
    """Make the error of a call whose answer is not what it must be."""
    return Failed(f"{shown}: INTERNAL: the answer cannot be read", "INTERNAL", doubtful=True)


def broken_off(shown: str) -> Failed:
    """Make the error of a call whose connection was let go of while it ran."""
    return Failed(f"{shown}: the connection was given up", "CANCELLED", doubtful=True)


def _reasons(error: grpc.RpcError) -> Mapping[str, str]:
    """Read what the service says of single ids; see "exactly-once delivery" in its documentation."""
    trailing = error.trailing_metadata() if hasattr(error, "trailing_metadata") else None
    found: dict[str, str] = {}
    for name, value in trailing or ():
        if name != _DETAILS or not isinstance(value, bytes):
            continue
        with suppress(DecodeError):
            for packed in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if packed.Unpack(info):
                    found.update(info.metadata)
    return {id: reason for id, reason in found.items() if reason.startswith(_OF_AN_ID)}
