"""Profiles: a page is shown as on that screen, in that language and zone; nobody is told that we are somebody else."""

import io
import json
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from archive.errors import SetupMissing, UsageError
from crawlers.launching import find_browser, plan
from crawlers.profile import Build, Device, Profile
from custody.model import Outcome, Status
from tests.crawlers.looking import ROOT, Looked, looker
from tests.crawlers.screen import a_screen
from tests.site.host import Answer, Host, Request, page
from tests.site.server import Site

SAYS = """<!doctype html><meta charset=utf-8><meta name=viewport content="width=device-width, initial-scale=1">
<title>Who is there</title><h1>Who is there</h1>
<pre id=said style="white-space: pre-wrap; overflow-wrap: anywhere"></pre><div style="height: 3000px">A long page.</div>
<script>
document.getElementById('said').textContent = JSON.stringify({
  width: innerWidth, scale: devicePixelRatio, touch: navigator.maxTouchPoints > 0,
  coarse: matchMedia('(pointer: coarse)').matches, languages: navigator.languages.join(','),
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone, hour: new Date(0).getHours(), agent: navigator.userAgent,
});</script>"""


FRAME = "www.frame.example"
"""Of another site: it has a process of its own, which has to be told who it is before its first line."""
WORDS = """[navigator.userAgent, navigator.languages.join(), Intl.DateTimeFormat().resolvedOptions().timeZone,
  (1.5).toLocaleString()]"""
SAYS_ELSEWHERE = f"""fetch('/said?by=' + encodeURIComponent(JSON.stringify({WORDS})))"""
HOLDS = f"""<!doctype html><meta charset=utf-8><title>Frames</title><p>Who is there, elsewhere?
<iframe src="https://{FRAME}/"></iframe><script>new Worker('/worker.js')</script><script>{SAYS_ELSEWHERE}</script>"""
FRAMED = f"""<!doctype html><script>{SAYS_ELSEWHERE}; new Worker('/worker.js')</script>"""
ASKED: list[Request] = []
SAID: list[str] = []


def mirror(request: Request) -> Answer:
    ASKED.append(request)
    return page(SAYS)


def hear(request: Request) -> Answer:
    SAID.append(request.query["by"])
    return Answer(status=204)


def worker(_: Request) -> Answer:
    return Answer(media_type="text/javascript", body=SAYS_ELSEWHERE.encode())


WIDE = """<!doctype html><meta charset=utf-8><title>Made for desktops</title><style>body { margin: 0 }</style>
<div style="display: flex"><div style="width: 490px; height: 300px; background: #f00">left</div>
<div style="width: 490px; height: 300px; background: #00f">right</div></div><p style="height: 3000px">A long page."""
"""It says nothing of phones, so that a phone lays it out 980 px wide and shows it small."""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    both = {"/said": hear, "/worker.js": worker}
    routes = {"/": mirror, "/wide": lambda _: page(WIDE), "/holds": lambda _: page(HOLDS), **both}
    made.hosts["www.mirror.example"] = Host(name="www.mirror.example", routes=routes)
    made.hosts[FRAME] = Host(name=FRAME, routes={"/": lambda _: page(FRAMED), **both})
    with made as running:
        yield running


def looked(site: Site, folder: Path, profile: Profile, environment: dict[str, str] | None = None) -> Looked:
    with looker(site, folder, profile=profile, environment=environment or dict(os.environ)) as eye:
        return eye.look("https://www.mirror.example/")


def said(found: Looked) -> dict[str, Any]:
    text = found.data("text.txt").decode()
    value: dict[str, Any] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return value


def pixels(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.browser
def test_a_desktop_in_english_is_what_there_is_without_a_word(site: Site, tmp_path: Path) -> None:
    found = looked(site, tmp_path, Profile())
    answer = said(found)
    assert (answer["width"], answer["scale"], answer["touch"], answer["coarse"]) == (1366, 1, False, False)
    assert (answer["languages"].split(",")[0], answer["zone"]) == ("en-US", "UTC")
    assert pixels(found.data("viewport.png")) == (1366, 900)


@pytest.mark.browser
def test_a_phone_has_its_screen_and_its_own_name(site: Site, tmp_path: Path) -> None:
    profile = Profile(device=Device.PHONE, locale="de-AT", timezone="Asia/Tokyo")
    found = looked(site, tmp_path, profile)
    answer = said(found)
    assert (answer["width"], answer["scale"], answer["touch"], answer["coarse"]) == (412, 2.625, True, True)
    assert (answer["languages"], answer["zone"], answer["hour"]) == ("de-AT", "Asia/Tokyo", 9)
    assert "Android" not in answer["agent"]
    assert "Mobile" not in answer["agent"]
    assert "Chrome/" in answer["agent"]
    assert ASKED[-1].headers["accept-language"].startswith("de-AT")
    assert ASKED[-1].headers["user-agent"] == answer["agent"]
    assert pixels(found.data("viewport.png"))[0] in {1081, 1082}
    whole = pixels(found.data("screenshot.png"))
    assert whole[0] in {1081, 1082}
    assert whole[1] > 3000 * 2.6
    assert found.seen.settings["page_px"]["width"] == 412  # type: ignore[index,call-overload]  # JSON


@pytest.mark.browser
def test_frames_and_workers_are_in_the_same_browser_from_their_first_line_on(site: Site, tmp_path: Path) -> None:
    SAID.clear()
    profile = Profile(device=Device.PHONE, locale="de-AT", timezone="Asia/Tokyo")
    with looker(site, tmp_path, profile=profile) as eye:
        for _ in range(2):
            assert eye.look("https://www.mirror.example/holds").seen.reached
    assert len(SAID) == 8, "page, frame, and a worker of each, twice"
    assert {*map(tuple, map(json.loads, SAID))} == {(json.loads(SAID[0])[0], "de-AT", "Asia/Tokyo", "1,5")}


@pytest.mark.browser
def test_a_page_made_for_desktops_is_small_on_a_phone_and_whole(site: Site, tmp_path: Path) -> None:
    with looker(site, tmp_path, profile=Profile(device=Device.PHONE)) as eye:
        found = eye.look("https://www.mirror.example/wide")
    shown = Image.open(io.BytesIO(found.data("viewport.png"))).convert("RGB")
    whole = Image.open(io.BytesIO(found.data("screenshot.png"))).convert("RGB")
    assert shown.width in {1081, 1082}
    assert whole.width > 980 * 2.6
    for picture in (shown, whole):
        assert picture.getpixel((picture.width // 4, 50)) == (255, 0, 0)
        assert picture.getpixel((3 * picture.width // 4, 50)) == (0, 0, 255)
    assert found.seen.settings["page_scale"] == "0.4204"


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium-headless-shell") is None, reason="no headless shell is installed")
def test_the_headless_shell_sees_the_same_page(site: Site, tmp_path: Path) -> None:
    found = looked(site, tmp_path, Profile(build=Build.SHELL)).visit()
    assert (found.status, found.outcome) == (Status.COMPLETE, Outcome.OK)


@pytest.mark.slow
@pytest.mark.browser
def test_a_window_shows_the_same_page(site: Site, tmp_path: Path) -> None:
    with a_screen() as screen:
        found = looked(site, tmp_path, Profile(build=Build.HEADED), {**os.environ, "DISPLAY": screen})
    assert said(found)["width"] == 1366
    assert "Headless" not in said(found)["agent"]
    assert found.visit().status is Status.COMPLETE


def test_a_window_without_a_screen_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SetupMissing, match="xvfb-run"):
        plan(
            Path("/bin/true"),
            keys=tmp_path,
            cache=tmp_path,
            env={},
            egress_url="http://127.0.0.1:9",
            trust_spki=(),
            build=Build.HEADED,
        )


def test_no_shell_at_all_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(SetupMissing, match="chromium-headless-shell"):
        find_browser({"PATH": str(tmp_path), "HOME": str(tmp_path)}, checkout=ROOT, build=Build.SHELL)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("device", "tablet"),
        ("build", "firefox"),
        ("locale", "en_US"),
        ("locale", "en\r\nX: y"),
        ("locale", ""),
        ("timezone", "Mars/Olympus"),
    ],
)
def test_what_no_browser_takes_is_refused(option: str, value: str) -> None:
    given = {"device": "phone", "build": "shell", "locale": "zh-Hant-TW", "timezone": "Europe/Paris"}
    assert Profile.of(**given).to_json()["device"] == "phone"
    with pytest.raises(UsageError, match="--"):
        Profile.of(**{**given, option: value})
