"""Command Worker: an async worker service that consumes commands from brokers. This is its public face."""

from typing import TYPE_CHECKING, Any

from worker.application.app import App
from worker.application.plugin import Plugin
from worker.chain.context import ChainContext
from worker.errors import (
    AbruptEnd,
    ConfigurationError,
    DatabaseUnavailable,
    Fault,
    HandlerTimeout,
    InvalidMessage,
    NotFound,
    PoisonMessage,
    PublishFailed,
    Recoverable,
    Reject,
    StepFailed,
    TransportUnavailable,
    Unavailable,
    UnknownType,
    Unrecoverable,
    UsageError,
    WorkerError,
    WrongMiddleware,
)
from worker.messaging.breaker import Breaker
from worker.messaging.built_in import CheckHealth, GetCrontab, Ping
from worker.messaging.caught import ExceptionWasCaught
from worker.messaging.consumers import PauseConsumers, ResumeConsumers
from worker.messaging.context import Context
from worker.messaging.envelope import Envelope
from worker.messaging.middleware import CallNext
from worker.messaging.retry import Retry
from worker.messaging.stamps import Delay, Handled, Received, Result, Sent, Stamp, Token
from worker.resources.hook import Hook
from worker.resources.operation import Delete, Get, GetCollection, Patch, Post, Put
from worker.resources.stamps import Remove, Requested
from worker.settings import Settings
from worker.tokens.document import TokenDocument
from worker.tokens.events import TokensWereDeleted, TokenWasAdded, TokenWasDeleted
from worker.tokens.messages import AddToken, DeleteToken, DeleteTokens, GetTokens

if TYPE_CHECKING:
    from worker.wiring.clients.client import Client

__all__ = [
    "AbruptEnd",
    "AddToken",
    "App",
    "Breaker",
    "CallNext",
    "ChainContext",
    "CheckHealth",
    "Client",
    "ConfigurationError",
    "Context",
    "DatabaseUnavailable",
    "Delay",
    "Delete",
    "DeleteToken",
    "DeleteTokens",
    "Envelope",
    "ExceptionWasCaught",
    "Fault",
    "Get",
    "GetCollection",
    "GetCrontab",
    "GetTokens",
    "Handled",
    "HandlerTimeout",
    "Hook",
    "InvalidMessage",
    "NotFound",
    "Patch",
    "PauseConsumers",
    "Ping",
    "Plugin",
    "PoisonMessage",
    "Post",
    "PublishFailed",
    "Put",
    "Received",
    "Recoverable",
    "Reject",
    "Remove",
    "Requested",
    "Result",
    "ResumeConsumers",
    "Retry",
    "Sent",
    "Settings",
    "Stamp",
    "StepFailed",
    "Token",
    "TokenDocument",
    "TokenWasAdded",
    "TokenWasDeleted",
    "TokensWereDeleted",
    "TransportUnavailable",
    "Unavailable",
    "UnknownType",
    "Unrecoverable",
    "UsageError",
    "WorkerError",
    "WrongMiddleware",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the client when it is asked for: a worker has no use for it."""
    if name == "Client":
        from worker.wiring.clients.client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
