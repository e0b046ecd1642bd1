"""Hostile pages: what they cannot forge, what they cannot notice, and what they cannot hold up."""

import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from crawlers import arrival, snapshots
from crawlers.browser import introduced
from crawlers.sight import MAX_INTERACTIONS
from custody.model import Outcome, Role, Status
from tests.crawlers.looking import Looker, looker, sealed
from tests.site.host import Answer, Host, Route, always, page
from tests.site.server import Site

pytestmark = pytest.mark.browser

HERE = "https://www.hostile.example"
WHOLE = {Role.VIEWPORT, Role.SCREENSHOT, Role.DOM, Role.TEXT, Role.HEADERS, Role.BODY}


ENOUGH = "This page says enough to be taken for one that has come to stay, and not for one that is still being made."


def script(code: str, *, title: str = "Hostile", body: str = f"<p>true words</p><p>{ENOUGH}</p>") -> Route:
    return always(page(f"<!doctype html><meta charset=utf-8><title>{title}</title>{body}<script>{code}</script>"))


FORGED = """
const lie = {get() { return 'FALSE' }, configurable: true};
Object.defineProperty(HTMLElement.prototype, 'innerText', lie);
Object.defineProperty(Element.prototype, 'outerHTML', lie);
Object.defineProperty(Document.prototype, 'title', lie);
Object.defineProperty(document, 'title', lie);
Object.defineProperty(document, 'body', {get() { return {innerText: 'FALSE'} }});
Object.defineProperty(document, 'documentElement', {get() { return {outerHTML: 'FALSE'} }});
Object.defineProperty(document, 'characterSet', lie);
Object.defineProperty(Navigator.prototype, 'userAgent', lie);
window.getComputedStyle = () => ({display: 'none'});
document.createTreeWalker = () => ({nextNode: () => null});
document.querySelectorAll = () => [];
Array.prototype.join = () => 'FALSE';
String.prototype.slice = () => 'FALSE';
JSON.stringify = () => '"FALSE"';
Object.prototype.toJSON = () => 'FALSE';
"""
NAMED = (
    f'<p>true words</p><p>{ENOUGH}</p><img name="body" alt="">'
    '<form name="title"><input name="x"></form><form name="URL"></form>'
)
HANGING = """
const hang = {get() { for (;;); }};
Object.defineProperty(HTMLElement.prototype, 'innerText', hang);
Object.defineProperty(document, 'title', hang);
Object.defineProperty(document, 'body', hang);
window.getComputedStyle = () => { for (;;); };
"""
# Tells the site of everything that it could notice. Only `load` is no business of ours.
WATCHING = """
const tell = what => navigator.sendBeacon('/noticed?' + what);
for (const kind of ['resize', 'scroll', 'focus', 'blur', 'mousemove', 'mousedown', 'keydown', 'wheel', 'touchstart',
                    'visibilitychange', 'selectionchange', 'beforeprint', 'error', 'pointermove', 'click'])
  { addEventListener(kind, () => tell(kind), true); document.addEventListener(kind, () => tell(kind), true); }
new MutationObserver(() => tell('mutation')).observe(document, {subtree: true, childList: true, attributes: true,
                                                                characterData: true});
for (const name of ['innerText', 'outerText'])
  Object.defineProperty(HTMLElement.prototype, name, {get() { tell(name); return ''; }});
const known = new Set(Object.getOwnPropertyNames(window));
setInterval(() => { for (const name of Object.getOwnPropertyNames(window)) if (!known.has(name)) tell('global-' + name);
                    if (document.styleSheets.length > 0) tell('style'); }, 30);
tell('watching');
"""
OPENING = "setInterval(() => window.open('/empty?' + Math.random()), 20)"
HALVES = "document.title = 'half \\ud83d title'; document.querySelector('p').textContent = 'half \\udc9b text';"
LONG_TITLE = "document.title = 'x'.repeat(1 << 20)"
SAYING = "for (let n = 0; n < 250; n++) alert(n)"
LEAVING = """
<p>You are now leaving this site. We are not responsible for what is out there.</p>
<a href="https://www.misbehave.example/end">Continue</a>
"""
FORGED_LINKS = """
document.querySelectorAll = () => [document.createElement('a')];
Element.prototype.getAttribute = () => 'https://www.misbehave.example/late';
Element.prototype.getClientRects = () => [];
"""

HOSTILE = Host(
    name="www.hostile.example",
    routes={
        "/forged": script(FORGED, title="True title"),
        "/named": script("", title="True title", body=NAMED),
        "/hanging": script(HANGING, title="True title"),
        "/watching": script(WATCHING),
        "/noticed": always(Answer(status=204, media_type=None)),
        "/empty": always(page("<!doctype html><title>Empty</title>")),
        "/loop-at-once": script("for (;;);"),
        "/loop-after-load": script("addEventListener('load', () => setTimeout(() => { for (;;); }, 200))"),
        "/loop-again": script("addEventListener('load', () => setInterval(() => { for (;;); }, 200))"),
        "/loop-unstoppable": script("setTimeout(function again() { try { for (;;); } finally { setTimeout(again) } })"),
        "/opening": script(OPENING),
        "/halves": script(HALVES),
        "/long-title": script(LONG_TITLE),
        "/saying": script(SAYING),
        "/debugger": script("setInterval(() => { debugger; }, 10)"),
        "/forged-links": script(FORGED_LINKS, title="You are leaving", body=LEAVING),
    },
)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    made.hosts[HOSTILE.name] = HOSTILE
    with made as running:
        yield running


@pytest.fixture(scope="module")
def eye(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with looker(site, tmp_path_factory.mktemp("looks")) as made:
        yield made


def in_the_page(eye: Looker, url: str, expression: str) -> Any:
    """What a program is told that asks in the page's own world."""

    async def ask() -> Any:
        page = await eye.page("stranger")
        await page.unroute("**")
        await introduced(page, eye.egress.admit("stranger"))
        await page.goto(url)
        told = await page.evaluate(expression)
        await page.context.close()
        return told

    return eye.run(ask())


def test_a_page_cannot_forge_its_words(eye: Looker) -> None:
    assert in_the_page(eye, f"{HERE}/forged", "document.body.innerText") == "FALSE"
    assert in_the_page(eye, f"{HERE}/forged", "document.title") == "FALSE"
    looked = eye.look(f"{HERE}/forged")
    assert looked.seen.trouble is None
    assert looked.seen.text.startswith("true words")
    assert looked.seen.title == "True title"
    assert looked.seen.dom.startswith("<!DOCTYPE html><html>")
    assert "<p>true words</p>" in looked.seen.dom
    assert "FALSE" not in str(looked.seen.settings)
    assert looked.roles >= WHOLE


def test_elements_named_as_properties_hide_nothing(eye: Looker) -> None:
    assert in_the_page(eye, f"{HERE}/named", "typeof document.title.elements") == "object"
    looked = eye.look(f"{HERE}/named")
    assert looked.seen.title == "True title"
    assert "true words" in looked.seen.text
    assert looked.seen.final_url == f"{HERE}/named"


def test_a_getter_that_never_returns_is_never_called(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/hanging")
    assert looked.seen.trouble is None
    assert looked.seen.title == "True title"
    assert looked.seen.text.startswith("true words")
    assert looked.took_s < 10


def test_what_is_pressed_is_what_stands_in_the_document(eye: Looker, site: Site) -> None:
    forged = "document.querySelectorAll('a')[0].getAttribute('href')"
    assert in_the_page(eye, f"{HERE}/forged-links", forged).endswith("/late")
    looked = eye.look(f"{HERE}/forged-links")
    assert looked.seen.final_url == site.url("fault_end")


def test_nothing_can_be_noticed_before_the_viewport_is_taken(eye: Looker, site: Site) -> None:
    begin = len(site.log)
    looked = eye.look(f"{HERE}/watching")
    noticed = [seen for seen in site.log[begin:] if seen.path.startswith("/noticed")]
    assert noticed[0].path == "/noticed?watching", "the page does watch, and can tell"
    before = [seen.path for seen in noticed if seen.at < looked.seen.times["viewport_at"]]
    assert set(before) == {"/noticed?watching"}
    # The picture of the whole page lays it out in a larger window: that, and nothing else, can be noticed at the end.
    assert {seen.path for seen in noticed} <= {"/noticed?watching", "/noticed?resize"}
    assert looked.noted("click") == []


@pytest.mark.slow
@pytest.mark.parametrize("path", ["loop-at-once", "loop-after-load"])
def test_a_script_that_never_ends_is_ended(eye: Looker, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "BUSY_S", 3.0)
    monkeypatch.setattr(snapshots, "PING_S", 2.0)
    looked = eye.look(f"{HERE}/{path}", timeout_s=8)
    assert looked.seen.trouble in {"busy", "timeout"}
    assert looked.noted("script_stopped")
    assert looked.roles >= WHOLE
    assert looked.seen.text.startswith("true words")
    assert looked.took_s < 25
    visit = looked.visit()
    assert (visit.status, visit.outcome) == (Status.PARTIAL, Outcome.TIMEOUT)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["loop-again", "loop-unstoppable"])
def test_scripts_that_begin_again_hold_up_a_visit_for_a_bounded_time(
    eye: Looker, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival, "BUSY_S", 3.0)
    monkeypatch.setattr(snapshots, "PING_S", 2.0)
    monkeypatch.setattr(snapshots, "ALL_S", 12.0)
    looked = eye.look(f"{HERE}/{path}", timeout_s=8)
    assert looked.seen.trouble in {"busy", "timeout"}
    assert looked.took_s < 40
    visit = looked.visit()
    assert visit.status is Status.PARTIAL
    gone = {each.role for each in visit.missing}
    assert looked.roles | gone >= WHOLE, "all of it is there, or said to be missing"


@pytest.mark.slow
def test_windows_by_the_thousand_are_shut_and_counted(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/opening", timeout_s=10)
    assert len(looked.seen.interactions) <= MAX_INTERACTIONS
    assert len(looked.noted("new_window_shut")) >= 5
    assert looked.seen.final_url == f"{HERE}/opening"
    assert looked.took_s < 30


@pytest.mark.slow
def test_questions_by_the_hundred_are_dismissed_and_counted(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/saying", timeout_s=60)
    assert looked.roles >= WHOLE
    assert len(looked.seen.interactions) + looked.seen.more_interactions == 250
    session = looked.visit().circumstances["session"]
    assert isinstance(session, dict)
    assert session["interactions_total"] == 250


def test_half_characters_become_whole_ones_and_fit_the_record(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/halves")
    assert looked.seen.title is not None
    assert any(unicodedata.category(each) == "Cs" for each in looked.seen.title), "the browser does hand out halves"
    assert looked.data("text.txt").decode().startswith("half \ufffd text")
    assert "half \ufffd text" in looked.data("dom.html").decode()
    visit = looked.visit()
    assert visit.title == "half \ufffd title"
    assert sealed(visit)


def test_a_title_of_a_megabyte_is_cut_and_says_so(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/long-title")
    assert len(looked.seen.title or "") == 1 << 20
    title = looked.visit().title
    assert title is not None
    assert title.endswith(f"… ({(1 << 20) - 1000} more characters)")


def test_a_debugger_statement_stops_nobody(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/debugger")
    assert looked.seen.trouble is None
    assert looked.took_s < 10
