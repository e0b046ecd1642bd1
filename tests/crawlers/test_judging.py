"""When another surface takes the place of a page, and which."""

import pytest

from archive.reading import Kind, Reading
from archive.surface import Shown, Surface
from crawlers import registry
from crawlers.address import dedupe_key
from crawlers.judging import MAX_FURTHER, Judged, Next, following, judged, official_at, plan_of, wants
from crawlers.session import Plan
from crawlers.surfaces import Credential, Official, Tokens, api, embed, oembed
from custody.model import Json, Outcome

URL = "https://walls.example/p/1"
DOCS = "https://walls.example/docs"
KEY = Credential(variable="COUNTERPROOF_WALLS_KEY", header="X-Key")
EMBED = embed("https://walls.example/p/1/embed", DOCS)
API = api("https://api.example/p?id=1", DOCS, KEY)
OEMBED = oembed("https://walls.example/oembed?url=", URL, DOCS)
EVERY = (EMBED, API, OEMBED)
TOKENS = Tokens({"COUNTERPROOF_WALLS_KEY": "a-token-of-the-user"})


def reading(wall: str | None = None, **fields: Json) -> Reading:
    return Reading(platform="walls", kind=Kind.WALL if wall else Kind.POST, wall=wall, fields=fields)


def step(
    outcome: Outcome,
    *,
    status: int | None = 200,
    read: Reading | None = None,
    tried: tuple[Official, ...] = (),
    tokens: Tokens = TOKENS,
    already: int = 0,
) -> Next | None:
    found = judged(outcome, status, read, Surface.PAGE)
    keys = {dedupe_key(each.url) for each in tried}
    return following(found, URL, EVERY, tokens, tried=keys, already=already)


def official(found: Next | None) -> Official | None:
    assert found is not None
    return found.official


@pytest.mark.parametrize("outcome", [Outcome.LOGIN_WALL, Outcome.APP_ONLY, Outcome.CAPTCHA, Outcome.CONSENT])
def test_a_wall_leads_to_the_first_surface(outcome: Outcome) -> None:
    assert step(outcome) == Next(official=EMBED, why=outcome.value)


@pytest.mark.parametrize(
    "outcome",
    [Outcome.PRIVATE, Outcome.AGE_GATE, Outcome.GEO_BLOCK, Outcome.REMOVED, Outcome.UNAVAILABLE, Outcome.TIMEOUT,
     Outcome.DNS_ERROR, Outcome.REFUSED_BY_POLICY, Outcome.ERROR, Outcome.NOT_A_PAGE],
)  # fmt: skip
def test_what_is_kept_back_or_gone_or_was_not_had_leads_nowhere(outcome: Outcome) -> None:
    assert step(outcome) is None


def test_a_wall_that_only_the_platforms_reader_knows_counts_as_one() -> None:
    assert official(step(Outcome.OK, read=reading("login_wall"))) == EMBED
    assert step(Outcome.OK, read=reading("private")) is None
    assert judged(Outcome.OK, 200, reading("login_wall"), Surface.PAGE) == Judged(
        outcome=Outcome.LOGIN_WALL, shown=Shown.WALL
    )


def test_a_page_with_nothing_but_names_is_a_shell() -> None:
    assert step(Outcome.OK, read=reading(handle="mara", title="Mara", author="Mara")) == Next(
        official=EMBED, why="shell"
    )
    assert step(Outcome.OK, read=reading(handle="mara", outbound_links=[])) == Next(official=EMBED, why="shell")
    assert step(Outcome.OK, read=reading(handle="mara", followers=12)) is None
    assert step(Outcome.OK, read=reading(caption="Look at this")) is None


def test_a_page_that_nobody_read_is_taken_at_its_word() -> None:
    assert step(Outcome.OK) is None


def test_an_answer_may_say_less_than_a_page() -> None:
    named = reading(post_id="1", title="A film")
    assert judged(Outcome.OK, 200, named, Surface.OEMBED).shown is Shown.CONTENT
    assert judged(Outcome.OK, 200, named, Surface.PAGE).shown is Shown.SHELL
    assert judged(Outcome.OK, 200, reading(post_id="1"), Surface.EMBED).shown is Shown.SHELL


def test_one_surface_after_the_other_and_then_none() -> None:
    assert official(step(Outcome.LOGIN_WALL, tried=(EMBED,))) == API
    assert official(step(Outcome.LOGIN_WALL, tried=(EMBED, API))) == OEMBED
    last = step(Outcome.LOGIN_WALL, tried=EVERY)
    assert last == Next(official=None, why="login_wall; no further surface is left")


def test_without_a_token_its_interface_is_passed_over() -> None:
    assert official(step(Outcome.LOGIN_WALL, tried=(EMBED,), tokens=Tokens())) == OEMBED
    last = step(Outcome.LOGIN_WALL, tried=(EMBED, OEMBED), tokens=Tokens())
    assert last is not None
    assert last.to_json() == {
        "surface": None,
        "why": "login_wall; no further surface is left; 1 more would need a token of the user's own",
    }


@pytest.mark.parametrize(("outcome", "status"), [(Outcome.RATE_LIMITED, 200), (Outcome.HTTP_ERROR, 403)])
def test_a_host_that_turns_us_away_is_not_asked_again(outcome: Outcome, status: int) -> None:
    assert official(step(outcome, status=status)) == API


@pytest.mark.parametrize("status", [404, 410, 500, 503])
def test_an_error_that_is_no_refusal_leads_nowhere(status: int) -> None:
    assert step(Outcome.HTTP_ERROR, status=status) is None


def test_a_unit_asks_for_so_many_and_says_so() -> None:
    found = step(Outcome.LOGIN_WALL, already=MAX_FURTHER)
    assert found is not None
    assert found.official is None
    assert str(MAX_FURTHER) in found.why


def test_the_further_look_stands_in_the_place_of_the_walled_one() -> None:
    walled = Plan(url=URL, capture_id="c1", unit="u1", depth=2, position="author")
    made = plan_of(EMBED, walled, capture_id="c2")
    assert (made.parent, made.unit, made.depth, made.position) == ("c1", "u1", 2, "author")
    assert made.via is not None
    assert (made.via.where, made.via.href, made.surface, made.thing) == ("embed", EMBED.url, Surface.EMBED, URL)
    assert plan_of(OEMBED, made, capture_id="c3").thing == URL


def test_second_looks_and_controls_are_what_they_are() -> None:
    plan = Plan(url=URL, capture_id="c", unit="u")
    assert wants(plan)
    for position in ("again", "control"):
        assert not wants(Plan(url=URL, capture_id="c", unit="u", position=position))


def test_an_embed_that_a_person_asks_for_is_called_one() -> None:
    every = registry.every()
    for url in ("https://www.instagram.com/mara/embed/", "https://www.tiktok.com/embed/v2/7301234567890123456"):
        found = official_at(url, every)
        assert found is not None
        assert found.surface is Surface.EMBED
    for url in ("https://www.instagram.com/mara/", "https://shop.example/embed/"):
        assert official_at(url, every) is None
