"""Checks of one operation's options: what cannot be meant, and what can have no effect where it stands."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from worker.messaging.declaring.options import error_faults
from worker.resources.checking.processors import class_faults
from worker.resources.class_shapes import class_shape
from worker.resources.operation import GetCollection, Operation
from worker.seconds import LONGEST, is_number
from worker.suggestion import hint

_STATUS = range(200, 600)
_FLAGS = (
    "query_parameter_validate",
    "read",
    "deserialize",
    "validate",
    "write",
    "serialize",
    "receive",
    "respond",
    "persist",
    "listeners",
    "allow_create",
)
_KINDS = ("exact", "partial", "range")


def option_faults(operation: Operation, processors: Iterable[str], providers: Iterable[str]) -> Iterator[str]:
    """Say what is wrong with what one operation, or a resource for all of its own, says itself."""
    yield from _value_faults(operation)
    yield from _class_faults(operation)
    yield from _named_faults("processor", operation.processor, "process", processors)
    yield from _named_faults("provider", operation.provider, "provide", providers)
    for option in ("security", "security_after"):
        yield from _security_faults(option, getattr(operation, option))
    if operation.errors is not None:
        yield from error_faults(operation.errors)
    yield from _parameter_faults(operation.parameters)
    if isinstance(operation, GetCollection):
        yield from _collection_faults(operation)


def _value_faults(operation: Operation) -> Iterator[str]:
    path: Any = operation.path
    if path is not None and not (isinstance(path, str) and path and "?" not in path and "#" not in path):
        yield f"path={path!r}, expected a path like '/books' or 'publish'"
    for option in ("name",):
        value = getattr(operation, option)
        if value is not None and not (isinstance(value, str) and value.strip()):
            yield f"{option}={value!r}, expected a text"
    status: Any = operation.status
    if status is not None and not (is_number(status, int) and status in _STATUS):
        yield f"status={status!r}, expected 200 to 599"
    timeout: Any = operation.timeout
    if timeout is not None and not (is_number(timeout) and 0 < timeout <= LONGEST):
        yield f"timeout={timeout!r}, expected seconds, more than 0, at most {LONGEST:.0f}"
    for flag in _FLAGS:
        value = getattr(operation, flag)
        if not isinstance(value, bool | None):
            yield f"{flag}={value!r}, expected True or False"
    messenger: Any = operation.messenger
    if messenger is not None and messenger != "input" and not isinstance(messenger, bool):
        yield f"messenger={messenger!r}, expected True, False or 'input'"


def _class_faults(operation: Operation) -> Iterator[str]:
    for option in ("input", "output"):
        value: Any = getattr(operation, option)
        if value is None or value is False:
            continue
        if not isinstance(value, type):
            yield f"{option}={value!r}, expected a class, or False"
            continue
        try:
            shape = class_shape(value)
        except (TypeError, NameError) as error:
            yield f"{option}={value.__name__}: {error}"
            continue
        if shape is None and not hasattr(value, "__mapper__"):
            yield f"{option}={value.__name__}: expected a Struct, a dataclass, an attrs class or a Pydantic model"


def _named_faults(option: str, given: Any, method: str, known: Iterable[str]) -> Iterator[str]:
    if isinstance(given, str):
        names = tuple(known)
        if given not in names:
            yield f"{option}={given!r}: no {option} of this name is declared{hint(given, names)}"
    elif given is not None:
        yield from (f"{option}: {fault}" for fault in class_faults(given, method))


def _security_faults(option: str, given: Any) -> Iterator[str]:
    if given is None:
        return
    expected = "expected a function of (principal, object, request)"
    if not callable(given) or isinstance(given, type):
        yield f"{option}={given!r}, {expected}"
        return
    if inspect.isgeneratorfunction(given) or inspect.isasyncgenfunction(given):
        yield f"{option} yields, so that what it returns would always count as yes; {expected} that returns its answer"
        return
    try:
        inspect.signature(given).bind(None, None, None)
    except TypeError:
        yield f"{option} does not take three arguments; {expected}"
    except ValueError:
        return


def _parameter_faults(parameters: Any) -> Iterator[str]:
    if not isinstance(parameters, Mapping):
        yield f"parameters={parameters!r}, expected annotations by name"
        return
    for name, annotation in parameters.items():
        if not isinstance(name, str) or not name:
            yield f"parameters={{{name!r}: ...}}, expected a text as the name"
            continue
        try:
            msgspec.inspect.type_info(annotation)
        except (TypeError, NameError) as error:
            yield f"parameters={{{name!r}: {annotation!r}}}: {error}"


def _collection_faults(operation: GetCollection) -> Iterator[str]:
    filters: Any = operation.filters
    if not isinstance(filters, Mapping):
        yield f"filters={filters!r}, expected kinds by field, such as {{'title': 'partial'}}"
    else:
        for field, kind in filters.items():
            if kind not in _KINDS:
                yield f"filters={{{field!r}: {kind!r}}}, expected one of {', '.join(map(repr, _KINDS))}"
    order: Any = operation.order
    if (
        isinstance(order, str)
        or not isinstance(order, Sequence)
        or not all(isinstance(one, str) for one in order)
    ):
        yield f"order={order!r}, expected names of fields, such as ('title',)"
    sizes = [("page_size", operation.page_size), ("max_page_size", operation.max_page_size)]
    wrong = [(name, size) for name, size in sizes if not (is_number(size, int) and size >= 1)]
    yield from (f"{name}={size!r}, expected 1 or more" for name, size in wrong)
    if not wrong and operation.page_size > operation.max_page_size:
        yield f"page_size={operation.page_size} is more than max_page_size={operation.max_page_size}"


def effect_faults(said: Operation, whole: Operation) -> Iterator[str]:
    """Say which of the options that an operation has itself can have no effect.

    Args:
        said: as the application wrote it.
        whole: with what comes from the resource.
    """
    method = said.method
    if said.allow_create is not None and method != "PUT":
        yield f"allow_create={said.allow_create!r} has no effect on {method}; it is for Put"
    if said.is_safe:
        if said.messenger:
            yield f"messenger={said.messenger!r} has no effect: a GET dispatches nothing"
        if said.processor is not None:
            yield "processor has no effect: a GET changes nothing; what reads is a provider"
    if not said.reads_body:
        for option in ("input", "security_after"):
            if getattr(said, option) is not None:
                yield f"{option} has no effect on {method}, which reads no body"
    if said.provider is not None and not reads(whole):
        yield f"provider has no effect: {method} reads nothing here; expected read=True"
    if said.messenger == "input" and said.is_delete:
        yield "messenger='input' has no effect on DELETE, which reads no body; messenger=True dispatches what is removed"
    if said.allow_create and not reads(whole):
        yield "allow_create=True has no effect: nothing is read here that could be missing"
    if whole.messenger == "input" and whole.reads_body and not isinstance(whole.input, type):
        yield "messenger='input' dispatches an object of the input's class; expected input=SomeClass"
    if whole.input is False and said.reads_body:
        yield from (
            f"{option}=True has no effect: input=False, no body is read"
            for option in ("deserialize", "validate")
            if getattr(said, option)
        )
        if said.security_after is not None:
            yield "security_after has no effect: input=False, no body is read"
    elif said.security_after is not None and said.reads_body:
        yield from (
            f"security_after has no effect: {flag}=False, no body is read"
            for flag in ("receive", "deserialize")
            if getattr(whole, flag) is False
        )
    if (
        said.output is not None
        and said.output is not False
        and (said.status or (204 if said.is_delete else 0)) == 204
    ):
        yield f"output={getattr(said.output, '__name__', said.output)} has no effect: the status is 204, which has no body"
    if said.output is False and said.serialize:
        yield "serialize=True has no effect: output=False"
    elif said.serialize and said.status in {204, 205, 304}:
        yield f"serialize=True has no effect: the status is {said.status}, which has no body"
    yield from _flag_faults(said)


def _flag_faults(said: Operation) -> Iterator[str]:
    method = said.method
    if said.is_safe and (said.write is not None or said.persist is not None):
        option = "write" if said.write is not None else "persist"
        yield f"{option}={getattr(said, option)!r} has no effect: a GET changes nothing"
    if said.deserialize is not None and not said.reads_body:
        yield f"deserialize={said.deserialize!r} has no effect on {method}, which reads no body"
    if said.validate is False and not said.reads_body:
        yield f"validate=False has no effect on {method}, which validates nothing"
    if said.read is False and method == "POST":
        yield "read=False has no effect on POST, which reads nothing"
    for switch, flags in (
        ("receive", ("read", "deserialize", "validate")),
        ("respond", ("serialize",)),
        ("persist", ("write",)),
    ):
        if getattr(said, switch) is False:
            yield from (
                f"{flag}={getattr(said, flag)!r} has no effect: {switch}=False leaves it out"
                for flag in flags
                if getattr(said, flag) is not None
            )
    if said.write is False or said.persist is False:
        for option in ("processor", "messenger"):
            if getattr(said, option):
                yield f"{option} has no effect: nothing is written here"


def reads(operation: Operation) -> bool:
    """Whether an operation reads the object or the page."""
    if operation.receive is False:
        return False
    return operation.method != "POST" if operation.read is None else operation.read
