"""One console for the tests that only look, and one browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.authority import LocalAuthority
from tests.console.web.opened import Console, chromium, served
from tests.console.web.shelf import Laid, Shelf, lay, opened


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAuthority]:
    with LocalAuthority(tmp_path_factory.mktemp("authority")) as made:
        yield made


def two_cases(authority: LocalAuthority) -> Shelf:
    """A case with a unit of two captures that is under a token, and another case."""
    shelf = opened([authority])
    run = shelf.open_run()
    scope, other = shelf.open_case("first"), shelf.open_case("second")
    post = shelf.page(run, scope=scope, title="A post of the first case")
    shelf.page(run, unit=post.unit, title="Where its link led")
    shelf.page(run, scope=other, title="A page of the second case")
    shelf.stamp()
    shelf.page(run, scope=other, title="A page without a token after it")
    return shelf


@pytest.fixture(scope="session")
def laid(tmp_path_factory: pytest.TempPathFactory, authority: LocalAuthority) -> Laid:
    return lay(two_cases(authority), tmp_path_factory.mktemp("console"))


@pytest.fixture(scope="session")
def console(laid: Laid) -> Iterator[Console]:
    with served(laid) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One a file: while it runs, its loop runs in this thread, and tests in other files have loops of their own."""
    with chromium() as made:
        yield made
