"""Capture now: from an address that was typed to evidence that holds, and what is refused on the way."""

from functools import partial

import pytest
from playwright.sync_api import Browser, expect

from archive.accounts import Accounts, Right
from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.screen import now
from console.web.accesses import Accesses
from console.web.jobs import MAX_URLS, Wanted
from console.web.serving import _desk
from tests.command import run, through
from tests.console.web.opened import Console, served, serving, window
from tests.console.web.shelf import Laid
from tests.console.web.test_access import signed_in
from tests.site.server import Site


@pytest.mark.parametrize(
    ("urls", "says"),
    [
        ((), "name a page"),
        (("--help",), "no address"),
        (("--home=/tmp",), "no address"),
        (("file:///etc/passwd",), "no address"),
        (("https://",), "no address"),
        (tuple(f"https://a.example/{n}" for n in range(MAX_URLS + 1)), "at most"),
        (("https://a.example/" + "a" * 5_000,), "no address"),
    ],
)
def test_what_is_no_page_is_refused(urls: tuple[str, ...], says: str) -> None:
    """Nothing that is typed becomes an option of the command."""
    with pytest.raises(UsageError, match=says):
        Wanted(urls=urls, case="x", by="ada")


def test_a_form_that_is_wrong_says_so_and_keeps_what_was_typed(console: Console) -> None:
    with console.client() as client:
        form = {"csrf": console.csrf(client), "urls": "htp://x", "case": "", "new_case": "mine"}
        answer = client.post("/capture-now", data=form)
        assert answer.status_code == 422
        assert "no address of a public page" in answer.text
        assert "htp://x" in answer.text
        assert 'value="mine"' in answer.text


def test_who_may_only_look_has_nothing_captured(laid: Laid) -> None:
    with served(laid, is_local=False) as office:
        accounts: Accounts = office.app.state.accounts
        rows = {each.name: each.scope for each in office.app.state.archive.catalog.listed(None)}
        accounts.add("ada", "a long enough word")
        accounts.grant("ada", rows["first"], Right.REVIEWER)
        with signed_in(office, "ada") as client:
            assert client.get("/capture-now").status_code == 403
            form = {"csrf": office.csrf(client), "urls": "https://a.example/", "case": rows["first"]}
            assert client.post("/capture-now", data=form).status_code == 403
            assert client.post("/capture-now", data={**form, "case": rows["second"]}).status_code == 404
            accounts.grant("ada", rows["first"], Right.INVESTIGATOR)
            assert client.get("/capture-now").status_code == 200
            assert client.post("/capture-now", data={**form, "case": "", "new_case": "mine"}).status_code == 403
        assert office.app.state.jobs.all() == []
        accounts.remove("ada")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.s3
def test_a_promotion_captured_from_the_browser_is_seen_and_holds(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The real command on the make-believe network; then from the start page to the listing and its verdict."""
    home = tmp_path_factory.mktemp("now") / "home"
    with Site() as site:
        extra = [*through(site.resolve, site.trust_spki), "--authority", "none", "--no-control"]
        begun = run("capture", site.url("removed_listing_404"), "--case", "old", "--no-follow", *extra, home=home)
        assert begun.code in {0, 4}, begun.err
        config = ArchiveConfig.load({"COUNTERPROOF_HOME": str(home)}, settings={})
        with serving(config, capture_options=extra) as console, window(browser, console) as seen:
            seen.go("/")
            seen.page.get_by_role("link", name="Capture now").first.click()
            seen.page.get_by_label("Public pages").fill(site.url("post"))
            seen.page.get_by_label("A new case's name").fill("bracelets")
            seen.check()
            seen.page.get_by_role("button", name="Capture").click()
            expect(seen.page.locator("#progress")).to_contain_text("recorded, and complete", timeout=180_000)
            seen.check()
            seen.page.get_by_role("link", name="To the case").click()
            seen.page.locator(".promotion a").first.click()
            expect(seen.page.locator(".checking")).to_have_count(0, timeout=60_000)
            expect(seen.page.locator(".badge")).to_have_count(2)
            for badge in seen.page.locator(".badge").all():
                expect(badge).to_contain_text("holds")
                expect(badge).to_contain_text("NO TRUSTED TIME")
            expect(seen.page.locator(".side").nth(1)).to_contain_text("SunnyJewel Factory")
            seen.check()
            seen.go("/")  # and by one who has nothing but the post's address
            seen.page.get_by_label("Look for a post").fill(f"{site.url('post')}?utm_source=chat")
            seen.page.keyboard.press("Enter")
            seen.page.locator("tbody a").first.click()
            expect(seen.page.get_by_text("It is the post in the promotion")).to_be_visible(timeout=60_000)
            seen.page.get_by_role("link", name="Screw bracelet").first.click()
            expect(seen.page.locator(".side").nth(1)).to_contain_text(site.url("listing"))
            seen.page.get_by_role("link", name="proof of its time").nth(1).click()
            expect(seen.page.locator("h1")).to_have_text("Proof of its time")
            expect(seen.page.locator("main")).to_contain_text("NO TRUSTED TIME")
            accesses = Accesses(home / "state" / "accesses.jsonl", partial(_desk, config, now, print), now)
            console.app.state.archive.accesses = accesses
            seen.go(f"/captures/{console.app.state.jobs.all()[0].result['captures'][0]['id']}")
            accesses.close()
        told = run("verify", "--json", home=home)
        assert told.document["verdict"] == "holds", told.out
        assert told.document["facts"]["events"]["evidence.accessed"] == 1
