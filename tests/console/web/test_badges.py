"""Badges and figures: each rests on stored bytes, and says another thing when they are others. Nothing is kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from custody import keyspace
from tests.authority import LocalAuthority
from tests.console.web.conftest import two_cases
from tests.console.web.opened import Console, served
from tests.console.web.shelf import Laid, lay


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory, authority: LocalAuthority) -> Laid:
    """One of our own: others look at theirs."""
    return lay(two_cases(authority), tmp_path_factory.mktemp("spoilt"))


@pytest.fixture(scope="module")
def console(spoilt: Laid) -> Iterator[Console]:
    with served(spoilt) as made:
        yield made


def badge(console: Console, capture: str) -> str:
    with console.client() as client:
        page = client.get(f"/captures/{capture}/verdict")
        assert page.status_code == 200
        return page.text


def keys_of(laid: Laid) -> dict[str, str]:
    """By what is spoilt, where it lies."""
    log, post = laid.builder.log, laid.builder.captures[0]
    assert post.record is not None
    assert post.record_digest is not None
    found = {f"the {each.role}": each.key for each in post.record.artifacts}
    size = max(int(each.name) for each in laid.path(keyspace.log_prefix(log) + "checkpoints").iterdir())
    found["the record"] = keyspace.blob(post.record_digest)
    found["the newest checkpoint"] = keyspace.checkpoint(log)
    found["the leaves"] = keyspace.entries(log, 0, size)
    found["the tree"] = keyspace.tile(log, 0, 0, size)
    return found


NAMES = [
    "the screenshot", "the text", "the dom", "the headers",
    "the record", "the newest checkpoint", "the leaves", "the tree",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_badge_changes_with_the_byte_behind_it_and_back(console: Console, spoilt: Laid, name: str) -> None:
    capture, key = spoilt.builder.captures[0].id, keys_of(spoilt)[name]
    assert "<strong>holds</strong>" in badge(console, capture)
    spoilt.flip(key)
    try:
        assert "<strong>does not hold</strong>" in badge(console, capture)
    finally:
        spoilt.flip(key)
    assert "<strong>holds</strong>" in badge(console, capture), "it is worked out anew each time"


def test_the_time_changes_with_the_token(console: Console, spoilt: Laid) -> None:
    capture = spoilt.builder.captures[0].id
    (token,) = spoilt.path(keyspace.log_prefix(spoilt.builder.log)).rglob("*.tsr")
    key = str(token.relative_to(spoilt.store))
    assert "by time-stamp" in badge(console, capture)
    spoilt.flip(key)
    try:
        assert "NO TRUSTED TIME" in badge(console, capture)
    finally:
        spoilt.flip(key)


def test_a_file_that_is_gone_is_named(console: Console, spoilt: Laid) -> None:
    post = spoilt.builder.captures[0]
    assert post.record is not None
    path = spoilt.path(next(each.key for each in post.record.artifacts if each.name == "dom.html"))
    data = path.read_bytes()
    path.unlink()
    try:
        told = badge(console, post.id)
        assert "<strong>does not hold</strong>" in told
        assert "dom.html" in told
    finally:
        path.write_bytes(data)


def test_what_is_shown_of_a_changed_file_is_said_and_not_shown(console: Console, spoilt: Laid) -> None:
    post = spoilt.builder.captures[0]
    assert post.record is not None
    for name in ("text.txt", "screenshot.png"):
        key = next(each.key for each in post.record.artifacts if each.name == name)
        spoilt.flip(key)
        try:
            with console.client() as client:
                assert client.get(f"/captures/{post.id}/files/{name}").status_code == 500
                page = client.get(f"/captures/{post.id}")
                assert ("text.txt is not shown" in page.text) is (name == "text.txt")
        finally:
            spoilt.flip(key)


def test_the_figures_of_a_case_follow_the_log(tmp_path: Path, authority: LocalAuthority) -> None:
    laid = lay(two_cases(authority), tmp_path)
    with served(laid) as console, console.client() as client:
        assert _captures(client.get("/").text, "second") == 2
        run = laid.builder.open_run()
        scope = next(each.scope for each in console.app.state.archive.catalog.listed(None) if each.name == "second")
        laid.builder.page(run, scope=scope, title="One more")
        laid.lay(laid.builder.build())
        console.app.state.archive.freshen(now=True)
        assert _captures(client.get("/").text, "second") == 3
        assert "One more" in client.get(f"/cases/{scope}").text


def _captures(page: str, case: str) -> int:
    row = page.split(f"<bdi>{case}</bdi>")[1].split("</tr>", maxsplit=1)[0]
    return int(row.split('data-of="captures">')[1].split("<")[0])
