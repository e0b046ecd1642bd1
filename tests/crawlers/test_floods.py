"""Pages that ask more of the browser than it can do: they are captured all the same, and nobody else waits for them."""

import asyncio
from collections.abc import Iterator

import pytest

from custody.model import Role, Status
from tests.crawlers.looking import Looked, Looker, looker
from tests.site.host import Host, Route, always, page
from tests.site.server import Site

pytestmark = pytest.mark.browser

WHOLE = {Role.VIEWPORT, Role.SCREENSHOT, Role.DOM, Role.TEXT, Role.HEADERS, Role.BODY}
HERE = "https://www.flooding.example"
ENOUGH = "<p>This page says enough to be taken for one that has come to stay, and not for one that is still being made."


def script(code: str) -> Route:
    start = f"<!doctype html><meta charset=utf-8><title>Here it comes</title><h1>Here it comes</h1>{ENOUGH}"
    return always(page(f"{start}<script>{code}</script>"))


FLOODS = {
    "hash": "setInterval(() => { location.hash = Math.random() }, 1)",
    "hash-many": "for (let i = 0; i < 8; i++) setInterval(() => { location.hash = Math.random() }, 1)",
    "push": "let n = 0; for (let i = 0; i < 4; i++) setInterval(() => history.pushState({}, '', '?' + n++), 1)",
    "replace": "let n = 0; setInterval(() => { while (++n % 99) history.replaceState({}, '', '#' + n) }, 1)",
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    host = Host(name="www.flooding.example", routes={f"/{name}": script(code) for name, code in FLOODS.items()})
    made.hosts |= {host.name: host}
    with made as running:
        yield running


@pytest.fixture(scope="module")
def made(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with looker(site, tmp_path_factory.mktemp("looks")) as opened:
        yield opened


@pytest.fixture
def eye(made: Looker) -> Looker:
    if not made.browser.is_connected():
        made.run(made.restart())
    return made


def together(eye: Looker, site: Site, path: str, *, timeout_s: float) -> tuple[Looked, Looked]:
    """The flooding page, and one that shares the browser with it from a second later on."""

    async def neighbour() -> Looked:
        await asyncio.sleep(1)
        return await eye.look_at(site.url("listing"), timeout_s=timeout_s)

    async def both() -> tuple[Looked, Looked]:
        return await asyncio.gather(eye.look_at(f"{HERE}/{path}", timeout_s=timeout_s), neighbour())

    looked: tuple[Looked, Looked] = eye.run(both())
    return looked


@pytest.mark.parametrize("name", FLOODS)
def test_a_page_that_floods_its_own_address_is_captured_and_harms_no_other(eye: Looker, site: Site, name: str) -> None:
    flooding, other = together(eye, site, name, timeout_s=20)
    for looked in (flooding, other):
        assert looked.seen.trouble is None, looked.seen.detail
        assert looked.roles >= WHOLE
        assert looked.visit().status is Status.COMPLETE
        assert looked.took_s < 15
    assert str(flooding.seen.final_url).startswith(f"{HERE}/{name}")
    assert "Here it comes" in flooding.seen.text
    assert flooding.seen.hops == ()
    assert eye.browser.is_connected()
    assert eye.look("listing").visit().status is Status.COMPLETE
