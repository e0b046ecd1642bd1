"""A walled page falls to the platform's next official surface, labelled; a token leaves no trace."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests import walled
from tests.command import Ran, run, through
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    made.hosts |= {host.name: host for host in walled.hosts()}
    with made as opened:
        yield opened


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("surfaces") / "home"


def _capture(site: Site, home: Path, *arguments: str, token: str = "") -> Ran:
    env = {"COUNTERPROOF_YOUTUBE_KEY": token} if token else None
    return run(
        "capture", *arguments, "--case", "surfaces", "--json", "--progress", "none",
        *through(site.resolve, site.trust_spki), home=home, env=env,
    )  # fmt: skip


@pytest.fixture(scope="module")
def told(site: Site, home: Path) -> Ran:
    asked = (walled.POST, walled.PROFILE, walled.STATUS, walled.VIDEO, walled.CHANNEL, walled.PRIVATE)
    return _capture(site, home, *asked, token=walled.TOKEN)


def _unit(told: Ran, url: str) -> list[Any]:
    root = told.capture_of(url)
    return [root, *(each for each in told.captures if each["unit"] == root["id"] and each is not root)]


def _surfaces(told: Ran, url: str) -> list[tuple[str, str]]:
    unit = _unit(told, url)
    return [(each["surface"], each["shown"]) for each in unit if each["surface"] != "page" or each is unit[0]]


def test_a_post_behind_a_login_falls_to_its_embed_whose_links_are_followed(told: Ran) -> None:
    root, *others = _unit(told, walled.POST)
    assert (root["surface"], root["shown"], root["outcome"]) == ("page", "wall", "login_wall")
    embed = next(each for each in others if each["surface"] == "embed")
    assert embed["shown"] == "content"
    assert (embed["parent"], embed["via"]["where"], embed["status"]) == (root["id"], "embed", "complete")
    assert {"dom", "screenshot", "warc"} <= {each["role"] for each in embed["artifacts"]}
    listing = next(each for each in others if each["requested_url"] == walled.SHOP)
    assert (listing["parent"], listing["surface"], listing["shown"]) == (embed["id"], "page", "content")


def test_a_profile_that_is_a_shell_falls_to_its_embed(told: Ran) -> None:
    assert told.capture_of(walled.PROFILE)["outcome"] == "ok"
    assert _surfaces(told, walled.PROFILE) == [("page", "shell"), ("embed", "content")]


def test_an_answer_that_there_is_no_such_post_is_kept_as_what_it_is(told: Ran) -> None:
    assert _surfaces(told, walled.STATUS) == [("page", "wall"), ("oembed", "absent")]
    answer = next(each for each in _unit(told, walled.STATUS) if each["surface"] == "oembed")
    assert (answer["http_status"], answer["outcome"], answer["status"]) == (404, "http_error", "complete")
    assert {each["role"] for each in answer["artifacts"]} == {"body", "headers", "tls_cert", "robots", "record"}
    assert answer["origin"] == "not_public"


def test_a_video_behind_a_robot_check_is_told_of_by_the_interface_that_the_user_has_a_key_for(
    told: Ran, home: Path
) -> None:
    assert _surfaces(told, walled.VIDEO) == [("page", "wall"), ("embed", "shell"), ("api", "content")]
    answer = next(each for each in _unit(told, walled.VIDEO) if each["surface"] == "api")
    read = run("read", answer["id"], "--json", home=home)
    assert read.code == 0
    assert (read.document["platform"], read.document["kind"]) == ("youtube", "post")
    assert read.document["fields"]["title"] == "What came in the parcel"
    assert "likes" not in read.document["fields"]
    listing = next(each for each in _unit(told, walled.VIDEO) if each["requested_url"] == walled.SHOP)
    assert (listing["parent"], listing["via"]["href"]) == (answer["id"], walled.SHOP)


def test_what_is_private_is_asked_for_by_no_other_way(told: Ran) -> None:
    assert _surfaces(told, walled.PRIVATE) == [("page", "wall")]


def test_an_answer_that_repeats_the_token_is_kept_without_it(told: Ran) -> None:
    answer = next(each for each in _unit(told, walled.CHANNEL) if each["surface"] == "api")
    assert answer["status"] == "partial"
    assert "blotted.json" in {each["name"] for each in answer["artifacts"]}
    assert "repeats the token" in answer["missing"][0]["reason"]


def test_the_token_is_in_no_byte_that_is_kept_or_said(told: Ran, site: Site, home: Path) -> None:
    assert [each for each in site.seen("www.googleapis.com") if each.path.startswith("/youtube/v3/")]
    spellings = {walled.TOKEN, quote(walled.TOKEN, safe=""), walled.TOKEN.replace("/", "\\/"), walled.TOKEN[8:]}
    said = told.out + told.err
    for each in spellings:
        assert each not in said
        assert all(each not in asked.path for asked in site.log)
    files = [each for each in home.rglob("*") if each.is_file()]
    assert len(files) > 50
    for file in files:
        data = file.read_bytes()
        assert all(each.encode() not in data for each in spellings), file


def test_reach_counts_by_platform_surface_and_day(told: Ran, home: Path) -> None:
    answered = run("reach", "--json", home=home)
    assert (answered.code, told.code) == (0, 3)
    counted = {(each["platform"], each["surface"]): each for each in answered.document["reach"]}
    assert counted["instagram", "page"]["wall"] == 2
    assert (
        counted["instagram", "page"]["shell"] == 2
    )  # one of them is the post's author, who was looked up from its embed
    assert counted["instagram", "embed"]["content"] == 3
    assert (counted["x", "page"]["wall"], counted["x", "oembed"]["absent"]) == (1, 1)
    assert counted["youtube", "api"]["content"] == 1
    assert counted["other", "page"]["content"] >= 1
    shown = run("reach", "--case", "surfaces", home=home)
    assert "instagram" in shown.out


def test_show_says_the_surface_and_what_was_looked_at_in_its_place(told: Ran, home: Path) -> None:
    shown = run("show", told.capture_of(walled.PROFILE)["id"], home=home)
    assert "page: shell; then embed (shell)" in " ".join(shown.out.split())
    listed = run("captures", "--case", "surfaces", home=home)
    assert f"{walled.PROFILE}embed/  (embed)" in listed.out


def test_evidence_of_every_surface_verifies(told: Ran, home: Path) -> None:
    assert told.captures
    assert run("verify", home=home).code == 0


def test_who_wants_no_other_surface_gets_none(site: Site, tmp_path: Path) -> None:
    told = _capture(site, tmp_path / "home", walled.PROFILE, "--no-other-surfaces")
    assert [(each["surface"], each["shown"]) for each in told.captures] == [("page", "shell")]


def test_robots_txt_of_an_interface_is_obeyed_where_that_is_asked_for(site: Site, tmp_path: Path) -> None:
    before = len([each for each in site.seen("publish.x.com") if each.path.startswith("/oembed")])
    told = _capture(site, tmp_path / "home", walled.STATUS, "--robots", "obey")
    assert _surfaces(told, walled.STATUS) == [("page", "wall"), ("oembed", "failed")]
    answer = next(each for each in told.captures if each["surface"] == "oembed")
    assert (answer["outcome"], answer["status"]) == ("refused_by_policy", "failed")
    assert len([each for each in site.seen("publish.x.com") if each.path.startswith("/oembed")]) == before


def test_a_unit_with_an_answer_is_packed_and_handed_over(told: Ran, home: Path, tmp_path: Path) -> None:
    unit = told.capture_of(walled.VIDEO)["id"]
    packed = run("package", unit, "-o", str(tmp_path), home=home)
    assert (packed.code, "has no traffic" in packed.err) == (3, True)  # of the answer, which no browser had
    bag = tmp_path / "bag"
    assert run("export", "--unit", unit, "-o", str(bag), home=home).code == 0
    data = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    assert walled.TOKEN.encode() not in data


def test_without_a_key_the_interface_is_not_asked_and_the_record_says_why(site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    told = _capture(site, home, walled.CHANNEL)
    assert [each["surface"] for each in told.captures] == ["page"]
    shown = run("show", told.captures[0]["id"], home=home)
    assert "1 more would need a token" in " ".join(shown.out.split())
