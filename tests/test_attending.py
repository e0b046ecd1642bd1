"""``counterproof attend``, the command itself: a window, a person, sealed evidence; and what becomes of secrets."""

import gzip
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import pytest

from tests.command import ROOT, Ran, end, environment, run
from tests.crawlers.attending.acting import SECRET
from tests.crawlers.attending.scene import Notebook
from tests.crawlers.screen import a_screen
from tests.site.host import Answer, always
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HERE = "https://www.window.example"
HEAD = "<!doctype html><meta charset=utf-8>"
PAGES = {
    "/": f"{HEAD}<title>Shop</title><h1>Bracelets</h1><p>Made by hand in small numbers.</p><a href=/item>One</a>",
    "/item": f"{HEAD}<title>Item</title><h1>A bracelet</h1><p>Of gold, and made by hand.</p>",
    "/login": f"{HEAD}<title>Log in</title><form method=post action=/in><input type=password name=p></form>",
    "/endless": f"{HEAD}<title>Endless</title><p>One picture never comes.</p><img src=/never>",
    "/in": f"{HEAD}<title>Inside</title><h1>Welcome back</h1><p>These are your orders.</p>",
}


@dataclass
class Desk:
    home: Path
    options: list[str]
    screen: str
    asked: Notebook

    def attend(self, what: str, path: str, *more: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tests.crawlers.attending.acting", what, "attend", f"{HERE}{path}",
             "--case", "acme", "--json", "--home", str(self.home), *self.options, *more],
            cwd=ROOT, env=environment({"DISPLAY": self.screen}), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip

    def __call__(self, *arguments: str) -> Ran:
        return run(*arguments, "--store", self.store, home=self.home)

    @property
    def store(self) -> str:
        return f"file:{self.home.parent / 'files'}"

    def record(self, capture: str) -> Any:
        return self("show", capture, "--json").document["record"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made, notebook = Site(), Notebook("www.window.example", PAGES)
    never = always(Answer(delay_s=60))
    made.hosts["www.window.example"] = replace(notebook.host, routes={**notebook.host.routes, "/never": never})
    with made as site, a_screen() as screen:
        options = ["--authority", "none", "--store", f"file:{tmp_path / 'files'}"]
        for each in site.resolve:
            options += ["--resolve", each]
        for each in site.trust_spki:
            options += ["--trust-spki", each]
        yield Desk(tmp_path / "home", options, screen, notebook)


def said(stream: IO[str] | None, words: str) -> None:
    """Read on until a line has these words."""
    assert stream is not None
    until = time.monotonic() + 90
    seen = ""
    for line in stream:
        seen += line
        if words in line:
            return
        assert time.monotonic() < until, seen
    raise AssertionError(f"{words!r} was not said: {seen}")


def unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def test_what_a_person_saw_and_did_is_sealed_and_verifies(desk: Desk) -> None:
    ran = end(desk.attend("looks", "/"))
    assert ran.code == 0, ran.err
    (capture,) = ran.captures
    assert (capture["surface"], capture["quarantine"], capture["status"]) == ("attended", None, "complete")
    assert (capture["requested_url"], capture["final_url"]) == (f"{HERE}/", f"{HERE}/item")
    assert [(each["kind"], each["to"]) for each in capture["hops"]] == [("click", f"{HERE}/item")]
    record = desk.record(capture["id"])
    assert [(each["kind"], each["target"]["name"]) for each in record["session"]["inputs"]] == [("click", "One")]
    assert [each["url"] for each in record["session"]["pages"]] == [f"{HERE}/", f"{HERE}/item"]
    assert record["session"]["logged_in"] is None
    assert record["environment"]["browser"]["headless"] is False
    assert desk("verify").code == 0
    shown = desk("show", capture["id"]).out
    assert "attended  by a person: 1 inputs, 2 pages seen" in shown
    ran = desk("export", "--case", "acme", "-o", str(desk.home.parent / "bag"))
    assert ran.code == 0, ran.err


def test_the_terminal_takes_pictures_and_ends(desk: Desk) -> None:
    process = desk.attend("waits", "/")
    assert process.stdin is not None
    said(process.stderr, "the window is open: Enter takes a picture")
    said(process.stderr, "page 1 kept")
    process.stdin.write("what?\n")
    process.stdin.flush()
    said(process.stderr, "'what?' is no wish")
    process.stdin.write("\n")
    process.stdin.flush()
    said(process.stderr, "picture 1 taken")
    process.stdin.write("q\n")
    process.stdin.flush()
    ran = end(process)
    assert ran.code == 0
    names = {each["name"] for each in ran.captures[0]["artifacts"]}
    assert {"viewport.png", "screenshot.png", "dom.html", "text.txt", "body.html", "headers.json", "traffic.warc.gz",
            "page-1-viewport.png", "shot-1-viewport.png", "shot-1-screenshot.png",
            "shot-1-dom.html"} <= names  # fmt: skip


def test_ctrl_c_ends_the_visit_and_loses_nothing(desk: Desk) -> None:
    process = desk.attend("waits", "/")
    said(process.stderr, "page 1 kept")
    process.send_signal(signal.SIGINT)
    ran = end(process)
    assert (ran.code, ran.captures[0]["status"]) == (0, "complete")
    assert "ending the visit" in ran.err


def test_a_window_closed_before_anything_was_kept_says_so(desk: Desk) -> None:
    ran = end(desk.attend("closes", "/endless"))
    (capture,) = ran.captures
    assert capture["status"] in {"partial", "failed"}
    assert ran.code in {3, 4}
    assert "the window was closed before anything of a page was kept" in capture["outcome_reason"]
    assert {"viewport", "screenshot", "dom", "text"} <= {each["role"] for each in capture["missing"]}
    assert desk("verify").code == 0


def test_a_login_is_quarantined_until_a_person_decides(desk: Desk) -> None:
    ran = end(desk.attend("logs-in", "/login"))
    assert ran.code == 0, ran.err
    (capture,) = ran.captures
    assert any(SECRET.encode() in each.body for each in desk.asked.asked), "the site did get it"
    kept = [unpacked(path) for path in desk.home.parent.rglob("*") if path.is_file()]
    assert any(b"Welcome back" in each for each in kept), "what was kept is read"
    assert not [each for each in kept if SECRET.encode() in each]
    assert "QUARANTINED" in ran.err
    assert capture["quarantine"]["reason"] == "password_input"
    assert desk.record(capture["id"])["quarantine"] == capture["quarantine"]
    assert desk("verify").code == 0
    assert "QUARANTINED" in desk("captures").out
    assert desk("captures", "--json").document["captures"][0]["quarantine"] == "password_input"
    assert "QUARANTINED since" in desk("show", capture["id"]).out
    bag = desk.home.parent / "bag"
    for what in (("--case", "acme"), ("--unit", capture["id"])):
        refused = desk("export", *what, "-o", str(bag), "--json")
        assert refused.code == 8
        assert "counterproof allow" in refused.document["error"]
        assert not bag.exists()
    assert desk("package", capture["id"], "--json").code == 8

    assert desk("allow", capture["id"], "--case", "acme", "--why", " ").code == 2
    decided = desk("allow", capture["id"], "--case", "acme", "--why", "a test account of ours", "--json").document
    assert desk("export", "--case", "acme", "-o", str(bag)).code == 0
    entry = json.loads((bag / f"data/custody/entry-{decided['index']}.json").read_text())
    assert entry["index"] == decided["index"]
    verdict = desk("verify", "--case", "acme", "--json")
    assert verdict.code == 0
    (noted,) = [each for each in verdict.document["findings"] if each["code"] == "RECORD_QUARANTINED"]
    assert (noted["severity"], noted["locator"]["capture"]) == ("note", capture["id"])
    shown = desk("show", capture["id"], "--json").document
    assert [each["why"] for each in shown["decisions"]] == ["a test account of ours"]
    assert "allowed   on" in desk("show", capture["id"]).out


def test_without_a_screen_nothing_is_begun(desk: Desk) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "console", "attend", f"{HERE}/", "--case", "x", "--json", "--home", str(desk.home),
         *desk.options],
        cwd=ROOT, env={name: value for name, value in environment().items() if not name.endswith("DISPLAY")},
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.returncode == 7
    assert "xvfb-run" in json.loads(process.stdout)["error"]
