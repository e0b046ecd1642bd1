"""X's pages: what scripts draw since 2019, and what the server drew before."""

import re
from collections.abc import Mapping
from typing import Any

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.dates import day_in
from crawlers.disclosures import put_disclosures
from crawlers.platform import Draft
from crawlers.posting import list_at, map_at, put_links, put_time, text_at
from crawlers.saved import Node, Saved, dig, line_of, text_of
from crawlers.social.x_answers import fill_from_post, fill_from_user
from crawlers.social.x_links import MAX_NAME, links_in, place_of


def _words(element: Node) -> str:
    """Text with its emoji, which are pictures there."""
    for picture in element.iter("img"):
        picture.text = picture.get("alt") or ""
    for hidden in element.xpath(".//a[contains(concat(' ', @class, ' '), ' u-hidden ')]"):
        for each in hidden.iter():
            each.text, each.tail = "", each.tail if each is hidden else ""
    return "".join(each for each in element.itertext() if isinstance(each, str))  # its line ends are in the text


def _name_in(element: Node | None) -> str:
    """The name alone: the handle and what the account's marks say stand below it. Empty where it can be no name."""
    if element is None:
        return ""
    _words(element)
    name = text_of(element).split("\n")[0]
    return name if len(name) <= MAX_NAME and not re.search(r"@\w+\s", name) else ""


def _inside(root: Node, test: str) -> Node | None:
    return next(iter(root.xpath(f".//*[@data-testid='{test}']")), None)


def fill_from_state(draft: Draft, entities: Any, *, post: str | None, handle: str | None) -> None:
    """The page's store (``__INITIAL_STATE__``), where it has the post or the account."""
    where = "script __INITIAL_STATE__ .entities"
    people = map_at(entities, "users", "entities")
    node = dig(entities, "tweets", "entities", post) if post else None
    if isinstance(node, Mapping) and ("full_text" in node or "text" in node):
        person = people.get(text_at(node, "user")) if isinstance(people, Mapping) else None
        fill_from_post(draft, {**node, "user": person or {}}, f"{where}.tweets.entities.{post}")
    elif post is None and isinstance(people, Mapping):
        for key, each in people.items():
            if isinstance(each, Mapping) and text_at(each, "screen_name").lower() == (handle or "").lower():
                fill_from_user(draft, each, f"{where}.users.entities.{key}")
                return


def fill_from_article(draft: Draft, page: Saved, *, post: str | None) -> None:
    """The page as scripts have drawn it since 2019: the article of this post, not those of its replies."""
    for article in page.all("//article"):
        times = [each for each in article.xpath(".//a[.//time]") if place_of(each.get("href") or "")[1]]
        handle, found = place_of(times[0].get("href")) if times else (None, None)
        if found is None or (post is not None and post != found):
            continue
        draft.kind = Kind.POST
        draft.put("post_id", found, "css article a[href*='/status/']", shown=True)
        name = _inside(article, "User-Name")
        link = next(iter(name.xpath(".//a")), None) if name is not None else None
        draft.put("author", _name_in(link), "css [data-testid=User-Name]", shown=True)
        draft.put("handle", handle, "css article a[href*='/status/']", shown=True)
        said = _inside(article, "tweetText")
        if said is not None:
            draft.put("caption", _words(said), "css [data-testid=tweetText]", shown=True)
            draft.put("language", said.get("lang"), "css [data-testid=tweetText]")
        card = _inside(article, "card.wrapper")
        links = [*links_in(said)] if said is not None else []
        links += [
            (each.get("href"), "card")
            for each in ([] if card is None else card.xpath(".//a[starts-with(@href,'http')]"))
        ]
        put_links(draft, links, "css [data-testid=tweetText] a", shown=True)
        stamp = next(iter(times[0].xpath(".//time")))
        put_time(draft, stamp.get("datetime"), "css article time", shown=True)
        draft.put("published_shown", line_of(stamp), "css article time", shown=True)
        put_disclosures(draft, [], "css [data-testid=tweetText]")
        return


def fill_from_old_page(draft: Draft, page: Saved, *, post: str | None) -> None:
    """The page as the server drew it until 2020, for desks (``.permalink-tweet``) and phones (``.main-tweet``)."""
    root = page.first("//div[contains(concat(' ', @class, ' '), ' permalink-tweet ')]")
    if root is None:
        root = page.first("//table[contains(concat(' ', @class, ' '), ' main-tweet ')]")
    if root is None:
        return
    found = root.get("data-tweet-id") or post
    if found is None or (post is not None and found != post):
        return

    def first(name: str) -> Node | None:
        return next(iter(root.xpath(f".//*[contains(concat(' ', @class, ' '), ' {name} ')]")), None)

    draft.kind = Kind.POST
    where = "css .permalink-tweet"
    draft.put("post_id", found, where)
    draft.put("author", root.get("data-name") or line_of(first("fullname")), where, shown=True)
    draft.put(
        "handle", root.get("data-screen-name") or line_of(first("username")).lstrip("\u200e\u200f@"), where, shown=True
    )
    draft.put("account_id", root.get("data-user-id"), where)
    said = first("tweet-text")
    if said is not None:
        draft.put("caption", _words(said), "css .tweet-text", shown=True)
        draft.put("language", said.get("lang"), "css .tweet-text")
        put_links(draft, links_in(said), "css .tweet-text a", shown=True)
    stamp = next(iter(root.xpath(".//*[@data-time]/@data-time")), None)
    shown = line_of(first("metadata"))
    put_time(draft, stamp, "css [data-time]")
    draft.put("published", day_in(shown), "css .metadata", shown=True)
    draft.put("published_shown", shown, "css .metadata", shown=True)
    likes = next(iter(root.xpath(".//*[contains(@class,'action--favorite')]//@data-tweet-stat-count")), None)
    put_count(draft, "likes", likes, "css [data-tweet-stat-count]", shown=True)
    put_disclosures(draft, [], "css .tweet-text")


def fill_from_profile(draft: Draft, page: Saved, *, handle: str | None) -> None:
    """JSON-LD of a profile, and its head as drawn."""
    website: list[tuple[str, ...]] = []
    for where, thing in page.things("profilepage"):
        person = thing.get("mainEntity")
        name = text_at(person, "additionalName")
        if name and (handle is None or name.lower() == handle.lower()):
            draft.kind = Kind.PROFILE
            draft.put("author", text_at(person, "givenName") or text_at(person, "name"), f"{where} mainEntity")
            draft.put("handle", name, f"{where} mainEntity.additionalName")
            draft.put("account_id", text_at(person, "identifier"), f"{where} mainEntity.identifier")
            draft.put("user_id", text_at(person, "identifier"), f"{where} mainEntity.identifier")
            draft.put("bio", text_at(person, "description"), f"{where} mainEntity.description")
            for each in list_at(person, "interactionStatistic"):
                if text_at(each, "interactionType").endswith("/FollowAction"):
                    put_count(draft, "followers", dig(each, "userInteractionCount"), f"{where} interactionStatistic")
            website = _related(thing.get("relatedLink"))
    for name, bio, site in (
        ("//*[@data-testid='UserName']", "//*[@data-testid='UserDescription']", "//a[@data-testid='UserUrl']"),
        ("//*[contains(@class,'ProfileHeaderCard-name')]//a", "//*[contains(@class,'ProfileHeaderCard-bio')]",
         "//*[contains(@class,'ProfileHeaderCard-urlText')]//a"),
    ):  # fmt: skip
        found = page.first(name)
        if found is None or handle is None:
            continue
        draft.kind = Kind.PROFILE
        draft.put("author", _name_in(found), f"xpath {name}", shown=True)
        draft.put("handle", handle, "link canonical")
        said = page.first(bio)
        links = [] if said is None else [(url, "bio", leads) for url, _, leads in links_in(said)]
        if said is not None:
            draft.put("bio", _words(said), f"xpath {bio}", shown=True)
        shown = [(each.get("href") or "", "website", each.get("title") or "") for each in page.all(site)]
        put_links(draft, [*(website or shown), *links], f"xpath {site}", shown=True)
    if draft.kind is Kind.PROFILE and website:
        put_links(draft, website, "json-ld relatedLink")


def _related(value: Any) -> list[tuple[str, ...]]:
    """``relatedLink``: the short address, and where it leads behind it."""
    links = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str) and each]
    short = [each for each in links if "//t.co/" in each]
    full = [each for each in links if "//t.co/" not in each]
    if len(short) == len(full):
        return [(one, "website", other) for one, other in zip(short, full, strict=True)]
    return [(each, "website") for each in links]
