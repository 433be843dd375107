"""Checks of resources: their options, and each operation filled in with what comes from its resource and its method."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from worker.errors import ConfigurationError
from worker.messaging.declaring.draft import Draft
from worker.messaging.declaring.functions import name_of
from worker.messaging.declaring.messages import NAME
from worker.messaging.naming import slug
from worker.resources.built_in import MessengerProcessor
from worker.resources.checking.listeners import check_listeners, check_request_steps
from worker.resources.checking.operations import effect_faults, option_faults
from worker.resources.class_shapes import class_shape
from worker.resources.declared import DeclaredResource, ProcessorEntry, ProviderEntry, ResourceEntry
from worker.resources.making import built_in_of
from worker.resources.operation import ALL, Operation
from worker.resources.plural import plural

_INHERITED = ("messenger", "input", "output", "processor", "provider", "security", "timeout", "listeners")
_WRITING = ("processor", "messenger", "input")


def check_resources(draft: Draft) -> None:
    """Check resources, and the listeners of their requests."""
    found: list[DeclaredResource] = []
    for entry in draft.declared.of(ResourceEntry):
        faults: list[str] = []
        try:
            found.append(_Resource(entry, draft).checked(faults))
        except ConfigurationError as error:
            faults.extend(error.faults)
        draft.faults.extend(f"resource {name_of(entry.cls)}: {fault}" for fault in faults)
    draft.faults.extend(_twice(found))
    check_listeners(draft, found)
    if found:
        check_request_steps(draft, found)
    draft.keep(DeclaredResource, found)


class _Resource:
    """One declared resource."""

    def __init__(self, entry: ResourceEntry, draft: Draft) -> None:
        self.cls = entry.cls
        self.options: Mapping[str, Any] = entry.options
        processors = draft.declared.of(ProcessorEntry)
        self._processors = {processor.name: processor.cls for processor in processors}
        self._providers = [provider.name for provider in draft.declared.of(ProviderEntry)]

    def checked(self, faults: list[str]) -> DeclaredResource:
        """Return it with all its operations.

        Raises:
            ConfigurationError: it cannot be read at all.
        """
        if not isinstance(self.cls, type):
            raise ConfigurationError("is no class")
        mapped = hasattr(self.cls, "__mapper__")
        if not mapped:
            faults.extend(self._class_faults())
        name = self._text("name", self.cls.__name__, faults)
        path = self._text("path", f"/{plural(slug(name))}", faults)
        if not _PATH.fullmatch(path):
            faults.append(f"path={path!r}, expected '/' and segments, without '/' at the end")
            path = "/unknown"  # told once, not for each operation
        identifier = self._text("identifier", "id", faults)
        if not identifier.isidentifier():
            faults.append(f"identifier={identifier!r}, expected the name of a field")
        scopes: Any = self.options.get("scopes") or {}
        if not isinstance(scopes, Mapping) or not all(
            isinstance(one, str) for pair in scopes.items() for one in pair
        ):
            faults.append(f"scopes={scopes!r}, expected fields by the names of scopes")
            scopes = {}
        own = self._own(faults)
        written = self._operations(faults)
        operations = [self._resolved(operation, own, name, path, identifier, faults) for operation in written]
        faults.extend(self._unused(own, written))
        return DeclaredResource(
            name=name,
            cls=self.cls,
            path=path,
            identifier=identifier,
            operations=tuple(operations),
            store=self.options.get("store"),
            scopes=dict(scopes),
            shapeless=mapped,
        )

    def _class_faults(self) -> Iterator[str]:
        try:
            if class_shape(self.cls) is None:
                yield (
                    "its class has no fields that are known; expected a mapped class, a Struct, a dataclass, "
                    "an attrs class or a Pydantic model"
                )
        except (TypeError, NameError) as error:
            yield f"its fields cannot be read: {error}"

    def _text(self, option: str, default: str, faults: list[str]) -> str:
        value = self.options.get(option)
        if value is None:
            return default
        if not isinstance(value, str) or not value or (option == "name" and not NAME.fullmatch(value)):
            faults.append(f"{option}={value!r}, expected a text of letters, digits, '.', '-' and '_'")
            return default
        return value

    def _own(self, faults: list[str]) -> Operation:
        """What the resource says for all its operations, as one."""
        given = {option: self.options[option] for option in (*_INHERITED, "errors") if option in self.options}
        own = Operation(**given)
        faults.extend(option_faults(own, self._processors, self._providers))
        return own

    def _operations(self, faults: list[str]) -> list[Operation]:
        given: Any = self.options.get("operations")
        if given is None:
            return [kind() for kind in ALL]
        if not isinstance(given, list | tuple):
            faults.append(f"operations={given!r}, expected a list of Post(), Get() …")
            return []
        if not given:
            faults.append("operations=[]: it has none, so that nothing can be done with it")
        wrong = [one for one in given if not isinstance(one, ALL)]
        faults.extend(f"operations: {_operation_fault(one)}" for one in wrong)
        return [one for one in given if isinstance(one, ALL)]

    def _resolved(
        self, said: Operation, own: Operation, name: str, path: str, identifier: str, faults: list[str]
    ) -> Operation:
        where = f"{type(said).__name__}({said.path or ''})"
        whole = dataclasses.replace(said, **self._inherited(said, own))
        own_faults = [*option_faults(said, self._processors, self._providers), *effect_faults(said, whole)]
        whole = dataclasses.replace(
            whole,
            path=_absolute(said, path, identifier),
            name=said.name or _default_name(said, name),
            status=_status(whole),
        )
        if not NAME.fullmatch(str(whole.name)):
            own_faults.append(f"name={whole.name!r}, expected letters, digits, '.', '-' and '_'")
        if not _OPERATION_PATH.fullmatch(str(whole.path)):
            own_faults.append(f"path={whole.path!r}, expected segments of text, or of one {{variable}}")
        variables = _VARIABLE.findall(str(whole.path))
        own_faults.extend(
            f"path={whole.path!r} has {{{name}}} twice"
            for name in dict.fromkeys(variables)
            if variables.count(name) > 1
        )
        own_faults.extend(self._silent_messenger(said, whole))
        faults.extend(f"{where}: {fault}" for fault in own_faults)
        return whole

    def _inherited(self, said: Operation, own: Operation) -> dict[str, Any]:
        """What an operation has of its resource, where it makes sense for its method."""
        found = {option: getattr(own, option) for option in _INHERITED if getattr(said, option) is None}
        if said.is_safe:
            found |= dict.fromkeys(("processor", "messenger"))
        if not said.reads_body:
            found["input"] = said.input
        if said.is_delete and found.get("messenger") == "input":
            found["messenger"] = True
        if said.is_delete:
            found["output"] = said.output
        found["errors"] = {**(_mapping(own.errors)), **_mapping(said.errors)}
        return found

    def _silent_messenger(self, said: Operation, whole: Operation) -> Iterator[str]:
        if (
            not whole.messenger
            or whole.processor is None
            or (said.messenger is None and said.processor is not None)
        ):
            return
        cls = self._processors.get(whole.processor) if isinstance(whole.processor, str) else whole.processor
        if isinstance(cls, type) and MessengerProcessor not in built_in_of(cls).values():
            yield (
                f"messenger={whole.messenger!r} has no effect: processor={cls.__name__} goes first, and its "
                "constructor asks for no MessengerProcessor"
            )

    def _unused(self, own: Operation, operations: Iterable[Operation]) -> Iterator[str]:
        """Options of the resource that none of its operations can use."""
        operations = list(operations)
        if not operations:
            return
        if all(operation.is_safe for operation in operations):
            for option in _WRITING:
                if getattr(own, option):
                    yield f"{option} has no effect: all its operations are GETs"
        if own.provider is not None and all(
            operation.method == "POST" and not operation.read for operation in operations
        ):
            yield "provider has no effect: its operations read nothing"


def _operation_fault(given: object) -> str:
    if isinstance(given, type) and given in ALL:
        return f"{given.__name__} is no operation; expected {given.__name__}()"
    return f"{given!r} is no operation; expected Post(), Get() …"


_PATH = re.compile(r"(/[^/{}?#\s]+|/\{[A-Za-z_]\w*\})+")
_OPERATION_PATH = _PATH
_VARIABLE = re.compile(r"\{(\w+)\}")


def _absolute(operation: Operation, path: str, identifier: str) -> str:
    if operation.path is None:
        return f"{path}/{{{identifier}}}" if operation.of_item else path
    return operation.path if operation.path.startswith("/") else f"{path}/{operation.path}"


def _default_name(operation: Operation, resource: str) -> str:
    """``book_get``; with a path of its own the words of that, too: ``book_create_publish``."""
    words = [slug(resource), operation.action]
    if operation.path is not None:
        words += [slug(part) for part in operation.path.split("/") if part and not part.startswith("{")]
    return "_".join(words).replace("-", "_")


def _status(operation: Operation) -> int:
    if operation.status is not None:
        return operation.status
    if operation.output is False or operation.is_delete:
        return 204
    return 201 if operation.method == "POST" else 200


def _mapping(errors: Any) -> dict[Any, Any]:
    return dict(errors) if isinstance(errors, Mapping) else {}


def _twice(resources: Iterable[DeclaredResource]) -> Iterator[str]:
    """Names of resources and operations, and paths, that are there twice."""
    names: dict[str, DeclaredResource] = {}
    operations: dict[str, str] = {}
    paths: dict[tuple[str, str], str] = {}
    for resource in resources:
        if names.setdefault(resource.name, resource) is not resource:
            yield f"resource {name_of(resource.cls)}: {resource.name!r} is declared twice; give one of them a name="
        for operation in resource.operations:
            here = f"{type(operation).__name__} of {resource.name}"
            there = operations.setdefault(str(operation.name), here)
            at = (operation.method, _VARIABLE.sub("{}", str(operation.path)))
            if there is not here:
                yield f"resource {resource.name}: two operations are named {operation.name!r}; give one of them a name="
            elif paths.setdefault(at, here) is not here:
                yield f"resource {resource.name}: {operation.method} {operation.path} is there twice: {paths[at]}, {here}"
