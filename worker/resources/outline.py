"""The chain of a resources' action as it is for any resource, for looking at; nothing of it is made or run.

Which of its stages an operation has, its flags say.
"""

from __future__ import annotations

from typing import Any

from worker.chain.chain import Chain, build
from worker.chain.declared import DeclaredAction
from worker.messaging.declaration import Registry
from worker.resources.event import RequestEvent
from worker.resources.hook import ACTIONS
from worker.resources.lifecycle import ListenerSteps, stage, steps_of

_READING = tuple(name for name in ACTIONS if name != "create")
_TAKING = ("create", "replace", "update")
_WRITING = (*_TAKING, "delete")
_ANSWERING = tuple(name for name in ACTIONS if name != "delete")

STAGES: tuple[tuple[str, str, int, tuple[str, ...]], ...] = (
    ("format", "request", 28, ACTIONS),
    ("read", "request", 4, _READING),
    ("access", "request", 3, ACTIONS),
    ("query_parameter_validate", "request", 2, ACTIONS),
    ("deserialize", "request", 2, _TAKING),
    ("access_after", "request", 1, _TAKING),
    ("validate", "view", 64, _TAKING),
    ("write", "view", 32, _WRITING),
    ("serialize", "view", 16, _ANSWERING),
    ("respond", "view", 8, ACTIONS),
    ("link", "response", 0, ACTIONS),
    ("validation_problem", "exception", 0, ACTIONS),
    ("problem", "exception", -96, ACTIONS),
)
"""The built-in stages: name, event, priority there, and the actions whose operations have them unless flags say otherwise."""


def outline(registry: Registry, action: DeclaredAction) -> Chain[Any]:
    """Order the stages of an action with the application's listeners and steps.

    Raises:
        ConfigurationError: something that was not checked is wrong.
    """
    stages = [stage(name, event, at, _never) for name, event, at, actions in STAGES if action.name in actions]
    return build([*stages, *steps_of(registry, action.name, ListenerSteps())], action.groups)


async def _never(event: RequestEvent) -> None:
    """Stand where a stage stands."""
