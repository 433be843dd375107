"""The suite that defines a store of resources: subclass it, and give it a ``ground``."""

from __future__ import annotations

import pytest

from tests.conformance.stores.collecting import Collecting
from tests.conformance.stores.competing import Competing
from tests.conformance.stores.keeping import Keeping


@pytest.mark.conformance
class StoreSuite(Keeping, Collecting, Competing):
    """All scenarios."""
