"""Why no broker lets this process in: the driver tells that only in its log, and else that it could not connect."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from aiokafka import errors

from transports.kafka.driver import create_conn
from transports.kafka.settings import Settings

_REFUSED = (errors.AuthenticationFailedError, errors.SaslAuthenticationFailed)


async def reason(settings: Settings, security: Mapping[str, Any]) -> str | None:
    """Connect to each of the configured brokers, and return why the first one refuses; None where none refuses.

    The password is in no reason. Takes at most ``timeout`` for each broker.
    """
    for server in settings.servers:
        host, _, port = server.rpartition(":")
        try:
            connection = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=round(settings.timeout * 1000), **security
            )
        except (errors.KafkaError, OSError) as error:
            return f"{server} {_said(error, settings)}"
        connection.close()
    return None


def _said(error: BaseException, settings: Settings) -> str:
    security = settings.security
    if isinstance(error, ssl.SSLCertVerificationError):
        trusted = security.ca_file or "the system's authorities"
        return f"has a certificate that is not accepted with {trusted} (ca_file): {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"does not speak TLS as configured: {error.reason or error}"
    if isinstance(error, errors.UnsupportedSaslMechanismError):
        return f"does not take sasl = {security.sasl!r}"
    if isinstance(error, _REFUSED):
        who = f"user {security.username!r}" if security.username else "the token"
        return f"refuses {who} (sasl = {security.sasl!r}): {error.args[0] if error.args else error}"
    if isinstance(error, errors.KafkaConnectionError | ConnectionResetError):
        return "closes the connection at once: does it expect other tls or sasl than configured?"
    return f"does not answer: {str(error) or type(error).__name__}"
