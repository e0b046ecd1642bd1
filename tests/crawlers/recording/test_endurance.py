"""What a recorder must never do: hold a page up, bring a visit down, or stay silent about what it lost."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Page

from crawlers.browser import PlaywrightTab
from crawlers.devtools.channel import Channel
from crawlers.recording.line import Line, Message
from crawlers.recording.recorder import Recorder
from crawlers.tab import Gone, Refused, let_go
from custody.model import Role, Status
from tests.crawlers.looking import Looked, Looker, looker
from tests.crawlers.recording import scene
from tests.crawlers.recording.reading import checked, missing, read
from tests.crawlers.recording.scene import kind, page, png
from tests.site.host import Ending, Host, always, redirect
from tests.site.server import Site

pytestmark = pytest.mark.browser

HERE = "https://endless.example"
ENOUGH = "<!doctype html><meta charset=utf-8><title>Enough</title><p>" + "This page says enough to be one. " * 20
STREAMS = ENOUGH + (
    "<script>new EventSource('/events').onmessage = () => document.body.dataset.event = 'yes';"
    "fetch('/poll').then(r => r.body.getReader().read()).then(() => document.body.dataset.poll = 'yes');"
    "new WebSocket('wss://endless.example/socket')</script>"
)
MANY = ENOUGH + "".join(f"<img src=/picture.png?{n} alt=''>" for n in range(60))
NESTED = ENOUGH + "<iframe src='/streams'></iframe><iframe src='https://other.endless.example/many'></iframe>"
DRIP = replace(kind("text/event-stream", b"data: one\n\n" * 50), ending=Ending.DRIP)
PICTURE = kind("image/png", png())

HOSTS = [
    Host(
        name="endless.example",
        routes={
            "/streams": always(page(STREAMS)),
            "/events": always(DRIP),
            "/poll": always(replace(DRIP, media_type="text/plain")),
            "/many": always(page(MANY)),
            "/nested": always(page(NESTED)),
            "/picture.png": always(PICTURE),
            "/large": always(
                page(
                    ENOUGH + "<script src=/endless.js async></script>"
                    "<script>fetch('/large.bin').then(r => r.arrayBuffer())</script>"
                )
            ),
            "/large.bin": always(kind("application/octet-stream", scene.SOUND)),
            "/no-picture": always(page(ENOUGH + "<img src=/none.png alt=''>")),
            "/none.png": always(kind("image/png", scene.SOUND)),
            "/endless.js": always(replace(kind("text/javascript", b"//"), status=404, ending=Ending.DRIP)),
            "/worker": always(page(ENOUGH + "<script>new Worker('/worker.js')</script>")),
            "/worker.js": always(kind("text/javascript", b"fetch('/picture.png')")),
            "/hop": always(page(ENOUGH + "<script>setTimeout(() => location.href = '/many', 300)</script>")),
            "/from": always(redirect(302, "/many")),
        },
    ),
    Host(name="other.endless.example", routes={"/many": always(page(MANY)), "/picture.png": always(PICTURE)}),
]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    made.hosts |= {each.name: each for each in HOSTS}
    with made as running:
        yield running


@pytest.fixture(scope="module")
def eye(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    with looker(site, tmp_path_factory.mktemp("looks")) as made:
        yield made


def reasons(looked: Looked) -> set[tuple[str, str]]:
    path = looked.kept("traffic.warc.gz").path
    assert checked(path) == 0
    return {(each["reason"], each["kind"]) for each in missing(read(path))}


def test_streams_reach_the_page_and_are_named_and_the_capture_is_whole(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/streams")
    assert looked.seen.dom.count('="yes"') == 2
    told = reasons(looked)
    assert {("still_running", "EventSource"), ("still_running", "Fetch")} <= told
    assert ("no_answer", "WebSocket") in told
    assert (looked.visit().status, looked.missing()) == (Status.COMPLETE, {})
    events = next(each for each in read(looked.kept("traffic.warc.gz").path) if each.url.endswith("/events"))
    assert events.body.startswith(b"data: one\n\n")
    assert events.says("WARC-Truncated") == "time"


@pytest.mark.slow
def test_an_error_without_end_is_let_go(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/large")
    assert looked.seen.trouble is None
    assert looked.took_s < 15
    assert ("cancelled_by_page", "Script") in reasons(looked) or ("still_running", "Script") in reasons(looked)


def test_what_is_too_large_is_cut_named_and_makes_it_partial(eye: Looker) -> None:
    eye.limit = 1 << 20
    try:
        looked = eye.look(f"{HERE}/large")
    finally:
        eye.limit = 64 << 20
    assert ("too_large", "Fetch") in reasons(looked)
    assert "1 fetch: too_large" in looked.missing()["warc"]
    kept = [each for each in read(looked.kept("traffic.warc.gz").path) if each.url.endswith("/large.bin")]
    assert (kept[0].says("WARC-Truncated"), len(kept[0].body)) == ("length", 1 << 20)


def test_what_the_browser_did_not_read_is_named(eye: Looker) -> None:
    looked = eye.look(f"{HERE}/no-picture")
    assert reasons(looked) == {("not_read", "Image")}
    assert looked.missing() == {}


def test_a_wire_that_cannot_be_had_costs_the_visit_its_traffic_only(
    eye: Looker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(_: PlaywrightTab) -> Channel:
        raise Refused("not today")

    monkeypatch.setattr(PlaywrightTab, "wire", refused)
    looked = eye.look(f"{HERE}/many")
    assert looked.missing() == {"warc": "the browser let nobody record: not today"}
    assert (looked.visit().status, looked.seen.trouble) == (Status.PARTIAL, None)


@pytest.mark.slow
def test_a_worker_that_cannot_be_listened_to_is_said(eye: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it fetches is nowhere: without a word, the file would look whole."""
    assert eye.look(f"{HERE}/worker").missing() == {}
    post = Line.post

    def refusing(self: Line, method: str, **params: Any) -> "asyncio.Future[Message]":
        if method == "Network.enable" and self.kind == "worker":
            refused: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
            refused.set_exception(Refused("no such domain"))
            return refused
        return post(self, method, **params)

    monkeypatch.setattr(Line, "post", refusing)
    looked = eye.look(f"{HERE}/worker")
    assert looked.missing() == {"warc": "1 worker: not_listened_to"}
    assert looked.visit().status is Status.PARTIAL
    (lack,) = [
        each for each in missing(read(looked.kept("traffic.warc.gz").path)) if each["reason"] == "not_listened_to"
    ]
    assert lack["detail"] == "no such domain"


@pytest.mark.parametrize("after", [5, 40, 200])
def test_a_recorder_that_dies_lets_everything_go(eye: Looker, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    told = 0
    heard = Recorder.heard

    def stumbling(self: Recorder, *more: Any) -> None:
        nonlocal told
        told += 1
        if told == after:
            raise OSError(28, "No space left on device")
        heard(self, *more)

    def guarded(self: Recorder, *more: Any) -> None:
        try:
            stumbling(self, *more)
        except OSError as error:
            self._fail(f"the disk did not take what came: {error.strerror}")

    monkeypatch.setattr(Recorder, "heard", guarded)
    looked = eye.look(f"{HERE}/nested")
    assert looked.seen.trouble is None
    assert looked.roles >= {Role.VIEWPORT, Role.SCREENSHOT, Role.DOM, Role.BODY}
    assert "No space left on device" in looked.missing()["warc"]
    assert looked.visit().status is Status.PARTIAL


def test_a_session_that_answers_nothing_more_hangs_no_page(eye: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    post = Channel.post
    sent = 0

    def dying(self: Channel, method: str, params: Message) -> "asyncio.Future[Message]":
        nonlocal sent
        if not method.startswith(("Network.", "Fetch.", "Target.")):  # the recorder's words
            return post(self, method, params)
        sent += 1
        if sent > 40:
            gone: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
            gone.add_done_callback(let_go)
            gone.set_exception(Gone("it was closed"))
            return gone
        return post(self, method, params)

    monkeypatch.setattr(Channel, "post", dying)
    looked = eye.look(f"{HERE}/many", timeout_s=8)
    assert looked.seen.reached
    assert Role.VIEWPORT in looked.roles
    assert "warc" in looked.missing()


@pytest.mark.slow
def test_pages_that_close_midway_leave_the_browser_alive(eye: Looker) -> None:
    async def close(page: Page) -> None:
        await asyncio.sleep(0.05 * (eye.site.log[-1].at.microsecond % 12))
        await page.close()

    for name in ("nested", "many", "streams", "hop", "from") * 2:
        looked = eye.look(f"{HERE}/{name}", during=close)
        assert looked.seen.trouble in {"browser_died", None}  # Chromium may leave a close until the page has loaded
        assert eye.browser.is_connected()
    whole = eye.look(f"{HERE}/many")
    assert (whole.seen.trouble, whole.missing()) == (None, {})


@pytest.mark.slow
def test_two_visits_at_once_keep_to_their_own(eye: Looker) -> None:
    async def both() -> list[Looked]:
        return list(await asyncio.gather(eye.look_at(f"{HERE}/many"), eye.look_at(f"{HERE}/streams")))

    many, streams = eye.run(both())
    files = [read(each.kept("traffic.warc.gz").path) for each in (many, streams)]
    urls = [{each.url for each in file if each.kind == "response"} for file in files]
    assert f"{HERE}/many" in urls[0] - urls[1]
    assert f"{HERE}/streams" in urls[1] - urls[0]
    assert len([each for each in urls[0] if "picture.png" in each]) == 60
    assert not any("picture.png" in each for each in urls[1])
    assert (many.missing(), streams.missing()) == ({}, {})
