"""Facebook's posts as data: JSON-LD, and the stories of its pages since 2020."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.disclosures import put_disclosures
from crawlers.platform import Draft
from crawlers.posting import blocks, in_text, list_at, put_links, put_time, text_at
from crawlers.saved import Saved, dig, having, search
from crawlers.social.comments import of_facebook, put_comment_links
from crawlers.social.facebook_addresses import account_in
from crawlers.wrappers import unwrap

_COMMENTS = frozenset(
    ("feedback", "comments", "comment_rendering_instance", "interesting_top_level_comments", "attached_story",
     "comment_list_renderer", "viewer_actor", "actor_provider", "tracking", "bumpers", "top_level_comment_list")
)  # fmt: skip


def fill_from_things(draft: Draft, page: Saved, *, post: str | None) -> None:
    """JSON-LD that names this post."""
    for where, thing in page.things("socialmediaposting", "videoobject", "discussionforumposting"):
        if post is None or post not in f"{thing.get('identifier')} {thing.get('url')} {thing.get('@id')}":
            continue
        author = thing.get("author") or thing.get("creator")
        draft.kind = Kind.POST
        draft.put("post_id", post, f"{where} identifier")
        draft.put("author", text_at(author, "name"), f"{where} author.name")
        handle, account = account_in(text_at(author, "url"))
        draft.put("handle", handle, f"{where} author.url")
        draft.put("account_id", text_at(author, "identifier") or account, f"{where} author.identifier")
        caption = text_at(thing, "articleBody") or text_at(thing, "description")
        draft.put("caption", caption, f"{where} articleBody")
        if caption:
            put_links(draft, in_text(caption, "caption"), f"{where} articleBody")
        put_time(draft, thing.get("dateCreated") or thing.get("uploadDate"), f"{where} dateCreated")
        for each in list_at(thing, "interactionStatistic"):
            if text_at(each, "interactionType").endswith("/LikeAction"):
                put_count(draft, "likes", dig(each, "userInteractionCount"), f"{where} interactionStatistic")
        return


def stories_in(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Stories in the form of the pages since 2020."""
    return search(
        value, lambda node: "comet_sections" in node and "post_id" in node, skip=frozenset(("attached_story",))
    )


def fill_from_stories(draft: Draft, page: Saved, *, post: str | None) -> None:
    """The story of this post in the page's data, or the first in an answer."""
    values = (
        [("json", page.json)]
        if page.json is not None
        else blocks(page, "comet_sections", "creation_time", "publish_time")
    )
    for script, value in values:
        for path, story in stories_in(value):
            found = text_at(story, "post_id")
            if post is not None and post.isdigit() and found != post:
                continue
            if post is None and page.json is None:
                return  # a profile's posts
            _from_story(draft, story, f"{script} {path}")
            return
        for path, film in search(value, having("publish_time", "id"), skip=_COMMENTS):
            if (post is not None and text_at(film, "id") in {post, ""}) or text_at(film, "video_id") == post:
                draft.kind = Kind.POST
                draft.put("post_id", post, f"{script} {path}.id")
                put_time(draft, film.get("publish_time"), f"{script} {path}.publish_time")


def _from_story(draft: Draft, story: Mapping[str, Any], where: str) -> None:
    first = partial(_first, story)
    draft.kind = Kind.POST
    draft.put("post_id", text_at(story, "post_id"), f"{where}.post_id")
    actor = first(lambda node: "actors" in node and dig(node, "actors", 0, "name"))
    person = dig(actor, "actors", 0)
    draft.put("author", text_at(person, "name"), f"{where} actors.0.name")
    handle, account = account_in(text_at(person, "url") or text_at(person, "profile_url"))
    draft.put("handle", handle, f"{where} actors.0.url")
    draft.put("account_id", text_at(person, "id") or account, f"{where} actors.0.id")
    message = first(lambda node: isinstance(dig(node, "message", "text"), str))
    caption = text_at(message, "message", "text")
    draft.put("caption", caption, f"{where} message.text")
    ranges = list_at(message, "message", "ranges")
    links = [
        (url, "caption")
        for each in ranges
        if (url := text_at(each, "entity", "url"))
        and (text_at(each, "entity", "__typename") == "ExternalUrl" or unwrap(url))
    ]
    card = first(lambda node: node.get("__typename") == "ExternalWebLink" and isinstance(node.get("url"), str))
    if card:
        links.append((text_at(card, "url"), "card"))
    put_links(draft, [*links, *in_text(caption, "caption")], f"{where} message.ranges")
    put_comment_links(draft, of_facebook(story, account=text_at(person, "id")), f"{where} comments by actors.0")
    made = first(lambda node: isinstance(node.get("creation_time"), int))
    put_time(draft, dig(made, "creation_time"), f"{where} creation_time")
    put_disclosures(draft, [], where)


def _first(value: Any, wanted: Any) -> Mapping[str, Any] | None:
    return next((node for _, node in search(value, lambda node: bool(wanted(node)), skip=_COMMENTS)), None)
