"""Errors as the user sees them: one clear message and the exit code of the contract."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

import click

from worker.cli.invocation import Invocation
from worker.errors import (
    ConfigurationError,
    Forbidden,
    Guarded,
    InvalidMessage,
    LimitReached,
    Malformed,
    NotFound,
    PublishFailed,
    Reject,
    Unavailable,
    UsageError,
    WorkerError,
)
from worker.settings.masking import mask_text
from worker.texts import message_of, told, type_of

FAILED, USAGE, UNREACHABLE, NOT_FOUND, REFUSED = 1, 2, 3, 4, 5
INTERRUPTED = 130
"""What shells expect of a program that was interrupted."""

_TITLES = {
    FAILED: "The work failed",
    USAGE: "Wrong usage or configuration",
    UNREACHABLE: "Broker or database not reachable",
    NOT_FOUND: "Not found",
    REFUSED: "Refused by a guard",
    INTERRUPTED: "Interrupted",
}


def report(error: BaseException, invocation: Invocation) -> int:
    """Print an error to stderr and return the exit code."""
    error = first(error)
    code = exit_code(error)
    if invocation.log_level == "debug" and not isinstance(error, click.ClickException | click.Abort):
        click.echo(mask_text("".join(traceback.format_exception(error))), err=True, nl=False)
    # a wrong option may stand before --json, which is then not read any more
    if invocation.json or "--json" in invocation.arguments:
        click.echo(json.dumps(problem(error), ensure_ascii=False), err=True)
    else:
        click.echo(_text(error, invocation.log_level), err=True)
    return code


def first(error: BaseException) -> BaseException:
    """Return the error that tells most of a group of errors: the first that is ours."""
    while isinstance(error, BaseExceptionGroup):
        inner = error.exceptions
        error = next((one for one in inner if isinstance(one, WorkerError)), inner[0])
    return error


def exit_code(error: BaseException) -> int:
    """Exit code of an error."""
    match error:
        case (
            ConfigurationError()
            | UsageError()
            | InvalidMessage()
            | Malformed()
            | Reject()
            | click.UsageError()
        ):
            return USAGE
        case PublishFailed(refused=True):
            return FAILED
        case Unavailable():
            return UNREACHABLE
        case NotFound():
            return NOT_FOUND
        case Guarded() | Forbidden() | LimitReached():
            return REFUSED
        case click.Abort() | KeyboardInterrupt():
            return INTERRUPTED
        case click.ClickException():
            return error.exit_code
    return FAILED


def problem(error: BaseException) -> dict[str, Any]:
    """Return an error as a JSON object with the members of RFC 9457, and the exit code."""
    code = exit_code(error)
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES[code],
        "exit_code": code,
        "detail": message(error),
    }
    if isinstance(error, InvalidMessage):
        document["errors"] = [{"pointer": fault.pointer, "message": fault.message} for fault in error.faults]
    elif isinstance(error, ConfigurationError):
        document["errors"] = [{"message": mask_text(fault)} for fault in error.faults]
    return document


def message(error: BaseException) -> str:
    """Say what is wrong, without secrets."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return f"expected a command; {_path(error)} --help lists them"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, InvalidMessage) and len(error.faults) > 1:
        lines = "".join(f"\n- {fault.pointer or '/'}: {fault.message}" for fault in error.faults)
        return mask_text(f"{error.type_name} is invalid, {len(error.faults)} faults:{lines}")
    if isinstance(error, WorkerError):
        return mask_text(str(error) or type(error).__name__)
    return mask_text(told(error) if message_of(error) else type_of(error))


def _path(error: click.UsageError) -> str:
    return "worker" if error.ctx is None else error.ctx.command_path


def _text(error: BaseException, log_level: str) -> str:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()  # the help page
    text = f"Error: {message(error)}"
    if isinstance(error, click.UsageError) and error.ctx is not None:
        text += f"\nSee '{error.ctx.command_path} --help'."
    elif not isinstance(error, WorkerError | click.ClickException | click.Abort) and log_level != "debug":
        text += "\nRun it with --log-level debug to see where."
    if sys.stderr.isatty():
        return click.style("Error:", fg="red", bold=True) + text.removeprefix("Error:")
    return text
