"""Errors of the service and of the way to it, told apart and named in our words."""

from __future__ import annotations

from worker.errors import TransportUnavailable

_HINTS = {
    "AccessDenied": "expected the rights of deploy/iam/sqs-intake.json, sqs-worker.json or sqs-setup.json",
    "ExpiredToken": "the credentials are used up, and the SDK's chain brought no new ones",
    "OverLimit": "as many messages are in flight as the queue allows (120,000): settle or extend fewer at once",
}
"""What is expected where the service refuses, by the beginning of its code."""

_BROKEN = ("Internal", "Service", "5")
"""Beginnings of codes that say that the service failed while it worked."""

_PASSING = (
    "AccessDenied",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignature",
    "Kms",
    "KMS",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "OverLimit",
    "QueueDeletedRecently",
    "RequestExpired",
    "RequestThrottled",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "SlowDown",
    "TooMany",
    "UnrecognizedClient",
    *("3", "401", "403", "407", "408", "429"),
)
"""Beginnings of codes that say that nothing was done, for a reason beside the request: limits, or the credentials.

Numbers are HTTP statuses from between here and the service, without a code of its own: a redirection, a gateway, a proxy.
"""


class Refused(Exception):
    """The service refused what was asked.

    Attributes:
        code: the service's code for the reason, without what stands before its last dot.
    """

    def __init__(self, code: str, text: str) -> None:
        self.code = code.rpartition(".")[2]
        super().__init__(f"{self.code}: {text}" if text else self.code)

    @property
    def missing(self) -> bool:
        """Whether there is no such queue."""
        return self.code in {"QueueDoesNotExist", "NonExistentQueue"}

    @property
    def broken(self) -> bool:
        """Whether the service failed while it worked: what was asked may have been done all the same."""
        return self.code.startswith(_BROKEN)

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later."""
        return not self.missing and (self.code.startswith(_PASSING) or "Throttl" in self.code)

    @property
    def hint(self) -> str | None:
        """What is expected, where that is known."""
        return next((text for code, text in _HINTS.items() if self.code.startswith(code)), None)


class NotSent(TransportUnavailable):
    """The service was not reached: nothing was done."""
