"""Captures made to attack whoever looks at them: nothing in them runs, nothing is asked for, no session is seen."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import httpx
import pytest
from jsonschema import Draft202012Validator
from playwright.sync_api import Browser, Error, Route, expect

from archive.brief import Brief
from console.screen import now
from console.web.jobs import Job, Wanted
from custody.artifact import ARTIFACT
from custody.model import Candidate, Hop, HopKind, Json, Missing, Role, Via
from custody.record import Record
from tests.authority import LocalAuthority
from tests.console.web.hostile import EVIL, LINKS, MARKUP
from tests.console.web.opened import Console, Window, served, window
from tests.console.web.shelf import Laid, Shelf, lay, opened, png, promoted, reading
from tests.console.web.test_every_page import PAGES
from tests.custody import stewarding
from tests.custody.archive_builder import Captured

pytestmark = pytest.mark.browser
_QUIET = frozenset({
    "template of the server", "htmx attributes", "htmx on", "zero bytes", "overlong entity", "turned around", "base",
    "manifest", "preconnect", "name looked up beforehand", "prefetch", "refresh to a script", "form that sends itself",
    "mathml", "style with an import", "svg use", "embed", "object", "marquee", "script never closed",
})  # fmt: skip
"""Of these nothing is seen in a bare page: some need a server or a press, some a browser of other days."""


EVERYTHING = "".join(MARKUP.values()).replace("\0", "\ufffd")
"""All attacks in one text."""
CASE = '<img src=x onerror="window.pwned=1">'
_FAST = frozenset({"script", "style with an escape", "refresh", "out of an attribute"})


@dataclass(frozen=True, kw_only=True)
class Attacked:
    laid: Laid
    scope: str
    captures: Mapping[str, str]
    """By attack, the capture that carries it everywhere."""
    post: str
    """Of a promotion in which all of them stand in each field."""


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
    scope = shelf.open_case(CASE)
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
    post, _ = promoted(shelf, run, scope, says=EVERYTHING)
    said_later(shelf, scope, post)
    shelf.page(
        run, scope=scope, title=EVERYTHING, files={Role.READING: reading("post", handle="again", caption=EVERYTHING)}
    )
    laid = lay(shelf, tmp_path_factory.mktemp("hostile"))
    return Attacked(laid=laid, scope=scope, captures=captures, post=post.id)


def said_later(shelf: Shelf, scope: str, post: Captured) -> None:
    """What people write who work on a case, or hand something over: a case, corrections, holds, what a witness says."""
    assert post.ended is not None
    says: dict[str, Json] = {
        "capture": post.id,
        "field": "title",
        "was": EVERYTHING,
        "is": EVERYTHING,
        "why": EVERYTHING,
    }
    printable = "".join(each for each in MARKUP.values() if each.isprintable()).replace(" ", "/")
    brief = Brief(title=printable[:300], matter=printable[:200], purpose=printable[:4_000], timezone="Europe/Paris")
    correction = shelf.detail("correction.json", says)
    hold = shelf.detail("hold.json", {"item": post.unit, "matter": EVERYTHING, "why": EVERYTHING})
    of_witness: dict[str, Json] = {
        "capture": post.id, "scope": scope, "name": EVERYTHING, "statement": "differs",
        "differences": [EVERYTHING, EVERYTHING], "words": EVERYTHING, "keyid": None,
        "browser": EVERYTHING, "way": EVERYTHING,
        "opened_at": "2026-03-04T05:06:07.000Z", "stated_at": "2026-03-04T05:06:07.000Z",
    }  # fmt: skip
    statement = shelf.detail("statement.json", of_witness)
    shelf.commit(
        stewarding.described(shelf, scope, says=brief.to_json()),
        stewarding.work(
            shelf, "record.corrected", correction, {"capture": post.id}, shelf.root, ref=("corrects", post.ended)
        ),
        stewarding.work(shelf, "evidence.held", hold, {"item": post.unit}, shelf.root),
        stewarding.work(
            shelf, "capture.witnessed", statement, {"capture": post.id, "statement": "differs", "keyid": None},
            shelf.root, ref=("about", post.ended),
        ),
    )  # fmt: skip


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


REFLECTED = {
    "/search": ("q", "platform", "host"),
    "/whereis": ("sha256", "name"),
    "/timeline": ("target",),
    "/capture-now": ("case",),
    "/sign-in": ("name",),
}
"""Pages that say again what they were asked."""


@pytest.mark.slow
def test_no_page_runs_any_of_it(seen: Window, console: Console, attacks: Attacked) -> None:
    """Every page there is, of a promotion, a case, a witness and a log in which all attacks stand in each field."""
    with console.client() as client:
        (promotion,) = client.get(f"/api/v1/cases/{attacks.scope}/promotions").json()["promotions"]
        candidate = client.get(f"/api/v1/cases/{attacks.scope}/candidates").json()["candidates"][0]
        pages = [client.get("/api/v1/search", params={"case": attacks.scope, "limit": 25}).json()["next"]]
        events = client.get(f"/api/v1/captures/{attacks.post}/events").json()["events"]
    last = attacks.laid.builder.captures[-1]
    assert last.record is not None
    wanted = Wanted(urls=(f"https://site.example/{EVERYTHING[:2_000]}",), case=CASE, by="tester")
    jobs = console.app.state.jobs
    jobs._jobs["hostile"] = Job(id="hostile", wanted=wanted, asked_at=now(), state="ended", code=1, trouble=EVERYTHING)
    values = {
        "scope": attacks.scope, "capture_id": attacks.post, "other": last.id, "promotion": promotion["id"],
        "candidate": candidate["id"], "job_id": "hostile", "digest": last.record.artifacts[0].digest.hex, "index": 0,
    }  # fmt: skip
    paths = [f"{route}{each}".format(**values) for route, questions in PAGES.items() for each in questions]
    paths += [f"/search?case={attacks.scope}", *(f"/search?case={attacks.scope}&before={each}" for each in pages)]
    paths += [f"/log/leaves/{each['index']}" for each in events]
    asks = dict.fromkeys(paths, 200)
    for capture, link in zip(attacks.captures.values(), LINKS, strict=False):
        asks[f"/captures/{capture}/witness"] = 200 if link.startswith("http") else 422  # nobody is led to a script
    for path, status in asks.items():
        seen.go(path, status=status)
        seen.errors = [each for each in seen.errors if "status of 422" not in each]  # the browser's own word
        assert_untouched(seen)
        links = seen.page.locator("a[href]").evaluate_all("all => all.map(each => each.protocol)")
        assert set(links) <= {"http:", "https:"}, path
        if path == f"/cases/{attacks.scope}":
            expect(seen.page.locator("h1")).to_have_text(CASE)
        assert not seen.page.locator("main a[href^='http']:not([target=_blank])").count(), (
            "a stranger's address is text"
        )


@pytest.mark.slow
@pytest.mark.parametrize("route", REFLECTED)
def test_what_is_asked_is_said_again_as_text(seen: Window, route: str) -> None:
    for each in ("<script>window.pwned=1</script>", "\"'><img src=x onerror=window.pwned=1>", "{{ 7*7 }}\u202e"):
        asked = httpx.QueryParams(dict.fromkeys(REFLECTED[route], each))
        answer = seen.page.goto(f"{seen.console.base}{route}?{asked}")
        assert answer is not None
        assert answer.status in {200, 404}
        seen.errors = [one for one in seen.errors if "status of 404" not in one]
        assert_untouched(seen)


def test_a_file_s_name_that_is_none_is_no_record() -> None:
    """Names in a record are letters, digits and few signs: nobody stores a page under a path, or under markup."""
    for name in ("../x", "a/b", "<img src=x>", "x\r\nSet-Cookie: a", 'a"b', "", ".htaccess", "a" * 121):
        value: dict[str, Json] = {
            "role": "media", "name": name, "media_type": "text/html", "bytes": 1, "sha256": "0" * 64,
            "key": "blobs/sha256/00/00", "version_id": None, "lock": None, "made_at": "2026-03-04T05:06:07.000Z",
        }  # fmt: skip
        assert list(Draft202012Validator(ARTIFACT).iter_errors({**value, "name": "x.svg"})) == []
        assert [each.json_path for each in Draft202012Validator(ARTIFACT).iter_errors(value)] == ["$.name"]


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
