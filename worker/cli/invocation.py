"""One call of the command line: its global options, and what is loaded by them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from worker.cli.product import Product
from worker.errors import ConfigurationError
from worker.messaging.declaration import Registry
from worker.messaging.declaring.registry import WrongDeclarations
from worker.settings import Settings, load


@dataclass(slots=True)
class Invocation:
    """What was asked for beside the command itself; every command gets it with ``@pass_invocation``."""

    app: str | None = None
    config: str | None = None
    log_level: str = "info"
    log_format: str = "auto"
    json: bool = False
    yes: bool = False
    arguments: tuple[str, ...] = ()
    product: Product = field(default_factory=Product)

    def settings(self, flags: Mapping[str, Any] | None = None) -> Settings:
        """Load the settings, with the command's flags by dotted key over all other sources; start to log.

        Raises:
            ConfigurationError: with every fault.
        """
        from worker.cli.logging import configure

        configure(self.log_level, self.log_format)
        return load({"app": self.app, **(flags or {})}, config=self.config)

    def registry(self, settings: Settings) -> Registry:
        """Import the application and check its declarations.

        Raises:
            ConfigurationError: none is named, it cannot be imported, or with every fault of its declarations, and then
                of its routes, too.
        """
        if settings.app is None:
            read = "" if settings.file else f"; there is no worker.toml in {settings.base}"
            raise ConfigurationError(
                f"app: missing; expected module:attribute, by -A/--app, WORKER_APP or app = in worker.toml{read}"
            )
        try:
            app = self.product.load_app(settings.app, settings.base)
            return self.product.registry_of(app, settings)
        except WrongDeclarations as wrong:
            if wrong.registry is None:
                raise
            raise ConfigurationError(
                [*wrong.faults, *self._route_faults(settings, wrong.registry)]
            ) from wrong

    def open(self, flags: Mapping[str, Any] | None = None) -> tuple[Settings, Registry]:
        """Load settings and application."""
        settings = self.settings(flags)
        return settings, self.registry(settings)

    def _route_faults(self, settings: Settings, registry: Registry) -> Sequence[str]:
        """Say what is wrong with the routes of declarations that are wrong themselves."""
        try:
            self.product.routes(settings, registry)
        except ConfigurationError as error:
            return error.faults
        except Exception:  # what is declared may be anything
            return ()
        return ()

    def interactive(self) -> bool:
        """Tell whether there is a user to be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()


pass_invocation = click.make_pass_decorator(Invocation)
"""Gives the ``Invocation`` to a command as its first argument."""
