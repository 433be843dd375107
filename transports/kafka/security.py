"""TLS and SASL: how a connection proves the identity of its two sides."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import msgspec
from aiokafka.abc import AbstractTokenProvider

from transports.dsn import Dsn
from transports.options import Options
from worker.errors import ConfigurationError

MECHANISMS = {
    "none": "",
    "plain": "PLAIN",
    "scram-sha-256": "SCRAM-SHA-256",
    "scram-sha-512": "SCRAM-SHA-512",
    "oauthbearer": "OAUTHBEARER",
}


class Security(msgspec.Struct, frozen=True, kw_only=True):
    """How to connect.

    Attributes:
        tls: encrypt, and check the broker's certificate.
        ca_file: certificates to trust; None for the system's.
        cert_file: this client's own certificate; ``key_file``: its key, where that is in another file.
        sasl: a name in ``MECHANISMS``.
        username: with ``password``, for PLAIN and SCRAM.
        token: ``module:function`` of a coroutine function that returns a token, for OAUTHBEARER.
    """

    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    sasl: str = "none"
    username: str | None = None
    password: str | None = None
    token: str | None = None

    def __repr__(self) -> str:
        return f"Security(tls={self.tls}, sasl={self.sasl!r})"

    def arguments(self) -> dict[str, Any]:
        """Make the client's arguments; reads the files, imports the token's function.

        Raises:
            ConfigurationError: a file cannot be used, or there is no such function.
        """
        mechanism = MECHANISMS[self.sasl]
        protocol = ("SASL_" if mechanism else "") + ("SSL" if self.tls else "PLAINTEXT")
        found: dict[str, Any] = {"security_protocol": "PLAINTEXT" if protocol == "PLAINTEXT" else protocol}
        if self.tls:
            found["ssl_context"] = self._context()
        if mechanism == "OAUTHBEARER":
            found |= {"sasl_mechanism": mechanism, "sasl_oauth_token_provider": _Tokens(self.token or "")}
        elif mechanism:
            found |= {
                "sasl_mechanism": mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return found

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(path) for path in (self.ca_file, self.cert_file, self.key_file) if path)
            raise ConfigurationError(f"kafka: the certificates cannot be used ({files}): {error}") from None
        return context


class _Tokens(AbstractTokenProvider):  # type: ignore[misc]  # the driver has no types
    """Asks the application for a token."""

    def __init__(self, path: str) -> None:
        module, _, name = path.partition(":")
        try:
            self._function = cast(Callable[[], Awaitable[str]], getattr(import_module(module), name))
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigurationError(
                f"kafka: token = {path!r}: expected module:function of a coroutine function without parameters "
                f"({error})"
            ) from None

    async def token(self) -> str:
        """Return a fresh token."""
        return await self._function()


def read(reader: Options, url: Dsn, base: Path) -> Security:
    """Read the settings; notes in ``reader`` what is wrong."""
    tls = reader.flag("tls", default=False)
    files = {key: reader.text(key) for key in ("ca_file", "cert_file", "key_file")}
    sasl = reader.choice("sasl", "plain" if url.username else "none", tuple(MECHANISMS))
    token = reader.text("token")
    for key, value in files.items():
        if value and not tls:
            reader.fault(key, value, "tls = true beside it")
    if files["key_file"] and not files["cert_file"]:
        reader.fault("key_file", files["key_file"], "cert_file beside it")
    if sasl in {"plain", "scram-sha-256", "scram-sha-512"}:
        if url.username is None or url.password is None:
            reader.fault("sasl", sasl, "user and password in the url: kafka://user:password@host:9092")
    elif url.username is not None:
        reader.fault("sasl", sasl, "plain, scram-sha-256 or scram-sha-512: the url holds a user")
    if (sasl == "oauthbearer") != bool(token):
        reader.fault("token", token, 'module:function, together with sasl = "oauthbearer"')
    return Security(
        tls=tls,
        ca_file=base / files["ca_file"] if files["ca_file"] else None,
        cert_file=base / files["cert_file"] if files["cert_file"] else None,
        key_file=base / files["key_file"] if files["key_file"] else None,
        sasl=sasl,
        username=url.username,
        password=url.password,
        token=token,
    )
