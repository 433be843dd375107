"""``worker failed``: the failure store."""

from __future__ import annotations

from worker.cli.group import LazyGroup

_COMMANDS = "worker.cli.commands"

failed = LazyGroup(
    "failed",
    help="Look at failed messages, put them back, edit or remove them.",
    examples="""
worker failed groups                           how many, by type, handler and error
worker failed list --type PlaceOrder --since 2h
worker failed show ID                          error, trace, attempts, envelope
worker failed retry ID                         put one back to its queue
worker failed retry --error TimeoutError       put many back
""",
    table={
        "groups": f"{_COMMANDS}.failed_show:groups",
        "list": f"{_COMMANDS}.failed_show:list_failed",
        "show": f"{_COMMANDS}.failed_show:show",
        "retry": f"{_COMMANDS}.failed_change:retry",
        "edit": f"{_COMMANDS}.failed_change:edit",
        "remove": f"{_COMMANDS}.failed_change:remove",
    },
)
