"""All decorators: what an application and a plugin have in common."""

from __future__ import annotations

from worker.application.acting import check_actions
from worker.application.actions import DeclaresActions
from worker.messaging.declaring.declarations import Declares
from worker.messaging.declaring.handlers import DeclaresHandlers, check_handlers
from worker.messaging.declaring.health import DeclaresHealth, check_health
from worker.messaging.declaring.messages import DeclaresMessages, check_messages
from worker.messaging.declaring.middleware import DeclaresMiddleware, check_middleware
from worker.messaging.declaring.schedules import DeclaresSchedules, check_crontab, check_schedules
from worker.resources.checking.messages import check_resource_messages
from worker.resources.checking.processors import check_processors
from worker.resources.checking.resources import check_resources
from worker.resources.declaring import DeclaresResources

CHECKS = (
    check_messages,
    check_resource_messages,
    check_handlers,
    check_middleware,
    check_health,
    check_schedules,
    check_crontab,
    check_actions,
    check_processors,
    check_resources,
)
"""One a kind; each may look at what those before it have found."""


class DeclaresEverything(
    DeclaresMessages,
    DeclaresHandlers,
    DeclaresMiddleware,
    DeclaresHealth,
    DeclaresSchedules,
    DeclaresActions,
    DeclaresResources,
    Declares,
):
    """Every decorator works bare and with arguments and returns what it decorated, unchanged.

    Nothing is checked before ``App.registry()``, so that all faults come in one error.
    """
