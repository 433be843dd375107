"""Actions at start: their groups, with those that requests of resources have, and all steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from worker.application.stepping import Lazy, checked_step
from worker.chain.actions import Actions
from worker.chain.chain import PRIORITY_LIMIT
from worker.chain.declared import ActionEntry, DeclaredAction, DeclaredStep, StepEntry
from worker.messaging.declaration import Registry
from worker.messaging.declaring.draft import Draft
from worker.messaging.declaring.messages import NAME
from worker.resources.declared import ResourceEntry
from worker.resources.hook import ACTIONS, GROUPS
from worker.seconds import is_number


def check_actions(draft: Draft) -> None:
    """Check actions, then steps against them, and keep what they come to."""
    actions: dict[str, DeclaredAction] = {}
    if draft.declared.of(ResourceEntry):
        actions |= {name: DeclaredAction(name=name, groups=GROUPS, built_in=True) for name in ACTIONS}
    declared: set[str] = set()
    for entry in draft.declared.of(ActionEntry):
        name = entry.name
        if not isinstance(name, str) or not NAME.fullmatch(name):
            draft.faults.append(f"action {name!r}: expected a name of letters, digits, '.', '-' or '_'")
            continue
        known = actions.get(name, DeclaredAction(name=name, groups={}))
        faults = [*_group_faults(entry.groups, known.groups)]
        if name in declared and not known.built_in:
            faults.append("is declared twice; expected one declaration with all groups")
        declared.add(name)
        draft.faults.extend(f"action {name!r}: {fault}" for fault in faults)
        groups = _readable(entry.groups)
        actions[name] = DeclaredAction(name=name, groups={**groups, **known.groups}, built_in=known.built_in)
    lazy: Lazy = {}
    steps = [
        checked_step(entry, draft.declared.place(entry), actions, lazy, draft.faults)
        for entry in draft.declared.of(StepEntry)
    ]
    draft.keep(DeclaredAction, actions.values())
    draft.keep(DeclaredStep, [step for step in steps if step is not None])


def actions_of(registry: Registry) -> Actions:
    """Make what runs the actions of a checked application."""
    declared = {action.name: action for action in registry.entries_of(DeclaredAction)}
    return Actions(declared, registry.entries_of(DeclaredStep))


def _readable(groups: object) -> dict[str, int]:
    """The groups whose names and priorities can be read: steps in them are no further fault."""
    if not isinstance(groups, Mapping):
        return {}
    return {
        name: priority if is_number(priority, int) else 0
        for name, priority in groups.items()
        if isinstance(name, str)
    }


def _group_faults(groups: object, built_in: Mapping[str, int]) -> Iterable[str]:
    if not isinstance(groups, Mapping):
        yield f"groups={groups!r}, expected names with priorities, like {{'load': 20, 'finalize': 10}}"
        return
    taken = {priority: name for name, priority in built_in.items()}
    for name, priority in groups.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            yield f"group {name!r}: expected a name of letters, digits, '.', '-' or '_'"
        elif name in built_in:
            yield f"group {name!r}: the action has it already, at {built_in[name]}; expected another name"
        elif not is_number(priority, int):
            yield f"group {name!r}: priority {priority!r}, expected a whole number"
        elif abs(priority) > PRIORITY_LIMIT:
            yield f"group {name!r}: priority {priority}, expected -{PRIORITY_LIMIT} to {PRIORITY_LIMIT}"
        elif taken.setdefault(priority, name) != name:
            yield f"groups {taken[priority]!r} and {name!r} share the priority {priority}; give each its own"
