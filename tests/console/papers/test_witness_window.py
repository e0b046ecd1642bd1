"""``counterproof witness`` as a person at a screen has it: a browser with a window, and a key, that are theirs."""

import os
import pty
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from crawlers.launching import find_browser
from tests.command import ROOT, environment
from tests.console.papers.office import CASE, POST, Office
from tests.console.papers.test_witness_page import statements
from tests.crawlers.screen import a_screen
from tests.site.host import Host, page
from tests.site.server import Site

_WAIT_S = 90.0
_LIVE = "<!doctype html><meta charset=utf-8><title>Ana, today</title><p>the bracelet is 99 元 now"


@dataclass(frozen=True)
class Theirs:
    """A browser of the witness's own, that ``webbrowser`` starts; what it shows is looked at from the side."""

    profile: Path
    script: Path

    @contextmanager
    def seen(self) -> Iterator[Browser]:
        told = self.profile / "DevToolsActivePort"
        until = time.monotonic() + _WAIT_S
        while not told.exists() or len(told.read_text().splitlines()) < 2:
            assert time.monotonic() < until, "no browser was started"
            time.sleep(0.05)
        with sync_playwright() as playwright:
            browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{told.read_text().splitlines()[0]}")
            try:
                yield browser
            finally:
                browser.new_browser_cdp_session().send("Browser.close")


def theirs(folder: Path, site: Site) -> Theirs:
    browser = find_browser(os.environ, checkout=ROOT)
    rules = ",".join(
        f"MAP {host}:{port} {address}:{at}" for host, port, address, at in (each.split(":") for each in site.resolve)
    )
    command = [
        str(browser), f"--user-data-dir={folder / 'profile'}", "--no-sandbox", "--no-first-run",
        "--password-store=basic",
        "--remote-debugging-port=0", f"--host-resolver-rules={rules}",
        f"--ignore-certificate-errors-spki-list={','.join(site.trust_spki)}",
    ]  # fmt: skip
    script = folder / "browser"
    script.write_text(f'#!/bin/sh\n{shlex.join(command)} "$1" >/dev/null 2>&1 &\n')
    script.chmod(0o755)
    return Theirs(folder / "profile", script)


def the_page(browser: Browser, begins: str) -> Page:
    until = time.monotonic() + _WAIT_S
    while True:
        for each in browser.contexts[0].pages:
            if each.url.startswith(begins):
                return each
        assert time.monotonic() < until, f"no tab shows {begins}: {[each.url for each in browser.contexts[0].pages]}"
        try:
            browser.contexts[0].pages[0].wait_for_timeout(50)
        except (Error, IndexError):
            time.sleep(0.05)


@pytest.fixture
def live() -> Iterator[Site]:
    made = Site()
    made.hosts["ana.example"] = Host(name="ana.example", routes={"*": lambda _: page(_LIVE)})
    with made as site:
        yield site


def own_key(office: Office, folder: Path) -> str:
    """Made by the witness, and introduced by whoever holds the root key."""
    spec, request = f"file:{folder / 'jane.pem'}", folder / "jane.json"
    office.ok("keys", "request", spec, "--make", "--role", "person", "--out", str(request))
    office.ok("keys", "introduce", str(request), "--role", "person")
    return spec


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("signs", [True, False], ids=["by a key of theirs", "by none"])
def test_a_person_sees_both_in_a_window_and_states_what_differs(
    own: Office, live: Site, tmp_path: Path, signs: bool
) -> None:
    spec = ["--key", own_key(own, tmp_path)] if signs else []
    browser = theirs(tmp_path, live)
    mine, child = pty.openpty()
    with a_screen() as display:
        command = [sys.executable, "-m", "console", "witness", own.post, "--name", "Jane Roe", "--case", CASE, *spec]
        variables = {
            **environment(own.environment),
            "COUNTERPROOF_HOME": str(own.home), "DISPLAY": display, "BROWSER": f"{browser.script} %s",
        }  # fmt: skip
        with (
            subprocess.Popen(
                command, cwd=ROOT, env=variables, stdin=child, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as asking,
            browser.seen() as window,
        ):
            page_now = the_page(window, POST)
            expect(page_now.get_by_text("the bracelet is 99 元 now")).to_be_visible(timeout=_WAIT_S * 1000)
            picture = the_page(window, "file://").locator("img")
            expect(picture).to_have_js_property("naturalWidth", 640, timeout=_WAIT_S * 1000)
            assert page_now.evaluate("document.referrer") == "", "the site is not told where they came from"
            assert page_now.evaluate("window.outerWidth") > 0
            os.write(mine, "no\nthe price is 99 元\n\nChromium\n".encode())
            out, err = asking.communicate(timeout=120)
    os.close(mine)
    os.close(child)
    assert asking.returncode == 3, err
    assert "differs from what I saw in this: the price is 99 元." in out.replace("\n", " ")
    assert ("NOT signed by a key of the witness" in out) is not signs
    (said,) = statements(own)
    assert (said["name"], said["statement"], said["way"]) == ("Jane Roe", "differs", "terminal")
    assert (said["keyid"] is not None) is signs
    assert [each.path for each in live.seen("ana.example") if each.path != "/favicon.ico"] == ["/p/1"]
    verdict = own.ok("verify", "--json").document
    assert verdict["facts"]["witnessed"] == 1
