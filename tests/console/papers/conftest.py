"""One case for all tests that only read it: sealed, of public origin, with controls."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.authority import LocalAuthority
from tests.console.papers.office import Office, Plan, make


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAuthority]:
    with LocalAuthority(tmp_path_factory.mktemp("papers-authority") / "one") as serving:
        yield serving


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory, authority: LocalAuthority) -> Office:
    return make(tmp_path_factory.mktemp("papers"), Plan(authority=authority))


@pytest.fixture
def office(_made: Office) -> Office:
    """Read it, or copy it: other tests read it too."""
    return _made


@pytest.fixture
def own(_made: Office, tmp_path: Path) -> Office:
    """A copy, to do anything with."""
    return _made.copied(tmp_path / "copy")
