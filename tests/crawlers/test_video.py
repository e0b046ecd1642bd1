"""The second fetch: a video through the egress and past it nowhere, within its limits, and the record's word for it."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.errors import SetupMissing
from archive.spool import VisitSpool
from crawlers.egress import Egress, Policy, Resolve
from crawlers.keeping import Keeping
from crawlers.policy import parse_network
from crawlers.video import child, fetch
from crawlers.video.fetch import Limits, SecondFetch
from custody.model import Role
from tests.crawlers.looking import now
from tests.site.host import Answer, Door, Ending, Host, Route, always, page
from tests.site.server import Site

VIDEO = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 64
HERE = "http://www.clips.example"


def watch(address: str) -> Route:
    return always(page(f"<!doctype html><title>A clip</title><h1>A clip</h1><video controls src='{address}'></video>"))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    routes = {
        "/watch": watch("/clip.mp4"),
        "/clip.mp4": always(Answer(body=VIDEO, media_type="video/mp4")),
        "/nothing": always(page("<!doctype html><title>Words</title><p>No video here.")),
        "/drips": watch("/drip.mp4"),
        "/drip.mp4": always(Answer(body=VIDEO, media_type="video/mp4", ending=Ending.DRIP)),
    }
    made.hosts["www.clips.example"] = Host(name="www.clips.example", door=Door.HTTP, routes=routes)
    with made as running:
        yield running


class Listener:
    """A forbidden address, with something there that counts."""

    def __init__(self) -> None:
        self.came = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                made, _ = self._socket.accept()
            except OSError:
                return
            self.came += 1
            made.recv(4096)
            made.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n\r\n" + VIDEO)
            made.close()

    def close(self) -> None:
        self._socket.close()


class Fetched:
    def __init__(self, said: dict[str, Any], keeping: Keeping) -> None:
        self.said, self.keeping = said, keeping

    def data(self, name: str) -> bytes:
        return next(each for each in self.keeping.kept if each.name == name).path.read_bytes()


def again(site: Site, folder: Path, path: str, *, allowed: str | None = None, **more: Any) -> Fetched:
    folder.mkdir(exist_ok=True)

    async def run() -> Fetched:
        policy = Policy(allowed=(parse_network(allowed),) if allowed else ())
        egress = Egress(tuple(Resolve.parse(each) for each in site.resolve), clock=now, policy=policy)
        await egress.start()
        try:
            keeping = Keeping(name="x", url=path, spool=VisitSpool(folder, clock=now))
            fetching = SecondFetch(egress=egress, fill=keeping.fill, clock=now, cut=asyncio.Event())
            said = await replace(fetching, **more).run(f"{HERE}{path}", name="x")
        finally:
            await egress.stop()
        return Fetched(said, keeping)

    return asyncio.run(run())


@pytest.mark.slow
def test_a_video_is_fetched_once_more_and_labelled_so(site: Site, tmp_path: Path) -> None:
    found = again(site, tmp_path, "/watch")
    said = found.said
    assert (said["exit"], said["missing"], said["refusals"]) == (0, [], 0)
    names = [each["name"] for each in said["files"]]
    assert sorted(names) == ["media-1-info.json", "media-2.mp4"]
    assert found.data("media-2.mp4") == VIDEO
    assert {each.role for each in found.keeping.kept} == {Role.MEDIA}
    assert said["what"].startswith("second fetch")
    assert {each["host"] for each in said["connections"]} == {"www.clips.example"}
    told = json.loads(found.data("media-1-info.json"))
    assert told["webpage_url"] == f"{HERE}/watch"
    assert not {"cookies", "http_headers", "requested_downloads"} & set(told)
    assert "--proxy" not in said["arguments"]
    assert "127.0.0.1" not in json.dumps([said["arguments"], said["said"]])


def test_a_video_at_a_forbidden_address_is_refused_and_nobody_there_heard_of_it(tmp_path: Path) -> None:
    listener = Listener()
    made = Site()
    address = f"http://127.0.0.1:{listener.port}/clip.mp4"
    made.hosts["www.clips.example"] = Host(name="www.clips.example", door=Door.HTTP, routes={"/trap": watch(address)})
    try:
        with made as site:
            opened = again(site, tmp_path / "opened", "/trap", allowed="127.0.0.0/8")
            assert (opened.said["refusals"], listener.came > 0) == (0, True), "the trap is one"
            assert opened.data("media-2.mp4") == VIDEO
            listener.came = 0
            found = again(site, tmp_path / "closed", "/trap")
    finally:
        listener.close()
    assert listener.came == 0
    assert found.said["refusals"] >= 1
    assert "what lies where the egress policy lets nobody connect" in found.said["missing"]
    assert [each.name for each in found.keeping.kept if each.name.endswith(".mp4")] == []


@pytest.mark.slow
def test_a_page_without_a_video_says_so(site: Site, tmp_path: Path) -> None:
    found = again(site, tmp_path, "/nothing")
    assert found.said["exit"] == 1
    assert found.said["missing"] == ["a video: the program got none"]
    assert any("Unsupported URL" in each for each in found.said["said"])


@pytest.mark.slow
@pytest.mark.parametrize(("limits", "says"), [(Limits(seconds=4.0), "time"), (Limits(bytes=2000), "size")])
def test_it_ends_within_its_limits(site: Site, tmp_path: Path, limits: Limits, says: str) -> None:
    begun = time.monotonic()
    found = again(site, tmp_path, "/drips" if says == "time" else "/watch", limits=limits)
    assert time.monotonic() - begun < 25
    assert [each.name for each in found.keeping.kept if each.name.endswith((".mp4", ".part"))] == []
    if says == "time":
        assert (found.said["ended_by"], found.said["exit"]) == ("time: 4 s", None)
    assert found.said["missing"]


GUARDED = """
import socket, subprocess, os, sys
sys.path.insert(0, {root!r})
from crawlers.video.child import guard
sys.addaudithook(guard("127.0.0.1", {allowed}))
def tried(what):
    try:
        what()
    except PermissionError:
        return "refused"
    except OSError as error:
        return type(error).__name__
    return "done"
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print([tried(each) for each in (
    lambda: socket.create_connection(("127.0.0.1", {allowed})).close(),
    lambda: socket.create_connection(("127.0.0.1", {other})).close(),
    lambda: socket.create_connection(("localhost", {other})).close(),
    lambda: socket.getaddrinfo("www.clips.example", 80),
    lambda: udp.sendto(b"x", ("127.0.0.1", {other})),
    lambda: udp.connect(("127.0.0.1", {other})),
    lambda: subprocess.run(["/bin/true"]),
    lambda: os.system("true"),
    lambda: os.execv("/bin/true", ["true"]),
    lambda: os.fork(),
)])
"""


def test_its_process_connects_to_the_egress_and_nowhere_and_starts_nothing() -> None:
    allowed, other = Listener(), Listener()
    script = GUARDED.format(root=str(Path(child.__file__).parents[2]), allowed=allowed.port, other=other.port)
    try:
        ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    finally:
        allowed.close()
        other.close()
    assert ran.stdout.strip() == str(["done", *["refused"] * 9])
    assert other.came == 0


def test_a_program_that_does_not_start_is_said(site: Site, tmp_path: Path) -> None:
    found = again(site, tmp_path, "/watch", python=tmp_path / "nothing")
    assert found.said["ended_by"] == "it could not be run: No such file or directory"
    assert (found.said["files"], found.said["exit"]) == ([], None)
    assert found.said["missing"]


def test_without_the_program_a_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "find_spec", lambda _: None)
    with pytest.raises(SetupMissing, match="pip install 'yt-dlp"):
        fetch.version()


def test_what_is_told_of_a_video_tells_no_secret(tmp_path: Path) -> None:
    told = {"id": "1", "_private": 1, "formats": [{"url": "http://a/", "cookies": "x=1", "http_headers": {"A": "b"}}]}
    path = tmp_path / "video-1.info.json"
    path.write_text(json.dumps(told))
    assert json.loads(fetch._info(path, "s3cret") or b"") == {"id": "1", "formats": [{"url": "http://a/"}]}
    path.write_text(json.dumps({"id": "http://user:s3cret@127.0.0.1/"}))
    assert fetch._info(path, "s3cret") is None
