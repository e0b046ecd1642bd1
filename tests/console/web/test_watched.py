"""The interval asked for beside the one achieved, on a timeline; and the console with all it has in PostgreSQL."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from archive.config import ArchiveConfig
from archive.watching.database import opened
from console.screen import now
from console.web.viewer import Right, Viewer
from crawlers.address import dedupe_key
from custody.model import Role
from tests.archive.databases import postgres
from tests.archive.watching.databases import watched
from tests.archive.watching.test_intervals import made
from tests.console.web.opened import Console, served, serving, window
from tests.console.web.shelf import Laid, lay
from tests.console.web.shelf import opened as opened_shelf
from tests.console.web.test_finding import URL, reading, told

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with postgres() as there:
        yield there


def config_of(laid: Laid, home: Path, dsn: str) -> ArchiveConfig:
    (home / "trust.json").write_bytes((laid.home / "trust.json").read_bytes())
    return ArchiveConfig.load(
        {"COUNTERPROOF_HOME": str(home), "COUNTERPROOF_STORE_URL": f"file:{laid.store}", "COUNTERPROOF_DSN": dsn},
        settings={},
    )


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Laid:
    """Two posts of one account, in one of two cases."""
    shelf = opened_shelf()
    run = shelf.open_run()
    scope, other = shelf.open_case("ours"), shelf.open_case("theirs")
    for caption in ("my love bracelet", "my bangle"):
        files = {Role.READING: reading("post", handle="mirabelle.finds", caption=caption)}
        shelf.page(
            run, scope=scope, files=files, circumstances=told("post"), title=caption, requested_url=URL, final_url=URL
        )
    shelf.page(run, scope=other, title="Theirs")
    return lay(shelf, tmp_path_factory.mktemp("posts"))


@pytest.fixture(scope="module")
def shared(posts: Laid, dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One of the posts is watched, every hour for four hours and a half: at two of these times nothing was released."""
    with serving(config_of(posts, tmp_path_factory.mktemp("home"), dsn)) as console:
        with console.client() as client:
            *_, life = client.get("/api/v1/timeline", params={"target": "@mirabelle.finds"}).json()["lives"]
        with opened(dsn) as database, database.transaction() as connection:
            begun = now() - 4.5 * HOUR
            watch = watched(connection, dedupe_key(life["url"]), case="ours", every="1h", now=begun)
            for hours in (0, 1, 4):
                made(connection, database, watch.id, begun + hours * HOUR)
        yield console


@pytest.mark.browser
def test_a_timeline_tells_what_was_asked_and_what_was_achieved(browser: Browser, shared: Console) -> None:
    with window(browser, shared) as seen:
        seen.go("/timeline?target=@mirabelle.finds")
        row = seen.page.get_by_role("region", name="Intervals").locator("tbody tr")
        expect(row).to_contain_text("every 2h, the longest gap 3h", timeout=60_000)
        expect(row.locator("[data-of=asked]")).to_have_text("every 1h")
        expect(row.locator("[data-of=missed]")).to_have_text("2")
        expect(seen.page.locator("#lives + ul li").last).to_contain_text("looked at 1 time")
        seen.check()


def test_the_api_says_the_same_and_a_foreign_watch_is_not_told(shared: Console) -> None:
    asked = {"target": "@mirabelle.finds"}
    rows = {each.name: each.scope for each in shared.app.state.archive.catalog.listed(None)}
    door = shared.app.state.door
    with shared.client() as client:
        (watch,) = client.get("/api/v1/timeline", params=asked).json()["watches"]
        assert (watch["case"], watch["asked_s"]) == ("ours", 3600)
        assert watch["achieved"] == {"median_s": 7200, "longest_s": 10800}
        assert (watch["made"], watch["missed"]) == (3, 2)
        own = door.identify
        try:
            viewer = Viewer(name="guest", rights={rows["theirs"]: Right.VIEWER}, csrf="word")
            object.__setattr__(door, "identify", lambda *_: viewer)
            assert client.get("/api/v1/timeline", params=asked).json()["watches"] == []
            assert "every 1h" not in client.get("/timeline/watched", params=asked).text
        finally:
            object.__setattr__(door, "identify", own)


def test_the_console_shows_the_same_from_postgresql_as_from_its_file(shared: Console, posts: Laid) -> None:
    """Pages and API, word for word but for what each session has of its own."""
    case = next(each for each in shared.app.state.archive.catalog.listed(None) if each.name == "ours")
    post = posts.builder.captures[0]
    assert post.record_digest is not None
    paths = [
        f"/cases/{case.scope}", f"/captures/{post.id}", "/search?q=bangle", f"/search?case={case.scope}",
        "/search?q=%22love+brace%22&kind=post", "/timeline?target=@mirabelle.finds", "/api/v1/cases",
        f"/api/v1/cases/{case.scope}/captures", "/api/v1/search?q=bracelet",
        f"/api/v1/whereis/{post.record_digest.hex}", f"/api/v1/captures/{post.id}/events",
        f"/api/v1/cases/{case.scope}/graph",
    ]  # fmt: skip
    with served(posts) as file, shared.client() as one, file.client() as other:
        for path in paths:
            seen = [_bare(each.get(path).text) for each in (one, other)]
            assert seen[0] == seen[1], path
            assert "Nothing was found" not in seen[0], path
            assert len(seen[0]) > 150, path


def test_where_nothing_is_watched_or_nobody_answers_the_page_says_so(posts: Laid, tmp_path: Path) -> None:
    asked = {"target": "@mirabelle.finds"}
    with served(posts) as console, console.client() as client:
        assert "not watched from this home" in client.get("/timeline/watched", params=asked).text
        assert client.get("/api/v1/timeline", params=asked).json()["watches"] is None
        console.app.state.archive.config = config_of(posts, tmp_path, "host=/nowhere dbname=x connect_timeout=1")
        page = client.get("/timeline/watched", params=asked)
        assert page.status_code == 200
        assert "is not known now" in page.text
        assert client.get("/api/v1/timeline", params=asked).json()["watches"] is None


def _bare(page: str) -> str:
    """Without the words that a form of this session has."""
    parts = page.split('name="csrf" value="')
    return "".join([parts[0], *(each.partition('"')[2] for each in parts[1:])])
