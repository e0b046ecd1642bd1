"""Real saved pages under their own host names: captured, archived, recorded, verified. Skipped where there are none."""

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.command import Ran, run, through
from tests.site.host import Answer, Door, Host, Request
from tests.site.server import Site

PAGES = os.environ.get("COUNTERPROOF_PAGES", "")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.s3,
    pytest.mark.slow,
    pytest.mark.skipif(not Path(PAGES or "/nonexistent").is_dir(), reason="COUNTERPROOF_PAGES names no saved pages"),
]

CHOSEN = (
    "instagram/post_CPeC-Eenc8l_2021.html.gz",
    "instagram/profile_additional-data.html.gz",
    "tiktok/video_6806030056956251397_2021-04.html.gz",
    "facebook/m_post_4188053201279101.html.gz",
    "youtube/watch_eiHXASgRTcA_2020-09.html.gz",
    "blog/purelypope.html.gz",
    "blog/tidymom.html.gz",
    "amazon/dp_B07FW264WL_com_2020.html.gz",
    "amazon/dp_B006V2OP48_de_2020.html.gz",
    "ebay/itm_302474151804_com_2020.html.gz",
)


@dataclass(frozen=True, kw_only=True)
class Saved:
    url: str
    body: bytes
    expected: dict[str, Any]


def _saved() -> list[Saved]:
    rows = [json.loads(line) for line in (Path(PAGES) / "index.jsonl").read_text(encoding="utf-8").splitlines()]
    by_file = {row["file"]: row for row in rows}
    return [
        Saved(
            url=by_file[name]["url"],
            body=gzip.decompress((Path(PAGES) / name).read_bytes()),
            expected=by_file[name]["expected"],
        )
        for name in CHOSEN
    ]


class _Shelf(Site):
    """The saved pages under the names that they were saved from; every other address of theirs is a 404."""

    def __init__(self, pages: list[Saved]) -> None:
        super().__init__()
        by_host: dict[str, dict[str, Saved]] = {}
        for each in pages:
            parts = urlsplit(each.url)
            by_host.setdefault(parts.netloc, {})[parts.path] = each
        self.hosts = {name: Host(name=name, door=Door.HTTPS, routes=_routes(held)) for name, held in by_host.items()}


def _routes(held: dict[str, Saved]) -> dict[str, Any]:
    def route(saved: Saved) -> Any:
        def answer(_: Request) -> Answer:
            return Answer(body=saved.body, media_type="text/html; charset=utf-8")

        return answer

    return {path: route(saved) for path, saved in held.items()}


@pytest.fixture(scope="module")
def pages() -> list[Saved]:
    return _saved()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real") / "home"


@pytest.fixture(scope="module")
def told(pages: list[Saved], home: Path) -> Iterator[Ran]:
    with _Shelf(pages) as shelf:
        yield run(
            "capture", *(each.url for each in pages), "--case", "real", "--json", "--progress", "none",
            "--max-links", "2", "--depth", "1", "--timeout", "40",
            *through(shelf.resolve, shelf.trust_spki), home=home, timeout_s=280,
        )  # fmt: skip


def test_ten_real_pages_are_recorded(told: Ran, pages: list[Saved]) -> None:
    assert told.code in {0, 3}, told.err
    assert told.document["lost"] == []
    for each in pages:
        made = told.capture_of(each.url)
        assert made["status"] in {"complete", "partial"}, (each.url, made["outcome_reason"])
        roles = {artifact["role"] for artifact in made["artifacts"]}
        assert {"viewport", "screenshot", "dom", "text", "headers", "body"} <= roles, (each.url, made["missing"])
        assert made["origin"] == "not_public"


def test_what_was_served_is_what_was_kept(told: Ran, pages: list[Saved]) -> None:
    for each in pages:
        body = next(kept for kept in told.capture_of(each.url)["artifacts"] if kept["role"] == "body")
        assert body["bytes"] == len(each.body)


def test_affiliate_links_of_a_real_post_are_followed_and_are_no_failure(told: Ran, pages: list[Saved]) -> None:
    roots = {told.capture_of(each.url)["id"] for each in pages if "/blog/" not in each.url}
    followed = [each for each in told.captures if each["parent"] in roots]
    assert followed
    assert {each["outcome"] for each in followed} <= {"dns_error", "http_error", "ok", "removed", "unavailable"}
    assert any(each["outcome"] == "dns_error" and each["status"] == "failed" for each in followed)


def test_it_verifies(told: Ran, home: Path) -> None:
    assert told.captures
    verdict = run("verify", "--json", home=home)
    assert verdict.code == 0, verdict.out
