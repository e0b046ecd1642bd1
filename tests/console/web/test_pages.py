"""The pages in a real browser, by themselves and for whoever cannot see, has no mouse, or no script."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from console.web.sessions import TRIES
from tests.console.web.opened import Console, served, window
from tests.console.web.shelf import Laid

pytestmark = pytest.mark.browser
LOOKS = [
    pytest.param({"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}, id="desk-light"),
    pytest.param(
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}, id="phone-dark", marks=pytest.mark.slow
    ),
]


def test_from_the_start_page_to_the_verdict_of_a_capture_by_keyboard(browser: Browser, console: Console) -> None:
    with window(browser, console) as seen:
        seen.go("/")
        seen.page.keyboard.press("Tab")
        expect(seen.page.locator(":focus")).to_have_text("Skip to the content")
        seen.page.get_by_role("link", name="first").focus()
        seen.page.keyboard.press("Enter")
        seen.page.get_by_role("link", name="A post of the first case").first.focus()
        seen.page.keyboard.press("Enter")
        badge = seen.page.locator(".badge").first
        expect(badge).to_contain_text("holds", timeout=20_000)
        expect(badge).to_contain_text("by time-stamp")
        assert seen.errors == []


def test_without_scripts_a_verdict_is_one_press_away(browser: Browser, console: Console, laid: Laid) -> None:
    with window(browser, console, java_script_enabled=False) as seen:
        seen.page.goto(f"{console.base}/captures/{laid.builder.captures[0].id}")
        seen.page.get_by_role("link", name="Check it now").click()
        expect(seen.page.locator(".badge")).to_contain_text("holds")


def test_a_picture_grows_and_shrinks_by_key(browser: Browser, console: Console, laid: Laid) -> None:
    with window(browser, console) as seen:
        seen.go(f"/captures/{laid.builder.captures[0].id}")
        sheet = seen.page.locator("#sheet-1")
        before = sheet.locator(".drawn").bounding_box()
        sheet.press("1")
        after = sheet.locator(".drawn").bounding_box()
        assert before is not None
        assert after is not None
        assert after["width"] < before["width"], "as large as it was taken, which is small"
        sheet.press("0")
        again = sheet.locator(".drawn").bounding_box()
        assert again is not None
        assert again["width"] == before["width"]


def test_a_capture_after_which_no_token_came_says_so(browser: Browser, console: Console, laid: Laid) -> None:
    with window(browser, console) as seen:
        seen.go(f"/captures/{laid.builder.captures[-1].id}")
        expect(seen.page.locator(".badge").first).to_contain_text("NO TRUSTED TIME")


ERRORS = {"/captures/nothing": 404, "/enter?token=none": 403, "/broken": 500, "/search?since=no": 422}


@pytest.mark.parametrize("look", LOOKS)
def test_neither_has_a_page_that_says_what_went_wrong(
    browser: Browser, laid: Laid, tmp_path: Path, look: dict[str, object]
) -> None:
    def broken() -> None:
        raise RuntimeError("a secret of the program's insides")

    copy = Laid(home=tmp_path, store=laid.store, builder=laid.builder)
    (tmp_path / "trust.json").write_bytes((laid.home / "trust.json").read_bytes())
    with served(copy) as console, window(browser, console, **look) as seen:
        console.app.add_api_route("/broken", broken)
        for path, status in ERRORS.items():
            if path.startswith("/enter"):
                seen.context.clear_cookies()
            seen.go(path, status=status)
            seen.errors = [each for each in seen.errors if f"status of {status}" not in each]  # the browser's own word
            assert "insides" not in seen.page.content()
            assert "default-src 'none'" in seen.policy
            seen.check()
            if path.startswith("/enter"):
                seen.page.goto(f"{console.base}/enter?token={console.sessions.invite('tester')}")


@pytest.mark.parametrize("look", LOOKS)
def test_nor_has_the_way_in_by_name(browser: Browser, laid: Laid, tmp_path: Path, look: dict[str, object]) -> None:
    copy = Laid(home=tmp_path, store=laid.store, builder=laid.builder)
    (tmp_path / "trust.json").write_bytes((laid.home / "trust.json").read_bytes())
    with served(copy, is_local=False) as console, window(browser, console, **look) as seen:
        seen.context.clear_cookies()
        seen.go("/sign-in")
        seen.check()
        for status in (401, 429):
            seen.page.get_by_label("Name").fill("ada")
            seen.page.get_by_label("Password").fill("not the word")
            with seen.page.expect_navigation() as gone:
                seen.page.get_by_role("button", name="Sign in").click()
            answer = gone.value
            assert answer is not None
            assert answer.status == status
            seen.errors.clear()  # the browser writes down each status by itself
            seen.check()
            for _ in range(TRIES - 1):  # each hashes once more; the page is the same
                console.app.state.attempts.fail("name ada")
