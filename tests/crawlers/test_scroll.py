"""Scrolling: what comes only when it is in view has come, what never ends is ended, the first picture is before it."""

import struct
import time
import zlib
from collections.abc import Iterator

import pytest

from crawlers import scroll
from custody.model import Outcome, Role, Status
from tests.crawlers.looking import Looked, Looker, looker
from tests.site.host import Answer, Host, Request, Route, always, page
from tests.site.server import Site

pytestmark = pytest.mark.browser

HERE = "https://www.long.example"
HEAD = (
    "<!doctype html><meta charset=utf-8><title>Long</title><h1>A long page</h1><p>It has words enough to be a page.</p>"
)


def png(colour: tuple[int, int, int]) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    row = b"\0" + bytes(colour) * 40
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 40, 8, 2, 0, 0, 0)) + chunk(
        b"IDAT", zlib.compress(row * 40)
    ) + chunk(b"IEND", b"")  # fmt: skip


def picture(_: Request) -> Answer:
    return Answer(body=png((200, 30, 60)), media_type="image/png")


def slow_picture(request: Request) -> Answer:
    time.sleep(0.8)
    return picture(request)


GAP = "<div style='height: 2500px'>.</div>"
LAZY = (
    f"{HEAD}{GAP}<img id=native loading=lazy src=/lazy.png width=400 height=400>{GAP}<p id=late>not yet</p>"
    """
<a id=more href="https://shop.example/">A shop</a><script>
new IntersectionObserver(seen => { if (seen.some(each => each.isIntersecting) && !window.done) {
  window.done = 1; const it = new Image(); it.src = '/observed.png'; late.textContent = 'words that came late';
  const link = document.createElement('a'); link.href = 'https://' + 'late.example/'; link.textContent = 'late';
  late.after(link);
}}).observe(late);</script>"""
)
ENDLESS = (
    f"{HEAD}<div id=feed></div>"
    """<script>
const more = () => { for (let n = 0; n < 10; n++) { const it = document.createElement('p'); it.style.height = '300px';
  it.textContent = 'one more'; feed.append(it); } };
more(); addEventListener('scroll', () => {
  if (scrollY + innerHeight > document.documentElement.scrollHeight - 500) more(); });</script>"""
)
INSIDE = f"""<!doctype html><meta charset=utf-8><title>Inside</title><style>html, body {{ margin: 0; height: 100%;
overflow: hidden }} main {{ height: 100%; overflow-y: auto }}</style><main><h1>A box</h1><p>It has words enough to be a
page.</p>{GAP}<img loading=lazy src=/lazy.png width=40 height=40></main>"""
WALL = (
    f"{HEAD}{GAP}{GAP}"
    """<script>addEventListener('scroll', () => {
  if (scrollY > 500) document.body.innerHTML =
    '<h1>Log in</h1><form><input type=password></form><p>Log in to continue</p>';
});</script>"""
)
LEAVING = f"{HEAD}{GAP}{GAP}<script>addEventListener('scroll', () => {{ location = '/short'; }});</script>"
FONT = """<!doctype html><meta charset=utf-8><title>Slow</title><h1>Slow to come</h1><p>Words.</p>
<img id=shown src=/slow.png width=400 height=400><script>
setTimeout(() => { shown.src = '/slow.png?again' }, 1)</script>"""

ROUTES: dict[str, Route] = {
    "/lazy": always(page(LAZY)),
    "/lazy.png": picture,
    "/observed.png": picture,
    "/slow.png": slow_picture,
    "/endless": always(page(ENDLESS)),
    "/inside": always(page(INSIDE)),
    "/wall": always(page(WALL)),
    "/leaving": always(page(LEAVING)),
    "/short": always(page(HEAD)),
    "/slow": always(page(FONT)),
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    made.hosts["www.long.example"] = Host(name="www.long.example", routes=ROUTES)
    with made as running:
        yield running


@pytest.fixture(scope="module")
def eye(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with looker(site, tmp_path_factory.mktemp("eye")) as made:
        yield made


def asked(site: Site, path: str) -> int:
    return len([each for each in site.log if each.host == "www.long.example" and each.path == path])


def height_of(found: Looked, name: str) -> int:
    value: int = struct.unpack(">I", found.data(name)[20:24])[0]
    return value


def test_what_loads_when_it_is_in_view_is_there(site: Site, eye: Looker) -> None:
    found = eye.look(f"{HERE}/lazy")
    (scrolled,) = found.noted("scrolled")
    assert (scrolled["stopped"], scrolled["inside"]) == ("end", False)
    after = [{"name": "viewport.png", "after": []}, {"name": "screenshot.png", "after": ["scrolled"]}]
    assert found.seen.pictures == after
    assert scrolled["to_px"] == scrolled["height_px"]
    assert (asked(site, "/lazy.png"), asked(site, "/observed.png")) == (1, 1)
    # Before it: the words and the document as they were, and the picture of the first screen.
    assert "not yet" in found.data("text.txt").decode()
    assert "words that came late" in found.data("scrolled-text.txt").decode()
    assert 'href="https://late.example' not in found.data("dom.html").decode()
    assert 'href="https://late.example' in found.data("scrolled-dom.html").decode()
    names = found.names
    assert names.index("viewport.png") < names.index("scrolled-dom.html") < names.index("screenshot.png")
    assert found.seen.times["viewport_at"] < found.seen.times["screenshot_at"]
    urls = [each for each, _ in found.seen.documents(HERE)]
    assert len(urls) == 2, "its late links are considered"
    assert found.visit().status is Status.COMPLETE
    assert height_of(found, "screenshot.png") > 5000


@pytest.mark.slow
def test_a_page_without_end_is_ended(eye: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scroll, "MAX_PX", 9_000)
    found = eye.look(f"{HERE}/endless")
    (scrolled,) = found.noted("scrolled")
    assert scrolled["stopped"] == "length"
    assert 9_000 <= int(str(scrolled["to_px"])) < 12_000
    monkeypatch.setattr(scroll, "MAX_PX", 10**9)
    monkeypatch.setattr(scroll, "MAX_S", 1.5)
    begun = time.monotonic()
    found = eye.look(f"{HERE}/endless")
    (scrolled,) = found.noted("scrolled")
    assert scrolled["stopped"] == "time"
    assert time.monotonic() - begun < 20
    assert Role.SCREENSHOT in found.roles


def test_a_box_that_fills_the_page_is_scrolled(site: Site, eye: Looker) -> None:
    before = asked(site, "/lazy.png")
    found = eye.look(f"{HERE}/inside")
    (scrolled,) = found.noted("scrolled")
    assert (scrolled["inside"], scrolled["stopped"]) == (True, "end")
    assert asked(site, "/lazy.png") == before + 1


def test_a_wall_that_comes_with_scrolling_does_not_hide_what_was_there(eye: Looker) -> None:
    found = eye.look(f"{HERE}/wall")
    visit = found.visit()
    assert (visit.status, visit.outcome) == (Status.COMPLETE, Outcome.OK)
    assert "A long page" in found.data("text.txt").decode()
    assert "Log in" in found.data("scrolled-text.txt").decode()


def test_a_page_that_leaves_when_it_is_scrolled_is_kept_and_said(eye: Looker) -> None:
    found = eye.look(f"{HERE}/leaving")
    assert "A long page" in found.data("text.txt").decode()
    assert "left for another" in found.missing()["screenshot"]


def test_a_short_page_is_not_touched(eye: Looker) -> None:
    found = eye.look(f"{HERE}/short")
    assert found.noted("scrolled") == []
    assert [each for each in found.names if each.startswith("scrolled")] == []


def test_a_picture_in_view_is_waited_for(eye: Looker) -> None:
    found = eye.look(f"{HERE}/slow")
    assert found.seen.settings["fonts_and_pictures_in_view"] == "loaded"
