"""Messages that resources make: the classes that are dispatched on the bus are messages of it without further word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from worker.messaging.declaration import MessageType
from worker.messaging.declaring.draft import Draft
from worker.messaging.declaring.functions import name_of
from worker.messaging.declaring.messages import NAME
from worker.messaging.declaring.options import class_faults
from worker.resources.declared import ResourceEntry
from worker.resources.operation import Delete, Operation


def check_resource_messages(draft: Draft) -> None:
    """Declare the classes that resources dispatch, where the application has not."""
    for entry in draft.declared.of(ResourceEntry):
        where = f"resource {name_of(entry.cls)}"
        for cls in dict.fromkeys(_dispatched(entry)):
            known = draft.by_class.get(cls)
            if known is not None:
                if known.kind != "command":
                    draft.faults.append(
                        f"{where}: dispatches {known.name!r}, which is declared as {known.kind}; only commands are"
                    )
                continue
            name = _name(entry, cls)
            if name in draft.by_name:
                draft.faults.append(
                    f"{where}: its message would be named {name!r}, as {name_of(draft.by_name[name].cls)} is; "
                    "declare it with @app.command(name=...)"
                )
                continue
            if not NAME.fullmatch(name):
                draft.faults.append(
                    f"{where}: {name!r} is no wire name; declare it with @app.command(name=...)"
                )
                continue
            if not hasattr(cls, "__mapper__") and not hasattr(cls, "__pydantic_validator__"):
                draft.faults.extend(f"{where}: its message {name!r} {fault}" for fault in class_faults(cls))
            message = MessageType(name=name, cls=cls, kind="command", posted=False)
            draft.messages.append(message)
            draft.by_name[name] = draft.by_class[cls] = message


def _name(entry: ResourceEntry, cls: type[Any]) -> str:
    given = entry.options.get("name")
    return given if cls is entry.cls and isinstance(given, str) else cls.__name__


def _dispatched(entry: ResourceEntry) -> Iterator[type[Any]]:
    """Classes whose objects an operation may dispatch; what is wrong with the options is told elsewhere."""
    options: Mapping[str, Any] = entry.options
    operations = options.get("operations")
    if not isinstance(entry.cls, type):
        return
    if operations is None:
        operations = (None, Delete())
    for operation in operations if isinstance(operations, list | tuple) else ():
        if not isinstance(operation, Operation | None) or (operation is not None and operation.is_safe):
            continue
        said = None if operation is None else operation.messenger
        messenger = options.get("messenger", False) if said is None else said
        taken = None if operation is None else operation.input
        taken = options.get("input") if taken is None else taken
        if messenger == "input" and isinstance(taken, type) and not (operation and operation.is_delete):
            yield taken
        elif messenger is True and isinstance(taken, type) and not (operation and operation.is_delete):
            yield taken
            yield entry.cls
        elif messenger:
            yield entry.cls
