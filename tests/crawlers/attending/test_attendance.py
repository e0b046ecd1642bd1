"""A person attends: the pages that she comes by, the pictures that she asks for, and how the visit ends."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from custody.model import Outcome, Role, Status
from tests.crawlers.attending.scene import Person, attended, inputs, pages, window
from tests.crawlers.looking import Looker
from tests.crawlers.screen import a_screen
from tests.site.host import Host, always, page
from tests.site.server import Site

pytestmark = pytest.mark.browser

SHOP = "https://www.window.example"
WHOLE = {Role.VIEWPORT, Role.SCREENSHOT, Role.DOM, Role.TEXT, Role.HEADERS, Role.BODY, Role.WARC}
HEAD = "<!doctype html><meta charset=utf-8>"
PAGES = {
    "/": f"{HEAD}<title>Shop</title><h1>Bracelets</h1><a id=on href='/item'>The bracelet</a>"
    "<a id=new target=_blank href='/item'>In a new window</a>"
    "<p style='height: 2000px'>Much to scroll.</p>",
    "/item": f"{HEAD}<title>Item</title><h1>A bracelet</h1><select aria-label=Colour id=colour><option>Gold"
    "<option>Silver</select><p id=said>Gold</p><input id=search placeholder=Search>"
    "<script>colour.onchange = () => { said.textContent = colour.value; history.pushState(0, '', '/item?c=silver') }"
    "</script>",
}


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    made = Site()
    made.hosts["www.window.example"] = Host(
        name="www.window.example", routes={path: always(page(text)) for path, text in PAGES.items()}
    )
    with made as site, a_screen() as screen:
        folder: Path = tmp_path_factory.mktemp("attended")
        with window(site, folder, screen, os.environ) as eye:
            yield eye


def test_pages_inputs_and_pictures_are_kept_in_order(eye: Looker) -> None:
    async def acts(person: Person) -> None:
        await person.page.mouse.wheel(0, 300)
        await person.page.click("#on")
        await person.until("page", 2)
        await person.page.click("#search")
        await person.page.keyboard.type("gold ring")
        await person.shoot()
        await person.page.select_option("#colour", "Silver")
        await person.until("page", 3)

    found = attended(eye, f"{SHOP}/", acts)
    visit = found.visit(surface="attended")
    assert (visit.status, visit.outcome, visit.missing) == (Status.COMPLETE, Outcome.OK, ())
    assert (visit.final_url, visit.title) == (f"{SHOP}/item?c=silver", "Item")
    assert found.roles >= WHOLE
    assert [(each.kind, each.to_url) for each in visit.hops] == [("click", f"{SHOP}/item")]
    assert [each["url"] for each in pages(found.seen)] == [f"{SHOP}/", f"{SHOP}/item", f"{SHOP}/item?c=silver"]
    first, second, third = (each["files"] for each in pages(found.seen))
    assert set(first) == {f"page-1-{name}" for name in
                          ("viewport.png", "text.txt", "dom.html", "body.html", "screenshot.png")}  # fmt: skip
    assert {"page-2-viewport.png", "shot-1-viewport.png", "shot-1-dom.html", "body.html"} <= set(second)
    assert {"page-3-viewport.png", "viewport.png", "dom.html", "text.txt", "screenshot.png"} <= set(third)
    assert "Silver" in found.data("text.txt").decode()
    assert b"Bracelets" in found.data("page-1-text.txt")
    told = [(each["kind"], each["target"].get("name"), each["target"].get("chosen")) for each in inputs(found.seen)]
    assert told[0][0] == "scroll"
    assert ("click", "The bracelet", None) in told
    assert told.count(("key", "Search", None)) == len("gold ring")
    assert "gold ring" not in str(found.seen.attended)


def test_a_window_closed_by_its_cross_keeps_what_was_seen(eye: Looker) -> None:
    async def acts(person: Person) -> None:
        await person.close_window()

    found = attended(eye, f"{SHOP}/", acts)
    visit = found.visit(surface="attended")
    assert (visit.status, visit.outcome, visit.missing) == (Status.COMPLETE, Outcome.OK, ())
    assert found.roles >= WHOLE
    assert found.noted("window_closed")
    assert b"Bracelets" in found.data("dom.html")
