import re
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsel import Selector

from crawlers.interstitial import find_way_on, is_waiting
from tests.crawlers.rendering import NO_PAGES, Saved, document, saved_pages, visible_text

BETWEEN = Path(__file__).parent / "between"
TARGET = "https://www.bazaar.example/item/44"
SAVED = [each for each in saved_pages() if each.name.endswith(".html.gz")]


def authored(path: Path) -> tuple[list[str], str]:
    """A page of ours, and what its first line says of it: address, and on what to press."""
    head, _, markup = path.read_text(encoding="utf-8").partition("\n")
    return head.removeprefix("<!-- ").removesuffix(" -->").split(" | "), markup


@pytest.mark.parametrize("path", sorted(BETWEEN.glob("leads-on/*.html")), ids=lambda path: path.stem)
def test_finds_the_one_thing_to_press(path: Path) -> None:
    (url, tag, text), markup = authored(path)
    way = find_way_on(markup, visible_text(markup), url)
    assert way is not None
    assert (way.tag, way.text) == (tag, text)
    there = [each for each in Selector(text=markup).xpath(f"//{tag}") if each.attrib.get("href") == way.href]
    assert there, "the href is not the one in the DOM"
    assert way.signals


@pytest.mark.parametrize("path", sorted(BETWEEN.glob("stays/*.html")), ids=lambda path: path.stem)
def test_presses_nothing_on_what_only_looks_alike(path: Path) -> None:
    (url,), markup = authored(path)
    assert find_way_on(markup, visible_text(markup), url) is None


def leaving(inner: str) -> str:
    return document(f"<h1>You are leaving hub.example</h1><p>We are not responsible for external sites.</p>{inner}")


def way_on(inner: str, url: str = "https://hub.example/l/9") -> str | None:
    markup = leaving(inner)
    found = find_way_on(markup, visible_text(markup), url)
    return None if found is None else found.text


def test_the_page_that_all_these_vary_leads_on() -> None:
    assert way_on(f'<a href="{TARGET}">Continue</a>') == "Continue"


@pytest.mark.parametrize(
    "inner",
    [
        f'<a href="{TARGET}" hidden>Continue</a>',
        f'<a href="{TARGET}" style="display:none">Continue</a>',
        f'<a href="{TARGET}" rel="sponsored">Continue</a>',
        f'<div class="ads"><a href="{TARGET}">Continue</a></div>',
        f'<a href="{TARGET}" download>Continue</a>',
        f'<a href="{TARGET}/setup.exe">Continue</a>',
        f'<a href="{TARGET}">Log in to continue</a>',
        f'<a href="{TARGET}">Back to safety</a>',
        f'<a href="{TARGET}">Privacy policy</a>',
        '<a href="https://ad.doubleclick.net/x">Continue</a>',
        '<a href="https://play.google.com/store/apps/details?id=1">Continue</a>',
        '<a href="https://www.hub.example/else">Continue</a>',
        '<a href="javascript:go()">Continue</a>',
        '<a href="intent://x#Intent;scheme=app;end">Continue</a>',
        f'<form method="post" action="{TARGET}"><button>Continue</button></form>',
        f'<a href="{TARGET}">Continue</a><a href="https://other.example/">Continue</a>',
        f'<form><input name="email"></form><a href="{TARGET}">Continue</a>',
        "<button>Continue</button>",
    ],
)
def test_one_thing_amiss_and_nothing_is_pressed(inner: str) -> None:
    assert way_on(inner) is None


def test_of_two_ways_out_the_one_that_the_address_names_is_meant() -> None:
    inner = f'<a href="{TARGET}">Continue</a><a href="https://other.example/">Continue</a>'
    assert way_on(inner) is None
    assert way_on(inner, f"https://hub.example/l?u={quote(TARGET, safe='')}") == "Continue"


def test_a_target_on_the_same_registrable_domain_needs_the_address_to_name_it() -> None:
    inner = '<a href="https://shop.hub.example/44">Continue</a>'
    assert way_on(inner) is None
    assert way_on(inner, "https://hub.example/l?u=https%3A%2F%2Fshop.hub.example%2F44") == "Continue"


def test_a_target_without_a_scheme_in_the_address_is_read() -> None:
    markup = leaving("<button>Continue</button>")
    found = find_way_on(markup, visible_text(markup), "https://hub.example/l?target=bazaar.example%2Fitem%2F44")
    assert found is not None
    assert (found.tag, found.href, found.text) == ("button", None, "Continue")


def test_the_text_is_the_elements_own_in_one_line() -> None:
    assert way_on(f'<a href="{TARGET}"><span>Continue</span>\n   to <b>the site</b></a>') == "Continue to the site"


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_markup_and_any_address_get_an_answer(markup: str, url: str) -> None:
    find_way_on(leaving(f'<a href="{markup}">Continue</a>{markup}'), f"You are leaving {markup} Continue", url)
    is_waiting(markup, markup)


@pytest.mark.parametrize(
    "text",
    [
        "Redirecting…", "You will be redirected in 5 seconds", "Taking you to the shop", "Just a moment",
        "Weiterleitung, einen Moment bitte", "Sie werden weitergeleitet", "Vous allez être redirigé",
        "Redirection en cours", "Stai per essere reindirizzato", "Serás redirigido en 3 segundos",
        "Você será redirecionado", "Je wordt doorgestuurd", "正在跳转，请稍候", "自動的に移動します",
        "잠시 후 이동합니다", "جاري تحويلك", "Перенаправление…", "Yönlendiriliyorsunuz", "Loading…",
        "If nothing happens, click here",
    ],
)  # fmt: skip
def test_a_page_that_says_so_will_move(text: str) -> None:
    assert is_waiting(text, document(f"<p>{text}</p>"))


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<h1>mirabelle</h1><a href='https://a.example/'>My shop</a>",
        "<img src='a.jpg' alt='a ring'><script>track()</script>",
        "<p>Your download will start in 5 seconds</p>",
        "<h1>Log in</h1><form><input name='u'><input type='password' name='p'></form>",
        "<h1>Screw bracelet</h1><p>$12</p><p>Ships in 3 days</p><button>Add to cart</button><script>track()</script>",
        "<p>Please wait for my next post, and do not say that I have been redirecting all my time to it.</p>" * 5,
        "<h1>Sold out</h1><p>Back in a few weeks.</p>",
    ],
)
def test_a_page_that_stays_will_not(inner: str) -> None:
    markup = document(inner)
    assert not is_waiting(visible_text(markup), markup)


def test_an_empty_page_moves_only_by_a_script() -> None:
    assert is_waiting("", document("<div id='root'></div><script>location.replace('/x')</script>"))
    assert not is_waiting("", document("<div id='root'></div>"))
    assert not is_waiting("", document("<script type='application/ld+json'>{}</script>"))
    assert not is_waiting("A ring", document("<h1>A ring</h1><script>track()</script>"))


@pytest.mark.parametrize(
    ("content", "moves"), [("0;url=https://a.example/", True), ("5", True), ("900", False), ("x", False)]
)
def test_a_refresh_moves_a_thin_page_if_it_is_soon(content: str, moves: bool) -> None:
    head = f'<meta http-equiv="Refresh" content="{content}">'
    assert is_waiting("Hello there", document("<p>Hello there</p>", head=head)) is moves


def test_a_refresh_does_not_move_a_page_of_content() -> None:
    body = "<p>" + "The match goes on, and we tell you of every goal. " * 20 + "</p>"
    markup = document(body, head='<meta http-equiv="refresh" content="30">')
    assert not is_waiting(visible_text(markup), markup)


@pytest.mark.skipif(not SAVED, reason=NO_PAGES)
@pytest.mark.parametrize(
    "saved",
    [pytest.param(each, marks=pytest.mark.slow if each.path.stat().st_size > 40_000 else ()) for each in SAVED],
    ids=lambda saved: saved.name,
)
def test_nothing_is_pressed_on_a_real_page(saved: Saved) -> None:
    page = saved.facts()
    assert find_way_on(page.dom_html, page.visible_text, page.url) is None


def test_our_pages_are_in_varied_styles_and_languages() -> None:
    leads = [path.read_text(encoding="utf-8") for path in BETWEEN.glob("leads-on/*.html")]
    assert len(leads) >= 12
    assert len(list(BETWEEN.glob("stays/*.html"))) >= 12
    scripts = [r"[\u4e00-\u9fff]", r"[\u3040-\u30ff]", r"[\uac00-\ud7af]", r"[\u0600-\u06ff]", r"[\u0400-\u04ff]"]
    assert all(any(re.search(script, each) for each in leads) for script in scripts)
