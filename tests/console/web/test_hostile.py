"""Captures made to attack whoever looks at them: nothing in them runs, nothing is asked for, no session is seen."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import Browser, Error, Route, expect

from custody.model import Candidate, Hop, HopKind, Missing, Role, Via
from custody.record import Record
from tests.authority import LocalAuthority
from tests.console.web.hostile import EVIL, LINKS, MARKUP
from tests.console.web.opened import Console, Window, served, window
from tests.console.web.shelf import Laid, lay, opened, png

pytestmark = pytest.mark.browser
_QUIET = frozenset({
    "template of the server", "htmx attributes", "htmx on", "zero bytes", "overlong entity", "turned around", "base",
    "manifest", "preconnect", "name looked up beforehand", "prefetch", "refresh to a script", "form that sends itself",
    "mathml", "style with an import", "svg use", "embed", "object", "marquee", "script never closed",
})  # fmt: skip
"""Of these nothing is seen in a bare page: some need a server or a press, some a browser of other days."""


_FAST = frozenset({"script", "style with an escape", "refresh", "out of an attribute"})


@dataclass(frozen=True, kw_only=True)
class Attacked:
    laid: Laid
    scope: str
    captures: Mapping[str, str]
    """By attack, the capture that carries it everywhere."""


def hostile_reading(text: str) -> bytes:
    """Every part of it attacks, and where a number is asked for there is none."""
    value = {
        "schema": 1,
        "by": {"version": text},
        "of": {"name": text},
        "reading": {
            "platform": text,
            "kind": text,
            "wall": text,
            "fields": {"title": text, text: [text, {text: text}], "caption": text},
            "sources": {"title": text, text: text},
            "seen": {"title": text},
            "notes": [text],
        },
        "boxes": {text: [{"x": 1, "y": 1, "width": 2, "height": 2}], "title": [{"x": text, "y": 0}], "caption": text},
        "without_box": {"caption": text},
        "picture": {"files": [{"name": "screenshot.png", "top": 0, "height": 6}], "width": 8, "scale": text},
    }
    return json.dumps(value).encode()


def attacked(record: Record, text: str, link: str) -> Record:
    via = Via(href=link, text=text, where="page")
    at = record.times["requested_at"]
    return replace(
        record,
        requested_url=link,
        final_url=f"https://shop.example/{text}",
        title=text,
        outcome_reason=text,
        origin_reasons=(text, link),
        via=via,
        hops=(Hop(n=1, from_url=link, to_url=text, kind=HopKind.SCRIPT, status=None, at=at),),
        candidates=(Candidate(via=via, follow=False, reason="same_site"), Candidate(via=via, follow=True, reason=text)),
        missing=(Missing(role=Role.MEDIA, reason=text),),
        circumstances={
            **record.circumstances,
            "network": {"tls": [{"host": text, "protocol": text, "issuer": text, text: text}], text: [text]},
            "session": {"inputs": [text], "wrappers": [{"destination": text, "result": "disagrees", "led_to": link}]},
            "robots": {"url": link},
        },
    )


@pytest.fixture(scope="module")
def attacks(tmp_path_factory: pytest.TempPathFactory, authority: LocalAuthority) -> Attacked:
    shelf = opened([authority])
    run = shelf.open_run()
    scope = shelf.open_case('<img src=x onerror="window.pwned=1">')
    captures: dict[str, str] = {}
    for n, (name, text) in enumerate(MARKUP.items()):
        link = LINKS[n % len(LINKS)]
        clean = text.replace("\0", "\ufffd")  # JSON of a record has no such character
        made = shelf.page(
            run,
            scope=scope,
            files={
                Role.DOM: f'<!doctype html><title>{text}</title><body>{text}<a href="{link}">press</a>'.encode(),
                Role.TEXT: text.encode(),
                Role.HEADERS: json.dumps([{"url": link, "status": text, "headers": [[text, text], [text]]}]).encode(),
                Role.READING: hostile_reading(clean),
                Role.MEDIA: f'<svg xmlns="http://www.w3.org/2000/svg"><script>window.pwned=1</script>{text}</svg>'.encode(),
                Role.VIEWPORT: png(4, 4) + text.encode(),
            },
            change=lambda record, text=clean, link=link: attacked(record, text, link),  # type: ignore[misc]
        )
        captures[name] = made.id
    return Attacked(laid=lay(shelf, tmp_path_factory.mktemp("hostile")), scope=scope, captures=captures)


@pytest.fixture(scope="module")
def console(attacks: Attacked) -> Iterator[Console]:
    with served(attacks.laid) as made:
        yield made


@pytest.fixture(scope="module")
def seen(browser: Browser, console: Console) -> Iterator[Window]:
    with window(browser, console) as made:
        made.page.on("dialog", lambda each: made.errors.append(f"dialog: {each.message}"))
        made.context.on("page", lambda each: made.errors.append(f"a window opened: {each.url}"))
        yield made


def test_there_are_forty_attacks_and_more() -> None:
    assert len(MARKUP) >= 40


@pytest.mark.slow
def test_the_attacks_are_real(browser: Browser) -> None:
    """Each does what it is for in a page that nobody protects."""
    asked: list[str] = []
    named = list(MARKUP)

    def bare(route: Route) -> None:
        asked.append(route.request.url)
        _, _, n = route.request.url.partition("//bare.example/")
        body = f"<!doctype html><body><p title='quoted'>before {MARKUP[named[int(n)]]}" if n.isdecimal() else ""
        route.fulfill(status=200, body=body, content_type="text/html" if body else "text/plain")

    context = browser.new_context()
    context.route("**/*", bare)
    idle = []
    for n, name in enumerate(named):
        asked.clear()
        page = context.new_page()  # of its own: an attack that leads away leads the next one's page nowhere
        fired = False
        with suppress(Error):  # it may lead away while it loads, or while it is looked at
            page.goto(f"http://bare.example/{n}", wait_until="commit")
        for _ in range(20):
            with suppress(Error):
                fired = any(each.startswith(EVIL) for each in asked) or bool(page.evaluate("window.pwned === 1"))
            if fired or name in _QUIET:
                break
            page.wait_for_timeout(50)
        page.close()
        if not fired and name not in _QUIET:
            idle.append(name)
    context.close()
    assert idle == []


@pytest.mark.parametrize(
    "name", [each if each in _FAST else pytest.param(each, marks=pytest.mark.slow) for each in MARKUP]
)
def test_nothing_of_a_hostile_capture_runs(seen: Window, attacks: Attacked, name: str) -> None:
    capture = attacks.captures[name]
    for path in (f"/captures/{capture}", f"/captures/{capture}/document"):
        seen.go(path)
        assert_untouched(seen)
        assert seen.page.url == f"{seen.console.base}{path}", "nobody was led away"
        assert seen.page.evaluate("document.cookie") == "", "no script sees the session"
        for each in seen.page.locator("details").all():
            each.evaluate("each => each.open = true")
        assert_untouched(seen)
    frame = seen.page.frames[1]
    active = "script, iframe, object, embed, link, meta[http-equiv], base, form, svg, [href], [src^=http]"
    assert frame.locator(active).count() == 0
    handlers = "xpath=//*[@*[starts-with(name(), 'on') or starts-with(name(), 'hx') or starts-with(name(), 'data-')]]"
    attributes = frame.locator(handlers).count()
    assert attributes == 0


def test_the_case_with_all_of_them_is_only_text(seen: Window, attacks: Attacked) -> None:
    for path in ("/", f"/cases/{attacks.scope}"):
        seen.go(path)
        assert_untouched(seen)
    expect(seen.page.locator("h1")).to_have_text('<img src=x onerror="window.pwned=1">')


def test_files_are_handed_out_as_bytes(console: Console, attacks: Attacked) -> None:
    capture = attacks.captures["script"]
    with console.client() as client:
        for name in ("dom.html", "media.svg", "headers.json", "text.txt", "reading.json"):
            answer = client.get(f"/captures/{capture}/files/{name}")
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["content-disposition"].startswith("attachment; filename=")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "sandbox" in answer.headers["content-security-policy"]
        picture = client.get(f"/captures/{capture}/files/screenshot.png")
        assert picture.headers["content-type"] == "image/png"


def test_a_svg_that_is_opened_by_itself_is_saved_and_not_shown(seen: Window, attacks: Attacked) -> None:
    path = f"{seen.console.base}/captures/{attacks.captures['script']}/files/media.svg"
    seen.go("/")
    with seen.page.expect_download() as saved:
        seen.page.evaluate("path => { window.location = path }", path)
    assert saved.value.suggested_filename.endswith("media.svg")
    assert_untouched(seen)


def test_the_frame_by_itself_leads_back_to_its_page(seen: Window, attacks: Attacked) -> None:
    path = f"/captures/{attacks.captures['script']}/document"
    seen.page.goto(f"{seen.console.base}{path}/frame")
    assert seen.page.url.endswith(path)


def assert_untouched(seen: Window) -> None:
    assert seen.outside == []
    assert seen.errors == []
    assert seen.page.evaluate("window.pwned") is None
