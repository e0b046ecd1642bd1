"""What the command does to a page, or beyond it, only where it is told to: refuse a banner, fetch a video once more."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import run, through
from tests.site.host import Answer, Door, Host, always, page
from tests.site.server import Site

PAGE = """<!doctype html><meta charset=utf-8><title>A clip</title><h1>A clip</h1>
<p>It has words enough to be a page.</p>
<video controls src=/clip.mp4></video>
<div id=own style="position: fixed; bottom: 0; padding: 40px; background: #c0ffee">
<p>We use cookies to make this site better.</p><button id=yes>Accept all</button><button id=no>Reject all</button></div>
<script>yes.onclick = no.onclick = () => own.remove();</script>"""
VIDEO = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 64
URL = "http://www.clips.example/watch"


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    routes = {"/watch": always(page(PAGE)), "/clip.mp4": always(Answer(body=VIDEO, media_type="video/mp4"))}
    made.hosts["www.clips.example"] = Host(name="www.clips.example", door=Door.HTTP, routes=routes)
    with made as running:
        yield running


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.s3
def test_a_banner_is_refused_and_a_video_fetched_once_more(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    options = ("--consent", "reject", "--media", "--authority", "none", "--progress", "none", "--json")
    ran = run("capture", URL, "--case", "C-1", *through(site.resolve, site.trust_spki), *options, home=home)
    assert ran.code == 0, ran.err
    capture = ran.capture_of(URL)
    assert capture["status"] == "complete"
    kept = {each["name"]: each for each in capture["artifacts"]}
    assert run("get", capture["id"], "record", "-o", str(tmp_path / "record.json"), home=home).code == 0
    session = json.loads((tmp_path / "record.json").read_bytes())["session"]
    assert session["consent"] == "done"
    assert session["media"]["missing"] == [], session["media"]
    assert session["media"]["program"] == "yt-dlp"
    assert {"viewport.png", "consent-viewport.png", "consent-text.txt", "media-2.mp4"} <= set(kept)
    assert kept["media-2.mp4"]["role"] == "media"
    got = run("get", capture["id"], "media-2.mp4", "-o", str(tmp_path / "got.mp4"), home=home)
    assert got.code == 0, got.err
    assert (tmp_path / "got.mp4").read_bytes() == VIDEO
    assert run("verify", home=home).code == 0


def test_a_policy_that_does_not_exist_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ran = run("capture", URL, "--case", "C-1", "--consent", "accept", home=home)
    assert ran.code == 2
    assert "--consent is as-found or reject, got 'accept'" in ran.err
    assert not home.exists()
