"""Which folder serves which URL scheme; a driver is imported when its scheme is first used."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, cast

import msgspec

from transports import dsn
from worker.errors import ConfigurationError
from worker.messaging.transport import Transport


class Factory(Protocol):
    """Makes a transport from its table in the configuration; opens nothing."""

    def __call__(
        self, name: str, url: dsn.Dsn, options: Mapping[str, Any], *, base: Path, clock: Callable[[], float]
    ) -> Transport:
        """Make it.

        Raises:
            ConfigurationError: the address or an option is wrong; names each fault.
        """
        ...


class Scheme(msgspec.Struct, frozen=True):
    """Where a scheme's factory is (``module:function``), and the extra that brings its driver."""

    factory: str
    extra: str | None = None


SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "kafka": Scheme("transports.kafka.transport:create", extra="kafka"),
        "memory": Scheme("transports.memory:create"),
        "amqp": Scheme("transports.rabbitmq.transport:create", "rabbitmq"),
        "amqps": Scheme("transports.rabbitmq.transport:create", "rabbitmq"),
        "postgres": Scheme("transports.postgres.transport:create", "postgres"),
        "postgresql": Scheme("transports.postgres.transport:create", "postgres"),
        "pubsub": Scheme("transports.pubsub.transport:create", "pubsub"),
        "sqlite": Scheme("transports.sqlite.transport:create"),
        "sqs": Scheme("transports.sqs.transport:create", extra="sqs"),
    }
)


def create(
    name: str,
    url: str,
    options: Mapping[str, Any],
    *,
    base: Path,
    clock: Callable[[], float] = time.time,
    schemes: Mapping[str, Scheme] = SCHEMES,
) -> Transport:
    """Make the transport that a table of the configuration describes; nothing is opened yet.

    Args:
        name: of the table, ``[transports.<name>]``.
        url: its address; the scheme says which broker it is.
        options: the rest of the table.
        base: folder that relative paths start from, that of the configuration file.
        clock: seconds since the epoch; delays and leases follow it.
        schemes: what is known.

    Raises:
        ConfigurationError: the scheme is unknown, its driver is not installed, or an option is wrong.
    """
    try:
        address = dsn.parse(url)
    except ValueError as error:
        raise ConfigurationError(f"transports.{name}.url = {dsn.mask(url)!r}: {error}") from None
    scheme = schemes.get(address.scheme)
    if scheme is None:
        known = ", ".join(f"{known}://" for known in sorted(schemes))
        raise ConfigurationError(
            f"transports.{name}.url = {address.masked!r}: unknown scheme {address.scheme!r}; known: {known}"
        )
    return _load(name, address, scheme)(name, address, options, base=base, clock=clock)


def _load(name: str, address: dsn.Dsn, scheme: Scheme) -> Factory:
    module, _, function = scheme.factory.partition(":")
    try:
        return cast(Factory, getattr(import_module(module), function))
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if scheme.extra is None or missing in {"transports", "worker"}:
            raise
        raise ConfigurationError(
            f"transports.{name}.url = {address.masked!r}: the driver for {address.scheme}:// is not installed "
            f'({missing} is missing): pip install "command-worker[{scheme.extra}]"'
        ) from None
