"""Links in what a post's author wrote among its comments. Nobody else's is read, and none of their words kept."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crawlers.address import host_of
from crawlers.outlinks import anchors
from crawlers.platform import Draft
from crawlers.posting import in_text, list_at, text_at
from crawlers.saved import Saved, dig, having, search

_MAX = 100
_OTHER_POSTS = frozenset(("quoted_post", "reposted_post", "relatedPosts", "related_posts"))


def put_comment_links(draft: Draft, found: Iterable[str], where: str, *, shown: bool = False) -> None:
    """Beside the links of the post itself: ``links`` gets each as posted, shown as ``comment``."""
    urls = list(dict.fromkeys(url.strip() for url in found if url and url.strip()))[:_MAX]
    if not urls:
        return
    posted = draft.fields.get("links")
    before = list(posted) if isinstance(posted, (list, tuple)) else []
    links = [*before, *({"url": url, "shown_as": "comment"} for url in urls)]
    source = draft.sources.get("links")
    draft.fields.pop("links", None)
    place = f"{source.where}; {where}" if source is not None else where
    draft.put("links", links, place, shown=shown and (source is None or source.seen.value == "shown"))


def of_instagram(node: Mapping[str, Any], *, handle: str, account: str) -> Iterator[str]:
    """Of an item, in every form that its comments have; the author's are those of this name or this account."""
    if not (handle or account):
        return
    for key in (
        "edge_media_to_parent_comment", "edge_media_preview_comment", "edge_media_to_hoisted_comment",
        "preview_comments", "comments", "comments_connection",
    ):  # fmt: skip
        for _, each in search(node.get(key), having("text")):
            owner = each.get("owner") if isinstance(each.get("owner"), Mapping) else each.get("user")
            name, number = text_at(owner, "username"), text_at(owner, "pk") or text_at(owner, "id")
            if (number == account) if number and account else (bool(name) and name.lower() == handle.lower()):
                yield from _written(text_at(each, "text"))


def of_youtube(data: Any) -> Iterator[str]:
    """Of the page's data: comments that YouTube itself marks as the channel owner's."""
    for _, each in search(data, having("authorIsChannelOwner", "contentText")):
        if each["authorIsChannelOwner"] is True:
            linked = [
                text_at(node, "urlEndpoint", "url") for _, node in search(each["contentText"], having("urlEndpoint"))
            ]
            yield from linked or _written("".join(text_at(run, "text") for run in list_at(each, "contentText", "runs")))
    for _, each in search(data, having("properties", "author")):
        if dig(each, "author", "isCreator") is True:
            content = dig(each, "properties", "content")
            linked = [text_at(node, "urlEndpoint", "url") for _, node in search(content, having("urlEndpoint"))]
            yield from linked or _written(text_at(content, "content"))


def of_facebook(value: Any, *, account: str) -> Iterator[str]:
    """Of a story's data: comments by the account that wrote the story."""
    if not account:
        return
    for _, each in search(value, having("author", "body")):
        if text_at(each, "author", "id") == account:
            linked = [text_at(entity, "entity", "url") for entity in list_at(each, "body", "ranges")]
            yield from [url for url in linked if url.startswith("http")] or _written(text_at(each, "body", "text"))


def of_threads(value: Any, *, account: str) -> Iterator[str]:
    """Of the page's data: what the author answered to a post of their own, as the item itself says."""
    if not account:
        return
    for _, each in search(value, having("text_post_app_info", "user"), skip=_OTHER_POSTS):
        to = text_at(each, "text_post_app_info", "reply_to_author", "pk") or text_at(
            each, "text_post_app_info", "reply_to_author", "id"
        )
        own = text_at(each, "user", "pk") or text_at(each, "user", "id")
        if own == account == to:
            fragments = list_at(each, "text_post_app_info", "text_fragments", "fragments")
            linked = [text_at(fragment, "link_fragment", "uri") for fragment in fragments]
            yield from [url for url in linked if url] or _written(text_at(each, "caption", "text"))


def of_markup(page: Saved, comments: Iterable[Any], inner: str) -> Iterator[str]:
    """Of elements that are the author's comments: the links in the words of each (``inner``), not in replies to it."""
    for comment in comments:
        words = next(iter(comment.xpath(inner)), None)
        if words is not None:
            own = host_of(next(iter(page.own_urls), ""))
            yield from (
                url for url, _ in anchors(page, words.iter("a")) if url.startswith("http") and host_of(url) != own
            )


def _written(text: str) -> Iterator[str]:
    yield from (url for url, _ in in_text(text, "comment"))
