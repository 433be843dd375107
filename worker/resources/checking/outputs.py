"""Checks of ``output=``: whether what an operation answers with can have the fields that its output's class needs."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Union

from worker.messaging.declaration import Registry
from worker.resources.built_in import BUILT_IN, MessengerProcessor
from worker.resources.checking.operations import reads
from worker.resources.class_shapes import class_shape
from worker.resources.declared import ProcessorEntry, ProviderEntry
from worker.resources.lifecycle import ListenerSteps, application_steps, chain_of, facts_of, groups_of
from worker.resources.operation import Operation
from worker.resources.places import deserializes, places_of
from worker.resources.resource import Resource


def output_faults(resource: Resource, operation: Operation, registry: Registry) -> Iterator[str]:
    """Say which required fields of an operation's output nothing can fill.

    Where a processor, a provider, a listener or a handler may answer with what is not known, nothing is said.
    """
    output: Any = operation.output
    if not isinstance(output, type) or output is resource.cls:
        return
    if all(place.stage != "serialize" for place in places_of(operation, scoped=False)):
        return
    shape = class_shape(output)
    answered = _answered(resource, operation, registry)
    if shape is None or answered is None or any(issubclass(cls, output) for cls in answered):
        return
    missing = [name for name in shape.fields if name in shape.required and not _may_have(answered, name)]
    if missing:
        names = " or ".join(sorted(cls.__name__ for cls in answered))
        fields = ", ".join(map(repr, missing))
        yield (
            f"output={output.__name__} needs {fields}, which {names} does not have: every answer would be an error; "
            f"give {output.__name__} a default for it, {names} an attribute of that name, or the operation a processor= "
            f"or provider= that answers with {output.__name__}"
        )


def _answered(resource: Resource, operation: Operation, registry: Registry) -> set[type[Any]] | None:
    """Classes of which one is answered with; None where that is not known."""
    read, written = reads(operation), deserializes(operation)
    if operation.is_delete or not (read or written):
        return None  # nothing is answered, whatever its class
    if _is_listened_to(resource, operation, registry) or (read and _is_provided(operation, registry)):
        return None
    taken = operation.input if written and isinstance(operation.input, type) else resource.cls
    if operation.is_safe or operation.write is False or operation.persist is False:
        return {taken}
    processor = _class_of(operation.processor, registry)
    if processor is not None and processor not in BUILT_IN:
        return None
    if processor is MessengerProcessor or (processor is None and operation.messenger):
        return _handled(taken, registry)
    if processor is None and any(one.supports is not None for one in registry.entries_of(ProcessorEntry)):
        return None
    return {taken} if resource.store is None else {resource.cls}


def _is_listened_to(resource: Resource, operation: Operation, registry: Registry) -> bool:
    """Whether anything of the application runs before the answer is written."""
    steps = application_steps(registry, operation, ListenerSteps())
    chain = chain_of(facts_of(resource.cls, operation), (), steps, groups_of(registry, operation))
    return any(
        step.group not in {"response", "exception"} and not (step.group == "view" and step.priority <= 16)
        for step in chain.steps
    )


def _is_provided(operation: Operation, registry: Registry) -> bool:
    provider: Any = operation.provider
    if provider is not None:
        return provider not in BUILT_IN
    return any(one.supports is not None for one in registry.entries_of(ProviderEntry))


def _class_of(processor: Any, registry: Registry) -> Any:
    if not isinstance(processor, str):
        return processor
    return next(one.cls for one in registry.entries_of(ProcessorEntry) if one.name == processor)


def _handled(message: type[Any], registry: Registry) -> set[type[Any]] | None:
    """What the message may be answered with: itself, or what its handlers return."""
    declared = registry.by_class.get(message)
    if declared is None or registry.middleware or _takes_anything(message):
        return None
    found = {message}
    for handler in registry.handlers.get(declared.name, ()):
        try:
            returned = typing.get_type_hints(handler.call).get("return", Any)
        except (NameError, TypeError, AttributeError):
            return None
        for cls in _alternatives(returned):
            if cls is type(None):
                continue
            if not isinstance(cls, type) or not _is_known(cls) or _takes_anything(cls):
                return None
            found.add(cls)
    return found


def _alternatives(hint: Any) -> Iterable[Any]:
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _alternatives(typing.get_args(hint)[0])
    if origin is Union or origin is types.UnionType:
        return [one for part in typing.get_args(hint) for one in _alternatives(part)]
    return [hint]


def _is_known(cls: type[Any]) -> bool:
    """Whether a class says which fields its objects have."""
    try:
        return hasattr(cls, "__mapper__") or class_shape(cls) is not None
    except (TypeError, NameError):
        return False


def _takes_anything(cls: type[Any]) -> bool:
    """Whether code that has an object may give it attributes of whatever name."""
    setting: object = cls.__setattr__
    return bool(cls.__dictoffset__) and setting is object.__setattr__


def _may_have(classes: Iterable[type[Any]], name: str) -> bool:
    return any(_has(one, name) for cls in classes for one in (cls, *_below(cls)))


def _below(cls: type[Any]) -> Iterator[type[Any]]:
    for sub in type.__subclasses__(cls):
        yield sub
        yield from _below(sub)


def _has(cls: type[Any], name: str) -> bool:
    """Whether an object of a class may have an attribute, as far as the class says."""
    shape = class_shape(cls)
    if hasattr(cls, name) or (shape is not None and name in shape.fields):
        return True
    config: Any = getattr(cls, "model_config", None)
    if isinstance(config, dict) and config.get("extra") == "allow":
        return True
    return bool(cls.__dictoffset__) and _fills_itself(cls)


_MAKING = ("__init__", "__new__", "__post_init__", "__attrs_post_init__", "model_post_init", "__getattr__")
_LIBRARIES = {"builtins", "msgspec", "pydantic", "sqlalchemy"}


def _fills_itself(cls: Any) -> bool:
    """Whether code of the application makes the objects of a class, or answers for their attributes."""
    mapper = getattr(cls, "__mapper__", None)
    if mapper is not None and mapper.class_manager.dispatch.load:
        return True
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] in _LIBRARIES:
            continue
        for name in _MAKING:
            found = vars(base).get(name)
            if name == "__init__" and (mapped := vars(base).get("__mapper__")) is not None:
                found = mapped.class_manager.original_init  # SQLAlchemy has put its own in its place
            if inspect.isfunction(found) and not _is_made(found):
                return True
    return False


def _is_made(function: types.FunctionType) -> bool:
    """Whether a library made it: a dataclass's constructor stands in no file."""
    library = function.__module__.partition(".")[0] in _LIBRARIES
    return library or function.__code__.co_filename.startswith("<")
