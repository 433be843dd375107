"""What the catalog cannot do. Messages declare the HTTP status of each with ``errors=``."""

from collections.abc import Sequence

from worker import Unrecoverable


class IndexNotFound(LookupError):
    """There is no index of that name."""

    def __init__(self, index: str) -> None:
        super().__init__(f"there is no index {index!r}")


class IndexExists(Unrecoverable):
    """There is an index of that name already: asking again does not help."""

    def __init__(self, index: str) -> None:
        super().__init__(f"there is an index {index!r} already")


class ItemsNotFound(LookupError):
    """The index has no items of these ids."""

    def __init__(self, index: str, items: Sequence[str]) -> None:
        super().__init__(f"index {index!r} has no item {', '.join(map(repr, items))}")


class SeveralApps(Unrecoverable):
    """Several apps were named where one is meant: the sender whose token reaches several has to name one."""

    def __init__(self, apps: str) -> None:
        super().__init__(f"expected one app, not {apps!r}")
