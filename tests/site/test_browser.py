"""The make-believe network in a real Chromium: it looks like a network, and its links lead where the story says."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.site.server import Site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser(site: Site) -> Iterator[Browser]:
    rules = ", ".join("MAP {}:{} {}:{}".format(*rule.split(":")) for rule in site.resolve)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=os.environ.get("COUNTERPROOF_BROWSER") or shutil.which("chromium"),
            chromium_sandbox=os.geteuid() != 0,
            args=[
                f"--host-resolver-rules={rules}",
                f"--ignore-certificate-errors-spki-list={','.join(site.trust_spki)}",
            ],
        )
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


# Drawn in a font that has the character, its shape differs from that of a code point that no font will ever have.
_HAS_GLYPH = """text => {
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", {willReadFrequently: true});
  const shape = each => {
    canvas.width = 60; canvas.height = 60;
    pen.font = "32px " + getComputedStyle(document.body).fontFamily;
    pen.fillText(each, 5, 42);
    return pen.getImageData(0, 0, 60, 60).data.join();
  };
  const nothing = shape("\\u{10FFFD}");
  return [...text].filter(each => shape(each) === nothing);
}"""


@pytest.mark.parametrize("name", ["post", "post_chinese", "post_arabic", "profile", "hub", "listing", "seller"])
def test_pages_come_with_all_their_parts(site: Site, page: Page, name: str) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    begin = len(site.log)
    page.goto(site.url(name))
    assert page.evaluate("[...document.images].every(each => each.complete && each.naturalWidth > 0)")
    assert page.evaluate("getComputedStyle(document.body).marginTop") == "0px"  # 8px without our styles
    assert [seen for seen in site.log[begin:] if seen.status >= 400 and seen.path != "/favicon.ico"] == []
    assert [each for each in errors if not each.startswith("Failed to load resource")] == []  # the log has judged those


def test_fonts_have_the_letters_of_the_posts(site: Site, page: Page) -> None:
    page.goto(site.url("post"))
    assert page.evaluate(_HAS_GLYPH, "\U0010fffd") == ["\U0010fffd"]  # the measure itself works
    assert page.evaluate(_HAS_GLYPH, "螺丝手镯إسورة可愛い정말💛🤫") == []


def test_the_shortener_leads_over_two_hops_to_the_listing(site: Site, page: Page) -> None:
    begin = len(site.log)
    page.goto(site.url("shortener"))
    assert page.url == site.url("listing")
    hops = [(seen.host, seen.status) for seen in site.log[begin:] if seen.path.startswith(("/kx7", "/c?", "/item/"))]
    assert hops == [("hopp.example", 302), ("trk.affilane.example", 301), ("www.bazaroo.example", 200)]


@pytest.mark.parametrize(
    ("name", "end"),
    [("refresh", "listing"), ("script", "seller"), ("refresh_header", "fault_end"), ("script_late", "fault_end")],
)
def test_pages_that_send_the_browser_on(site: Site, page: Page, name: str, end: str) -> None:
    page.goto(site.url(name))
    page.wait_for_url(f"{site.url(end)}*", timeout=15_000)


@pytest.mark.parametrize(("name", "end"), [("leaving", "listing"), ("hub_leaving", "seller")])
def test_interstitials_wait_for_a_click(site: Site, page: Page, name: str, end: str) -> None:
    page.goto(site.url(name))
    assert page.url == site.url(name)
    page.get_by_text("Continue").click()
    page.wait_for_url(site.url(end))


def test_the_script_made_hub_has_its_links_only_after_its_script(site: Site, page: Page) -> None:
    page.goto(site.url("spa_hub"))
    page.wait_for_selector(f'a[href="{site.url("spa_short")}"]')
    assert page.get_by_role("button").count() == 3
    page.goto(site.url("spa_short"))
    assert page.url == site.url("spa_listing")


def test_old_charsets_are_read_as_they_were_written(site: Site, page: Page) -> None:
    page.goto(site.url("table_page"))
    assert page.title() == "Biżuteria u Hani -- strona domowa"
    page.get_by_text("sklep Srebrna Sroka").click()
    page.wait_for_url(site.url("table_listing"))
    assert "śrubkami" in page.title()


def test_the_bad_certificate_is_bad_to_a_browser_that_trusts_the_good_one(site: Site, page: Page) -> None:
    with pytest.raises(Exception, match="ERR_CERT_"):
        page.goto(site.url("bad_certificate"))
