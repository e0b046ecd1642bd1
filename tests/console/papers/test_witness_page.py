"""A witness before the console: the live page in a browser of their own, a statement, and whose key signed it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from archive.accounts import Accounts, Right
from archive.stewardship import witnessing
from custody.instant import parse_utc
from tests.console.papers.office import CASE, POST, Office
from tests.console.web.opened import Console, chromium, serving, window
from tests.console.web.test_access import WORD, signed_in


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


def statements(office: Office) -> list[dict[str, Any]]:
    with office.casefile() as file:
        return [file.shelf.detail(each.detail) for each in file.survey.witnessed.get(office.post, ())]


def form(console: Console, client: Any, **fields: str) -> dict[str, str]:
    return {"csrf": console.csrf(client), "name": "Jane Roe", "word": "fair_and_accurate", **fields}


@pytest.mark.slow
@pytest.mark.browser
def test_a_person_compares_the_live_page_and_states_what_differs(browser: Browser, own: Office, tmp_path: Path) -> None:
    with serving(own.config) as console, window(browser, console) as seen:
        live = "<!doctype html><title>Ana, today</title><p>the link is gone"
        seen.context.route(POST, lambda route: route.fulfill(body=live, content_type="text/html"))
        seen.go(f"/captures/{own.post}")
        seen.page.get_by_role("link", name="Compare it with the live page").click()
        picture = seen.page.get_by_role("img", name="The page as the capture kept it")
        expect(picture).to_have_js_property("naturalWidth", 640)
        seen.check()
        with seen.context.expect_page() as opened:
            seen.page.get_by_role("link", name="open it in a tab of its own").click()
        expect(opened.value.get_by_text("the link is gone")).to_be_visible()
        assert opened.value.url == POST
        assert opened.value.evaluate("document.referrer") == ""
        assert opened.value.evaluate("window.opener") is None
        opened.value.close()
        seen.outside.clear()  # that one was meant
        seen.page.get_by_label("Your name").fill("Jane Roe")
        seen.page.get_by_label("different from what I saw").check()
        seen.page.get_by_label("What differs").fill("the link is gone\n\n  <b>the price</b> is another\n")
        seen.page.get_by_label("Which browser").fill("Chromium, my own")
        seen.page.get_by_role("button", name="State it").click()
        expect(seen.page.locator(".notice").first).to_contain_text("differs from what I saw in this: the link is gone")
        expect(seen.page.locator(".notice").first).to_contain_text("NOT signed by a key of the witness")
        seen.check()
    (said,) = statements(own)
    assert (said["name"], said["statement"], said["way"], said["keyid"]) == ("Jane Roe", "differs", "console", None)
    assert said["differences"] == ["the link is gone", "<b>the price</b> is another"]
    assert said["browser"] == "Chromium, my own"
    assert parse_utc(said["opened_at"]) < parse_utc(said["stated_at"])
    assert own.ok("verify", "--json").document["facts"]["witnessed"] == 1
    own.ok("export", "--case", CASE, "-o", str(tmp_path / "bag.zip"))
    ran = own.run("verify", "--export", str(tmp_path / "bag.zip"), "--trust", str(own.home / "trust.json"))
    assert ran.code == 0, ran.out


def test_what_makes_no_statement_is_said_and_keeps_what_was_typed(own: Office) -> None:
    with serving(own.config) as console, console.client() as client:
        assert client.get(f"/captures/{own.post}/witness").status_code == 200
        path = f"/captures/{own.post}/witness"
        for fields, says in (
            ({"name": " "}, "a witness has a name"),
            ({"word": "guilty"}, "say whether"),
            ({"word": "differs"}, "say what differs"),
            ({"differences": "the price"}, "nothing where the picture is fair"),
            ({"case": "0" * 36}, "in which case"),
        ):
            answer = client.post(path, data=form(console, client, browser="mine <own>", **fields))
            assert answer.status_code == 422, fields
            assert says in answer.text
            assert "mine &lt;own&gt;" in answer.text
        assert client.post(path, data={**form(console, client), "csrf": "no"}).status_code == 403
        assert client.get("/captures/019cb6e1-1a2b-7000-8000-000000000001/witness").status_code == 404
    assert statements(own) == []


def test_who_may_only_look_sees_what_was_stated_and_states_nothing(own: Office) -> None:
    own.ok("witness", own.post, "--name", "Jane Roe", "--fair-and-accurate")
    with serving(own.config, is_local=False) as office:
        accounts: Accounts = office.app.state.accounts
        (case,) = office.app.state.archive.catalog.listed(None)
        accounts.add("ada", WORD)
        accounts.grant("ada", case.scope, Right.REVIEWER)
        with signed_in(office, "ada") as client:
            page = client.get(f"/captures/{own.post}/witness").text
            assert "is a fair and accurate picture of what I saw" in page
            assert "State it" not in page
            assert client.post(f"/captures/{own.post}/witness", data=form(office, client)).status_code == 403
    assert len(statements(own)) == 1


@pytest.mark.slow
def test_a_statement_by_a_key_of_their_own_says_so_on_the_page(own: Office) -> None:
    own.ok("witness", own.post, "--name", "Jane Roe", "--fair-and-accurate", "--key", "home")
    with serving(own.config) as console, console.client() as client:
        page = client.get(f"/captures/{own.post}/witness").text
    assert "is a fair and accurate picture of what I saw" in page
    assert "; signed by a key of the witness" in page
    (said,) = statements(own)
    assert said["statement"] == witnessing.FAIR
    assert said["keyid"]
