"""X's answers to programs: GraphQL, both APIs, syndication, oEmbed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.dates import day_in
from crawlers.disclosures import put_disclosures
from crawlers.platform import Draft
from crawlers.posting import flag, fragment, list_at, map_at, put_links, put_time, text_at
from crawlers.saved import dig, line_of, search, text_of
from crawlers.social.x_links import links_in, place_of
from custody.model import Outcome

_OTHERS = frozenset(
    ("quoted_status_result", "quoted_tweet", "quoted_status", "retweeted_status", "retweeted_status_result", "parent")
)
# Error codes of the API that mean what is named; the others are left to the words.
CODES = {
    34: Outcome.UNAVAILABLE, 144: Outcome.UNAVAILABLE, 421: Outcome.UNAVAILABLE, 422: Outcome.UNAVAILABLE,
    50: Outcome.UNAVAILABLE, 63: Outcome.UNAVAILABLE, 179: Outcome.PRIVATE, 88: Outcome.RATE_LIMITED,
    32: Outcome.LOGIN_WALL, 89: Outcome.LOGIN_WALL, 215: Outcome.LOGIN_WALL, 326: Outcome.LOGIN_WALL,
}  # fmt: skip


def errors_in(value: Any) -> list[tuple[int, str]]:
    """Errors in the API's form; one bare sentence is oEmbed's."""
    if isinstance(value, Mapping) and not value.get("data"):
        listed = value.get("errors")
        if isinstance(listed, list):
            return [
                (each["code"], text_at(each, "message"))
                for each in listed
                if isinstance(each, Mapping) and isinstance(each.get("code"), int) and each["code"] in CODES
            ]
        said = value.get("error")
        if isinstance(said, str) and re.search(r"authorized to see this status|that page does not exist", said):
            return [(34, said)]
    return []


def unavailable_in(value: Any) -> str:
    """The reason that stands where the post would be; empty where none does."""
    for _, node in search(
        value, lambda n: text_at(n, "__typename") in {"TweetTombstone", "TweetUnavailable", "UserUnavailable"}
    ):
        told = (
            text_at(node, "tombstone", "text", "text")
            or text_at(node, "message")
            or text_at(node, "unavailable_message")
        )
        return f"{text_at(node, 'reason')} {told}".strip() or "unavailable"
    return ""


def post_in(node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The post in a node: GraphQL keeps it under ``legacy``, the older API and syndication have it bare."""
    legacy = node.get("legacy")
    if isinstance(legacy, Mapping) and "full_text" in legacy and "rest_id" in node:
        return legacy
    if "created_at" in node and "id_str" in node and ("full_text" in node or "text" in node) and "user" in node:
        return node
    return None


def user_in(node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The account in a node, in its older form; empty where it has the newer alone."""
    legacy = node.get("legacy")
    if "rest_id" in node and isinstance(legacy, Mapping) and ("screen_name" in legacy or "followers_count" in legacy):
        return legacy
    if "rest_id" in node and text_at(node, "core", "screen_name"):
        return {}
    return node if "screen_name" in node and "followers_count" in node and "description" in node else None


def is_second_api(value: Any) -> bool:
    """Whether an answer is one of the API's second version: one post or one account under ``data``."""
    data = dig(value, "data")
    if not isinstance(data, Mapping):
        return False
    return ("author_id" in data and "text" in data) or ("username" in data and "name" in data and "id" in data)


def fill_from_value(draft: Draft, value: Any, where: str, *, post: str | None) -> None:
    """The post of this id; without one, the post or the account that the answer was asked for."""
    if is_second_api(value):
        _second_api(draft, value)
        return
    posts = {
        _id(node): (path, node) for path, node in search(value, lambda each: post_in(each) is not None, skip=_OTHERS)
    }
    wanted = post or _asked(value) or (next(iter(posts)) if len(posts) == 1 else "")
    if wanted in posts:
        path, node = posts[wanted]
        fill_from_post(draft, node, f"{where} {path}")
    if posts:
        return  # a list of posts is no post, and their authors' profiles were not asked for
    people = {
        _id(node): (path, node) for path, node in search(value, lambda each: user_in(each) is not None, skip=_OTHERS)
    }
    for path, node in people.values() if len(people) == 1 else ():
        fill_from_user(draft, node, f"{where} {path}")


def _id(node: Mapping[str, Any]) -> str:
    return text_at(node, "rest_id") or text_at(node, "id_str")


def _asked(value: Any) -> str:
    """The post for which a conversation was asked: the last of those that are entries of their own."""
    entries = [
        text_at(node, "entryId")
        for path, node in search(value, lambda each: text_at(each, "entryId").startswith("tweet-"))
        if "threaded_conversation" in path
    ]
    return entries[-1].removeprefix("tweet-") if entries else ""


def _person(node: Mapping[str, Any]) -> dict[str, str]:
    """Name, handle and id of an account in any of its forms."""
    old, new = map_at(node, "legacy"), map_at(node, "core")
    return {
        "author": text_at(new, "name") or text_at(old, "name") or text_at(node, "name"),
        "handle": text_at(new, "screen_name") or text_at(old, "screen_name") or text_at(node, "screen_name"),
        "account_id": text_at(node, "rest_id") or text_at(node, "id_str"),
    }


def _put_person(draft: Draft, node: Mapping[str, Any], where: str) -> None:
    found = _person(node)
    for name, value in found.items():
        draft.put(name, value, where)
    if draft.kind is Kind.PROFILE:
        draft.put("user_id", found["account_id"], where)


def fill_from_post(draft: Draft, node: Mapping[str, Any], where: str) -> None:
    """A node that ``post_in`` knows."""
    told = post_in(node) or {}
    draft.kind = Kind.POST
    draft.put("post_id", text_at(node, "rest_id") or text_at(told, "id_str"), f"{where}.rest_id")
    account = dig(node, "core", "user_results", "result") or node.get("user")
    if isinstance(account, Mapping):
        _put_person(draft, account, f"{where}.user")
    note = map_at(node, "note_tweet", "note_tweet_results", "result")
    draft.put(
        "caption", text_at(note, "text") or text_at(told, "full_text") or text_at(told, "text"), f"{where}.full_text"
    )
    quoted = text_at(told, "quoted_status_id_str") or text_at(node, "quoted_tweet", "id_str")
    entities = map_at(note, "entity_set") or map_at(told, "entities")
    put_links(draft, _of_entities(entities, quoted), f"{where}.entities.urls")
    put_time(draft, told.get("created_at"), f"{where}.created_at")
    language = text_at(told, "lang")
    draft.put(
        "language", language if language not in {"und", "zxx", "qme", "qht", "qam", "qst"} else None, f"{where}.lang"
    )
    put_count(draft, "likes", told.get("favorite_count"), f"{where}.favorite_count")
    put_count(draft, "views", text_at(node, "views", "count") or None, f"{where}.views.count")
    pictures = (
        list_at(told, "extended_entities", "media")
        or list_at(node, "mediaDetails")
        or list_at(told, "entities", "media")
    )
    media = [{"type": text_at(each, "type") or "photo", "url": url} for each in pictures
             if (url := text_at(each, "media_url_https"))]  # fmt: skip
    draft.put("media", media or None, f"{where}.extended_entities")
    put_disclosures(draft, [("paid_partnership", flag(dig(node, "content_disclosure", "is_paid_promotion")))], where)


def _of_entities(entities: Any, quoted: str = "", place: str = "caption") -> Iterator[tuple[str, ...]]:
    for each in list_at(entities, "urls"):
        expanded = text_at(each, "expanded_url")
        if not (quoted and quoted in expanded) and not re.search(r"/status/[0-9]+/(?:photo|video)/[0-9]+$", expanded):
            yield text_at(each, "url") or expanded, place, expanded


def fill_from_user(draft: Draft, node: Mapping[str, Any], where: str) -> None:
    """A node that ``user_in`` knows."""
    told = user_in(node) or {}
    draft.kind = Kind.PROFILE
    _put_person(draft, node, where)
    bio = text_at(node, "profile_bio", "description") or text_at(told, "description")
    draft.put("bio", bio, f"{where}.description")
    website = text_at(node, "website", "url")
    links: list[tuple[str, ...]] = [(website, "website")] if website else []
    entities = map_at(node, "profile_bio", "entities") or map_at(told, "entities")
    if not website:
        links += _of_entities(dig(entities, "url"), place="website")
    links += _of_entities(dig(entities, "description"), place="bio")
    if website or any("entities" in each for each in (told, map_at(node, "profile_bio"))):
        put_links(draft, links, f"{where}.entities")
    followers = dig(node, "relationship_counts", "followers")
    put_count(draft, "followers", told.get("followers_count") if followers is None else followers, f"{where}.followers")


def _second_api(draft: Draft, value: Any) -> None:
    data = value["data"]
    if "author_id" in data:
        draft.kind = Kind.POST
        draft.put("post_id", text_at(data, "id"), "json .data.id")
        draft.put("account_id", text_at(data, "author_id"), "json .data.author_id")
        people = list_at(value, "includes", "users")
        person = next((each for each in people if text_at(each, "id") == text_at(data, "author_id")), None)
        draft.put("author", text_at(person, "name"), "json .includes.users")
        draft.put("handle", text_at(person, "username"), "json .includes.users")
        draft.put("caption", text_at(data, "note_tweet", "text") or text_at(data, "text"), "json .data.text")
        put_time(draft, data.get("created_at"), "json .data.created_at")
        if "entities" in data:
            put_links(draft, _of_entities(data["entities"]), "json .data.entities")
        put_count(draft, "likes", dig(data, "public_metrics", "like_count"), "json .data.public_metrics")
        draft.put("language", text_at(data, "lang"), "json .data.lang")
        put_disclosures(draft, [], "json .data.text")
        return
    draft.kind = Kind.PROFILE
    draft.put("author", text_at(data, "name"), "json .data.name")
    draft.put("handle", text_at(data, "username"), "json .data.username")
    draft.put("account_id", text_at(data, "id"), "json .data.id")
    draft.put("user_id", text_at(data, "id"), "json .data.id")
    draft.put("bio", text_at(data, "description"), "json .data.description")
    if "entities" in data:
        entities = data["entities"]
        links = [
            *_of_entities(dig(entities, "url"), place="website"),
            *_of_entities(dig(entities, "description"), place="bio"),
        ]
        put_links(draft, links, "json .data.entities")
    put_count(draft, "followers", dig(data, "public_metrics", "followers_count"), "json .data.public_metrics")


def fill_from_oembed(draft: Draft, answer: Mapping[str, Any]) -> None:
    """Of a post: its text and links, and the day in words. Of a profile: whose it is."""
    tree = fragment(text_at(answer, "html"))
    post = place_of(text_at(answer, "url"))[1]
    draft.put("author", text_at(answer, "author_name"), "json .author_name")
    draft.put("handle", place_of(text_at(answer, "author_url"))[0], "json .author_url")
    if post is None or tree is None:
        draft.kind = Kind.PROFILE if "handle" in draft.fields else Kind.OTHER
        return
    draft.kind = Kind.POST
    draft.put("post_id", post, "json .url")
    said = next(iter(tree.xpath("//blockquote/p")), None)
    if said is not None:
        draft.put("caption", text_of(said), "json .html p", shown=True)
        draft.put("language", said.get("lang"), "json .html p")
        put_links(draft, links_in(said), "json .html p", shown=True)
    when = next((each for each in reversed(tree.xpath("//blockquote/a")) if place_of(each.get("href") or "")[1]), None)
    draft.put("published", day_in(line_of(when)), "json .html a", shown=True)
    draft.put("published_shown", line_of(when), "json .html a", shown=True)
    put_disclosures(draft, [], "json .html p")
