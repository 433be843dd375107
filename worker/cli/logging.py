"""Logs: to stderr, text on a terminal and JSON elsewhere, with one set of keys and no secrets."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from worker.settings.masking import MASK, is_secret, mask_text
from worker.texts import storable, trace_of

KEYS = ("timestamp", "level", "event", "type", "id", "correlation_id", "attempt", "transport", "queue")
"""Keys that come first in a JSON line, in this order."""

_QUIET = ("asyncio", "aiosqlite", "watchfiles", "sqlalchemy", "uvicorn", "hpack", "worker.state.sessions")
"""Libraries, and what is theirs under our name, that say at ``info`` what was not asked for."""

_PLAIN = (str, int, float, bool, type(None), list, tuple, dict)

_SILENT = ("aiokafka",)
"""Drivers that log the same fault ten times a second while their broker is away; the transport tells it once."""


def configure(level: str = "info", form: str = "auto", stream: TextIO | None = None) -> None:
    """Send the logs of the product and of all libraries to stderr, in one form.

    Args:
        level: the least that is logged.
        form: ``text``, ``json``, or ``auto``: text on a terminal, JSON elsewhere.
        stream: instead of stderr.
    """
    stream = stream or sys.stderr
    as_text = form == "text" or (form == "auto" and stream.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=Unfailing,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_text(stream) if as_text else _json()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    quiet = max(logging.WARNING, root.level) if root.level > logging.DEBUG else logging.INFO
    for name in _QUIET:
        logging.getLogger(name).setLevel(quiet)
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL if root.level > logging.DEBUG else logging.INFO)


class Unfailing(structlog.stdlib.BoundLogger):
    """Says what it can: an entry that cannot be written ends neither a handler nor the worker.

    Handlers may have set other processors or handlers of ``logging``, which raise whatever they like.
    """

    def _proxy_to_logger(self, *given: Any, **values: Any) -> Any:
        try:
            return super()._proxy_to_logger(*given, **values)
        except BaseException:
            return None


def traced(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write an entry's error out; an application's may raise when it is asked for its text, or be endless."""
    given = event.pop("exc_info", None)
    if isinstance(given, tuple):
        given = given[1]
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is not None:
        event["exception"] = trace_of(error).rstrip("\n")
    return event


def plain_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write values of an application's own classes out, for a form that would ask them how they look."""
    for key, value in event.items():
        if not isinstance(value, _PLAIN):
            event[key] = _shown(value)
    return event


def without_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask secrets in the values of a log entry."""
    for key, value in event.items():
        event[key] = _masked(str(key), value)
    return event


def in_order(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Put the keys that every line has first; one that does not apply is None."""
    first = {key: event.pop(key, None) for key in KEYS}
    return {**first, **event}


def _masked(key: str, value: Any) -> Any:
    if isinstance(value, str):
        # the name of a token may be logged, and stands under exactly this key; its secret never does
        return MASK if is_secret(key) and key != "token" else mask_text(value)
    if isinstance(value, Mapping):
        return {name: _masked(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(key, inner) for inner in value]
    return value


def _shown(value: object) -> str:
    """Text of what JSON has no form for; whatever a handler logs, the line is written."""
    try:
        return storable(str(value))
    except BaseException:
        return f"a {type(value).__name__}"


def _json() -> list[structlog.typing.Processor]:
    return [
        traced,
        without_secrets,
        in_order,
        structlog.processors.JSONRenderer(default=_shown, ensure_ascii=False),
    ]


def _text(stream: TextIO) -> list[structlog.typing.Processor]:
    colors = stream.isatty() and not os.environ.get("NO_COLOR")
    plain = structlog.dev.plain_traceback
    return [
        traced,
        plain_values,
        without_secrets,
        structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain, pad_event_to=0),
    ]
