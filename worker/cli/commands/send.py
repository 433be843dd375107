"""``worker send``: send commands."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import IO, Any

import click
import msgspec

from worker.cli.data import read_data
from worker.cli.duration import Duration
from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.lines import Fate, problem_of, send_lines
from worker.cli.lookup import command_named, rerouted
from worker.cli.output import print_json
from worker.cli.progress import Progress
from worker.cli.report import UNREACHABLE, exit_code, message
from worker.cli.sending import Options, principal_named, require_done, send_one, stopped_by_signals, wait_for
from worker.errors import Fault, InvalidMessage, Malformed, Unavailable, UsageError
from worker.messaging.declaration import MessageType, Registry
from worker.messaging.door import read_for
from worker.messaging.limits import delay_fault, id_fault, key_fault
from worker.seconds import LONGEST
from worker.settings import Settings
from worker.tokens.principal import ANYONE, Principal


@click.command(
    cls=WorkerCommand,
    examples="""
worker send PlaceOrder '{"order_id": "7", "lines": ["a"]}'
worker send PlaceOrder order_id=7 lines:='["a"]'     field=text, field:=JSON
worker send PlaceOrder @order.json --delay 90s       or - for standard input
worker send PlaceOrder order_id=7 --wait 10          exit 1 if it fails
worker send --ndjson orders.ndjson                   {"type": ..., "data": ...} a line
""",
)
@click.argument("words", nargs=-1, metavar="TYPE [DATA]...")
@click.option(
    "--ndjson", is_flag=True, help="Send a file of lines, or - for standard input; a bad line fails alone."
)
@click.option(
    "--delay", type=Duration(LONGEST), default=0.0, help="Hand it out no earlier than after this time."
)
@click.option("--key", metavar="KEY", help="Ordering key, instead of the message's own.")
@click.option("--id", "id", metavar="UUID", help="Its id, instead of a new one.")
@click.option("--token", metavar="NAME", help="Send it as this stored token would.")
@click.option("--transport", metavar="NAME", help="Send it there, whatever the routing says.")
@click.option(
    "--wait",
    type=Duration(),
    help="Wait so long for it to be done; exit 1 where it fails, or is not done by then.",
)
@pass_invocation
def send(
    invocation: Invocation,
    words: tuple[str, ...],
    ndjson: bool,
    delay: float,
    key: str | None,
    id: str | None,
    token: str | None,
    transport: str | None,
    wait: float | None,
) -> int:
    """Send a command; print its id.

    DATA is JSON, "-" for standard input, "@file", or field by field: name=text, name:=JSON.
    """
    for option, value, fault in (("--id", id, id_fault(id)), ("--key", key, key_fault(key))):
        if fault is not None:
            raise UsageError(f"{option} {value!r}: {fault}")
    options = Options(id=id, key=key, delay=delay)
    if ndjson:
        if len(words) > 1 or wait is not None or options != Options():
            raise UsageError(
                "--ndjson takes one FILE; --id, --key, --delay and --wait belong to its lines or not to it"
            )
        return asyncio.run(_send_many(invocation, words[0] if words else "-", transport, token))
    if not words:
        raise UsageError("TYPE is missing: worker send TYPE [DATA]")
    return asyncio.run(_send_one(invocation, words[0], words[1:], options, transport, wait, token))


async def _send_one(
    invocation: Invocation,
    name: str,
    words: tuple[str, ...],
    options: Options,
    transport: str | None,
    wait: float | None,
    token: str | None,
) -> int:
    settings, registry = _opened(invocation, transport)
    declared = command_named(registry, name)
    if wait is not None and not (declared.track and settings.status.track):
        raise UsageError(f"--wait: no status is kept of {declared.name}")
    data = read_data(words)
    command = _read(ANYONE, declared, data, words) if token is None else None
    target = invocation.product.routes(settings, registry).by_type[declared.name].transport
    if fault := delay_fault(options.delay, inline=target is None):
        raise UsageError(f"--delay: {fault}")
    # a command handled at once may send others anywhere
    needed = None if target is None else (target,)
    async with invocation.product.client(settings, registry, tables="create", transports=needed) as client:
        principal = await principal_named(client, token)
        if command is None:
            command = _read(principal, declared, data, words)
        answer: Any = await send_one(client, declared, command, options, principal)
        if transport is not None:
            _warn_off_route(invocation, declared.name, target)
        command_id = answer["id"]
        if not invocation.json:
            click.echo(command_id)
        if wait is None or answer["status"] == "done":
            if invocation.json:
                print_json(answer)
            return 0
        with stopped_by_signals() as stopping:
            status = await wait_for(client, command_id, wait, stopping)
        if invocation.json:
            print_json(status if status is not None else answer)
    require_done(status, command_id, wait, stopped=stopping.is_set())
    return 0


async def _send_many(invocation: Invocation, name: str, transport: str | None, token: str | None) -> int:
    settings, registry = _opened(invocation, transport)
    codes: set[int] = set()
    with _source(name) as source, Progress("sending") as progress:

        def told(fate: Fate) -> None:
            progress.advance()
            if fate.error is not None:
                codes.add(exit_code(fate.error))
                click.echo(f"line {fate.number}: {message(fate.error)}", err=True)
            if invocation.json:
                line = fate.answer if fate.error is None else {"error": problem_of(fate.error)}
                click.echo(msgspec.json.encode(line))
            elif fate.answer is not None:
                click.echo(fate.answer["id"])
            if isinstance(fate.error, Unavailable) and exit_code(fate.error) == UNREACHABLE:
                raise fate.error  # the lines after it would only wait for the same

        async with invocation.product.client(settings, registry, tables="create") as client:
            await send_lines(client, source, told, await principal_named(client, token))
    return 1 if codes else 0


def _warn_off_route(invocation: Invocation, name: str, target: str | None) -> None:
    """Say that no worker with these settings takes a command from where it was sent to."""
    usual = invocation.product.routes(*invocation.open()).by_type[name].transport
    if target not in {None, usual}:
        click.echo(
            f"Warning: {name} is routed to {usual or 'inline'}; it waits on {target} for a worker whose [routing] leads it there",
            err=True,
        )


def _opened(invocation: Invocation, transport: str | None) -> tuple[Settings, Registry]:
    settings, registry = invocation.open()
    return settings, registry if transport is None else rerouted(registry, settings, transport)


def _source(name: str) -> IO[bytes]:
    if name == "-":
        return click.open_file("-", "rb")
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror or error}") from error


def _read(principal: Principal, declared: MessageType, data: bytes, words: tuple[str, ...]) -> Any:
    try:
        return read_for(principal, declared, data)
    except InvalidMessage as error:
        raise _hinted(error, words) from None
    except Malformed as error:
        raise UsageError(f"DATA: expected JSON: {error}") from error


def _hinted(error: InvalidMessage, words: tuple[str, ...]) -> InvalidMessage:
    """Say how a field that was given as text is given as something else."""
    texts = {word.partition("=")[0] for word in words if "=" in word and ":=" not in word}
    faults = [
        Fault(pointer, f"{text}; for JSON write {pointer[1:]}:=..." if pointer[1:] in texts else text)
        for pointer, text in error.faults
    ]
    return InvalidMessage(error.type_name, faults)
