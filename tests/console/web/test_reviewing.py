"""The review queue: decided by one key each, working records apart from evidence."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from archive.reviews import NAME
from custody.model import Candidate, Role, Via
from tests.authority import LocalAuthority
from tests.console.web.opened import Console, served, window
from tests.console.web.shelf import Laid, lay, opened

LINKS = 12


def post_with(links: int) -> bytes:
    """A reading of a post that shows so many links and means none of them."""
    fields = {"author": "ada", "caption": "all my finds are below", "handle": "ada.finds"}
    sources = dict.fromkeys(fields, "css p")
    seen = dict.fromkeys(fields, "shown")
    reading: dict[str, Any] = {"platform": "generic", "kind": "post", "wall": None, "fields": fields}
    reading |= {"sources": sources, "seen": seen, "notes": []}
    return json.dumps({"schema": 1, "by": {"version": "0"}, "reading": reading, "links": links}).encode()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, authority: LocalAuthority) -> Laid:
    shelf = opened([authority])
    run = shelf.open_run()
    scope = shelf.open_case("finds")
    vias = [Via(href=f"https://shop.example/item/{n}", text=f"find {n}", where="page") for n in range(LINKS)]
    candidates = tuple(Candidate(via=each, follow=False, reason="over_limit") for each in vias)
    post = shelf.page(run, scope=scope, files={Role.READING: post_with(LINKS)}, candidates=candidates, title="A post")
    shelf.page(run, unit=post.unit, via=Via(href="https://shop.example/", text="shop", where="page"), title="A shop")
    return lay(shelf, tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def served_shop(shop: Laid) -> Iterator[Console]:
    with served(shop) as made:
        yield made


@pytest.fixture
def console(served_shop: Console) -> Console:
    """Nothing is decided in it."""
    served_shop.app.state.reviews._run("DELETE FROM reviews", ())
    return served_shop


def review_of(console: Console) -> str:
    (case,) = console.app.state.archive.catalog.listed(None)
    return f"/cases/{case.scope}/review"


@pytest.mark.slow
@pytest.mark.browser
def test_one_key_and_one_form_for_each_decision(browser: Browser, console: Console) -> None:
    """So what limits somebody is looking: three hundred an hour leave twelve seconds for each."""
    with window(browser, console) as seen:
        seen.go(review_of(console))
        seen.check()
        asked: list[tuple[str, str]] = []
        seen.context.on("request", lambda each: asked.append((each.method, each.resource_type)))
        keys = 0
        for n in range(LINKS):
            expect(seen.page.locator("h1")).to_contain_text(f"{n} of {LINKS} decided")
            with seen.page.expect_navigation(wait_until="domcontentloaded"):
                seen.page.keyboard.press("ynu"[n % 3])
            keys += 1
        expect(seen.page.locator(".empty")).to_have_text("All candidates are decided.")
        assert keys == LINKS
        documents = [each for each in asked if each[1] == "document"]
        assert documents.count(("POST", "document")) == LINKS
        assert len(documents) <= 2 * LINKS, "the form, and the next candidate"
        assert seen.errors == []
    reviews = console.app.state.reviews.all(review_of(console).split("/")[2])
    assert [each.word for each in reviews[:3]] == ["confirmed", "not_ours", "unsure"]
    assert {each.by for each in reviews} == {"tester"}


@pytest.mark.browser
def test_a_note_is_written_without_deciding(browser: Browser, console: Console) -> None:
    with window(browser, console) as seen:
        seen.go(review_of(console))
        seen.page.keyboard.press("e")
        seen.page.keyboard.type("yes, nu and so on")
        seen.page.keyboard.press("Enter")
        expect(seen.page.locator("h1")).to_contain_text(f"0 of {LINKS} decided")
        seen.page.keyboard.press("Escape")
        seen.page.keyboard.press("u")
        expect(seen.page.locator("h1")).to_contain_text(f"1 of {LINKS} decided")
        expect(seen.page.get_by_text("yes, nu and so on")).to_be_visible()


def test_a_later_decision_counts_and_the_earlier_stays(console: Console) -> None:
    path = review_of(console)
    with console.client() as client:
        word = console.csrf(client)
        lead = client.get(path).text.split('name="lead" value="')[1].split('"')[0]
        for decision, note in (("unsure", "=HYPERLINK(1)"), ("confirmed", "seen again")):
            form = {"csrf": word, "lead": lead, "word": decision, "note": note}
            assert client.post(path, data=form).status_code == 303
        assert client.post(path, data={"csrf": word, "lead": "0" * 32, "word": "unsure"}).status_code == 404
        assert client.post(path, data={"csrf": word, "lead": lead, "word": "guilty"}).status_code == 422
        page = client.get(f"{path}?lead={lead}").text
        assert "Decided before: confirmed" in page
        rows = list(csv.reader(io.StringIO(client.get(f"{path}/decisions.csv").text)))
    assert [row[2] for row in rows[1:]] == ["unsure", "confirmed"]
    assert rows[1][3] == "'=HYPERLINK(1)", "no spreadsheet computes it"


def test_decisions_are_in_no_object_of_the_store(console: Console, shop: Laid) -> None:
    path = review_of(console)
    before = sorted(shop.store.rglob("*"))
    with console.client() as client:
        lead = client.get(path).text.split('name="lead" value="')[1].split('"')[0]
        form = {"csrf": console.csrf(client), "lead": lead, "word": "confirmed", "note": "between us"}
        assert client.post(path, data=form).status_code == 303
    assert sorted(shop.store.rglob("*")) == before
    files: list[Path] = [each for each in shop.store.rglob("*") if each.is_file()]
    assert not any(b"between us" in each.read_bytes() for each in files)
    assert (shop.home / NAME).stat().st_mode & 0o077 == 0
