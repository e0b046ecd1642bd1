"""A real Chromium at the make-believe network: pages, chains, and everything that goes wrong on the way."""

import asyncio
import base64
import colorsys
import json
import struct
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page

from crawlers import arrival, downloads
from crawlers.hops import MAX_HOPS
from crawlers.tab import STEP_S
from custody.model import HopKind, Origin, Outcome, Role, Status
from tests.crawlers.looking import Looked, Looker, looker
from tests.site.client import fetch
from tests.site.host import Answer, Ending, Host, Request, Route, always, page, redirect
from tests.site.server import Site

pytestmark = pytest.mark.browser

WHOLE = {Role.VIEWPORT, Role.SCREENSHOT, Role.DOM, Role.TEXT, Role.HEADERS, Role.BODY, Role.WARC}
HERE = "https://www.turns.example"
END = "https://www.misbehave.example/end"
IN_BETWEEN = "You are now leaving this site. We are not responsible for what is out there."


ENOUGH = "<p>This page says enough to be taken for one that has come to stay, and not for one that is still being made."


def text(title: str, more: str = "", head: str = "") -> Route:
    start = f"<!doctype html><meta charset=utf-8><title>{title}</title>{head}<h1>{title}</h1>{ENOUGH}"
    return always(page(f"{start}{more}"))


def leaving(more: str) -> Route:
    start = "<!doctype html><meta charset=utf-8><title>You are leaving</title><h1>You are leaving</h1>"
    return always(page(f"{start}<p>{IN_BETWEEN}</p>{more}"))


def endless_file(_: Request) -> Answer:
    return Answer(
        body=b"\0" * 100_000,
        media_type="application/octet-stream",
        headers=(("Content-Disposition", 'attachment; filename="endless.bin"'),),
        ending=Ending.DRIP,
    )


def large_file(_: Request) -> Answer:
    headers = (("Content-Disposition", 'attachment; filename="large.bin"'),)
    return Answer(body=b"\0" * 3_000_000, media_type="application/octet-stream", headers=headers)


POLLING = "<script>setInterval(() => fetch('/poll?' + Math.random()), 100)</script>"
PUSHING = "<script>let n = 0; setInterval(() => history.pushState({}, '', '/push?n=' + n++), 20)</script>"
RESTLESS = "<script>setTimeout(() => location.href = '/restless?n=' + Math.random(), 1200)</script>"
CHECKOUT = """<form action="/pay" method="post"><input name="name" autocomplete="name" placeholder="Full name">
<input name="email" type="email" placeholder="E-mail"><input name="street" placeholder="Street"><input name="zip">
<input name="city" placeholder="City"><input name="tel" type="tel"><input name="pw" type="password">
<input type="submit"></form>"""
SELF_REFRESH = '<meta http-equiv="refresh" content="1">'

TURNS = Host(
    name="www.turns.example",
    routes={
        "/link": leaving(f'<a href="{END}">Continue</a>'),
        "/new-tab": leaving(f'<a href="{END}?tab" target="_blank">Continue</a>'),
        "/base-tab": leaving(f'<base target="_blank"><a href="{END}?tab">Continue</a>'),
        "/button": leaving(f"<button onclick=\"location.href='{END}?button'\">Continue to site</button>"),
        "/window": leaving(f"<button onclick=\"window.open('{END}?window')\">Continue to site</button>"),
        "/form": leaving(f'<form action="{END}" target="_blank"><input type="hidden" name="q" value="7">'
                         '<input type="submit" value="Continue"></form>'),
        "/covered": leaving(f'<a href="{END}?covered">Continue</a>'
                            '<div style="position:fixed;inset:0;background:#fff8">We use cookies</div>'),
        "/stuck": leaving(f'<a href="{END}" onclick="return false">Continue</a>'),
        "/checkout": text("Check out", CHECKOUT),
        "/poll-page": text("Never quiet", POLLING),
        "/poll": always(Answer(body=b"{}", media_type="application/json")),
        "/push": text("Pushing on", PUSHING),
        "/restless": text("Restless", RESTLESS),
        "/self-refresh": text("Live ticker", "<p>Scores as they come in.</p>", SELF_REFRESH),
        "/refresh-5": text("Moved", "", f'<meta http-equiv="refresh" content="5; url={END}">'),
        "/to-file": text("Your file", "<script>location.href = '/large'</script>"),
        "/to-nothing": text("Staying", "<script>location.href = '/nothing'</script>"),
        "/nothing": always(Answer(status=204, media_type=None)),
        "/to-blank": text("Going", "<script>location.href = 'about:blank'</script>"),
        "/to-app": text("Open in app", "<script>location.href = 'glimpse://open'</script>"),
        "/to-silence": text("Going", "<script>location.href = 'https://silent.example/'</script>"),
        "/elsewhere": lambda asked: redirect(302, asked.query["to"]),
        "/further": lambda asked: redirect(301, f"/elsewhere?{urlencode(dict(asked.query))}"),
        "/endless": endless_file,
        "/large": large_file,
        "/picture.png": always(Answer(body=b"", media_type="image/png")),
        "/data.json": always(Answer(body='{"preço": 1}'.encode(), media_type="application/json")),
        "/plain.txt": always(Answer(body="只是文字\n".encode(), media_type="text/plain; charset=utf-8")),
        "/latin": always(Answer(body="<title>Biżuteria</title><p>żółta".encode("iso-8859-2"),
                                media_type="text/html; charset=iso-8859-2")),
        "/marked": always(Answer(body=b"\xef\xbb\xbf<title>Marked</title><p>\xc3\xa9")),
        "/broken-utf8": always(Answer(body=b"<title>Broken</title><p>\xff\xfe \xc3\xa9")),
        "/wide": text("Wide", '<div style="width:20000px;height:2000px;background:linear-gradient(90deg,red,blue)">'),
        "/frames": text("Frames", "<iframe src='/plain.txt'></iframe><iframe src='/refresh-5'></iframe>"),
        "/locked": always(Answer(status=401, headers=(("WWW-Authenticate", 'Basic realm="x"'),),
                                 body=b"<title>Locked</title><p>Not for you.")),
        "/lock-inside": text("A lock inside", '<img src="/locked" alt="">'),
        "/shadow": text("Shadow", "<div id=host></div><script>host.attachShadow({mode: 'open'}).innerHTML = "
                        "'<style>p{color:red}</style><p>Said in a shadow <a href=\"https://a.example/x\">link</a>'"
                        "</script>"),
    },
)  # fmt: skip
PLAIN = Host(
    name="img.turns.example", folder=Path(__file__).parents[1] / "site/content/cdn.glimpsestatic.example/photo"
)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    made.hosts |= {host.name: host for host in (TURNS, PLAIN)}
    with made as running:
        yield running


@pytest.fixture(scope="module")
def eye(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with looker(site, tmp_path_factory.mktemp("looks")) as made:
        yield made


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


_PICK = """async ([png, points]) => {
  const picture = await createImageBitmap(await (await fetch('data:image/png;base64,' + png)).blob());
  const canvas = new OffscreenCanvas(1, 1), pen = canvas.getContext('2d', {willReadFrequently: true});
  return points.map(([x, y]) => {
    pen.drawImage(picture, -x, -y);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  });
}"""


def colours(eye: Looker, png: bytes, points: list[tuple[int, int]]) -> list[list[int]]:
    """What a picture shows at some points, as a browser decodes it."""

    async def pick() -> list[list[int]]:
        page = await eye.browser.new_page()
        picked: list[list[int]] = await page.evaluate(_PICK, [base64.b64encode(png).decode(), points])
        await page.close()
        return picked

    shown: list[list[int]] = eye.run(pick())
    return shown


def complete(looked: Looked) -> None:
    assert looked.seen.trouble is None, looked.seen.detail
    assert looked.roles >= WHOLE
    assert looked.missing() == {}
    assert looked.visit().status is Status.COMPLETE


# Pages


def test_a_plain_page_is_whole_and_soon_had(eye: Looker, site: Site) -> None:
    looked = eye.look("post")
    complete(looked)
    assert looked.took_s < 10
    assert looked.seen.final_url == site.url("post")
    assert looked.seen.http_status == 200
    assert str(looked.seen.title).startswith("Mirabelle Vance on Glimpsegram")
    assert looked.seen.hops == ()
    assert size(looked.data("viewport.png")) == (1366, 900)
    assert size(looked.data("screenshot.png"))[0] == 1366
    assert looked.data("body.html") == fetch(site, site.url("post"))[1]
    assert "Love bracelet" in looked.data("text.txt").decode()
    assert looked.data("dom.html").decode() == looked.seen.dom
    assert looked.steps == ["navigate", "snapshot"]
    assert looked.visit().outcome is Outcome.OK


def test_the_viewport_is_taken_before_anything_else(eye: Looker) -> None:
    looked = eye.look("post")
    assert looked.names[0] == "viewport.png"
    made = [looked.kept(name).made_at for name in ("viewport.png", "dom.html", "text.txt", "body.html")]
    assert made == sorted(made)
    assert looked.names.index("screenshot.png") > looked.names.index("text.txt"), "only that one can alter the page"
    times = looked.seen.times
    order = ["requested_at", "first_response_at", "dom_content_loaded_at", "settled_at", "viewport_at",
             "screenshot_at", "closed_at"]  # fmt: skip
    assert [times[each] for each in order] == sorted(times.values())


def test_headers_are_the_sites_own(eye: Looker) -> None:
    listed = json.loads(eye.look("post").data("headers.json"))
    assert [each["status"] for each in listed] == [200]
    names = [name.lower() for name, _ in listed[0]["headers"]]
    assert "content-security-policy" in names
    assert listed[0]["header_text"].startswith("HTTP/1.1 200")
    assert "proxy-authorization" not in [name.lower() for name, _ in listed[0]["request_headers"]]


def test_what_the_browser_is_stands_in_the_record(eye: Looker) -> None:
    settings = eye.look("post").seen.settings
    assert "Chrome" in str(settings["user_agent"])
    assert settings["timezone"] == "UTC"
    assert settings["languages"] == "en-US"
    assert settings["viewport"] == {"width": 1366, "height": 900}
    assert settings["cookies_at_start"] == 0
    assert str(settings["browser_version"])[0].isdigit()


def test_a_form_brings_no_question_of_the_browsers_own(eye: Looker) -> None:
    """What its fields mean Chromium would ask its maker, who would learn which pages are looked at."""
    looked = eye.look(f"https://{TURNS.name}/checkout")
    complete(looked)
    assert {each.host for each in looked.connections} == {TURNS.name}


@pytest.mark.parametrize("name", ["post_chinese", "post_arabic", "spa_hub", "table_page", "blog_post"])
def test_other_pages_are_whole_too(eye: Looker, name: str) -> None:
    complete(eye.look(name))


def test_an_error_page_is_a_page(eye: Looker) -> None:
    looked = eye.look("removed_listing_404")
    complete(looked)
    assert looked.visit().http_status == 404


def test_an_empty_page_is_a_page(eye: Looker) -> None:
    looked = eye.look("empty")
    complete(looked)
    assert looked.data("body.html") == b""


def test_text_in_shadow_roots_is_text_and_its_links_are_in_the_dom(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/shadow")
    complete(looked)
    assert "Said in a shadow link" in looked.seen.text
    assert "color:red" not in looked.seen.text
    assert '<template shadowrootmode="open">' in looked.seen.dom
    assert 'href="https://a.example/x"' in looked.seen.dom


@pytest.mark.parametrize("path", ["latin", "marked", "broken-utf8"])
def test_the_body_is_the_bytes_that_were_sent(eye: Looker, path: str) -> None:
    looked = eye.look(f"{HERE}/{path}")
    complete(looked)
    route = TURNS.routes[f"/{path}"]
    sent = route(Request(method="GET", host=TURNS.name, path=f"/{path}", query={}, headers={})).body
    assert looked.data("body.html") == sent


# Chains


def test_a_shortener_of_two_hops(eye: Looker, site: Site) -> None:
    looked = eye.look("shortener")
    complete(looked)
    assert [(hop.n, hop.kind, hop.status) for hop in looked.seen.hops] == [(1, "http", 302), (2, "http", 301)]
    assert looked.seen.hops[0].from_url == site.url("shortener")
    assert looked.seen.hops[-1].to_url == looked.seen.final_url == site.url("listing")
    assert [each["status"] for each in json.loads(looked.data("headers.json"))] == [302, 301, 200]
    assert [each.host for each in looked.seen.certificates] == ["hopp.example", "trk.affilane.example",
                                                                "www.bazaroo.example"]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "end"),
    [
        ("refresh", "refresh", "listing"),
        ("script", "script", "seller"),
        ("refresh_header", "refresh", "fault_end"),
        ("script_late", "script", "fault_end"),
    ],
)
def test_pages_that_move_on_by_themselves(eye: Looker, site: Site, name: str, kind: str, end: str) -> None:
    looked = eye.look(name)
    complete(looked)
    assert looked.kinds == [kind]
    assert str(looked.seen.final_url).startswith(site.url(end))
    assert looked.took_s < 10


@pytest.mark.slow
def test_a_refresh_that_is_announced_for_later_is_waited_for(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/refresh-5")
    assert looked.kinds == ["refresh"]
    assert looked.seen.final_url == END
    assert 5 < looked.took_s < 13


def test_a_page_that_refreshes_itself_is_where_it_wants_to_be(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/self-refresh")
    assert looked.seen.trouble is None
    # Where keeping it takes longer than it stands, it is overtaken by its next one, and that is in the record too.
    assert looked.kinds[: arrival.MAX_SELF_REFRESHES] == ["refresh"] * arrival.MAX_SELF_REFRESHES
    assert set(looked.kinds) == {"refresh"}
    assert looked.took_s < 12


@pytest.mark.parametrize(
    ("name", "tag", "end"),
    [("leaving", "a", "listing"), ("hub_leaving", "button", "seller")],
)
def test_pages_in_between_are_kept_and_pressed(eye: Looker, site: Site, name: str, tag: str, end: str) -> None:
    looked = eye.look(name)
    complete(looked)
    assert looked.kinds == ["click"]
    assert str(looked.seen.final_url).startswith(site.url(end))
    assert looked.names[:2] == ["hop-1-viewport.png", "hop-1-dom.html"]
    (click,) = looked.noted("click")
    assert click["tag"] == tag
    assert click["on"] == site.url(name)
    assert click["by"] == "mouse"
    assert looked.took_s < 10


@pytest.mark.parametrize("path", ["new-tab", "base-tab"])
def test_a_link_into_a_new_tab_is_followed_in_this_one(eye: Looker, site: Site, path: str) -> None:
    begin = len(site.log)
    looked = eye.look(f"{HERE}/{path}")
    complete(looked)
    assert (looked.kinds, looked.seen.final_url) == (["click"], f"{END}?tab")
    assert looked.noted("click")[0]["target_removed"] == "_blank"
    assert looked.noted("new_window_shut") == []
    assert [seen.path for seen in site.log[begin:] if seen.path.startswith("/end")] == ["/end?tab"], "asked for once"


def test_a_form_into_a_new_tab_takes_its_fields_along(eye: Looker, site: Site) -> None:
    begin = len(site.log)
    looked = eye.look(f"{HERE}/form")
    assert (looked.kinds, looked.seen.final_url) == (["click"], f"{END}?q=7")
    assert looked.noted("click")[0]["tag"] == "input"
    assert [seen.path for seen in site.log[begin:] if seen.path.startswith("/end")] == ["/end?q=7"]


def test_a_window_that_a_button_opens_is_looked_at_in_this_tab(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/window")
    assert (looked.kinds, looked.seen.final_url) == (["click"], f"{END}?window")
    assert len(looked.noted("new_window_shut")) == 1


def test_a_link_under_a_banner_is_pressed_by_the_keyboard(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/covered")
    assert looked.noted("click")[0]["by"] == "keyboard"
    assert looked.seen.final_url == f"{END}?covered"


@pytest.mark.slow
def test_a_press_that_leads_nowhere_ends_the_chain_there(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/stuck", timeout_s=15)
    assert looked.kinds == []
    assert looked.seen.reached
    assert looked.seen.final_url == f"{HERE}/stuck"
    assert 1 <= len(looked.noted("click")) <= arrival.MAX_PRESSES
    assert looked.took_s < 40


def test_the_promotion_of_the_site_is_quick(eye: Looker) -> None:
    took = [eye.look(name).took_s for name in ("post", "profile", "hub", "shortener")]
    assert sum(took) < 25, took
    assert max(took) < 10, took


# Faults


@pytest.mark.parametrize("name", ["redirect_loop", "redirect_self", "redirect_long"])
def test_redirects_without_end(eye: Looker, name: str) -> None:
    looked = eye.look(name)
    assert looked.seen.trouble == "redirect_loop"
    assert MAX_HOPS - 1 <= len(looked.seen.hops) <= MAX_HOPS
    assert looked.names == ["headers.json", "traffic.warc.gz"]
    visit = looked.visit()
    assert (visit.status, visit.outcome) == (Status.FAILED, Outcome.ERROR)


def test_refreshes_without_end_are_ended_and_the_last_page_kept(eye: Looker) -> None:
    looked = eye.look("refresh_loop")
    assert looked.seen.trouble == "redirect_loop"
    assert looked.kinds == ["refresh"] * MAX_HOPS
    assert looked.roles >= WHOLE, looked.seen.missing
    assert looked.noted("loading_stopped")
    assert looked.visit().status is Status.PARTIAL


def test_a_page_that_never_finishes_is_kept_as_far_as_it_came(eye: Looker) -> None:
    looked = eye.look("never_finishing", timeout_s=6)
    assert looked.seen.trouble == "timeout"
    assert looked.roles >= WHOLE
    assert b"Still loading" in looked.data("body.html")
    assert looked.missing() == {
        "body": f"the answer did not end; its first {len(looked.data('body.html'))} bytes are kept",
        "warc": "1 document: still_running",
    }
    assert looked.took_s < 16
    visit = looked.visit()
    assert (visit.status, visit.outcome) == (Status.PARTIAL, Outcome.TIMEOUT)


@pytest.mark.slow
def test_a_picture_that_never_comes_holds_up_nobody_for_long(eye: Looker) -> None:
    looked = eye.look("never_finishing_image", timeout_s=45)
    assert looked.missing() == {"warc": "1 image: still_running"}
    visit = looked.visit()
    assert (visit.status, visit.outcome) == (Status.PARTIAL, Outcome.OK)
    assert "load_event" in looked.seen.settings
    assert looked.took_s < arrival.STUCK_S + 8


def test_a_first_byte_that_comes_too_late(eye: Looker) -> None:
    looked = eye.look("slow_first_byte", timeout_s=3)
    assert (looked.seen.trouble, looked.seen.reached) == ("timeout", False)
    assert looked.took_s < 9
    visit = looked.visit()
    assert (visit.status, visit.outcome) == (Status.FAILED, Outcome.TIMEOUT)


def test_an_answer_that_breaks_off_is_kept_as_far_as_it_came(eye: Looker) -> None:
    looked = eye.look("cut")
    assert looked.seen.reached
    assert b"You will not read the end" in looked.data("body.html")
    assert looked.missing()["body"].startswith("the answer broke off (net::ERR_CONTENT_LENGTH_MISMATCH); its first ")
    assert looked.visit().status is Status.PARTIAL


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("empty_answer", Outcome.ERROR, "www.misbehave.example: the host closed the connection without an answer"),
        ("tls_garbage", Outcome.TLS_ERROR, "garbage.example: no page could be had over TLS"),
        ("refused", Outcome.ERROR, "refused.example: the host refused the connection"),
        ("unresolved", Outcome.DNS_ERROR, "no-such-host.invalid: the host name does not resolve"),
        ("redirect_nowhere", Outcome.DNS_ERROR, "no-such-host.invalid: the host name does not resolve"),
    ],
)
def test_hosts_that_give_no_page(eye: Looker, name: str, outcome: Outcome, words: str) -> None:
    looked = eye.look(name)
    visit = looked.visit()
    assert (visit.status, visit.outcome) == (Status.FAILED, outcome)
    assert visit.outcome_reason.startswith(words)
    assert (visit.final_url, visit.title, visit.http_status) == (None, None, None)
    assert {each.role for each in visit.missing} >= {Role.VIEWPORT, Role.SCREENSHOT, Role.DOM, Role.TEXT, Role.BODY}
    assert looked.took_s < 10


def test_a_chain_that_ends_nowhere_keeps_its_hops_and_headers(eye: Looker, site: Site) -> None:
    looked = eye.look("redirect_nowhere")
    assert [(hop.status, hop.to_url) for hop in looked.seen.hops] == [(302, site.url("unresolved"))]
    assert [each["status"] for each in json.loads(looked.data("headers.json"))] == [302]


def test_a_host_that_says_nothing(eye: Looker) -> None:
    looked = eye.look("silent", timeout_s=3)
    assert looked.visit().outcome is Outcome.TIMEOUT
    assert looked.took_s < 9


@pytest.mark.parametrize(
    "target",
    ["data:text/html,<h1>made here</h1>", "file:///etc/hostname", "javascript:document.write('run')", "about:blank",
     "chrome://version/", "mailto:somebody@here.example"],
)  # fmt: skip
def test_a_redirect_that_leaves_the_web_is_kept_and_never_followed(eye: Looker, site: Site, target: str) -> None:
    looked = eye.look(f"{HERE}/elsewhere?{urlencode({'to': target})}")
    (hop,) = looked.seen.hops
    assert (hop.to_url, hop.status, hop.kind) == (target, 302, HopKind.HTTP)
    (answered,) = json.loads(looked.data("headers.json"))
    assert answered["status"] == 302
    assert dict(answered["headers"])["Location"] == target
    assert looked.roles == {Role.HEADERS, Role.WARC}
    assert site.log[-1].path.startswith("/elsewhere")
    visit = looked.visit()
    assert (visit.status, visit.outcome, visit.http_status) == (Status.FAILED, Outcome.ERROR, 302)
    assert "HTTP 302" in visit.outcome_reason
    assert target in visit.outcome_reason
    assert looked.took_s < 10


def test_a_chain_that_leaves_the_web_keeps_every_step(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/further?{urlencode({'to': 'data:,x'})}")
    assert [(hop.to_url, hop.status) for hop in looked.seen.hops] == [
        (f"{HERE}/elsewhere?to=data%3A%2Cx", 301), ("data:,x", 302)
    ]  # fmt: skip
    assert [each["status"] for each in json.loads(looked.data("headers.json"))] == [301, 302]


def test_an_app_is_no_page(eye: Looker) -> None:
    looked = eye.look("redirect_scheme")
    assert [hop.to_url for hop in looked.seen.hops] == ["glimpse://open?item=4410087712"]
    visit = looked.visit()
    assert (visit.status, visit.outcome) == (Status.FAILED, Outcome.ERROR)
    assert "glimpse://open" in visit.outcome_reason


def test_a_really_bad_certificate_is_captured_named_and_kept(eye: Looker) -> None:
    looked = eye.look("bad_certificate")
    complete(looked)
    (certificate,) = looked.seen.certificates
    assert certificate.host == "www.crumblyshop.example"
    assert certificate.browser_says == "insecure"
    assert (certificate.valid, certificate.trusted_by_spki) == (False, False)
    assert "insecure" in certificate.reason
    assert certificate.to_json()["subject"] == "CN=Router setup"
    assert looked.data("tls-www.crumblyshop.example.pem").startswith(b"-----BEGIN CERTIFICATE-----")
    assert looked.visit().origin is Origin.NOT_PUBLIC, "its address came from --resolve"


def test_nothing_to_show(eye: Looker) -> None:
    looked = eye.look("no_content")
    assert looked.seen.trouble == "no_content"
    visit = looked.visit()
    assert (visit.status, visit.outcome, visit.http_status) == (Status.PARTIAL, Outcome.NOT_A_PAGE, 204)


@pytest.mark.parametrize("name", ["download", "download_inline"])
def test_a_file_in_place_of_a_page_is_kept_with_its_name(eye: Looker, site: Site, name: str) -> None:
    looked = eye.look(name)
    assert looked.seen.trouble == "download"
    assert looked.data("body.pdf") == fetch(site, site.url(name))[1]
    assert looked.kept("body.pdf").media_type == "application/pdf"
    (noted,) = looked.noted("download")
    assert noted["suggested_name"] == ("catalogue.pdf" if name == "download" else "inline.pdf")
    listed = json.loads(looked.data("headers.json"))
    disposition = [value for name, value in listed[0]["headers"] if name.lower() == "content-disposition"]
    assert disposition == ['attachment; filename="catalogue.pdf"' if name == "download" else "inline"]
    visit = looked.visit()
    assert (visit.status, visit.outcome, visit.final_url) == (Status.PARTIAL, Outcome.NOT_A_PAGE, site.url(name))
    assert looked.took_s < 10


def test_a_download_without_end_is_cut_off_by_time(eye: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MAX_WAIT_S", 2.0)
    looked = eye.look(f"{HERE}/endless")
    assert looked.missing()["body"].startswith("the download was cut off after 2 s; ")
    assert Role.BODY not in looked.roles
    assert looked.visit().outcome is Outcome.NOT_A_PAGE
    assert looked.took_s < 10


def test_a_download_beyond_size_is_cut_off(eye: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MAX_BYTES", 1_000_000)
    looked = eye.look(f"{HERE}/large")
    assert looked.missing()["body"].startswith("the download was cut off: 3000000 bytes ")
    assert Role.BODY not in looked.roles


@pytest.mark.parametrize("path", ["to-file", "to-nothing", "to-app"])
def test_a_page_that_sends_the_browser_where_no_page_is_stays_what_is_shown(eye: Looker, path: str) -> None:
    looked = eye.look(f"{HERE}/{path}")
    complete(looked)
    assert looked.seen.final_url == f"{HERE}/{path}"
    assert looked.seen.http_status == 200
    assert b"<script>location.href" in looked.data("body.html")
    assert looked.took_s < 14


def test_a_page_that_leaves_the_web(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/to-blank")
    assert looked.seen.trouble == "left_the_web"
    assert "about:blank" in looked.seen.detail
    assert looked.visit().status is Status.FAILED


def test_a_page_whose_next_one_does_not_answer_is_kept(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/to-silence", timeout_s=6)
    assert looked.seen.trouble == "timeout"
    assert looked.seen.detail == "https://silent.example/ did not answer in time; the page before it was kept"
    assert looked.seen.final_url == f"{HERE}/to-silence"
    assert looked.roles >= WHOLE
    assert [hop.to_url for hop in looked.seen.hops] == ["https://silent.example/"]


@pytest.mark.slow
def test_a_huge_page(eye: Looker, site: Site) -> None:
    looked = eye.look("huge")
    complete(looked)
    assert looked.data("body.html") == fetch(site, site.url("huge"))[1]


@pytest.mark.slow
def test_a_tall_page_is_kept_in_tiles(eye: Looker) -> None:
    looked = eye.look("tall")
    complete(looked)
    sizes = [size(looked.data(name)) for name in ("screenshot.png", "screenshot-2.png", "screenshot-3.png")]
    height = looked.seen.settings["page_px"]["height"]  # type: ignore[index,call-overload]
    assert [width for width, _ in sizes] == [1366] * 3
    assert [tall for _, tall in sizes][:2] == [16_384, 16_384]
    assert sum(tall for _, tall in sizes) == height
    # Row n of 40 has a colour of its own, and with its padding 1,040 px: none is blank, none repeats another.
    rows = [divmod(height - 40 * 1040 + row * 1040 + 500, 16_384) for row in range(40)]
    shown = [
        colour
        for tile, name in enumerate(("screenshot.png", "screenshot-2.png", "screenshot-3.png"))
        for colour in colours(eye, looked.data(name), [(700, y) for each, y in rows if each == tile])
    ]
    wanted = [[each * 255 for each in colorsys.hls_to_rgb(row * 9 / 360, 0.80, 0.45)] for row in range(40)]
    assert len(shown) == 40
    for row in range(40):
        assert shown[row] == pytest.approx(wanted[row], abs=2), row


@pytest.mark.slow
def test_a_page_too_wide_for_one_picture(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/wide")
    assert "left 16384 px are kept" in looked.missing()["screenshot"]
    assert size(looked.data("screenshot.png")) == (16_384, 24_000_000 // 16_384)


def test_dialogs_are_dismissed_and_told(eye: Looker) -> None:
    looked = eye.look("alert")
    complete(looked)
    said = [(each["dialog"], each["message"]) for each in looked.noted("dialog_dismissed")]
    assert said == [("alert", "Wait!"), ("confirm", "Sure?"), ("prompt", "Name?")]
    assert "All dialogs answered" in looked.seen.text


def test_a_page_that_will_not_let_go_is_let_go(eye: Looker) -> None:
    complete(eye.look("stay"))
    complete(eye.look("post"))


def test_windows_that_a_page_opens_are_shut_and_told(eye: Looker, site: Site) -> None:
    looked = eye.look("pop_ups")
    complete(looked)
    assert looked.seen.final_url == site.url("pop_ups")
    opened = sorted(str(each["url"]) for each in looked.noted("new_window_shut"))
    assert opened == [f"https://www.misbehave.example/pop?n={n}" for n in range(5)]


def test_a_page_that_pushes_addresses_for_ever(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/push")
    complete(looked)
    assert looked.seen.hops == ()
    assert str(looked.seen.final_url).startswith(f"{HERE}/push?n=")
    assert looked.took_s < 10


def test_a_page_that_is_never_quiet(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/poll-page")
    complete(looked)
    assert arrival.SETTLE_S < looked.took_s < arrival.SETTLE_S + 7


def leaving_when_kept(times: int) -> Callable[[str, Page], None]:
    """Makes the page leave just as its first picture is to be taken."""
    left: list[Awaitable[object]] = []

    def leave(step: str, page: Page) -> None:
        if step == "snapshot" and len(left) < times:
            left.append(asyncio.ensure_future(page.evaluate(f"location.href = '{END}?n={len(left)}'")))

    return leave


def test_a_page_that_leaves_while_it_is_kept_is_one_in_between(eye: Looker) -> None:
    looked = eye.look("listing", on_step=leaving_when_kept(1))
    complete(looked)
    assert looked.kinds == ["script"]
    assert looked.seen.final_url == f"{END}?n=0"
    assert "The end of the road" in looked.seen.text
    assert looked.names[:2] == ["hop-1-viewport.png", "viewport.png"]


@pytest.mark.slow
def test_a_page_that_always_leaves_while_it_is_kept_is_kept_and_says_so(eye: Looker) -> None:
    looked = eye.look("listing", on_step=leaving_when_kept(9))
    assert looked.seen.trouble is None
    assert "picture, text and DOM may not be of one" in looked.missing()["dom"]
    assert looked.roles >= {Role.VIEWPORT, Role.HEADERS}
    assert looked.took_s < STEP_S, "a picture was waited for that Chromium never takes"
    assert looked.visit().status is Status.PARTIAL


@pytest.mark.slow
def test_a_page_that_goes_on_for_ever_is_ended(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/restless", timeout_s=8)
    assert looked.seen.reached
    assert len(looked.seen.hops) >= 2
    assert looked.took_s < 25
    assert looked.roles >= WHOLE


@pytest.mark.parametrize(
    ("url", "name", "outcome"),
    [
        ("https://img.turns.example/swatch.png", "body.png", Outcome.NOT_A_PAGE),
        (f"{HERE}/data.json", "body.json", Outcome.OK),
        (f"{HERE}/plain.txt", "body.txt", Outcome.OK),
    ],
)
def test_what_is_shown_and_is_no_html(eye: Looker, site: Site, url: str, name: str, outcome: Outcome) -> None:
    looked = eye.look(url)
    complete(looked)
    assert looked.data(name) == fetch(site, url)[1]
    assert looked.visit().outcome is outcome


def test_frames_make_no_hops(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/frames")
    assert looked.seen.hops == ()
    assert looked.seen.final_url == f"{HERE}/frames"


def test_a_page_behind_a_password_is_a_wall(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/locked")
    visit = looked.visit()
    assert (visit.status, visit.outcome, visit.http_status) == (Status.FAILED, Outcome.LOGIN_WALL, 401)
    assert looked.took_s < 10


def test_a_picture_behind_a_password_holds_up_nobody_for_long(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/lock-inside")
    assert looked.missing() == {"warc": "1 image: still_running"}
    assert looked.took_s < 12


def test_plain_http_is_said(eye: Looker) -> None:
    looked = eye.look("plain_http")
    complete(looked)
    assert looked.seen.certificates == ()
    assert looked.kinds == [HopKind.HTTP] * len(looked.seen.hops)
