"""Pages whose matter stands in frames: what a reader sees is kept, said and followed like the page's own."""

from collections.abc import Iterator

import pytest

from crawlers import links
from crawlers.links import LinkPage, choose_of_all
from custody.model import Candidate, Outcome, Role, Status, Via
from tests.crawlers.looking import Looked, Looker, looker
from tests.site.host import Host, Route, always, page
from tests.site.server import Site

pytestmark = pytest.mark.browser

HERE = "https://www.framed.example"
THERE = "https://www.elsewhere.example"
FILLING = "position:fixed;inset:0;width:100%;height:100%;border:0"
HUB = (
    "<!doctype html><title>All my links</title><h1>Dora</h1><p>What I wear and where I got it.</p>"
    "<p><a href='https://shop.example/ring'>My ring</a></p><p><a href='https://store.example/bag'>My bag</a></p>"
)


def html(text: str) -> Route:
    return always(page(text))


def text(title: str, more: str) -> Route:
    return html(f"<!doctype html><meta charset=utf-8><title>{title}</title>{more}")


HOSTS = (
    Host(
        name="www.framed.example",
        routes={
            "/set": html(
                "<html><head><title>A set</title></head><frameset cols='30%,70%'><frame src='/menu'>"
                f"<frame src='{THERE}/hub'>"
                "<noframes>Get a newer browser</noframes></frameset></html>"
            ),
            "/nested": html("<html><frameset rows='50%,50%'><frame src='/set'><frame src='/menu?2'></frameset></html>"),
            "/menu": text("Menu", "<p>Where to go from here</p><a href='/other'>Other</a>"),
            "/filled": text("Filled", f"<iframe src='{THERE}/hub' style='{FILLING}'></iframe>"),
            "/srcdoc": text("Srcdoc", f'<iframe srcdoc="{HUB}" style="{FILLING}"></iframe>'),
            "/small": text("Small", f"<h1>Mine</h1><p>My own words.</p><iframe src='{THERE}/hub'></iframe>"),
            "/covered": text("Covered", f"{'<p>Plenty of words of my own.</p>' * 30}"
                             f"<iframe src='{THERE}/hub' style='{FILLING}'></iframe>"),
            "/unseen": text("Unseen", f"<p>Mine.</p><iframe src='{THERE}/hub' style='{FILLING};opacity:0'></iframe>"),
            "/broken": html("<html><frameset cols='50%,50%'><frame src='https://refused.example/'><frame src='/menu'>"
                            "</frameset></html>"),
        },
    ),
    Host(name="www.elsewhere.example", routes={"/hub": html(HUB)}),
)  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    made.hosts |= {host.name: host for host in HOSTS}
    with made as running:
        yield running


@pytest.fixture(scope="module")
def eye(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with looker(site, tmp_path_factory.mktemp("looks")) as made:
        yield made


def followed(looked: Looked) -> list[str]:
    pages = [LinkPage(url=url, dom_html=dom, depth=0, position="root") for url, dom in looked.seen.documents("")]
    return [each.via.href for each in choose_of_all(pages, limit=20, seen=()) if each.follow]


LINKS = ["https://shop.example/ring", "https://store.example/bag"]


@pytest.mark.parametrize(
    ("path", "framed"),
    [
        ("set", [f"{HERE}/menu", f"{THERE}/hub"]),
        ("nested", [f"{HERE}/set", f"{HERE}/menu", f"{THERE}/hub", f"{HERE}/menu?2"]),
        ("filled", [f"{THERE}/hub"]),
        ("srcdoc", ["about:srcdoc"]),
    ],
)
def test_what_stands_in_frames_is_kept_said_and_followed(eye: Looker, path: str, framed: list[str]) -> None:
    looked = eye.look(f"{HERE}/{path}")
    assert looked.seen.trouble is None, looked.seen.detail
    assert [each.url for each in looked.seen.frames] == framed
    kept = looked.data("text.txt").decode()
    assert "What I wear and where I got it." in kept
    for n, url in enumerate(framed, start=1):
        assert f"--- frame {n}: {url} ---" in kept
        assert looked.kept(f"frame-{n}-dom.html").role is Role.DOM
    hub = next(n for n, url in enumerate(framed, start=1) if url in {f"{THERE}/hub", "about:srcdoc"})
    assert "https://shop.example/ring" in looked.data(f"frame-{hub}-dom.html").decode()
    assert looked.seen.final_url == f"{HERE}/{path}"
    assert followed(looked) == LINKS
    visit = looked.visit()
    assert (visit.status, visit.outcome) == (Status.COMPLETE, Outcome.OK)
    assert looked.seen.hops == ()
    assert looked.took_s < 10


def test_a_link_that_one_document_left_and_another_promotes_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the page it is navigation; in what is framed there, or came with scrolling, it is in the author's words."""
    shop, other = (Via(href=f"https://{name}.example/", text="", where="text") for name in ("shop", "other"))

    def candidate(via: Via, reason: str) -> Candidate:
        return Candidate(via=via, follow=reason == "in_text", reason=reason)

    found = {
        "first": (candidate(shop, "navigation"), candidate(other, "in_text")),
        "second": (candidate(shop, "in_text"), candidate(other, "duplicate")),
    }
    monkeypatch.setattr(links, "choose", lambda page, **_: found[page.dom_html])
    pages = [LinkPage(url=f"{HERE}/set", dom_html=each, depth=0, position="root") for each in ("first", "second")]
    chosen = choose_of_all(pages, limit=20, seen=())
    assert [(each.via.href, each.follow) for each in chosen] == [(other.href, True), (shop.href, True)]


@pytest.mark.parametrize("path", ["small", "covered", "unseen"])
def test_a_frame_that_is_not_the_page_is_left_alone(eye: Looker, path: str) -> None:
    looked = eye.look(f"{HERE}/{path}")
    assert looked.seen.frames == ()
    assert "What I wear" not in looked.data("text.txt").decode()
    assert followed(looked) == []


def test_a_frame_without_a_page_is_no_loss_of_the_others(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/broken")
    assert "Where to go from here" in looked.data("text.txt").decode()
    assert looked.visit().status is Status.COMPLETE
