"""Secrets: once a field for a password takes input, nothing that is sent is kept, and the visit is quarantined."""

import asyncio
import base64
import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crawlers.attending.album import IN_CLEAR, without_secrets
from crawlers.recording.withholding import HTTP_LOGIN, PASSWORD
from custody.record import Record
from tests.crawlers.attending.scene import Notebook, Person, attended, inputs, pages, traffic, window
from tests.crawlers.looking import Looked, Looker, sealed
from tests.crawlers.screen import a_screen
from tests.site.host import Answer, Ending, Request, always, page
from tests.site.server import Site

HERE, THERE = "https://www.window.example", "https://www.login.example"
SECRET = "sesame-4711"
COOKIE = "sesame-cookie"
HEAD = "<!doctype html><meta charset=utf-8><title>Log in</title>"
EARLY = "<script>fetch('/early', {method: 'POST', body: 'said-before'})</script>"
# A page that sends each character on, and writes it into its own document, as some libraries do.
CHATTY = """<script>
addEventListener('input', event => {
  const field = event.composedPath()[0];
  if (!field.value) return;
  field.setAttribute('value', field.value);
  fetch('/typed', {method: 'POST', body: field.value});
}, true);
</script>"""
CLOSED = """<div id=host></div><script>
const root = document.getElementById('host').attachShadow({mode: 'closed'});
root.innerHTML = '<input id=in type=%s style="width:300px;height:40px">';
root.addEventListener('input', event => { fetch('/typed', {method: 'POST', body: event.target.value}); });
</script>"""
SOCKET = """<script>
const socket = new WebSocket('wss://www.window.example/talk');
socket.onopen = () => socket.send('said-before');
addEventListener('input', event => socket.send('!' + event.target.value));
</script>"""
FORM = (
    "<form method=%s action=/welcome><input name=user><input id=pass name=pass type=password><button>In</button></form>"
)
PAGES = {
    "/post": f"{HEAD}{EARLY}{FORM % 'post'}{CHATTY}",
    "/get": f"{HEAD}{FORM % 'get'}",
    "/frame": f"{HEAD}<h1>Shop</h1><iframe src='{THERE}/form' width=500 height=200></iframe>",
    "/open": f"{HEAD}<div id=host></div><script>document.getElementById('host').attachShadow({{mode: 'open'}})"
    f".innerHTML = `<input id=pass type=password>`;</script>{CHATTY}",
    "/closed": f"{HEAD}{CLOSED % 'password'}",
    "/closed-search": f"{HEAD}{CLOSED % 'search'}",
    "/token": f"{HEAD}<input id=pass autocomplete='section-a current-password'>{CHATTY}",
    "/turned": f"{HEAD}<input id=pass type=password onfocus=\"this.type = 'text'\">{CHATTY}",
    "/socket": f"{HEAD}<input id=pass type=password>{SOCKET}",
    "/welcome": f"{HEAD}<h1>Welcome</h1><script>fetch('/later', {{method: 'POST', body: 'token-of-mine'}})</script>",
    "/early": "ok",
    "/typed": "ok",
    "/later": "ok",
}


class Place:
    def __init__(self, eye: Looker, here: Notebook, there: Notebook) -> None:
        self.eye, self.here, self.there = eye, here, there

    def sent(self) -> bytes:
        """All that the hosts were sent."""
        asked = [*self.here.asked, *self.there.asked]
        return b"\n".join(each.body + json.dumps([dict(each.query), dict(each.headers)]).encode() for each in asked)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made, here = Site(), Notebook("www.window.example", PAGES)
    there = Notebook("www.login.example", {"/form": f"{FORM % 'post'}{CHATTY}", "/welcome": "Hello", "/typed": "ok"})

    def members(request: Request) -> Answer:
        here.asked.append(request)
        if "authorization" not in request.headers:
            return page("Who are you?", status=401, headers=(("WWW-Authenticate", 'Basic realm="members"'),))
        return page("<title>Members</title><h1>Members</h1>")

    talk = always(Answer(status=101, ending=Ending.SOCKET))
    here.host = replace(here.host, routes={**here.host.routes, "/members": members, "/talk": talk})
    made.hosts |= {each.host.name: each.host for each in (here, there)}
    with made as site, a_screen() as screen:
        folder: Path = tmp_path_factory.mktemp("secrets")
        with window(site, folder, screen, os.environ) as eye:
            yield Place(eye, here, there)


@pytest.fixture(autouse=True)
def forget(request: pytest.FixtureRequest) -> None:
    if "place" in request.fixturenames:
        found: Place = request.getfixturevalue("place")
        found.here.asked.clear()
        found.there.asked.clear()


def files(found: Looked) -> dict[str, bytes]:
    """All that was kept, unpacked, and the record."""
    kept = {each.name: each.path.read_bytes() for each in found.looking.kept}
    record = {"record.json": sealed(found.visit(surface="attended"))}
    return record | {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in kept.items()}


def holding(found: Looked, what: str) -> list[str]:
    """The files that have it somewhere."""
    return [name for name, data in files(found).items() if what.encode() in data]


@pytest.mark.browser
def test_what_is_sent_over_a_socket_that_was_open_before_is_not_kept(place: Place) -> None:
    async def acts(person: Person) -> None:
        await person.page.click("#pass")
        await person.page.keyboard.type(SECRET)
        await asyncio.sleep(0.5)

    found = attended(place.eye, f"{HERE}/socket", acts)
    (said,) = [each for each in traffic(found) if each.url.startswith("wss://")]
    told = [json.loads(line) for line in said.body.splitlines()]
    assert [each.get("payloadData") for each in told] == ["said-before", "said-before", *[None] * len(SECRET)]
    assert {each["dropped"] for each in told[2:]} == {"withheld"}
    assert not any("bytes" in each for each in told)
    assert holding(found, SECRET) == []
    assert said.withheld == "socket-message"
    quarantine: Any = found.seen.quarantine
    assert quarantine["withheld"]["socket-message"] == len(SECRET)


@pytest.mark.browser
def test_from_the_first_key_on_nothing_that_is_sent_is_kept(place: Place) -> None:
    async def acts(person: Person) -> None:
        await person.page.click("#pass")
        await person.page.keyboard.type(SECRET)
        await person.shoot()
        await person.page.keyboard.press("Enter")
        await person.until("page", 2)
        await asyncio.sleep(0.5)

    found = attended(place.eye, f"{HERE}/post", acts)
    sent = place.sent()
    assert SECRET.encode() in sent, "the site did get it"
    assert COOKIE.encode() in sent, "and the browser sent the cookie back"
    assert holding(found, SECRET) == []
    assert holding(found, COOKIE), "what came before is not withheld"
    assert b"token-of-mine" not in b"".join(each.body for each in traffic(found) if each.kind == "request")
    requests = {each.url.rpartition("/")[2]: each for each in traffic(found) if each.kind == "request"}
    assert (requests["early"].body, requests["early"].withheld) == (b"said-before", "")
    for name in ("typed", "welcome", "later"):
        assert (requests[name].body, requests[name].withheld) == (b"", "cookie, request-body, set-cookie")
        assert "ookie" not in requests[name].head
    quarantine: Any = found.seen.quarantine
    assert quarantine["reason"] == PASSWORD
    assert quarantine["withheld"]["request-body"] == len(SECRET) + 2
    assert quarantine["withheld"]["set-cookie"] >= 2
    assert {"reason": "withheld", "kind": "document", "times": 1} in found.seen.traffic["missing"]  # type: ignore[operator]  # JSON
    keys = [each for each in inputs(found.seen) if each["kind"] == "key"]
    assert len(keys) == 1, "neither how many keys there were nor when each was pressed"
    assert keys[0]["target"]["type"] == "password"
    assert found.steps.count("quarantine") == 1
    record = Record.parse(sealed(found.visit(surface="attended")))
    assert record.circumstances["quarantine"] == quarantine
    assert b'value=""' in found.data("shot-1-dom.html"), "the page wrote it into its document"


WAYS = {
    "in a frame of another site": "/frame",
    "in an open shadow root": "/open",
    "in a closed shadow root": "/closed",
    "where the field says that it is for a password": "/token",
    "in a field that is turned into another": "/turned",
    "in a form that sends it in the address": "/get",
}


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("path", WAYS.values(), ids=WAYS)
def test_wherever_the_field_is(place: Place, path: str) -> None:
    async def acts(person: Person) -> None:
        there: Any = person.page.frame_locator("iframe") if path == "/frame" else person.page
        if path == "/closed":
            await person.page.mouse.click(100, 25)
        else:
            await there.locator("#pass").click()
        await person.page.keyboard.type(SECRET)
        await person.page.keyboard.press("Enter")
        await asyncio.sleep(1.5)

    found = attended(place.eye, f"{HERE}{path}", acts)
    assert SECRET.encode() in place.sent(), "the site did get it"
    assert holding(found, SECRET) == []
    assert found.seen.quarantine["reason"] in {PASSWORD, "unseen_input"}
    if path in {"/turned", "/token"}:
        assert found.missing()["viewport"] == found.missing()["screenshot"] == IN_CLEAR
    else:
        assert "viewport" not in found.missing()
    if path == "/get":
        assert found.seen.final_url == f"{HERE}/welcome?withheld"
        assert [each["url"] for each in pages(found.seen)][-1] == f"{HERE}/welcome?withheld"


@pytest.mark.browser
@pytest.mark.slow
def test_a_paste_counts_and_looking_at_the_field_does_not(place: Place) -> None:
    async def looks(person: Person) -> None:
        await person.page.click("#pass")

    assert attended(place.eye, f"{HERE}/post", looks).seen.quarantine == {}

    async def pastes(person: Person) -> None:
        await person.page.click("#pass")
        await person.page.keyboard.insert_text(SECRET)
        await asyncio.sleep(0.5)

    found = attended(place.eye, f"{HERE}/post", pastes)
    assert SECRET.encode() in place.sent()
    assert holding(found, SECRET) == []
    assert found.seen.quarantine["reason"] == PASSWORD


@pytest.mark.browser
@pytest.mark.slow
def test_a_name_and_a_password_that_the_browser_itself_sent(place: Place) -> None:
    async def acts(person: Person) -> None:
        await person.page.goto(f"https://jane:{SECRET}@www.window.example/members")
        await person.until("page", 2)

    found = attended(place.eye, f"{HERE}/welcome", acts)
    spelled = base64.b64encode(f"jane:{SECRET}".encode()).decode()
    assert spelled.encode() in place.sent(), "the site did get it"
    assert found.seen.title == "Members"
    assert [holding(found, each) for each in (SECRET, spelled)] == [[], []]
    assert found.seen.quarantine["reason"] == HTTP_LOGIN
    assert b'"withheld": true' in found.data("headers.json")


@pytest.mark.browser
@pytest.mark.slow
def test_a_search_field_in_a_closed_shadow_root_is_none(place: Place) -> None:
    async def acts(person: Person) -> None:
        await person.page.mouse.click(100, 25)
        await person.page.keyboard.type("rings")
        await asyncio.sleep(0.5)

    found = attended(place.eye, f"{HERE}/closed-search", acts)
    assert b"rings" in place.sent(), "it was typed there"
    assert found.seen.quarantine == {}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<input type="password" value="x">', '<input type="password" value="">'),
        ('<input value="x" name="a" type="password" disabled>', '<input value="" name="a" type="password" disabled>'),
        (
            '<input autocomplete="current-password" value="a>b&quot;">',
            '<input autocomplete="current-password" value="">',
        ),
        ('<input id="a" value="x" type="text">', '<input id="a" value="" type="text">'),
        ('<input type="submit" value="kept">', '<input type="submit" value="kept">'),
        ('<input name="a" value="kept" type="radio">', '<input name="a" value="kept" type="radio">'),
        ('<p title="<input type=&quot;password&quot;">value="x"</p>',) * 2,
    ],
)
def test_only_the_values_of_fields_that_are_typed_into_are_taken_out(before: str, after: str) -> None:
    assert without_secrets(before) == after
