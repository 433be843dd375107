"""``worker tokens``: who may call over HTTP."""

from __future__ import annotations

from worker.cli.group import LazyGroup

_COMMANDS = "worker.cli.commands"

tokens = LazyGroup(
    "tokens",
    help="Store tokens, look at them, remove them.",
    examples="""
worker tokens add shop                         a token that may send and ask; prints its secret, once
worker tokens add reader --right ask --right failed.read
worker tokens list
worker tokens remove shop
""",
    table={
        "add": f"{_COMMANDS}.tokens_add:add",
        "list": f"{_COMMANDS}.tokens_list:list_tokens",
        "remove": f"{_COMMANDS}.tokens_remove:remove",
    },
)
