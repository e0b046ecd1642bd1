"""One whole story, told by the real command: look, seal, keep, verify; then tamper, and fail."""

import base64
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.authority import LocalAuthority
from tests.command import Ran, run, through
from tests.crawlers.recording.reading import checked, read
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3]


@dataclass(frozen=True, kw_only=True)
class Story:
    """What one capture left behind, shared by the tests of this file."""

    home: Path
    site: Site
    authority: LocalAuthority
    post: str
    told: Ran

    def command(self, *arguments: str) -> Ran:
        return run(*arguments, home=self.home)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    with Site() as site, LocalAuthority(folder / "authority") as authority:
        roots = folder / "roots.pem"
        roots.write_text(authority.roots_pem)
        post = site.url("post")
        told = run(
            "capture", post, "--case", "2026-0142", "--operator", "A. Person", "--json",
            "--authority", authority.url, "--authority-roots", str(roots),
            *through(site.resolve, site.trust_spki),
            home=folder / "home",
        )  # fmt: skip
        yield Story(home=folder / "home", site=site, authority=authority, post=post, told=told)


def _children(captures: list[Any], parent: Any) -> list[Any]:
    return [each for each in captures if each["parent"] == parent["id"]]


def test_the_promotion_is_one_linked_unit_sealed_and_complete(story: Story) -> None:
    assert story.told.code == 0, story.told.err
    document = story.told.document
    captures = document["captures"]
    assert document["schema"] == 1
    assert document["time"] == "trusted"
    assert document["lost"] == []
    root = story.told.capture_of(story.post)
    assert {each["unit"] for each in captures} == {root["id"]}
    assert {each["status"] for each in captures} == {"complete"}
    assert {each["state"] for each in captures} == {"sealed"}
    assert {each["origin"] for each in captures} == {"not_public"}  # our own site must not pass for another
    (profile,) = _children(captures, root)
    assert profile["via"]["where"] == "author"
    (hub,) = _children(captures, profile)
    assert hub["via"]["where"] == "profile"
    ends = _children(captures, hub)
    kinds = {hop["kind"] for each in ends for hop in each["hops"]}
    assert {"http", "refresh", "script"} <= kinds
    short = next(each for each in ends if len(each["hops"]) == 2)
    assert [hop["status"] for hop in short["hops"]] == [302, 301]
    assert short["final_url"] == story.site.url("listing")
    assert "screw bracelet" in short["title"].lower()


def test_the_programs_own_page_was_shown_as_it_must_be_and_the_runs_end_keeps_it(story: Story, tmp_path: Path) -> None:
    passed = {"result": "passed", "differences": []}
    assert story.told.document["control"] == {"start": passed, "end": passed}
    copy = tmp_path / "copy"
    assert story.command("mirror", str(copy)).code == 0
    (ended,) = [
        told
        for path in copy.rglob("blobs/**/*")
        if path.is_file() and path.read_bytes().startswith(b"{") and (told := _json(path)).get("control")
    ]
    assert ended["run"] == story.told.document["run"]
    for when in ("start", "end"):
        kept = {each["role"]: each for each in ended["control"][when]["kept"]}
        picture = base64.b64decode(kept["viewport"]["base64"])
        assert hashlib.sha256(picture).hexdigest() == kept["viewport"]["sha256"]
        assert picture.startswith(b"\x89PNG")
    assert ended["control"]["start"]["nonce"] != ended["control"]["end"]["nonce"]


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        return {}


def test_every_capture_has_every_role(story: Story) -> None:
    for capture in story.told.captures:
        roles = {each["role"] for each in capture["artifacts"]}
        whole = {"viewport", "screenshot", "dom", "text", "headers", "body", "warc", "robots"}
        assert whole <= roles, capture["requested_url"]


def test_every_page_was_read_in_its_visit_and_reads_the_same_again(story: Story, tmp_path: Path) -> None:
    post, ends = story.told.capture_of(story.post), story.site.url("listing")
    listing = next(each for each in story.told.captures if each["final_url"] == ends)
    for capture in story.told.captures:
        assert capture["reading"]["name"] == "reading.json", capture["requested_url"]
        assert capture["reading"]["fields"] > 0
    again = story.command("read", post["id"], listing["id"], "--json")
    for line, capture in zip(again.out.splitlines(), (post, listing), strict=True):
        told = json.loads(line)
        assert (told["platform"], told["kind"]) == (capture["reading"]["platform"], capture["reading"]["kind"])
        assert told["kept"]["differs"] == []
        assert len(told["kept"]["by"]["code_sha256"]) == 64
    out = tmp_path / "reading.json"
    assert story.command("get", post["id"], "reading", "-o", str(out)).code == 0
    kept = json.loads(out.read_bytes())
    assert kept["derived"] is True
    dom = next(each for each in post["artifacts"] if each["name"] == "dom.html")
    assert kept["of"]["sha256"] == dom["sha256"]
    assert "reading  " in story.command("show", post["id"]).out


@pytest.mark.slow
def test_the_traffic_is_a_file_that_others_read(story: Story, tmp_path: Path) -> None:
    for n, capture in enumerate(story.told.captures):
        out = tmp_path / f"{n}.warc.gz"
        assert story.command("get", capture["id"], "warc", "-o", str(out)).code == 0
        assert checked(out) == 0
        urls = [each.url for each in read(out) if each.kind == "response"]
        assert capture["requested_url"] in urls
        assert capture["final_url"] in urls
        assert capture["missing"] == []


@pytest.mark.slow
def test_each_artifact_fetched_has_the_digest_in_its_key(story: Story, tmp_path: Path) -> None:
    root = story.told.capture_of(story.post)
    for artifact in root["artifacts"]:
        if artifact["role"] in {"viewport", "tls_cert", "robots"}:
            continue  # a process each: these are fetched no differently from the rest
        target = tmp_path / artifact["name"]
        assert story.command("get", root["id"], artifact["name"], "-o", str(target)).code == 0
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        assert digest == artifact["sha256"]
        assert artifact["key"].endswith(digest)
    assert root["record_sha256"] in {each["sha256"] for each in root["artifacts"] if each["role"] == "record"}


def test_the_intent_was_logged_before_the_site_was_asked(story: Story) -> None:
    for capture in story.told.captures:
        assert capture["manifest"]["started_index"] < capture["manifest"]["index"]


def test_the_archive_is_browsed_by_its_manifest(story: Story) -> None:
    listed = story.command("captures", "--case", "2026-0142", "--json").document["captures"]
    assert {each["capture_id"] for each in listed} == {each["id"] for each in story.told.captures}
    assert all(each["id"] == each["capture_id"] for each in (*listed, *story.told.captures))
    root = story.told.capture_of(story.post)
    shown = story.command("show", root["id"][-8:], "--json").document
    assert shown["record"]["target"]["requested_url"] == story.post
    assert shown["record"]["robots"]["token"] == "Counterproof"
    assert shown["capture"]["time"] in [each["time"] for each in listed]
    assert all(each["time"]["not_after"] and each["time"]["not_after_by"] for each in listed)
    line = next(each for each in story.command("show", root["id"]).out.splitlines() if each.startswith("time "))
    assert f"not after {shown['capture']['time']['not_after']} (token of 127.0.0.1" in line
    assert line.endswith("(as stored; `counterproof verify` checks it)")
    assert story.command("captures", "--case", "another").code == 2
    assert story.command("show", "ffffffff").code == 2


def test_it_verifies_and_says_where_it_came_from(story: Story) -> None:
    verdict = story.command("verify", "--json")
    assert verdict.code == 0, verdict.out
    document = verdict.document
    assert document["verdict"] == "holds"
    assert document["facts"]["time"] == "trusted"
    assert document["facts"]["origins"] == {"not_public": len(story.told.captures)}
    assert [check["passed"] for check in document["checks"]] == [True] * 12
    spoken = story.command("verify", "--case", "2026-0142")
    assert spoken.code == 0
    assert "NOT PUBLIC" in spoken.out


def test_a_copy_verifies_and_one_flipped_byte_is_named(story: Story, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert story.command("mirror", str(copy)).code == 0
    trust = tmp_path / "trust.json"
    shutil.copy(story.home / "trust.json", trust)
    elsewhere = tmp_path / "elsewhere"  # a stranger has no home of ours
    where = ("--store", f"file:{copy}")
    assert run("verify", *where, "--trust", str(trust), home=elsewhere).code == 0
    unknown = run("verify", *where, home=elsewhere)
    assert unknown.code == 1
    assert "self-consistent only" in unknown.out
    root = story.told.capture_of(story.post)
    shot = next(each for each in root["artifacts"] if each["role"] == "screenshot")
    path = copy / shot["key"]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    assert hashlib.sha256(path.read_bytes()).hexdigest() != shot["sha256"]  # the attack is there
    verdict = run("verify", *where, "--trust", str(trust), "--json", home=elsewhere)
    assert verdict.code == 1
    (finding,) = [each for each in verdict.document["findings"] if each["severity"] == "fail"]
    assert finding["code"] == "BLOB_DIGEST"
    assert root["id"] in finding["locator"].values()
    assert shot["key"] in finding["locator"].values()
    assert "screenshot" in finding["locator"].values()


@pytest.mark.slow
def test_a_second_capture_says_when_it_was_captured_before(story: Story) -> None:
    again = run(
        "capture", story.site.url("listing"), "--case", "2026-0142", "--no-follow", "--json",
        *through(story.site.resolve, story.site.trust_spki), home=story.home,
    )  # fmt: skip
    assert again.code == 0
    third = run(
        "capture", story.site.url("listing"), "--case", "2026-0142", "--no-follow", "--json", "--progress", "json",
        *through(story.site.resolve, story.site.trust_spki), home=story.home,
    )  # fmt: skip
    assert "captured before" in third.err
    assert '"step": "recorded"' in third.err
    assert third.captures[0]["state"] == "sealed"  # the authority is remembered
