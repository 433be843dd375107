"""What the catalog cannot find. Messages declare the HTTP status of each with ``errors=``."""


class IndexNotFound(LookupError):
    """There is no index of that name."""

    def __init__(self, index: str) -> None:
        super().__init__(f"there is no index {index!r}")


class ItemNotFound(LookupError):
    """The index has no item of that id."""

    def __init__(self, index: str, item: str) -> None:
        super().__init__(f"index {index!r} has no item {item!r}")
