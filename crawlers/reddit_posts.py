"""Reddit's posts and accounts as its JSON gives them, and what is the same for all of its designs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import Any

from archive.reading import Kind
from crawlers.dates import instant
from crawlers.disclosures import said_in
from crawlers.hubs import text_of_key
from crawlers.outlinks import anchors, unwrapped, written_in
from crawlers.platform import Draft
from crawlers.saved import Saved, dig, having, search
from crawlers.social.comments import put_comment_links

POST = re.compile(r"(?:/comments/|redd\.it/|/gallery/)([0-9a-z]{4,10})(?:[/?#]|$)")
_MEDIA = re.compile(
    r"https?://(?:i|v|preview|external-preview)\.redd\.it/|https?://(?:www\.)?reddit\.com/(?:gallery|r/[^/]+/comments)/"
)
NOBODY = ("[deleted]", "[removed]", "[ deleted ]", "")


def put_person(draft: Draft, name: Any, where: str, *, shown: bool = False) -> None:
    if not isinstance(name, str) or name.strip() in NOBODY:
        draft.note("the author is deleted, as Reddit shows it")
        return
    draft.put("author", name, where, shown=shown)
    draft.put("handle", name.removeprefix("u/"), where, shown=shown)


def put_text(draft: Draft, text: str, linked: Iterable[Any], where: str, *, shown: bool = False) -> None:
    """A post's words and links. What Reddit shows in place of removed words is no caption."""
    if text.strip() in ("[removed]", "[deleted]"):
        draft.note(f"in place of the words stands {text.strip()}")
        text = ""
    draft.put("caption", text, where, shown=shown)
    found = {unwrapped(unescape(url)): None for url in linked if isinstance(url, str) and url.startswith("http")}
    links = [url for url in found if not _MEDIA.match(url)]
    draft.put("outbound_links", links, where, shown=shown)
    media = [url for url in found if _MEDIA.match(url) and "redd.it" in url]
    draft.put("media", media or None, where)
    draft.put("disclosures", said_in(text) or None, where, shown=shown)


def is_answer(value: Any) -> bool:
    first = dig(value, 0) if isinstance(value, list) else value
    if dig(first, "kind") in ("Listing", "t2", "t3", "t5") and isinstance(dig(first, "data"), Mapping):
        return True
    return isinstance(dig(value, "reason"), str) and isinstance(dig(value, "error"), int) and "message" in value


def fill_answer(value: Any, draft: Draft) -> None:
    if dig(value, "provider_name") == "reddit":
        draft.kind = Kind.POST
        draft.put("title", value.get("title"), "json .title")
        put_person(draft, value.get("author_name"), "json .author_name")
        number = POST.search(str(value.get("html")))
        draft.put("post_id", None if number is None else number[1], "json .html")
        return
    first = dig(value, 0) if isinstance(value, list) else value
    if dig(first, "kind") == "t2":
        _fill_account(first["data"], draft)
        return
    posts = [
        each.get("data")
        for each in dig(first, "data", "children") or []
        if isinstance(each, Mapping) and each.get("kind") == "t3"
    ]
    alone = isinstance(value, list) or (len(posts) == 1 and not dig(first, "data", "after"))
    if dig(first, "kind") == "t3":
        posts, alone = [first["data"]], True
    if not posts or not alone or not isinstance(posts[0], Mapping):
        return
    post = posts[0]
    where = "json .0.data.children.0.data" if isinstance(value, list) else "json .data"
    draft.kind = Kind.POST
    put_person(draft, post.get("author"), f"{where}.author")
    draft.put("account_id", post.get("author_fullname"), f"{where}.author_fullname")
    draft.put("post_id", post.get("id"), f"{where}.id")
    draft.put("title", unescape(text_of_key(post, "title") or ""), f"{where}.title")
    draft.put("published", instant(post.get("created_utc")), f"{where}.created_utc")
    draft.put("community", post.get("subreddit"), f"{where}.subreddit")
    draft.put("likes", post.get("score"), f"{where}.score")
    markup = unescape(text_of_key(post, "selftext_html") or "")
    body = Saved(text=f"<body>{markup}</body>", url="https://www.reddit.com/")
    linked = (
        [url for url, _ in anchors(body)]
        if markup
        else written_in(re.sub(r"\]\(|\)", " ", text_of_key(post, "selftext") or ""))
    )
    link = None if post.get("is_self") else text_of_key(post, "url_overridden_by_dest", "url")
    put_text(draft, unescape(text_of_key(post, "selftext") or ""), [link, *linked], where)
    put_comment_links(draft, _of_submitter(value), "json .1 comments with is_submitter")


def _of_submitter(value: Any) -> Iterator[str]:
    """Links in comments that Reddit marks as those of whoever submitted the post."""
    for _, each in search(value, having("is_submitter", "body")):
        if each["is_submitter"] is True:
            markup = unescape(text_of_key(each, "body_html") or "")
            body = Saved(text=f"<body>{markup}</body>", url="https://www.reddit.com/")
            found = [url for url, _ in anchors(body)] if markup else written_in(text_of_key(each, "body") or "")
            yield from (url for url in found if url.startswith("http"))


def _fill_account(data: Mapping[str, Any], draft: Draft) -> None:
    draft.kind = Kind.PROFILE
    put_person(draft, data.get("name"), "json .data.name")
    number = text_of_key(data, "id")
    draft.put("account_id", None if number is None else f"t2_{number.removeprefix('t2_')}", "json .data.id")
    draft.put("bio", dig(data, "subreddit", "public_description"), "json .data.subreddit.public_description")
    draft.put("followers", dig(data, "subreddit", "subscribers"), "json .data.subreddit.subscribers")
