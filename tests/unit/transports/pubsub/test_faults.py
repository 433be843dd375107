"""What an error of the service says of single acknowledgements, and what it does not say."""

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from transports.pubsub.faults import failed

DETAILS = "grpc-status-details-bin"


class Refusal:
    """An error as gRPC raises it."""

    def __init__(self, code, trailing):
        self._code = code
        self._trailing = trailing

    def code(self):
        return self._code

    def details(self):
        return "refused"

    def trailing_metadata(self):
        return ((DETAILS, self._trailing),)


def refusal(code, **metadata):
    packed = any_pb2.Any()
    packed.Pack(error_details_pb2.ErrorInfo(reason="R", metadata=metadata))
    return Refusal(code, status_pb2.Status(details=[packed]).SerializeToString())


def test_reasons_of_single_ids_are_told():
    told = {"ack-1": "PERMANENT_FAILURE_INVALID_ACK_ID", "ack-2": "TRANSIENT_FAILURE_UNORDERED_ACK_ID"}
    assert failed("p", refusal(grpc.StatusCode.FAILED_PRECONDITION, **told)).reasons == told


def test_what_is_said_of_a_quota_or_a_right_is_said_of_no_id():
    """Else all ids would count as acknowledged, as none of them is named."""
    error = refusal(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        service="pubsub.googleapis.com",
        quota_limit="defaultPerMinutePerProject",
    )
    assert not failed("p", error).reasons


@pytest.mark.parametrize(
    "trailing",
    [
        b"\xff\xff",
        status_pb2.Status(
            details=[any_pb2.Any(type_url="x/google.rpc.ErrorInfo", value=b"\xff")]
        ).SerializeToString(),
    ],
)
def test_details_that_cannot_be_read_say_nothing(trailing):
    error = failed("p", Refusal(grpc.StatusCode.UNAVAILABLE, trailing))
    assert (error.code, error.reasons) == ("UNAVAILABLE", {})
