"""The leaner way to the service tells what Amazon's own client would tell, and is left where that client does something else."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import ClientError, MetadataRetrievalError

from transports.sqs import wire
from transports.sqs.answers import READERS
from transports.sqs.connection import Connection, Link
from transports.sqs.faults import NotSent, Refused
from transports.sqs.sample import Sample, learned
from transports.sqs.settings import Settings
from transports.sqs.signing import Request, Signer, agrees
from worker.errors import TransportUnavailable

SAMPLE = Sample("http://h:1/", "h:1", "eu-west-1", "sqs", {"Content-Type": "application/x-amz-json-1.0"})
POLL = {"QueueUrl": "http://h/1/q"}


class Asked(NamedTuple):
    """A request as it came."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def action(self) -> str:
        return self.headers["x-amz-target"].rpartition(".")[2]


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """An answer as it goes over the line."""
    told = {"Content-Length": str(len(body)), **{name.replace("_", "-"): headers[name] for name in headers}}
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def refusal(code: str, status: int = 400, **headers: str) -> bytes:
    """An error as the service tells it."""
    body = json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": "told why"}).encode()
    return answer(status, body, **headers)


class Service:
    """Answers each action with what the test says; nothing, and the end of the line, where it says nothing."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, bytes] = {"GetQueueUrl": answer(200, b'{"QueueUrl": "http://h/1/q"}')}
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
                spelled = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
                headers["authorization"] = spelled.get("Authorization", "")
                headers["x-amz-target"] = spelled.get("X-Amz-Target", "")
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                asked = Asked(headers, body)
                self.asked.append(asked)
                told = self.answers.get(asked.action)
                if told is None:
                    break
                writer.write(told)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Service]:
    service = Service()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    service.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield service
    finally:
        server.close()


@pytest.fixture
async def service(aws: None) -> AsyncIterator[Service]:
    async with serving() as made:
        yield made


def settings(service: Service, timeout: float = 2.0) -> Settings:
    return Settings(
        region="eu-west-1", shown="sqs://eu-west-1", endpoint=service.url, timeout=timeout, wait=1
    )


@asynccontextmanager
async def connected(service: Service, timeout: float = 2.0) -> AsyncIterator[Connection]:
    """A connection whose client has asked one question, and so has shown how it asks."""
    connection = Connection("sqs", settings(service, timeout))
    await connection.open()
    try:
        await connection.ask("GetQueueUrl", QueueName="q")
        yield connection
    finally:
        await connection.close()


async def raised(connection: Connection, action: str = "SendMessageBatch") -> tuple[type[Exception], str]:
    with pytest.raises((Refused, TransportUnavailable)) as caught:
        await connection.call(Link.SEND, action, **POLL)
    return type(caught.value), str(caught.value)


# --- what is said ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "T" * 300])
@pytest.mark.parametrize("body", [b"{}", '{"MessageBody":"ü \\u0001"}'.encode() * 100])
def test_a_request_is_signed_as_botocore_signs_it(token: str | None, body: bytes) -> None:
    credentials = ReadOnlyCredentials("AK", "secret", token)
    signer = Signer(credentials, SAMPLE)
    for _ in range(2):  # the second one by the key that was kept
        request = Request(SAMPLE, "SendMessageBatch", body)
        signer.add_auth(request)
        theirs = AWSRequest(
            "POST", SAMPLE.url, {**SAMPLE.headers, "X-Amz-Target": "AmazonSQS.SendMessageBatch"}, body
        )
        theirs.context["timestamp"] = request.context["timestamp"]
        theirs.headers["X-Amz-Date"] = request.headers["X-Amz-Date"]
        if token:
            theirs.headers["X-Amz-Security-Token"] = token
        base = SigV4Auth(credentials, "sqs", "eu-west-1")
        signature = base.signature(base.string_to_sign(theirs, base.canonical_request(theirs)), theirs)
        assert request.headers["Authorization"].endswith(f"Signature={signature}")


def test_a_new_day_has_a_key_of_its_own() -> None:
    signer = Signer(Credentials("AK", "secret"), SAMPLE)
    made = []
    for day in ("20260101", "20260102", "20260101"):
        request = Request(SAMPLE, "ReceiveMessage", b"{}")
        request.context["timestamp"] = f"{day}T000000Z"
        made.append(signer.signature("s", request))
    assert made[0] == made[2] != made[1]


def test_a_signer_that_signs_in_another_way_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = Credentials("AK", "secret")
    assert agrees(credentials, SAMPLE)
    monkeypatch.setattr(SigV4Auth, "_normalize_url_path", lambda self, path: "/another")
    monkeypatch.setattr(Signer, "_normalize_url_path", lambda self, path: "/")
    assert not agrees(credentials, SAMPLE)


async def test_a_request_says_what_the_client_would_say(service: Service) -> None:
    service.answers |= {"ReceiveMessage": answer()}
    async with connected(service) as connection:
        await connection.call(Link.RECEIVE, "ReceiveMessage", **POLL)
        connection._wires = {}
        await connection.call(Link.RECEIVE, "ReceiveMessage", **POLL)
    ours, theirs = service.asked[1:]
    same = ("content-type", "x-amz-target", "x-amzn-query-mode", "host", "accept-encoding")
    assert {name: ours.headers.get(name) for name in same} == {
        name: theirs.headers.get(name) for name in same
    }
    assert json.loads(ours.body) == json.loads(theirs.body)
    scope = re.compile(r"Credential=\w+/\d+/eu-west-1/sqs/aws4_request")
    assert scope.search(ours.headers["authorization"]) and scope.search(theirs.headers["authorization"])


async def test_the_credentials_of_the_moment_are_used(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty rotations, as a role's come."""
    service.answers |= {"ReceiveMessage": answer()}
    async with connected(service) as connection:
        made = connection._wires[Link.RECEIVE]
        for number in range(20):
            rotated = ReadOnlyCredentials(f"AK{number}", "secret", "token")

            async def current(rotated: ReadOnlyCredentials = rotated) -> ReadOnlyCredentials:
                return rotated

            monkeypatch.setattr(made._credentials, "get_frozen_credentials", current)
            await connection.call(Link.RECEIVE, "ReceiveMessage", **POLL)
            assert f"Credential=AK{number}/" in service.asked[-1].headers["authorization"]
            assert service.asked[-1].headers["x-amz-security-token"] == "token"


# --- what comes back ------------------------------------------------------------------------------------------------


async def test_what_a_poll_brings_is_what_the_client_would_give(service: Service) -> None:
    told = {
        "MessageId": "m",
        "ReceiptHandle": "h",
        "Body": "b",
        "MD5OfBody": "x",
        "Attributes": {"SentTimestamp": "1"},
        "MessageAttributes": {"worker": {"DataType": "String", "StringValue": "{}"}},
    }
    service.answers["ReceiveMessage"] = answer(
        200, json.dumps({"Messages": [told], "New": 1}).encode(), Date="then"
    )
    async with connected(service) as connection:
        ours = await connection.call(Link.RECEIVE, "ReceiveMessage", **POLL)
        connection._wires = {}
        theirs = await connection.call(Link.RECEIVE, "ReceiveMessage", **POLL)
    assert [{**each, "MD5OfBody": "x"} for each in ours["Messages"]] == theirs["Messages"]
    assert {each["ResponseMetadata"]["HTTPHeaders"]["date"] for each in (dict(ours), dict(theirs))} == {
        "then"
    }


NO_QUEUE = {"x_amzn_query_error": "AWS.SimpleQueueService.NonExistentQueue;Sender"}


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (refusal("QueueDoesNotExist"), Refused),
        (refusal("QueueDoesNotExist", **NO_QUEUE), Refused),
        (refusal("InvalidParameterValue"), Refused),
        (refusal("BatchRequestTooLong"), Refused),
        (refusal("RequestThrottled", 403), NotSent),
        (refusal("ThrottlingException"), NotSent),
        (refusal("ExpiredToken", 403), NotSent),
        (refusal("InvalidClientTokenId", 403), NotSent),
        (refusal("SignatureDoesNotMatch:http://told", 403), NotSent),
        (refusal("OverLimit", 403), NotSent),
        (refusal("InvalidSignatureException", 403), NotSent),
        (refusal("RequestTimeTooSkewed", 403), NotSent),
        (refusal("InternalFailure", 500), TransportUnavailable),
        (refusal("ServiceUnavailable", 503), TransportUnavailable),
        (answer(502, b"<html>bad gateway</html>"), TransportUnavailable),
        (answer(503, b""), TransportUnavailable),
    ],
)
async def test_an_error_is_the_one_that_the_client_makes_of_it(
    service: Service, told: bytes, kind: type[Exception]
) -> None:
    service.answers["SendMessageBatch"] = told
    async with connected(service) as connection:
        ours = await raised(connection)
        connection._wires = {}
        theirs = await raised(connection)
    assert ours == theirs
    assert ours[0] is kind


@pytest.mark.parametrize(
    "told",
    [
        None,
        answer(200, b"{"),
        answer(200, b'{"Successful": 7}'),
        answer(200, b"[]"),
        answer(200, b"{}")[:-1],
        b"nothing known\r\n\r\n",
    ],
)
async def test_of_a_broken_answer_nothing_is_known(service: Service, told: bytes | None) -> None:
    if told is not None:
        service.answers["SendMessageBatch"] = told
    async with connected(service, timeout=2) as connection:
        kind, _ = await raised(connection)
    assert kind is TransportUnavailable


@pytest.mark.parametrize("status", [302, 307, 401, 403, 407, 429])
async def test_who_stands_in_between_says_nothing_about_a_message(service: Service, status: int) -> None:
    service.answers["SendMessageBatch"] = answer(status, b"<html>log in</html>", Location="/login")
    async with connected(service) as connection:
        kind, text = await raised(connection)
    assert kind is NotSent
    assert "<html>" not in text


async def test_who_was_not_reached_did_nothing(service: Service) -> None:
    async with connected(service) as connection:
        made = connection._wires[Link.SEND]
        made._sample = Sample("http://127.0.0.1:1/", "127.0.0.1:1", "eu-west-1", "sqs", {})
        kind, _ = await raised(connection)
    assert kind is NotSent


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("the refreshed credentials are still expired"),
        ClientError({"Error": {"Code": "ValidationError", "Message": "still expired"}}, "AssumeRole"),
        MetadataRetrievalError(error_msg="still expired"),
    ],
)
async def test_credentials_that_cannot_be_renewed_sent_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def used_up() -> None:
        raise error

    async with connected(service) as connection:
        monkeypatch.setattr(connection._wires[Link.SEND]._credentials, "get_frozen_credentials", used_up)
        kind, text = await raised(connection)
    assert kind is NotSent
    assert "still expired" in text


async def test_an_answer_that_trickles_is_bounded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_SLACK", -2.4)
    service.answers["SendMessageBatch"] = answer(200, b"{}", Content_Length="1000")
    async with connected(service) as connection:
        kind, _ = await raised(connection)
    assert kind is TransportUnavailable


async def test_polls_that_wait_hold_up_nothing_else(service: Service) -> None:
    """Each lane has connections of its own."""
    service.answers |= {"ReceiveMessage": b"", "DeleteMessageBatch": answer(), "SendMessageBatch": answer()}
    async with connected(service) as connection:
        count = connection._bounds(Link.RECEIVE)[0] + 5
        polls = [
            asyncio.ensure_future(connection.call(Link.RECEIVE, "ReceiveMessage", **POLL))
            for _ in range(count)
        ]
        while sum(asked.action == "ReceiveMessage" for asked in service.asked) < count - 5:
            await asyncio.sleep(0)
        await connection.call(Link.SETTLE, "DeleteMessageBatch", **POLL)
        await connection.call(Link.SEND, "SendMessageBatch", **POLL)
        for poll in polls:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)


# --- when the client does everything --------------------------------------------------------------------------------


def signed(**changed: str) -> AWSRequest:
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "AmazonSQS.GetQueueUrl",
        "Authorization": "AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/sqs/aws4_request, Signature=0",
        **{name.replace("_", "-"): value for name, value in changed.items() if name != "url"},
    }
    return AWSRequest(
        "POST", changed.get("url", "https://sqs.eu-west-1.amazonaws.com/"), headers, b"{}"
    ).prepare()


def test_a_request_of_the_known_form_is_learned_from() -> None:
    found = learned(signed())
    assert found is not None
    assert (found.region, found.service, found.host) == ("eu-west-1", "sqs", "sqs.eu-west-1.amazonaws.com")


@pytest.mark.parametrize(
    "changed",
    [
        {"Content_Type": "application/cbor"},
        {"Content_Type": "application/x-www-form-urlencoded; charset=utf-8"},
        {"X_Amz_Target": "AmazonSQSv2.GetQueueUrl"},
        {"Authorization": "Bearer token"},
        {"Authorization": "AWS4-ECDSA-P256-SHA256 Credential=AK/20260101/sqs/aws4_request, Signature=0"},
        {"url": "https://sqs.eu-west-1.amazonaws.com/path"},
        {"url": "https://sqs.eu-west-1.amazonaws.com/?more"},
    ],
)
def test_a_request_of_another_form_is_left_to_the_client(changed: Mapping[str, str]) -> None:
    assert learned(signed(**changed)) is None


def test_a_proxy_is_left_to_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert learned(signed()) is None
    monkeypatch.setenv("NO_PROXY", "amazonaws.com")
    assert learned(signed()) is not None


async def test_the_client_does_everything_where_its_form_is_not_known(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transports.sqs.connection.learned", lambda request: None)
    service.answers |= {action: answer() for action in READERS}
    async with connected(service) as connection:
        assert not connection._wires
        for action in READERS:
            await connection.call(Link.SEND, action, **POLL)
    assert [asked.action for asked in service.asked[1:]] == list(READERS)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
async def test_authorities_of_the_users_choice_are_trusted_and_no_others(
    aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", "key.pem", "-out", "ca.pem", "-days", "2", "-subj", "/CN=x",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        cwd=tmp_path, check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    bundle = tmp_path / "ca.pem"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(bundle, tmp_path / "key.pem")
    async with serving(context) as service:
        service.answers["SendMessageBatch"] = answer()
        for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(variable, str(bundle))
        async with connected(service) as connection:
            assert connection._wires
            await connection.call(Link.SEND, "SendMessageBatch", **POLL)
            stranger = connection._wires[Link.SEND]._sample
            monkeypatch.delenv(variable)
            other = await wire.tls(stranger, None)
            lone = wire.Wire(
                stranger, connection._wires[Link.SEND]._credentials, other, pool=1, connect=2.0, read=2.0
            )
            connection._wires[Link.SEND] = lone
            kind, text = await raised(connection)
            await lone.close()
    assert kind is NotSent
    assert "certificate" in text.lower()
