"""``worker failed retry|edit|remove``: change the failure store."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import click
import msgspec

from worker.cli.confirmation import confirm
from worker.cli.data import encoded, read_file
from worker.cli.filter_options import chosen_of, filter_options
from worker.cli.globals import WorkerCommand
from worker.cli.invocation import Invocation, pass_invocation
from worker.cli.output import print_json
from worker.cli.progress import waiting
from worker.errors import UsageError
from worker.messaging.failure import Filter
from worker.messaging.validation import malformed

_ids = click.argument("ids", nargs=-1, metavar="[ID]...")
_all = click.option("--all", "everything", is_flag=True, help="All of them.")


@click.command(
    cls=WorkerCommand,
    examples="""
worker failed retry 01890a5d-ac96-774b-bcce-b302099a8057
worker failed retry --type PlaceOrder --since 2h
worker failed retry --all --yes
""",
)
@_ids
@filter_options
@_all
@pass_invocation
def retry(invocation: Invocation, /, ids: tuple[str, ...], everything: bool, **filters: str | None) -> None:
    """Put failed messages back to the queue they came from: by ID, by filter, or --all.

    Same id, attempts counted from 1 again, history kept. Where nothing is routed to that queue any more, they go to the one their type has today. With filters or --all it asks first.
    """
    chosen = chosen_of(ids, filters, everything=everything)

    async def _work() -> int:
        settings, registry = invocation.open()
        async with invocation.product.client(settings, registry, absent=True) as client:
            if chosen is not None:
                await _ask(invocation, client.failed, chosen, "Put {count} back?")
            async with waiting("putting back"):
                if chosen is None:
                    return await client.failed.retry(ids)
                return await client.failed.retry_many(chosen)

    _done(invocation, "retried", asyncio.run(_work()), "put back")


@click.command(
    cls=WorkerCommand,
    examples="""
worker failed remove 01890a5d-ac96-774b-bcce-b302099a8057
worker failed remove --until 30d --yes
""",
)
@_ids
@filter_options
@_all
@pass_invocation
def remove(invocation: Invocation, /, ids: tuple[str, ...], everything: bool, **filters: str | None) -> None:
    """Remove failed messages for good: by ID, by filter, or --all. Asks first."""
    chosen = chosen_of(ids, filters, everything=everything)

    async def _work() -> int:
        settings, registry = invocation.open()
        async with invocation.product.client(settings, registry, queues=False, transports=()) as client:
            if chosen is None:
                confirm(invocation, f"Remove {_counted(len(ids))} for good?")
            else:
                await _ask(invocation, client.failed, chosen, "Remove {count} for good?")
            async with waiting("removing"):
                if chosen is None:
                    return await client.failed.remove(ids)
                return await client.failed.remove_many(chosen)

    _done(invocation, "removed", asyncio.run(_work()), "removed")


@click.command(
    cls=WorkerCommand,
    examples="""
worker failed edit ID --data '{"order_id": "7", "lines": []}'
worker failed edit ID --data @order.json --retry
""",
)
@click.argument("failure_id", metavar="ID")
@click.option("--data", required=True, metavar="JSON|-|@FILE", help="The message's new data.")
@click.option("--retry", "put_back", is_flag=True, help="Put it back at once.")
@pass_invocation
def edit(invocation: Invocation, failure_id: str, data: str, put_back: bool) -> None:
    """Replace the data of a failed message; its id stays."""
    body = _body(data)
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--data: expected JSON: {malformed(body, error)}") from error

    async def _work() -> None:
        settings, registry = invocation.open()
        needed = None if put_back else ()
        async with invocation.product.client(
            settings, registry, queues=put_back, transports=needed, absent=True
        ) as client:
            await client.failed.edit(failure_id, value, retry=put_back)

    asyncio.run(_work())
    if invocation.json:
        print_json({"id": failure_id, "edited": True, "retried": int(put_back)})
    else:
        click.echo(f"edited {failure_id}" + (", put back" if put_back else ""))


def _body(data: str) -> bytes:
    if data == "-":
        return sys.stdin.buffer.read()
    return read_file(data[1:]) if data.startswith("@") else encoded(data)


async def _ask(invocation: Invocation, failed: Any, chosen: Filter, question: str) -> None:
    if not invocation.yes:
        page = await failed.list(chosen, 1)
        if not page.total and invocation.interactive():
            return  # nothing will be changed: there is nothing to ask
        confirm(invocation, question.format(count=_counted(page.total)))


def _counted(count: int) -> str:
    return "1 failed message" if count == 1 else f"{count} failed messages"


def _done(invocation: Invocation, member: str, count: int, text: str) -> None:
    if invocation.json:
        print_json({member: count})
    else:
        click.echo(f"{_counted(count)} {text}")
