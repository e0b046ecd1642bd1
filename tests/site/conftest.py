"""One make-believe network for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.site.server import Site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as running:
        yield running
