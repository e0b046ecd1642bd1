"""A person attends: the pages that she comes by, the pictures that she asks for, and how the visit ends."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from console.attending import at_terminal
from crawlers import camera
from crawlers.attending.album import MAX_PAGES, Album
from crawlers.attending.attendance import NOT_ASKED
from crawlers.attending.hand import Hand
from crawlers.recording.withholding import Withholding
from custody.model import Outcome, Role, Status
from tests.crawlers.attending.scene import Person, attended, inputs, pages, window
from tests.crawlers.looking import Looker, looking_at
from tests.crawlers.screen import a_screen
from tests.site.host import Host, always, page
from tests.site.server import Site

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
    "/asks": f"{HEAD}<title>Asks</title><button id=ask>Enter</button><p id=said>nothing</p>"
    "<script>ask.onclick = () => { said.textContent = confirm('Are you 18?') ? 'of age' : 'no' }</script>",
    "/tall": f"{HEAD}<title>Tall</title><style>body {{ margin: 0; padding: 1px 0; height: 2948px; "
    "background: linear-gradient(#f00, #0f0 40%, #00f) }</style><h1>A tall page</h1><a href='/item'>On</a>",
    "/restless": f"{HEAD}<title>Restless</title><h1>Never still</h1>"
    "<script>let n = 0; setInterval(() => { if (n < 60) history.replaceState(0, '', `/at/${n += 1}`) }, 60)</script>",
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


@pytest.mark.browser
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


@pytest.mark.browser
def test_the_page_that_was_shown_last_is_read_once_the_visit_is_over(eye: Looker) -> None:
    async def acts(person: Person) -> None:
        await person.page.click("#on")
        await person.until("page", 2)

    by = {"software": "counterproof", "version": "0", "code_sha256": "0" * 64}
    found = attended(eye, f"{SHOP}/", acts, by=by)
    made = json.loads(found.data("reading.json"))
    assert made["of"] == {"name": "dom.html", "sha256": found.kept("dom.html").digest.hex, "url": f"{SHOP}/item"}
    assert made["boxes"] == {}
    assert made["picture"] == {"why": NOT_ASKED}
    said: Any = found.visit(surface="attended").circumstances["session"]
    (told,) = [each for each in said["derived"] if each["role"] == "reading"]
    assert (told["name"], told["by"]) == ("reading.json", by)
    assert told["kind"] == made["reading"]["kind"]


@pytest.mark.browser
def test_each_moment_of_a_very_tall_page_becomes_one_picture_too(eye: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "MAX_SIDE_PX", 1366)

    async def acts(person: Person) -> None:
        await person.shoot()
        await person.close_window()

    found = attended(eye, f"{SHOP}/tall", acts)
    assert found.visit(surface="attended").status is Status.COMPLETE
    (files,) = (each["files"] for each in pages(found.seen))
    composed = [each for each in files if each.endswith("screenshot-whole.png")]
    assert len(composed) == 2
    assert "screenshot-whole.png" in composed, "of what the record speaks of"
    said: Any = found.visit(surface="attended").circumstances["session"]
    assert {each["name"] for each in said["derived"]} == set(composed)
    for each in said["derived"]:
        assert found.kept(each["name"]).role is Role.COMPOSITE
        prefix = each["name"].removesuffix("screenshot-whole.png")
        names = [f"{prefix}{name}" for name in ("screenshot.png", "screenshot-2.png", "screenshot-3.png")]
        assert [each["name"] for each in each["of"]] == names
        tiles = [Image.open(found.kept(name).path).convert("RGB") for name in names]
        whole = Image.open(found.kept(each["name"]).path).convert("RGB")
        assert whole.size == (tiles[0].width, sum(tile.height for tile in tiles))
        assert whole.crop((0, 0, *tiles[0].size)).tobytes() == tiles[0].tobytes()


@pytest.mark.browser
@pytest.mark.slow
def test_a_window_closed_by_its_cross_keeps_what_was_seen(eye: Looker) -> None:
    async def acts(person: Person) -> None:
        await person.close_window()

    found = attended(eye, f"{SHOP}/", acts)
    visit = found.visit(surface="attended")
    assert (visit.status, visit.outcome, visit.missing) == (Status.COMPLETE, Outcome.OK, ())
    assert found.roles >= WHOLE
    assert found.noted("window_closed")
    assert b"Bracelets" in found.data("dom.html")


@pytest.mark.browser
@pytest.mark.slow
def test_a_link_into_a_new_window_is_gone_to_in_this_one(eye: Looker) -> None:
    async def acts(person: Person) -> None:
        await person.page.click("#new")
        await person.until("page", 2)

    found = attended(eye, f"{SHOP}/", acts)
    assert found.seen.final_url == f"{SHOP}/item"
    assert [(each.kind.value, each.to_url) for each in found.seen.hops] == [("click", f"{SHOP}/item")]
    assert [each["url"] for each in found.noted("opened_here")] == [f"{SHOP}/item"]
    assert found.noted("new_window_shut")


@pytest.mark.browser
@pytest.mark.slow
def test_a_page_asks_and_the_person_answers(eye: Looker) -> None:
    async def acts(person: Person) -> None:
        session = await person.page.context.new_cdp_session(person.page)
        await session.send("Page.enable")
        asked = asyncio.ensure_future(person.page.click("#ask"))
        await asyncio.sleep(1)
        await session.send("Page.handleJavaScriptDialog", {"accept": True})  # still there to be answered
        await asked
        assert await person.page.text_content("#said") == "of age"

    found = attended(eye, f"{SHOP}/asks", acts)
    assert [(each["dialog"], each["message"]) for each in found.noted("dialog_shown")] == [("confirm", "Are you 18?")]
    assert "of age" in found.data("text.txt").decode()


@pytest.mark.browser
@pytest.mark.slow
def test_what_cannot_be_had_ends_by_itself(eye: Looker) -> None:
    async def acts(_: Person) -> None:
        raise AssertionError("no page ever stands")

    found = attended(eye, "https://nowhere.example/", acts)
    visit = found.visit(surface="attended")
    assert (visit.status, visit.outcome) == (Status.FAILED, Outcome.DNS_ERROR)
    assert pages(found.seen) == []


@pytest.mark.browser
@pytest.mark.slow
def test_the_time_is_over_and_what_is_shown_is_kept(eye: Looker) -> None:
    async def acts(person: Person) -> None:
        await person.until("snapshot")

    found = attended(eye, f"{SHOP}/", acts, timeout_s=4)
    assert found.noted("time_over")
    assert found.visit(surface="attended").status is Status.COMPLETE


@pytest.mark.browser
@pytest.mark.slow
def test_a_page_whose_process_dies_keeps_what_was_had(eye: Looker) -> None:
    async def acts(person: Person) -> None:
        session = await person.page.context.new_cdp_session(person.page)
        with contextlib.suppress(Exception):
            await session.send("Page.crash")
        await asyncio.sleep(1)

    found = attended(eye, f"{SHOP}/", acts)
    visit = found.visit(surface="attended")
    assert (visit.status, visit.outcome) == (Status.PARTIAL, Outcome.ERROR)
    assert "died" in visit.outcome_reason
    assert b"Bracelets" in found.data("dom.html")


@pytest.mark.browser
@pytest.mark.slow
def test_a_page_that_changes_its_address_without_end_is_counted(eye: Looker) -> None:
    async def acts(_: Person) -> None:
        await asyncio.sleep(6)

    found = attended(eye, f"{SHOP}/restless", acts)
    assert found.visit(surface="attended").status is Status.COMPLETE
    listed = pages(found.seen)
    assert len(listed) > 20
    assert sum(bool(each["files"]) for each in listed) < 5
    assert listed[-1]["url"] == found.seen.final_url


@pytest.mark.browser
@pytest.mark.slow
def test_without_a_recorder_nothing_is_opened(eye: Looker) -> None:
    """Nobody could tell then whether a secret is typed."""

    async def acts(_: Person) -> None:
        raise AssertionError("no page ever stands")

    eye.records = False
    try:
        found = attended(eye, f"{SHOP}/", acts)
    finally:
        eye.records = True
    assert "could not be watched" in found.seen.detail
    assert found.visit(surface="attended").status is Status.FAILED
    assert found.roles == set()


def test_more_pages_than_have_room_are_counted_and_the_last_is_there(tmp_path: Path) -> None:
    looking = looking_at(f"{SHOP}/", tmp_path)
    album = Album(looking.keep, looking.rename, Withholding())
    for n in range(MAX_PAGES + 5):
        album.open(f"{SHOP}/{n}", str(n), datetime.now(UTC))
    said: Any = album.to_json()
    assert (len(said["pages"]), said["pages_total"]) == (MAX_PAGES, MAX_PAGES + 5)
    assert (said["pages"][-1]["n"], said["pages"][-1]["url"]) == (MAX_PAGES + 5, f"{SHOP}/{MAX_PAGES + 4}")
    assert said["pages"][0]["lacks"] == "it was left before it was kept"


@pytest.mark.parametrize("line", ["", "\n", "q", "Q ", " quit", "take one", "\x00"])
def test_a_line_at_the_terminal_is_a_wish(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    hand = Hand()
    with os.fdopen(reading) as stdin, at_terminal(hand, stdin):
        os.write(writing, f"{line}\n".encode())
        os.close(writing)
        until = time.monotonic() + 5
        shots = False
        while time.monotonic() < until and not hand.is_done and not shots:
            shots = hand.take()
            if "no wish" in capsys.readouterr().err:
                break
            time.sleep(0.02)
    wish = line.strip().lower()
    assert hand.is_done is (wish in {"q", "quit"})
    assert shots is (wish == "")
