"""Inputs: kind, target and time of what a person does, whatever the page tries; and nothing of what a page makes up."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawlers.attending.inputs import MAX_INPUTS, Inputs
from crawlers.attending.listening import Listening
from crawlers.recording.withholding import UNSEEN, Withholding
from tests.crawlers.attending.scene import Person, attended, inputs, window
from tests.crawlers.looking import Looker
from tests.crawlers.screen import a_screen
from tests.site.host import Host, always, page
from tests.site.server import Site

HERE, THERE = "https://www.window.example", "https://www.elsewhere.example"
HEAD = "<!doctype html><meta charset=utf-8>"
FORGES = """<script>
window.made = 0;
for (const type of ['click', 'keydown', 'input', 'wheel']) addEventListener(type, () => { made += 1; }, true);
setInterval(() => {
  made += 1;
  scrollTo(0, made % 50);  // a trusted event of no person's making
  if (made > 400) return;
  it.click();
  it.dispatchEvent(new KeyboardEvent('keydown', {key: 'a', bubbles: true}));
  it.dispatchEvent(new WheelEvent('wheel', {deltaY: 9, bubbles: true}));
  for (const name of ['counterproofTell', 'counterproofListens'])
    if (name in window) document.title = 'found ' + name;
}, 5);
</script>"""
BLINDS = """<script>
setTimeout(() => {
  document.open();
  for (const type of ['click', 'keydown', 'beforeinput', 'input', 'pagehide'])
    addEventListener(type, event => event.stopImmediatePropagation(), true);
  document.write('<title>Blind</title><button id=it>It</button><input id=field>');
  document.close();
}, 100)
</script>"""
PAGES = {
    "/": f"{HEAD}<title>Shop</title><button id=it aria-label='Add to bag'>+</button><a href='/two' id=two>Two</a>"
    "<label>Size <select id=size><option>Small<option>Large</select></label>"
    "<label><input type=checkbox id=gift>As a gift</label><button id=off disabled>Off</button>"
    "<div contenteditable id=note aria-label=Note></div>"
    f"<iframe src='{THERE}/frame' width=400 height=100></iframe>"
    "<iframe srcdoc='<button id=within>Within</button>' width=400 height=100></iframe>",
    "/two": f"{HEAD}<title>Two</title><h1>Two</h1>",
    "/forges": f"{HEAD}<title>Forges</title><button id=it style='position:fixed;top:0;left:0'>It</button>"
    f"<p style='height:3000px'>Long</p>{FORGES}",
    "/blinds": f"{HEAD}<title>Not yet</title>{BLINDS}",
}
FRAME = f"{HEAD}<button id=pay>Pay</button>"


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    made = Site()
    made.hosts["www.window.example"] = Host(
        name="www.window.example", routes={path: always(page(text)) for path, text in PAGES.items()}
    )
    made.hosts["www.elsewhere.example"] = Host(name="www.elsewhere.example", routes={"/frame": always(page(FRAME))})
    with made as site, a_screen() as screen:
        folder: Path = tmp_path_factory.mktemp("inputs")
        with window(site, folder, screen, os.environ) as eye:
            yield eye


@pytest.mark.browser
@pytest.mark.slow
def test_each_input_has_its_kind_and_target_in_every_frame(eye: Looker) -> None:
    async def acts(person: Person) -> None:
        there = person.page
        await there.click("#it")
        await there.focus("#size")
        await there.keyboard.press("l")
        await there.click("#gift")
        await there.mouse.click(*await middle(there, "#off"))
        await there.click("#note")
        await there.keyboard.type("dear")
        await there.frame_locator("iframe >> nth=0").locator("#pay").click()
        await there.frame_locator("iframe >> nth=1").locator("#within").click()
        touch = await there.context.new_cdp_session(there)
        x, y = await middle(there, "#it")
        await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        await there.keyboard.press("F9")
        await person.until("shot")
        await there.click("#two")
        await person.until("page", 2)
        await there.go_back()
        await person.until("page", 3)
        await there.goto(f"{HERE}/two")
        await person.until("page", 4)
        await there.reload()
        await person.until("page", 5)

    begun = datetime.now(UTC)
    found = attended(eye, f"{HERE}/", acts)
    listed = inputs(found.seen)
    told = [(each["kind"], each["target"].get("tag"), each["target"].get("name"), each.get("frame")) for each in listed]
    assert told[0] == ("click", "button", "Add to bag", None)
    (changed, _) = [each["target"] for each in listed if each["kind"] == "change"]
    assert (changed["name"], changed["chosen"]) == ("Size Small Large", "Large")
    assert ("click", "button", "Pay", "www.elsewhere.example") in told
    assert ("click", "button", "Within", "about:") in told
    assert ("tap", "button", "Add to bag", None) in told
    assert ("key", "div", "Note", None) in told
    assert "dear" not in str(listed)
    assert "F9" not in str(listed)
    assert [name for kind, _, name, _ in told if kind == "navigate"] == ["back or forward", "reload"]
    assert [hop.kind.value for hop in found.seen.hops] == ["click", "person", "person", "person"]
    assert not [each for each in listed if each["kind"] == "unseen"], "a press on what is off is none"
    assert [each["at"] for each in listed] == sorted(each["at"] for each in listed)
    assert begun.isoformat()[:19] <= listed[0]["at"][:19]
    assert found.seen.quarantine == {}


@pytest.mark.browser
@pytest.mark.slow
def test_a_page_forges_no_input(eye: Looker) -> None:
    made = 0

    async def acts(person: Person) -> None:
        nonlocal made
        await asyncio.sleep(2)
        await person.page.mouse.click(8, 8)
        made = await person.page.evaluate("made")

    found = attended(eye, f"{HERE}/forges", acts)
    assert made > 300, "the page did make events up"
    assert found.seen.title == "Forges", "and found no way to tell of them"
    assert Counter(each["kind"] for each in inputs(found.seen)) == {"click": 1}
    assert "inputs_more" not in found.seen.attended


@pytest.mark.browser
@pytest.mark.slow
def test_what_a_page_keeps_from_us_is_counted_and_what_was_typed_is_taken_for_a_secret(eye: Looker) -> None:
    async def acts(person: Person) -> None:
        await person.page.wait_for_selector("#field")
        await person.page.click("#it")
        await person.page.click("#field")
        await person.page.keyboard.type("abc")
        await asyncio.sleep(1.5)

    found = attended(eye, f"{HERE}/blinds", acts)
    assert found.seen.title == "Blind"
    listed = inputs(found.seen)
    assert not [each for each in listed if each["kind"] in {"click", "key"}], "the page did keep them from us"
    hidden: Counter[str] = Counter()
    for each in listed:
        hidden.update(each["target"] if each["kind"] == "unseen" else {})
    assert hidden == {"click": 2, "keydown": 3, "beforeinput": 3}
    assert found.seen.quarantine["reason"] == UNSEEN


@pytest.mark.browser
@pytest.mark.slow
def test_more_than_a_person_can_do_is_counted_and_no_more(eye: Looker) -> None:
    async def acts(person: Person) -> None:
        session = await person.page.context.new_cdp_session(person.page)
        key = {"key": "ArrowDown", "code": "ArrowDown", "windowsVirtualKeyCode": 40}
        for _ in range(300):
            await session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
            await session.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})
        await asyncio.sleep(1.2)

    found = attended(eye, f"{HERE}/two", acts)
    more: Any = found.seen.attended.get("inputs_more", {})
    told = [each for each in inputs(found.seen) if each["kind"] == "key"]
    assert len(told) + more.get("key", 0) == 300
    assert more["key"] > 0


async def middle(there: Any, selector: str) -> tuple[float, float]:
    box = await there.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


AT = datetime(2026, 11, 3, 12, tzinfo=UTC)


def test_beyond_the_limit_inputs_are_counted_by_kind() -> None:
    made = Inputs(clock=lambda: AT)
    for n in range(MAX_INPUTS + 7):
        made.add("click" if n % 2 else "key", AT, {})
    assert len(made.listed) == MAX_INPUTS
    assert made.to_json() == {"inputs_more": {"click": 3, "key": 4}}


@pytest.mark.parametrize(
    "said", [None, "x", float("nan"), float("inf"), -1, 0, 10**30, (AT + timedelta(days=1)).timestamp() * 1000]
)
def test_a_time_that_cannot_be_is_ours(said: object) -> None:
    assert Inputs(clock=lambda: AT).at(said) == AT


@pytest.mark.parametrize(
    "payload",
    ["", "null", "[]", "{", '{"k": 1}', '{"k": "login"}', '{"k": "click", "el": ' + '"' + "x" * 5000 + '"}'],
)
def test_what_our_listener_does_not_say_is_counted_and_not_believed(payload: str) -> None:
    heard = Listening(Inputs(clock=lambda: AT), Withholding())
    line: Any = None
    heard.heard(line, "Runtime.bindingCalled", {"name": "counterproofTell", "payload": payload})
    heard.heard(line, "Runtime.bindingCalled", {"name": "another", "payload": '{"k": "shot"}'})
    assert (heard.malformed, heard.shots_asked) == (1, 0)


@pytest.mark.parametrize("target", [5, {"tag": 5, "role": ["x"], "name": "y" * 900, "more": "z"}, ["tag"]])
def test_a_target_has_a_form(target: object) -> None:
    made = Inputs(clock=lambda: AT)
    line: Any = None
    Listening(made, Withholding()).heard(
        line, "Runtime.bindingCalled", {"name": "counterproofTell", "payload": json.dumps({"k": "click", "el": target})}
    )
    (told,) = made.listed
    assert set(told["target"]) <= {"name"}  # type: ignore[arg-type]  # JSON
    assert len(str(told["target"])) < 150
