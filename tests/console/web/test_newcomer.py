"""The way of somebody who has a post's address and has never seen the console: to its capture, and its proof."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from custody import keyspace
from tests.console.web.opened import Console, window
from tests.console.web.shelf import Laid


def spelled(url: str) -> str:
    """As it comes out of a messenger."""
    return f"http://m.{urlsplit(url).netloc.removeprefix('www.')}{urlsplit(url).path}?utm_source=chat&igsh=abc#top"


@pytest.mark.browser
def test_from_an_address_to_the_proof_of_its_time(browser: Browser, console: Console, laid: Laid) -> None:
    post, link = laid.builder.captures[:2]
    assert post.record is not None
    with window(browser, console) as seen:
        seen.go("/")
        seen.page.get_by_label("Look for a post").fill(spelled(post.record.requested_url))
        seen.page.keyboard.press("Enter")
        seen.page.get_by_role("link", name="A post of the first case").click()
        expect(seen.page.get_by_role("link", name="Where its link led")).to_have_attribute(
            "href", f"/captures/{link.id}"
        )
        expect(seen.page.get_by_text("a part in no promotion")).to_be_visible(timeout=60_000)
        seen.page.get_by_role("link", name="Proof of its time").click()
        expect(seen.page.get_by_text("It was captured")).to_contain_text("not after")
        expect(seen.page.locator(".checking")).to_have_count(0, timeout=60_000)
        seen.check()


def test_what_proves_it_is_what_lies_in_the_store(console: Console, laid: Laid) -> None:
    """Each file of the proof, byte for byte; the tokens are those of the authority that is believed."""
    post = laid.builder.captures[0]
    log = laid.builder.log
    with console.client() as client:
        page = client.get(f"/captures/{post.id}/time").text
        links = {each.split('"')[0] for each in page.split('href="')[1:] if each.startswith("/log/")}
        tokens = sorted(each for each in links if "/tokens/" in each)
        assert {each.rpartition(".")[2] for each in tokens} == {"tsr", "tsq"}
        for each in tokens:
            size, name = each.split("/")[-2:]
            key = {"tsr": keyspace.token, "tsq": keyspace.query}[name[-3:]](log, int(size), name[:-4])
            assert client.get(each).content == laid.path(key).read_bytes()
            checkpoint = client.get(f"/log/checkpoints/{size}").content
            assert f"/log/checkpoints/{size}" in links
            assert checkpoint == laid.path(keyspace.checkpoint_at(log, int(size))).read_bytes()
        assert all(client.get(each).status_code == 200 for each in links)
        assert any(each.endswith("/proof") for each in links)


def test_where_no_token_came_after_it_the_page_says_so(console: Console, laid: Laid) -> None:
    with console.client() as client:
        page = client.get(f"/captures/{laid.builder.captures[-1].id}/time").text
    assert "NO TRUSTED TIME" in page
    assert "It was captured" not in page
    assert "/log/tokens/" not in page


@pytest.mark.parametrize("asked", ["https://site.example/nowhere-at-all", 'https://"/nowhere'])
def test_an_address_that_is_not_there_finds_nothing(console: Console, asked: str) -> None:
    with console.client() as client:
        answer = client.get("/search", params={"q": asked})
        assert answer.status_code == 200
        assert client.get("/api/v1/search", params={"q": asked}).json()["captures"] == []
        assert client.get("/search", params={"q": f"http://[{asked}"}).status_code == 200, "it only begins like one"
