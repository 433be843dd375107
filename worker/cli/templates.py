"""The files that ``worker make`` writes: each a part of an application of its own, to be included."""

from __future__ import annotations

import keyword
import re

from worker.errors import UsageError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)*")
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+|[0-9]+")

_COMMAND = '''"""The command {type} and its handler. Include it in your application: app.include({module}.app)."""

import msgspec

from worker import App, Context

app = App("{application}")


@app.command{arguments}
class {cls}(msgspec.Struct, frozen=True):
    """What is asked for; its fields are the command's data."""

    name: str


@app.handler
async def {function}(command: {cls}, context: Context) -> None:
    """Do it. An exception follows the retry policy; raise Unrecoverable where a retry cannot help."""
    context.log.info("{function}", name=command.name)
'''

_MIDDLEWARE = '''"""The middleware {function}. Include it in your application: app.include({module}.app)."""

from typing import Any

from worker import App, CallNext, Envelope

app = App("{application}")


@app.middleware
async def {function}(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
    """Run around every message, when it is dispatched and when it is consumed.

    Where it applies: @app.middleware(messages=["PlaceOrder"], on="consume", priority=10, when={{"attempt": "1"}}).
    """
    return await call_next(envelope)
'''

_PROCESSOR = '''"""The state processor {cls}. Include it in your application: app.include({module}.app)."""

from collections.abc import Mapping
from typing import Any

from worker import App
from worker.resources import Operation, PersistProcessor, RemoveProcessor

app = App("{application}")


@app.processor
class {cls}:
    """Changes what is stored. A resource or an operation names it: @app.resource(processor="{cls}")."""

    def __init__(self, persist: PersistProcessor, remove: RemoveProcessor) -> None:
        self._persist = persist
        self._remove = remove

    async def process(
        self, data: Any, operation: Operation, uri_variables: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Any:
        """Return what is answered; None keeps the data."""
        if operation.is_delete:
            return await self._remove.process(data, operation, uri_variables, context)
        return await self._persist.process(data, operation, uri_variables, context)
'''


def command_file(name: str) -> tuple[str, str]:
    """Name and content of a command's file.

    Raises:
        UsageError: no class can be called so.
    """
    words = _split(name)
    wire = "".join(word[:1].upper() + word[1:] for word in words)
    if "." in name:  # mail.send_welcome: a wire name of its own
        words, wire = _split(name.rpartition(".")[2]), name
    cls = "".join(word[:1].upper() + word[1:] for word in words)
    module = _module(words)
    return f"{module}.py", _COMMAND.format(
        type=wire,
        module=module,
        application=module.removesuffix("_"),
        arguments=f'("{wire}")' if wire != cls else "",
        cls=_class(cls),
        function=module,
    )


def processor_file(name: str) -> tuple[str, str]:
    """Name and content of a state processor's file.

    Raises:
        UsageError: no class can be called so.
    """
    words = _split(name)
    cls = _class("".join(word[:1].upper() + word[1:] for word in words))
    module = _module(words)
    return f"{module}.py", _PROCESSOR.format(cls=cls, module=module, application=module.removesuffix("_"))


def middleware_file(name: str) -> tuple[str, str]:
    """Name and content of a middleware's file.

    Raises:
        UsageError: no function can be called so.
    """
    module = _module(_split(name))
    application = module.removesuffix("_")
    return f"{module}.py", _MIDDLEWARE.format(function=module, module=module, application=application)


def _module(words: list[str]) -> str:
    """Name a module, which a statement must be able to import."""
    module = "_".join(words).lower()
    return f"{module}_" if keyword.iskeyword(module) else module


def _class(name: str) -> str:
    if keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} is a word of Python, so that no class can be called so; expected another name"
        )
    return name


def _split(name: str) -> list[str]:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r}: expected a name like PlaceOrder, place_order or mail.send_welcome")
    return _WORDS.findall(name)
