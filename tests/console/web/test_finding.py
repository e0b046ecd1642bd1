"""Search, timeline, comparison, graph and manifest: in a real browser, as JSON, and for whoever may not see all."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from console.web.viewer import Right, Viewer
from custody.event import Ref
from custody.model import Json, Role
from custody.note import VerifierKey
from custody.proof import InclusionProof
from tests.console.web.opened import Console, served, window
from tests.console.web.shelf import Laid, Shelf, lay, opened
from tests.custody.archive_builder import Captured

pytestmark = pytest.mark.browser
URL = "https://www.glimpse.example/p/1"


def reading(kind: str, **fields: Json) -> bytes:
    return json.dumps({"schema": 1, "reading": {"platform": "glimpse", "kind": kind, "fields": fields}}).encode()


def told(kind: str) -> dict[str, Json]:
    return {"session": {"derived": [{"role": "reading", "name": "reading.json", "platform": "glimpse", "kind": kind}]}}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Laid:
    """A post that changed, the listing behind it, and a page of another case that names the same seller."""
    shelf: Shelf = opened()
    run = shelf.open_run()
    ours, theirs = shelf.open_case("ours"), shelf.open_case("theirs")
    say = {"handle": "Mirabelle.Finds", "caption": "my love bracelet"}
    for caption, text in (("my love bracelet", "one\nlink in bio\nthree"), ("my bangle", "one\nno link\nthree")):
        files = {Role.READING: reading("post", **{**say, "caption": caption}), Role.TEXT: text.encode()}
        post = shelf.page(run, scope=ours, files=files, circumstances=told("post"), title="A post", final_url=URL)
    shop = {"title": "Screw bracelet", "seller": "SunnyJewel", "price": "12.90"}
    shelf.page(
        run, unit=post.unit,
        files={Role.READING: reading("listing", **shop), Role.TEXT: b"screw <script>alert(1)</script>"},
        circumstances=told("listing"), title="<img src=x onerror=alert(1)>", final_url="https://shop.example/item/1",
    )  # fmt: skip
    shelf.page(
        run, scope=theirs,
        files={Role.READING: reading("listing", seller="SunnyJewel"), Role.TEXT: b"a secret of theirs"},
        circumstances=told("listing"), title="Theirs", final_url="https://shop.example/item/2",
    )  # fmt: skip
    before, after, *_ = shelf.captures
    observed(shelf, ours, before, after, "the caption was another, and is this one")
    observed(shelf, theirs, before, after, "what others made of it")
    return lay(shelf, tmp_path_factory.mktemp("finding"))


def observed(shelf: Shelf, scope: str, before: Captured, after: Captured, sentence: str) -> None:
    """A change between two captures, as a case has it written down."""
    assert after.ended is not None
    sides = {
        name: {"capture": each.id, "looked_at": at, "url": URL}
        for name, each, at in (
            ("before", before, "2026-03-04T01:00:00.000Z"),
            ("after", after, "2026-03-04T02:00:00.000Z"),
        )
    }
    passages: list[dict[str, Json]] = [
        {"capture": before.id, "text": "my love bracelet"},
        {"capture": after.id, "text": "<b>my bangle</b>"},
    ]
    change: dict[str, Json] = {
        "kind": "caption_edited", "sentence": sentence, "before": passages[0], "after": passages[1],
        "doubts": ["the two looks differ in device"], "facts": {},
    }  # fmt: skip
    detail: dict[str, Json] = {"scope": scope, **sides, "changes": [change], "not_compared": []}
    body: dict[str, Json] = {"capture": after.id, "before": before.id, "changes": 1, "kinds": ["caption_edited"]}
    ref = Ref(rel="about", payload_sha256=after.ended.make().payload_sha256)
    event = shelf.event("change.observed", f"work:{scope}", shelf.detail("change.json", detail), body, refs=(ref,))
    shelf.commit(shelf.draft(event))


@pytest.fixture(scope="module")
def shown(found: Laid) -> Iterator[Console]:
    with served(found) as made:
        yield made


def test_a_word_is_found_and_leads_to_its_capture(browser: Browser, shown: Console, found: Laid) -> None:
    with window(browser, shown) as seen:
        seen.go("/search")
        seen.page.get_by_label("An address, words").fill('"link in bio"')
        seen.page.keyboard.press("Enter")
        expect(seen.page.locator("tbody tr")).to_have_count(1)
        expect(seen.page.locator(".passage")).to_contain_text("link in bio")
        assert found.builder.captures[0].id in (
            seen.page.get_by_role("link", name="A post").get_attribute("href") or ""
        )
        assert seen.errors == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_file_is_found_whether_the_browser_hashes_it_or_the_server(
    browser: Browser, shown: Console, found: Laid, tmp_path: Path, *, scripts: bool
) -> None:
    picture = next(each for each in found.builder.captures[0].record.artifacts if each.role == Role.SCREENSHOT)  # type: ignore[union-attr]
    file = tmp_path / "shot.png"
    file.write_bytes(found.path(picture.key).read_bytes())
    other = tmp_path / "other.png"
    other.write_bytes(file.read_bytes() + b" ")
    sent: list[int] = []
    with window(browser, shown, java_script_enabled=scripts) as seen:
        seen.context.on("request", lambda each: sent.append(1) if each.method == "POST" else None)
        for path, said in ((file, "Yes: these very bytes"), (other, "No: not in what you may see")):
            seen.page.goto(f"{shown.base}/search")
            seen.page.get_by_label("A file, dropped here or chosen").set_input_files(path)
            seen.page.get_by_role("button", name="Look for it").click()
            expect(seen.page.locator("main")).to_contain_text(said)
        assert bool(sent) is not scripts


def test_the_slider_covers_one_picture_with_the_other_by_key(browser: Browser, shown: Console, found: Laid) -> None:
    before, after, *_ = found.builder.captures
    with window(browser, shown) as seen:
        seen.go(f"/compare?before={before.id}&after={after.id}")
        first = seen.page.locator(".pair figure").first
        at = first.evaluate("each => getComputedStyle(each).clipPath")
        seen.page.locator(".slider input").press("End")
        assert first.evaluate("each => getComputedStyle(each).clipPath") != at
        expect(seen.page.locator(".difference .gone")).to_have_text(re.compile("link in bio"))
        expect(seen.page.locator(".difference .new")).to_have_text(re.compile("no link"))
    with window(browser, shown, java_script_enabled=False) as seen:
        seen.page.goto(f"{shown.base}/compare?before={before.id}&after={after.id}")
        boxes = [each.bounding_box() for each in seen.page.locator(".pair img").all()]
        assert len(boxes) == 2
        assert all(each is not None and each["width"] > 0 for each in boxes)
        expect(seen.page.locator(".slider input")).to_be_hidden()


def test_the_timeline_says_what_changed_and_compares(browser: Browser, shown: Console) -> None:
    with window(browser, shown) as seen:
        seen.go("/timeline?target=@Mirabelle.Finds")
        expect(seen.page.locator("tbody tr")).to_have_count(6)  # all of them asked for one address; two changes
        expect(seen.page.locator(".change").first).to_contain_text("caption: my love bracelet → my bangle")
        signed = seen.page.locator("tbody tr", has_text="recorded change").first
        expect(signed).to_contain_text("caption edited")
        expect(signed).to_contain_text("the caption was another, and is this one")
        expect(signed).to_contain_text("last seen as before 2026-03-04 01:00:00 UTC")
        expect(signed).to_contain_text("first seen otherwise 2026-03-04 02:00:00 UTC")
        expect(signed.locator("ins")).to_have_text("<b>my bangle</b>")
        expect(signed).to_contain_text("but the two looks differ in device")
        seen.page.get_by_role("button", name="Compare the two").click()
        expect(seen.page.locator("h1")).to_have_text("Two captures beside each other")


def test_a_change_whose_blob_is_another_is_not_shown(found: Laid, tmp_path: Path) -> None:
    copy = Laid(home=tmp_path / "home", store=tmp_path / "store", builder=found.builder)
    shutil.copytree(found.home, copy.home)
    shutil.copytree(found.store, copy.store)
    blobs = [each for each in (copy.store / "v1/blobs").rglob("*") if each.is_file()]
    (blob,) = [each for each in blobs if b"the caption was another" in each.read_bytes()]
    blob.write_bytes(blob.read_bytes().replace(b"another, and", b"nothing, and"))
    with served(copy) as console, console.client() as client:
        page = client.get("/timeline?target=@mirabelle.finds").text
        assert "is not what was recorded" in page
        assert "the caption was nothing" not in page
        blob.unlink()
        assert "what changed was disposed of, or is missing" in client.get("/timeline?target=@mirabelle.finds").text


def test_a_proof_is_saved_that_a_stranger_can_check(shown: Console, found: Laid) -> None:
    vkey: VerifierKey = found.builder.vkey
    with shown.client() as client:
        leaf = client.get("/log/leaves/12/leaf").content
        answer = client.get("/log/leaves/12/proof")
        assert "attachment" in answer.headers["content-disposition"]
        proof = InclusionProof.parse(answer.content)
        proof.check(leaf, vkey)
        with pytest.raises(Exception, match=r"root|leaf|hash"):
            proof.check(leaf + b" ", vkey)
        assert client.get("/log/checkpoint").content == client.get(f"/log/checkpoints/{size_of(client)}").content


def size_of(client: httpx.Client) -> int:
    return int(client.get("/api/v1/log").json()["size"])


def test_the_api_says_the_same(shown: Console, found: Laid) -> None:
    before, after, listing, theirs = found.builder.captures
    with shown.client() as client:
        answer = client.get("/api/v1/search", params={"q": "bracelet"}).json()
        assert [each["capture_id"] for each in answer["captures"]] == [listing.id, before.id]
        assert listing.record_digest is not None
        where = client.get(f"/api/v1/whereis/{listing.record_digest.hex}").json()
        assert [each["what"] for each in where["found"]] == ["record"]
        told_ = client.get("/api/v1/timeline", params={"target": "mirabelle.finds", "sort": "account"}).json()
        changed = [each for each in told_["moments"] if each["moment"] == "changed"]
        assert [each["capture"] for each in changed] == [after.id]
        signed = [each for each in told_["moments"] if each["moment"] == "recorded_change"]
        assert [each["capture"] for each in signed] == [after.id] * 2
        assert signed[0]["recorded"]["kinds"] == ["caption_edited"]
        assert signed[0]["recorded"]["before"] == before.id
        between = {"after": "2026-03-04T01:00:00.000Z", "before": "2026-03-04T02:00:00.000Z"}
        assert signed[0]["recorded"]["between"] == between
        assert all(each["recorded"] is None for each in told_["moments"] if each not in signed)
        assert client.get("/api/v1/whereis/no").status_code == 422
        assert client.get("/api/v1/search", params={"since": "2026-13-99"}).status_code == 422
        assert theirs.id in {
            each["capture_id"] for each in client.get("/api/v1/search?q=sunnyjewel").json()["captures"]
        }


Wanted = Callable[[dict[str, Any]], bool]
FILTERS = {
    "kind": "listing", "platform": "glimpse", "outcome": "ok", "origin": "not_public", "host": "shop.example",
    "since": "2026-01-01", "until": "2026-01-01", "case": "ours",
}  # fmt: skip


@pytest.mark.parametrize("name", FILTERS)
def test_pages_and_api_are_filtered_alike(shown: Console, name: str) -> None:
    """By what is told of each capture, worked out here from the whole list."""
    rows = {each.name: each.scope for each in shown.app.state.archive.catalog.listed(None)}
    value = rows[FILTERS[name]] if name == "case" else FILTERS[name]
    by_name: Wanted = lambda each: each[name] == value  # noqa: E731
    wanted: dict[str, Wanted] = {
        "since": lambda each: each["started_at"][:10] >= value,
        "until": lambda each: each["started_at"][:10] <= value,
        "case": lambda each: value in each["cases"],
    }
    is_wanted = wanted.get(name, by_name)
    with shown.client() as client:
        everything = client.get("/api/v1/search").json()["captures"]
        found = client.get("/api/v1/search", params={name: value}).json()["captures"]
        page = client.get("/search", params={name: value}).text
    assert found or name == "until"
    assert [each["id"] for each in found] == [each["id"] for each in everything if is_wanted(each)]
    links = [f'/captures/{each["id"]}"' for each in everything]
    assert [each in page for each in links] == [is_wanted(each) for each in everything]


def test_nothing_of_a_foreign_case_is_told(found: Laid) -> None:
    """The same questions, asked by one who may see one case."""
    *_, theirs = found.builder.captures
    with served(found) as console, console.client() as client:
        rows = {each.name: each.scope for each in console.app.state.archive.catalog.listed(None)}
        door = console.app.state.door
        viewer = Viewer(name="guest", rights={rows["ours"]: Right.VIEWER}, csrf="word")
        object.__setattr__(door, "identify", lambda *_: viewer)
        assert theirs.record is not None
        assert theirs.record_digest is not None
        digests = [theirs.record_digest, theirs.record.job_sha256, theirs.record.artifacts[0].digest]
        for digest in digests:
            assert client.get(f"/api/v1/whereis/{digest.hex}").json()["found"] == []
            assert "No: not in what you may see" in client.get(f"/whereis?sha256={digest.hex}").text
        for path in ("/search?q=secret", "/search?q=sunnyjewel", "/search?kind=listing", "/timeline?target=SunnyJewel"):
            assert theirs.id not in client.get(path).text
            assert theirs.id not in client.get(f"/api/v1{path}").text
        told_ = client.get("/timeline?target=@mirabelle.finds").text
        assert "the caption was another" in told_
        assert "what others made of it" not in told_
        for path in (
            f"/cases/{rows['theirs']}/graph", f"/api/v1/cases/{rows['theirs']}/graph", f"/search?case={rows['theirs']}",
            f"/compare?before={found.builder.captures[0].id}&after={theirs.id}",
        ):  # fmt: skip
            assert client.get(path).status_code == 404, path
        size = size_of(client)
        for index in range(size):
            logged = console.app.state.archive.reader.log.leaf(index, size)
            foreign = theirs.id.encode() in logged or rows["theirs"].encode() in logged
            seen = client.get(f"/log/leaves/{index}").status_code
            assert seen == 404 or not foreign, index
            for more in ("/proof", "/leaf"):
                assert client.get(f"/log/leaves/{index}{more}").status_code == seen
            assert client.get(f"/api/v1/log/leaves/{index}").status_code == seen
        assert rows["theirs"] not in client.get("/log").text
        assert rows["theirs"] not in client.get("/api/v1/log").text
        assert client.get(f"/api/v1/cases/{rows['ours']}/graph").json()["nodes"] != []
