"""Instagram's pages and answers, in the forms that they have had."""

import json
import time
from typing import Any

from archive.reading import Kind, Seen
from crawlers.platforms.instagram import Instagram
from tests.crawlers.platforms.reading import reading_of, told

GRAPHQL: dict[str, Any] = {
    "shortcode": "BWUDBntl3_Z",
    "id": "1554881076849508313",
    "display_url": "https://scontent.example/one.jpg",
    "edge_media_to_caption": {"edges": [{"node": {"text": "New bag! https://shop.example/x #ad"}}]},
    "edge_media_to_parent_comment": {
        "count": 2,
        "edges": [{"node": {"id": "1", "text": "first", "owner": {"username": "fan"}, "shortcode": "Bcomment"}}],
    },
    "taken_at_timestamp": 1499576290,
    "edge_media_preview_like": {"count": 159071},
    "is_paid_partnership": False,
    "owner": {"id": "297604134", "username": "maker.of.bags", "full_name": "Maker of Bags"},
}
API: dict[str, Any] = {
    "items": [
        {
            "taken_at": 1590428694,
            "pk": 2317006284167526179,
            "code": "CAnqPB-Jzcj",
            "user": {"pk": 305701719, "username": "singer", "full_name": "A Singer"},
            "caption": {"text": "Today, for our heroes"},
            "is_paid_partnership": True,
            "like_count": 820750,
            "comments": [{"text": "yes", "user": {"username": "fan", "pk": 1}}],
            "carousel_media": [{"image_versions2": {"candidates": [{"url": "https://scontent.example/a.jpg"}]}}],
        }
    ]
}
USER: dict[str, Any] = {
    "data": {
        "user": {
            "biography": "Bags and more",
            "external_url": "http://shop.example/covid19",
            "external_url_linkshimmed": "https://l.instagram.com/?u=http%3A%2F%2Fshop.example%2Fcovid19&e=A",
            "bio_links": [{"title": "", "url": "http://shop.example/covid19"}, {"url": "https://linktr.ee/maker"}],
            "edge_followed_by": {"count": 46369616},
            "full_name": "Maker of Bags",
            "id": "1518284433",
            "username": "maker.of.bags",
            "edge_owner_to_timeline_media": {"edges": [{"node": {**GRAPHQL, "shortcode": "BWUDBntl300"}}]},
        }
    }
}
HEAD = """<!DOCTYPE html><html><head><meta property="og:site_name" content="Instagram">
<link rel="canonical" href="https://www.instagram.com/p/BWUDBntl3_Z/">
<meta property="al:ios:url" content="instagram://media?id=1554881076849508313">"""
OF_2017 = (
    f"{HEAD}</head><body><script>window._sharedData = "
    f"{json.dumps({'entry_data': {'PostPage': [{'graphql': {'shortcode_media': GRAPHQL}}]}})};</script></body></html>"
)
OF_2019 = (
    HEAD
    + """<script type="application/ld+json">{"@type":"ImageObject","caption":"New bag!",
    "author":{"@type":"Person","alternateName":"@maker.of.bags"},"uploadDate":"2017-07-09T04:58:10",
    "mainEntityofPage":{"@type":"ItemPage","@id":"https://www.instagram.com/p/BWUDBntl3_Z/"}}</script>
    <meta property="og:title" content="Maker of Bags on Instagram: “New bag!”">
    <meta property="og:description"
     content="255k Likes, 549 Comments - Maker of Bags (@maker.of.bags) on Instagram: “New bag!”"></head></html>"""
)
OF_2024 = (
    HEAD
    + """<meta name="twitter:title" content="Maker of Bags (&#064;maker.of.bags) &#x2022; Instagram photo">
    <meta property="og:title" content='Maker of Bags on Instagram: "New bag! https://shop.example/x"'>
    <meta property="og:description"
     content='298K likes, 553 comments - maker.of.bags on July 9, 2017: "New bag! https://shop.example/x". '></head>
     <body><div id="splash-screen"></div></body></html>"""
)
HYDRATED = (
    HEAD
    + """<meta property="og:title" content="Instagram"></head><body><script type="application/json" data-sjs>"""
    + json.dumps(
        {
            "require": [
                ["RelayPrefetchedStreamCache", "next", [], [{"__bbox": {"result": {"data": {
                    "xig_polaris_media": {"if_not_gated_logged_out": {
                        "pk": "1554881076849508313", "code": "BWUDBntl3_Z", "taken_at": 1499576290,
                        "caption": {"text": "New bag!"}, "user": {"pk": "297604134", "username": "maker.of.bags"},
                    }}}}}}]]
            ]
        }
    )
    + "</script></body></html>"
)  # fmt: skip
EMBED = """<html><head><link rel="icon" href="https://static.cdninstagram.com/x.ico"></head><body>
<div class="Embed EmbedFrame" data-owner-id="297604134">
<a class="EmbeddedMedia" href="https://www.instagram.com/p/BWUDBntl3_Z/?utm_source=ig_embed"><img src="x.jpg"></a>
<a class="Username" href="https://www.instagram.com/maker.of.bags/"><span class="UsernameText">maker.of.bags</span></a>
<div class="Caption"><a class="CaptionUsername" href="https://www.instagram.com/maker.of.bags/">maker.of.bags</a><br>
New bag! <a href="https://www.instagram.com/explore/tags/bag/">#bag</a>
<div class="CaptionComments"><a href="#">View all 12 comments</a></div></div></div></body></html>"""
BROKEN_EMBED = """<html><body class="EmbedBrokenMedia"><div class="EmbedFrame">Instagram
<div class="ebmMessage">The link to this photo or video may be broken, or the post may have been removed.</div>
</div></body></html>"""
LOGIN = """<html><head><meta property="og:site_name" content="Instagram">
<link rel="canonical" href="https://www.instagram.com/accounts/login/"><title>Login • Instagram</title>
<meta property="og:title" content="Login • Instagram"></head><body><form><input type="password"></form></body></html>"""
OEMBED: dict[str, Any] = {
    "version": "1.0", "type": "rich", "provider_name": "Instagram", "title": "New bag!", "author_name": "maker.of.bags",
    "author_id": 297604134, "media_id": "1554881076849508313_297604134",
    "html": '<blockquote class="instagram-media" '
    'data-instgrm-permalink="https://www.instagram.com/p/BWUDBntl3_Z/?utm_source=ig_embed"><p>A post shared by '
    'Maker of Bags (@maker.of.bags) on <time datetime="2017-07-09T04:58:10+00:00">Jul 8</time></p></blockquote>',
}  # fmt: skip
PAGES = {
    "2017": OF_2017, "2019": OF_2019, "2024": OF_2024, "hydrated": HYDRATED, "embed": EMBED,
    "api": json.dumps(API), "user": json.dumps(USER), "oembed": json.dumps(OEMBED),
}  # fmt: skip


def test_the_page_of_2017_and_its_data() -> None:
    found = reading_of(OF_2017)

    assert (found.platform, found.kind, found.wall) == ("instagram", Kind.POST, None)
    assert told(found, "post_id", "handle", "author", "account_id", "published", "likes", "outbound_links") == {
        "post_id": "BWUDBntl3_Z",
        "handle": "maker.of.bags",
        "author": "Maker of Bags",
        "account_id": "297604134",
        "published": "2017-07-09T04:58:10Z",
        "likes": 159071,
        "outbound_links": ["https://shop.example/x"],
    }
    assert found.fields["disclosures"] == [{"by": "author", "text": "#ad"}]
    assert found.sources["handle"].seen is Seen.EMBEDDED


def test_every_form_of_the_page_names_the_same_post_and_author() -> None:
    for page in (OF_2017, OF_2019, OF_2024, HYDRATED, EMBED, OEMBED):
        found = reading_of(page)
        assert found.kind is Kind.POST
        assert told(found, "post_id", "handle") == {"post_id": "BWUDBntl3_Z", "handle": "maker.of.bags"}
        assert str(found.fields["caption"]).startswith("New bag!")


def test_a_date_in_words_is_a_day_and_not_more() -> None:
    assert reading_of(OF_2024).fields["published"] == "2017-07-09"
    assert reading_of(OF_2019).fields["published"] == "2017-07-09"  # its time has no zone


def test_a_rounded_count_is_kept_as_shown() -> None:
    found = reading_of(OF_2024).fields

    assert "likes" not in found
    assert found["likes_shown"] == "298K"


def test_the_embed_has_the_caption_alone() -> None:
    found = reading_of(EMBED)

    assert found.fields["caption"] == "New bag! #bag"
    assert found.fields["outbound_links"] == []
    assert found.sources["caption"].seen is Seen.SHOWN
    assert "published" not in found.fields


def test_the_embed_of_a_profile_is_of_none_of_its_posts() -> None:
    context = {
        "username": "maker.of.bags", "owner_id": "297604134", "full_name": "Maker of Bags", "followers_count": 12,
        "graphql_media": [{"shortcode_media": GRAPHQL}],
    }  # fmt: skip
    script = json.dumps({"contextJSON": json.dumps({"context": context})}, separators=(",", ":"))
    page = f"""<html><head><title>Embed</title></head><body><div class="EmbedFrame">
    <a href="https://www.instagram.com/p/BWUDBntl3_Z/">a post</a></div><script>run({script})</script></body></html>"""
    url = "https://www.instagram.com/maker.of.bags/embed/"
    found = reading_of(page, url=url)
    assert found.kind is Kind.PROFILE
    assert found.fields == {
        "handle": "maker.of.bags", "author": "Maker of Bags", "account_id": "297604134", "followers": 12,
    }  # fmt: skip
    assert reading_of(page.replace("maker.of.bags", "someone.else"), url=url).fields == {"handle": "maker.of.bags"}
    login = "<html><body><h1>Log in</h1><form><input name='u'><input type='password'></form></body></html>"
    assert reading_of(login, url=url).wall == "login_wall"


def test_the_answer_of_the_api() -> None:
    found = reading_of(API)

    assert (found.kind, found.fields["handle"], found.fields["published"]) == (
        Kind.POST, "singer", "2020-05-25T17:44:54Z",
    )  # fmt: skip
    assert {"by": "platform", "text": "is_paid_partnership"} in found.fields["disclosures"]  # type: ignore[operator]
    assert found.fields["published_from_id"]["from"] == "2020-05-25T17:44:54.741Z"  # type: ignore[call-overload,index]


def test_a_profile_is_not_one_of_its_posts() -> None:
    found = reading_of(USER)

    assert (found.kind, found.fields["handle"], found.fields["followers"]) == (Kind.PROFILE, "maker.of.bags", 46369616)
    assert found.fields["outbound_links"] == ["http://shop.example/covid19", "https://linktr.ee/maker"]
    assert "post_id" not in found.fields


def test_a_page_of_many_posts_is_none_of_them() -> None:
    other = {**GRAPHQL, "shortcode": "BWUDBntl111", "owner": {"id": "1", "username": "somebody"}}

    found = reading_of({"data": {"hashtag": {"edges": [{"node": GRAPHQL}, {"node": other}]}}})

    assert (found.platform, found.kind, dict(found.fields)) == ("instagram", Kind.OTHER, {})


def test_a_time_that_contradicts_the_id_is_noted() -> None:
    early = {"items": [{**API["items"][0], "taken_at": 1262304000}]}

    assert any("before its id was made" in each for each in reading_of(early).notes)
    assert not reading_of(API).notes


def test_what_the_page_does_not_carry_is_absent() -> None:
    bare = OF_2019[: OF_2019.index("<script")] + '<meta name="twitter:title" content="B (@bb) • Instagram photo">' + (
        '<meta property="og:title" content="B on Instagram"></head></html>'
    )  # fmt: skip
    found = reading_of(bare)

    assert found.kind is Kind.POST
    assert {"caption", "published", "outbound_links", "likes"}.isdisjoint(found.fields)


def test_walls() -> None:
    assert (reading_of(LOGIN).wall, reading_of(BROKEN_EMBED).wall) == ("login_wall", "unavailable")
    limited = {"message": "Please wait a few minutes before you try again.", "require_login": True, "status": "fail"}
    assert reading_of(limited).wall == "rate_limited"
    assert reading_of({"message": "checkpoint_required", "status": "fail"}).wall == "captcha"
    item = HYDRATED[HYDRATED.index('"if_not_gated_logged_out"') : HYDRATED.index("}}}}}}]]")]
    gated = HYDRATED.replace(item + "}", '"if_not_gated_logged_out": {}')
    assert "BWUDBntl3_Z/" in gated
    assert (reading_of(gated).wall, dict(reading_of(gated).fields)) == ("login_wall", {})


def test_a_caption_that_speaks_of_walls_is_no_wall() -> None:
    page = OF_2024.replace("New bag!", "This account is private. Log in to see photos!")

    assert (reading_of(page).wall, reading_of(page).kind) == (None, Kind.POST)


def test_addresses_of_one_post_have_one_name() -> None:
    post = "instagram:post:CN2VQ1yI_MA"
    for url in (
        "https://www.instagram.com/demo.user/reel/CN2VQ1yI_MA/?igsh=abc&img_index=2",
        "https://www.instagram.com/reels/CN2VQ1yI_MA/",
        "https://instagr.am/p/CN2VQ1yI_MA",
        f"https://www.instagram.com/p/CN2VQ1yI_MA{'x' * 28}/",
    ):
        assert Instagram().canonical(url) == post
    named = Instagram().canonical
    assert named("https://www.instagram.com/share/reel/BAxxxxxxxx") == "instagram:share_unresolved:BAxxxxxxxx"
    assert named("https://www.instagram.com/stories/demo/2591639087680304855/") == "instagram:story:2591639087680304855"
    assert named("https://instagram.com.evil.example/p/CN2VQ1yI_MA/") is None


def test_a_story_has_what_its_address_says() -> None:
    found = reading_of(
        '<html><head><meta property="og:title" content="Watch this story by Maker of Bags on Instagram">'
        '<link rel="canonical" href="https://www.instagram.com/stories/maker.of.bags/2591639087680304855/"></head></html>'
    )

    assert told(found, "handle", "post_id", "author") == {
        "handle": "maker.of.bags",
        "post_id": "2591639087680304855",
        "author": None,
    }
    assert found.fields["published_from_id"]["from"] == "2021-06-08T15:51:16.135Z"  # type: ignore[call-overload,index]


def test_a_hostile_description_costs_little() -> None:
    for text in (" - a (@b) " * 1500, "a (@" * 3000, ': "' * 3000, " - a b c " * 1500, "1 abc · " * 3000, "1 " * 9000):
        page = OF_2024.replace("298K likes, 553 comments - maker.of.bags on July 9, 2017: ", text)
        begun = time.process_time()
        reading_of(page)
        reading_of(page.replace("og:description", "og:title"))
        assert time.process_time() - begun < 1.0


def test_counts_before_the_name_in_a_description_are_nobodys_name() -> None:
    page = """<html><head><meta property="og:site_name" content="Instagram">
    <link rel="canonical" href="https://www.instagram.com/p/BWUDBntl3_Z/">
    <meta property="og:title" content='Maker of Bags no Instagram: "New bag!"'>
    <meta property="og:description"
     content='137 likes, 5 comments - maker.of.bags no July 9, 2017: "New bag!"'></head></html>"""
    wanted = {"author": "Maker of Bags", "handle": "maker.of.bags", "published": "2017-07-09", "caption": "New bag!"}
    assert told(reading_of(page), *wanted) == wanted


def test_reads_the_description_that_posts_had_in_2016() -> None:
    page = f"""{HEAD}<meta property="og:title" content="Instagram photo by Maker of Bags • Jul 9, 2017 at 4:58am UTC">
    <meta property="og:description" content="See this Instagram photo by @maker.of.bags • 105 likes"></head></html>"""
    read = reading_of(page)
    wanted = {"author": "Maker of Bags", "handle": "maker.of.bags", "published": "2017-07-09", "caption": None}
    assert read.kind is Kind.POST
    assert told(read, *wanted) == wanted


def test_a_page_that_starts_at_the_error_route_is_a_wall_and_one_that_lists_it_is_none() -> None:
    page = """<html><head><link rel="icon" href="https://static.cdninstagram.com/x.ico"><title>Instagram</title></head>
    <body><script type="application/json">{"initialRouteInfo":{"route":{"actorID":"0",
    "rootView":{"allResources":[{"__dr":"PolarisErrorRoot.entrypoint"}]}}},"weights":["polaris.httpErrorPage"]}
    </script></body></html>"""
    assert reading_of(page).wall == "unavailable"
    assert reading_of(page.replace("PolarisErrorRoot.", "PolarisFeedRoot.")).wall is None
