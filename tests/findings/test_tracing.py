"""From captures to promotions: what is pointed at, what is merely there, and what nobody saw."""

from dataclasses import replace

import pytest

from archive.reading import Kind
from custody.model import Json, Outcome, Via
from findings.pointing import By
from findings.promotion import Chosen, Mutable
from findings.tracing import published_of
from tests.findings.casework import SameWords, Unit, picture

SHOP = "https://shop.example/item/{}"


def hub_of_sixty(caption: str, label: str = "{} · thing") -> Unit:
    """A post, its author's profile, and a hub of sixty buttons of which the first five were followed."""
    unit = Unit()
    profile = unit.profile(unit.post(caption, published="2026-02-01T10:00:00Z"))
    hub = unit.hub(profile)
    for n in range(1, 6):
        unit.listing(hub, SHOP.format(n), text=label.format(n), title=f"thing {n}")
    unit.buttons(hub, {SHOP.format(n): label.format(n) for n in range(6, 61)})
    return unit


def test_a_hub_with_sixty_buttons_gives_one_promotion_and_fifty_nine_candidates() -> None:
    found = hub_of_sixty("link in bio, it's number 4").trace()
    (promotion,) = found.promotions
    assert promotion.end.text("title") == "thing 4"
    assert [each.chosen for each in promotion.edges] == [Chosen.AUTHOR, Chosen.POINTED, Chosen.POINTED]
    assert [each.by for each in promotion.edges] == [None, By.ONLY_LINK, By.NUMBER]
    assert promotion.edges[2].rests_on is not None
    assert promotion.edges[2].rests_on.passage.raw == "number 4"
    assert len(found.leads) == 59
    assert sum(each.end is not None for each in found.leads) == 4
    assert {each.reason for each in found.leads} == {"reachable", "not_followed: over_limit"}


def test_without_a_number_nothing_on_a_hub_is_pointed_at() -> None:
    found = hub_of_sixty("new favourites are up! link in bio").trace()
    assert not found.promotions
    assert len(found.leads) == 60


def test_a_number_that_stands_on_two_buttons_points_at_neither() -> None:
    found = hub_of_sixty("link in bio, number 7", label="7 · thing {}").trace()
    assert not found.promotions


def test_what_is_pointed_at_and_was_not_followed_is_a_candidate_that_says_so() -> None:
    found = hub_of_sixty("link in bio, it's number 44").trace()
    assert not found.promotions
    (lead,) = [each for each in found.leads if each.to_json()["chosen"] == "pointed"]
    assert lead.reason == "not_followed: over_limit"
    assert lead.edges[-1].by is By.NUMBER


def test_a_link_in_the_posts_own_words_is_intrinsic_and_pointed() -> None:
    unit = Unit()
    unit.listing(unit.post("look 👉 https://shop.example/item/1"), SHOP.format(1), where="text", title="bag")
    (promotion,) = unit.trace().promotions
    (edge,) = promotion.edges
    assert edge.by is By.IN_TEXT
    assert edge.mutable == ()
    assert edge.to_json(promotion.published)["permanence"] == "intrinsic"
    assert edge.to_json(promotion.published)["gap"] is None


def test_a_link_in_the_authors_own_comment_is_pointed_and_may_have_come_later() -> None:
    unit = Unit()
    post = unit.post("link in the comments", published="2026-02-01T12:00:00Z")
    unit.listing(post, "https://shop.example/item/1", url=SHOP.format(1), where="comment", title="bag")
    (promotion,) = unit.trace().promotions
    (edge,) = promotion.edges
    assert edge.by is By.COMMENT
    assert Mutable.COMMENT in edge.mutable
    assert edge.to_json(promotion.published)["gap"] is not None


def test_a_short_link_in_the_post_is_mutable_and_the_gap_is_told() -> None:
    unit = Unit()
    post = unit.post("tap", published="2026-02-01T12:00:00Z")
    unit.listing(post, "https://sho.rt/x", where="text", hops=["https://go.example/y"], url=SHOP.format(1), title="bag")
    (promotion,) = unit.trace().promotions
    assert promotion.edges[0].mutable == (Mutable.SHORT_LINK,)
    told = promotion.edges[0].to_json(promotion.published)
    assert told["gap"] == {"seconds": 28 * 86_400 + 60, "why": "page"}
    assert [hop["kind"] for hop in told["hops"]] == ["http", "http"]  # type: ignore[union-attr,index,call-overload]


def test_a_bio_seen_later_says_how_much_later_and_where_no_time_is_known_that() -> None:
    found = hub_of_sixty("link in bio, no. 2").trace()
    told = found.promotions[0].to_json()["edges"]
    assert isinstance(told, list)
    assert [each["mutable_by"] for each in told] == [[], ["profile"], ["hub"]]
    unit = Unit()
    profile = unit.profile(unit.post("link in bio"))
    unit.listing(profile, SHOP.format(1), where="profile", title="bag")
    (promotion,) = unit.trace().promotions
    assert promotion.edges[-1].by is By.ONLY_LINK
    assert promotion.edges[-1].to_json(None)["gap"] == {
        "seconds": None,
        "why": "when the post was published is not known",
    }


def test_the_only_link_of_a_profile_is_not_pointed_at_by_a_post_that_does_not_speak_of_it() -> None:
    unit = Unit()
    profile = unit.profile(unit.post("a day at the sea"))
    unit.listing(profile, SHOP.format(1), where="profile", title="bag")
    found = unit.trace()
    assert not found.promotions
    assert [each.reason for each in found.leads] == ["reachable"]


def test_other_accounts_of_the_person_are_neither_promotions_nor_candidates() -> None:
    unit = Unit()
    profile = unit.profile(unit.post("link in bio"))
    unit.listing(profile, SHOP.format(1), where="profile", title="bag")
    unit.buttons(profile, {"https://tube.example/ana": "my channel"}, where="profile")
    found = unit.trace()
    assert len(found.promotions) == 1
    assert not found.leads


def test_a_button_that_shows_the_posts_picture_is_pointed_at() -> None:
    unit = Unit()
    post = unit.post("so good 😍", media=["https://cdn.example/a.jpg?size=large"])
    unit.pages[0] = unit.change(post, pictures=(picture("bracelet"),))
    profile = unit.profile(post)
    links: list[Json] = [
        {"number": n, "url": SHOP.format(n), "text": "shop", "image": f"https://cdn.example/{n}.jpg"}
        for n in range(1, 4)
    ]
    hub = unit.hub(profile, links=links)
    shown = tuple(picture("bracelet" if n == 2 else f"other {n}", f"https://cdn.example/{n}.jpg") for n in range(1, 4))
    for n in range(1, 4):
        unit.listing(hub, SHOP.format(n), text="shop", title=f"thing {n}")
    unit.change(hub, pictures=shown)
    found = unit.trace(SameWords())
    assert [each.end.text("title") for each in found.promotions] == ["thing 2"]
    assert found.promotions[0].edges[-1].by is By.PICTURE
    assert not unit.trace().promotions, "without eyes, nothing is pointed at"


def test_a_listing_that_is_gone_is_a_promotion_whose_listing_was_not_seen() -> None:
    unit = Unit()
    unit.listing(unit.post("go go go"), SHOP.format(1), where="text", outcome=Outcome.REMOVED, kind=Kind.OTHER)
    (promotion,) = unit.trace().promotions
    assert promotion.to_json()["state"] == "listing_not_seen"


def test_a_link_to_what_is_no_shop_is_a_candidate() -> None:
    unit = Unit()
    unit.listing(unit.post("read my interview"), "https://paper.example/a", where="text", kind=Kind.OTHER)
    found = unit.trace()
    assert not found.promotions
    assert [each.reason for each in found.leads] == ["no_listing"]


def test_a_hub_that_the_post_names_itself_is_pointed_through_by_number() -> None:
    unit = Unit()
    post = unit.post("all on hub.example/ana, #3 is the one")
    hub = unit.hub(post, where="text")
    for n in range(1, 5):
        unit.listing(hub, SHOP.format(n), text=f"{n}. thing", title=f"thing {n}")
    (promotion,) = unit.trace().promotions
    assert promotion.end.text("title") == "thing 3"
    assert [each.by for each in promotion.edges] == [By.IN_TEXT, By.NUMBER]


def test_a_link_that_stands_on_two_pages_is_told_where_it_stands() -> None:
    unit = Unit()
    post = unit.post("here, and in my bio: link in bio, no. 1")
    unit.listing(post, SHOP.format(1), where="text", title="bag")
    hub = unit.hub(unit.profile(post))
    unit.buttons(hub, {SHOP.format(1): "1 · bag", SHOP.format(2): "2 · belt"}, reason="duplicate")
    found = unit.trace()
    assert [[edge.by for edge in each.edges] for each in found.promotions] == [
        [By.IN_TEXT],
        [None, By.ONLY_LINK, By.NUMBER],
    ]
    assert len({each.id for each in found.promotions}) == 2
    assert all(each.end.text("title") == "bag" for each in found.promotions)


def test_pages_that_lead_in_a_circle_end() -> None:
    unit = Unit()
    post = unit.post("https://hub.example/ana")
    hub = unit.hub(post, where="text")
    unit.buttons(hub, {"https://hub.example/ana": "me again", post.url: "the post"}, reason="duplicate")
    assert not unit.trace().promotions


@pytest.mark.parametrize("kind", [Kind.LISTING, Kind.STOREFRONT, Kind.LINK_HUB, Kind.PROFILE])
def test_without_a_post_there_is_nothing_to_trace(kind: Kind) -> None:
    unit = Unit()
    root = unit.add(kind, "https://any.example/", None, None, {})
    unit.listing(root, SHOP.format(1), title="bag")
    found = unit.trace()
    assert not found.promotions
    assert not found.leads


def test_a_published_time_is_what_page_and_id_allow_together() -> None:
    unit = Unit()
    made = {"from": "2026-02-01T09:59:58.000Z", "to": "2026-02-01T10:05:00.000Z", "basis": "id"}
    both = published_of(unit.post("", published="2026-02-01T10:00:00Z", published_from_id=made))
    assert both is not None
    assert both.basis == "page and id"
    assert both.earliest == both.latest
    day = published_of(unit.post("", published="2026-02-01"))
    assert day is not None
    assert (day.latest - day.earliest).total_seconds() == 50 * 3600
    against = published_of(unit.post("", published="2025-02-01T10:00:00Z", published_from_id=made))
    assert against is not None
    assert against.basis == "page"
    assert published_of(unit.post("")) is None


def test_what_an_embed_shows_of_a_walled_post_and_profile_is_the_posts_and_the_profiles() -> None:
    unit = Unit()
    walled = unit.add(Kind.WALL, "https://social.example/p/1", None, None, {}, outcome=Outcome.LOGIN_WALL)
    embed = unit.add(
        Kind.POST,
        "https://social.example/p/1/embed",
        walled,
        Via(href="https://social.example/p/1/embed", text="", where="embed"),
        {"caption": "number 2, link in bio", "handle": "ana"},
    )
    profile = unit.profile(embed)
    unit.change(profile, outcome=Outcome.LOGIN_WALL)
    further = unit.add(
        Kind.PROFILE,
        "https://social.example/ana/embed",
        profile,
        Via(href="https://social.example/ana/embed", text="", where="embed"),
        {"handle": "ana"},
    )
    hub = unit.hub(further)
    for n in range(1, 4):
        unit.listing(hub, SHOP.format(n), text=f"{n} · thing", title=f"thing {n}")
    (promotion,) = unit.trace().promotions
    assert promotion.end.text("title") == "thing 2"
    assert [each.capture for each in promotion.also] == [embed.capture]
    assert promotion.edges[1].from_capture == further.capture


def test_a_post_that_points_at_a_profile_that_nobody_could_see_leaves_a_candidate() -> None:
    unit = Unit()
    profile = unit.profile(unit.post("link in bio, number 3"))
    unit.change(profile, outcome=Outcome.PRIVATE)
    (lead,) = unit.trace().leads
    assert lead.reason == "not_seen: private"


def test_a_page_of_links_that_no_reader_knows_is_pointed_through_where_the_post_names_it() -> None:
    unit = Unit()
    post = unit.post("number 3 on mylinks.example/ana")
    hub = unit.hub(post, url="https://mylinks.example/ana", where="text")
    unit.change(hub, reading=replace(hub.reading, kind=Kind.OTHER))
    for n in range(1, 5):
        unit.listing(hub, SHOP.format(n), text=f"{n}. thing", title=f"thing {n}")
    assert [each.end.text("title") for each in unit.trace().promotions] == ["thing 3"]


def test_a_profile_that_was_not_followed_is_a_candidate_where_the_post_points_at_it() -> None:
    for caption, leads in (("link in bio, number 3", ["not_followed: over_depth"]), ("good morning", [])):
        unit = Unit()
        post = unit.post(caption)
        unit.buttons(post, {"https://social.example/ana": "ana"}, reason="over_depth", where="author")
        assert [each.reason for each in unit.trace().leads] == leads


def test_a_link_on_the_posts_picture_is_pointed_at_by_its_sticker() -> None:
    sticker: list[Json] = [{"url": SHOP.format(1), "shown_as": "sticker"}]
    unit = Unit()
    unit.listing(unit.post("so good", links=sticker), SHOP.format(1), where="text", title="bag")
    (promotion,) = unit.trace().promotions
    assert promotion.edges[0].by is By.STICKER
    alone = Unit()
    alone.post("so good", links=sticker)
    (lead,) = alone.trace().leads
    assert (lead.reason, lead.edges[0].by) == ("not_followed: only_on_picture", By.STICKER)


def test_what_stands_on_the_picture_points_as_the_caption_does() -> None:
    unit = Unit()
    hub = unit.hub(unit.profile(unit.post("so good", sticker_texts=["link in bio", "link in bio, #2"])))
    for n in range(1, 4):
        unit.listing(hub, SHOP.format(n), text=f"{n}. thing", title=f"thing {n}")
    (promotion,) = unit.trace().promotions
    assert promotion.end.text("title") == "thing 2"
    rests = promotion.edges[-1].rests_on
    assert rests is not None
    assert rests.words == "sticker_texts"
