"""The command looks again: an unchanged page leaves a line, a changed one is kept, a lost post names its listing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.command import Ran, run, through
from tests.site.host import Answer, Host, Request, always, page
from tests.site.server import Site

pytestmark = [pytest.mark.browser, pytest.mark.s3]

HOST, SHOP = "www.first.example", "www.second.example"
ITEM, POST = f"https://{SHOP}/item/1", f"https://{HOST}/p/Cx1001"


PROFILE = (
    "<!doctype html><meta charset=utf-8><title>Ana</title><h1>Ana</h1><p>finds for less, a new one every day</p>"
    "<a href='/p/Cx1001'>one</a> <a href='/p/2024'>two</a> <a href='/ana/followers/'>followers</a>"
)


def listing(price: str, seller: str) -> Answer:
    offer = {
        "@type": "Offer", "price": price, "priceCurrency": "EUR", "availability": "https://schema.org/InStock",
        "seller": {"@type": "Organization", "name": seller},
    }  # fmt: skip
    told = {"@context": "https://schema.org", "@type": "Product", "name": "Screw bracelet", "offers": offer}
    return page(
        "<!doctype html><meta charset=utf-8><title>Screw bracelet</title>"
        f"<script type='application/ld+json'>{json.dumps(told)}</script><h1>Screw bracelet</h1>"
        f"<p>{price} EUR, sold by {seller}</p><p>It has words on it, so that it is a page as others are.</p>"
    )


def post(*, there: bool) -> Answer:
    if not there:
        return page("<!doctype html><title>Not here</title><h1>Sorry, this page isn't available.</h1>", status=404)
    return page(
        "<!doctype html><meta charset=utf-8><title>A post</title><meta property=og:type content=article>"
        f"<article><h1>A post</h1><p>my band, here: <a href='{ITEM}'>the listing</a></p></article>"
        "<p>It has words on it, so that it is a page as others are.</p>"
    )


@dataclass
class Made:
    site: Site
    home: Path
    price: str = "12.90"
    seller: str = "Sunny"
    there: bool = True
    ran: list[Ran] = field(default_factory=list)

    def item(self, _: Request) -> Answer:
        return listing(self.price, self.seller)

    def post(self, _: Request) -> Answer:
        return post(there=self.there)

    def say(self, verb: str, *urls: str, code: int = 0) -> Any:
        ran = run(
            verb, *urls, "--case", "W-1", "--authority", "none", "--json", "--no-control",
            *through(self.site.resolve, self.site.trust_spki), home=self.home,
        )  # fmt: skip
        assert ran.code == code, ran.err
        return ran.document


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    site = Site()
    found = Made(site=site, home=tmp_path / "home")
    site.hosts[HOST] = Host(name=HOST, routes={"/p/Cx1001": found.post, "/ana/": always(page(PROFILE))})
    site.hosts[SHOP] = Host(name=SHOP, routes={"/item/1": found.item})
    with site:
        yield found


@pytest.mark.slow
@pytest.mark.timeout(900)  # nine commands
def test_a_listing_is_watched(made: Made) -> None:
    first = made.say("look", ITEM)
    (base,) = first["captures"]
    assert "unchanged" not in first, "what was never captured is captured"

    same = made.say("look", ITEM)
    (look,) = same["unchanged"]
    assert same["captures"] == []
    assert same["changes"] == []
    assert look["compared_with"] == base["id"]
    assert look["dropped_bytes"] > 10_000
    assert same["cost"]["looks"] == 1
    assert same["cost"]["store_requests"] > 0

    made.price, made.seller = "14.90", "Rainy"
    other = made.say("look", ITEM)
    (change,) = other["changes"]
    (later,) = other["captures"]
    assert (change["id"], change["before"]) == (later["id"], base["id"])
    assert change["kinds"] == ["price_changed", "seller_changed"]
    assert later["status"] == "complete", "this very load is kept whole"
    assert change["between"]["after"][:16] >= look["looked_at"][:16] or change["between"]["after"] < look["looked_at"]
    assert {"viewport", "screenshot", "dom", "text", "warc", "reading"} <= {each["role"] for each in later["artifacts"]}

    again = made.say("look", ITEM)
    assert again["unchanged"][0]["compared_with"] == later["id"]

    told = run("captures", "--case", "W-1", "--json", home=made.home).document["captures"]
    assert [each["status"] for each in told] == ["unchanged", "complete", "unchanged", "complete"]
    assert run("verify", home=made.home).code == 0
    assert run("verify", "--case", "W-1", home=made.home).code == 0
    ledger = run("visits", "--case", "W-1", "--json", home=made.home).document
    assert [(each["capture"], each["how"], each["url"], each["status"]) for each in ledger["visits"]] == [
        (each["id"], "asked", ITEM, 200) for each in reversed(told)
    ], "a look that found nothing new was a visit, too"
    assert ledger["lacking"] == 0
    assert len(made.site.seen(SHOP)) >= len(ledger["visits"])
    compared = run("compare", base["id"], later["id"], "--record", "--json", home=made.home).document
    assert compared["recorded"]["index"] == change["index"], "recorded once"
    assert list((made.home / "spool").iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_where_a_post_is_taken_away_its_listing_is_named(made: Made) -> None:
    first = made.say("look", POST)
    assert {each["requested_url"] for each in first["captures"]} == {POST, ITEM}
    made.there = False
    gone = made.say("look", POST)
    (change,) = gone["changes"]
    assert change["kinds"] == ["post_removed"]
    assert "looked at once" in change["sentences"][0] or "not there in" in change["sentences"][0]
    (follow,) = gone["follow_ups"]
    assert (follow["url"], follow["why"], follow["at_once"]) == (ITEM, "listing_of_vanishing_post", True)
    assert follow["of"] == change["id"]
    still = made.say("look", POST)
    assert [each["url"] for each in still["unchanged"]] == [POST]
    assert still["follow_ups"] == []
    bag = made.home.parent / "bag"
    assert run("export", "--case", "W-1", "-o", str(bag), home=made.home).code == 0
    handed = run("verify", "--export", str(bag), "--trust", str(made.home / "trust.json"), home=made.home)
    assert handed.code == 0, handed.out


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_profile_names_its_new_posts(made: Made) -> None:
    profile = f"https://{HOST}/ana/"
    first = made.say("look", profile, "--new-posts", "5")
    assert [each["url"] for each in first["new_posts"]] == [POST, f"https://{HOST}/p/2024"]
    assert {each["why"] for each in first["new_posts"]} == {"new_post"}
    made.say("capture", POST)
    again = made.say("look", profile, "--new-posts", "5")
    assert again["captures"] == [], "the profile is as it was"
    assert [each["url"] for each in again["new_posts"]] == [f"https://{HOST}/p/2024"], "each post is captured once"
