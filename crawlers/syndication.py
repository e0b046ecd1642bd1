"""Posts as blog systems give them to programs: WordPress' REST API, Tumblr's API, oEmbed."""

from collections.abc import Mapping
from typing import Any

from lxml import etree, html

from archive.reading import Kind
from crawlers.dates import instant
from crawlers.disclosures import said_in
from crawlers.outlinks import to_shops
from crawlers.platform import Draft
from crawlers.saved import Saved, dig


def answer_of(value: Any) -> str | None:
    """Which answer it is: WordPress' REST API, Tumblr's API, oEmbed; None where it is none of them."""
    first = value[0] if isinstance(value, list) and len(value) == 1 else value
    if isinstance(first, Mapping) and isinstance(dig(first, "content", "rendered"), str) and "link" in first:
        return "wordpress"
    if isinstance(dig(value, "response", "posts", 0), Mapping) and "blog_name" in dig(value, "response", "posts", 0):
        return "tumblr"
    described = str(dig(value, "version")) == "1.0" and dig(value, "type") in ("rich", "link", "photo", "video")
    return "oembed" if described and (dig(value, "title") or dig(value, "author_name")) else None


def fill_answer(value: Any, draft: Draft) -> None:
    which = answer_of(value)
    if which is None:
        return
    draft.kind = Kind.POST
    if which == "oembed":
        draft.put("title", value.get("title"), "json .title")
        draft.put("author", value.get("author_name"), "json .author_name")
        return
    if which == "tumblr":
        post = value["response"]["posts"][0]
        draft.put("author", post.get("blog_name"), "json .response.posts.0.blog_name")
        draft.put("handle", post.get("blog_name"), "json .response.posts.0.blog_name")
        draft.put("post_id", str(post.get("id_string") or post.get("id") or ""), "json .response.posts.0.id")
        draft.put("title", post.get("title"), "json .response.posts.0.title")
        draft.put(
            "published", instant(post.get("timestamp")) or instant(post.get("date")), "json .response.posts.0.timestamp"
        )
        _put_body(
            " ".join(str(post.get(key) or "") for key in ("body", "caption", "text")), draft, "json .response.posts.0"
        )
        return
    post = value[0] if isinstance(value, list) else value
    draft.put("title", _text(dig(post, "title", "rendered")), "json .title.rendered")
    draft.put(
        "author", dig(post, "_embedded", "author", 0, "name") or dig(post, "yoast_head_json", "author"), "json author"
    )
    gmt = post.get("date_gmt")
    draft.put("published", instant(f"{gmt}Z") if isinstance(gmt, str) else None, "json .date_gmt")
    draft.put("post_id", None if post.get("id") is None else str(post["id"]), "json .id")
    _put_body(dig(post, "content", "rendered"), draft, "json .content.rendered")


def _put_body(markup: Any, draft: Draft, where: str) -> None:
    body = Saved(text=f"<body>{markup}</body>") if isinstance(markup, str) else None
    if body is not None:
        draft.put("outbound_links", to_shops(body), where)
        said = said_in(body.shown_text)
        if said:
            draft.put("disclosures", said, where)


def _text(markup: Any) -> str | None:
    if not isinstance(markup, str) or not markup.strip():
        return None
    try:
        return str(html.fromstring(markup).text_content())
    except (etree.LxmlError, ValueError):
        return markup
