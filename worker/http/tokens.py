"""Tokens over HTTP: stored, shown, removed."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from worker.errors import Fault, Guarded, InvalidMessage
from worker.http import documents
from worker.http.answer import document
from worker.http.body import read_as_json
from worker.http.endpoint import Body, Endpoint, Gives, Parameter
from worker.http.filtering import read_json
from worker.http.ports import Ports
from worker.messaging.stamps import Result, SentBy
from worker.tokens.document import TokenDocument
from worker.tokens.messages import AddToken, DeleteToken, DeleteTokens, GetTokens, TokenAdded, Tokens
from worker.tokens.principal import Principal
from worker.tokens.secret import hash_of, make_secret

_FRESH = {"Cache-Control": "no-store"}


class PutToken(TokenDocument, frozen=True, kw_only=True):
    """What ``PUT /tokens`` takes: the whole document, and whether one that exists gets a new secret."""

    renew: bool = False


class TokensEndpoint:
    """Stores, shows and removes tokens, on the buses, as sending the built-in messages does."""

    def __init__(self, ports: Ports) -> None:
        self._messages = ports.messages
        self._entropy = ports.entropy
        self._max_body = ports.limits.max_body

    async def put(self, request: Request) -> Response:
        """Store one; its secret is in the answer where it is new, and nowhere else."""
        asked: PutToken = read_json(await read_as_json(request, self._max_body), PutToken)
        token = msgspec.convert(asked, TokenDocument, from_attributes=True)
        secret = make_secret(self._entropy)
        added: TokenAdded = await self._change(request, AddToken(token, hash_of(secret), asked.renew))
        shown = documents.TokenSecret(id=added.id, secret=secret if added.renewed else None)
        return document(request, shown, 201 if added.created else 200, _FRESH)

    async def list(self, request: Request) -> Response:
        """All of them, those of the settings first."""
        principal: Principal = request.scope["principal"]
        outcome = await self._messages.query_bus.dispatch(GetTokens(), *principal.marks)
        result = outcome.get(Result)
        return document(request, Tokens(()) if result is None else result.value, headers=_FRESH)

    async def remove(self, request: Request) -> Response:
        """Remove one."""
        await self._change(request, DeleteToken(request.path_params["id"]))
        return Response(status_code=204)

    async def remove_all(self, request: Request) -> Response:
        """Remove all that are stored."""
        await self._change(request, DeleteTokens())
        return Response(status_code=204)

    async def _change(self, request: Request, command: AddToken | DeleteToken | DeleteTokens) -> Any:
        principal: Principal = request.scope["principal"]
        try:
            outcome = await self._messages.command_bus.dispatch(command, *principal.marks, SentBy(principal))
        except InvalidMessage as error:
            raise InvalidMessage("token", [_in_body(fault) for fault in error.faults]) from error
        result = outcome.get(Result)
        if result is None and isinstance(command, AddToken):
            raise Guarded("a middleware has ended it; nothing was changed")
        return None if result is None else result.value


def _in_body(fault: Fault) -> Fault:
    """The body is the command's token."""
    return Fault(fault.pointer.removeprefix("/token"), fault.message)


_ID = Parameter("id", "path", {"type": "string", "minLength": 1}, required=True)
_REMOVED = {204: Gives("It is gone.")}

ENDPOINTS = (
    Endpoint(
        "PUT",
        "/tokens",
        "tokens",
        lambda ports: TokensEndpoint(ports).put,
        id="put_token",
        tag="tokens",
        summary="Store a token, in place of the one with its id",
        description="The secret is shown once, here: only its hash is stored.",
        body=Body(
            PutToken, example=lambda command: {"id": "shop", "rights": ["send"], "messages": [command]}
        ),
        gives={
            201: Gives("It is new.", documents.TokenSecret),
            200: Gives(
                "It has replaced the one before; the secret is null unless it is a new one.",
                documents.TokenSecret,
            ),
        },
        problems=(400, 409, 413, 415, 422, 503),
    ),
    Endpoint(
        "GET",
        "/tokens",
        "tokens.read",
        lambda ports: TokensEndpoint(ports).list,
        id="get_tokens",
        tag="tokens",
        summary="All tokens, without their secrets",
        gives={200: Gives("Those of the settings, and those that are stored.", Tokens)},
        problems=(503,),
    ),
    Endpoint(
        "DELETE",
        "/tokens/{id}",
        "tokens",
        lambda ports: TokensEndpoint(ports).remove,
        id="delete_token",
        tag="tokens",
        summary="Remove a token",
        parameters=(_ID,),
        gives=_REMOVED,
        problems=(404, 409, 503),
    ),
    Endpoint(
        "DELETE",
        "/tokens",
        "tokens",
        lambda ports: TokensEndpoint(ports).remove_all,
        id="delete_tokens",
        tag="tokens",
        summary="Remove all stored tokens",
        gives=_REMOVED,
        problems=(503,),
    ),
)
