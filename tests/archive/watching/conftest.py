"""A database for each test that asks for one."""

from collections.abc import Iterator

import pytest

from archive.watching.database import Database
from tests.archive.watching import databases


@pytest.fixture(scope="module")
def conninfo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with databases.server(tmp_path_factory.mktemp("postgres")) as found:
        yield found


@pytest.fixture
def database(conninfo: str) -> Iterator[Database]:
    with databases.fresh(conninfo) as found:
        yield found
