"""Resources: classes that are exposed over HTTP, their operations, and the stages that a request of one passes.

What an application takes of it, beside what is in ``worker``.
"""

from worker.errors import Stale, Taken
from worker.resources.built_in import MessengerProcessor, PersistProcessor, Provider, RemoveProcessor
from worker.resources.documents import Documents
from worker.resources.event import RequestEvent
from worker.resources.operation import Operation
from worker.resources.stores import Filtered, Ordered, Page, Wanted

__all__ = [
    "Documents",
    "Filtered",
    "MessengerProcessor",
    "Operation",
    "Ordered",
    "Page",
    "PersistProcessor",
    "Provider",
    "RemoveProcessor",
    "RequestEvent",
    "Stale",
    "Taken",
    "Wanted",
]
