"""Gives the messages their forms whose classes are mapped, or Pydantic's."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from worker.errors import ConfigurationError
from worker.messaging.declaration import MessageType, Registry
from worker.resources.class_shapes import class_shape
from worker.resources.declared import DeclaredResource
from worker.resources.forms import ShapeForm
from worker.settings import Settings


def with_forms(registry: Registry, settings: Settings) -> Registry:
    """Return the registry in which each message can travel.

    Raises:
        ConfigurationError: the objects of a class cannot; says why.
    """
    formless = [
        message
        for message in registry.messages.values()
        if message.form is None
        and (hasattr(message.cls, "__mapper__") or hasattr(message.cls, "__pydantic_validator__"))
    ]
    if not formless:
        return registry
    identifiers = {one.cls: one.identifier for one in registry.entries_of(DeclaredResource)}
    formed = {message.name: _formed(message, identifiers, settings) for message in formless}

    def of(message: MessageType) -> MessageType:
        return formed.get(message.name, message)

    return msgspec.structs.replace(
        registry,
        messages={name: of(message) for name, message in registry.messages.items()},
        by_name={name: of(message) for name, message in registry.by_name.items()},
        by_class={cls: of(message) for cls, message in registry.by_class.items()},
    )


def _formed(message: MessageType, identifiers: dict[type[Any], str], settings: Settings) -> MessageType:
    cls: Any = message.cls
    if not hasattr(cls, "__mapper__"):
        shape = class_shape(cls)
    elif cls in identifiers:
        from worker.state.sessions.mapped.shape import mapped_shape  # loads SQLAlchemy

        shape = mapped_shape(cls, identifiers[cls], dialect_of(settings))
    else:
        raise ConfigurationError(
            f"{message.kind} {message.name!r}: its class is mapped; declare it with @app.resource, too, "
            "or send a message of its own"
        )
    return message if shape is None else msgspec.structs.replace(message, form=ShapeForm(shape))


def dialect_of(settings: Settings) -> Literal["sqlite", "postgresql"]:
    """What the state's database speaks."""
    return "sqlite" if (settings.database.url or "").startswith("sqlite") else "postgresql"
