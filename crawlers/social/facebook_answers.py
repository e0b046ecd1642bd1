"""Facebook's oEmbed, and its Graph API, which a user asks with a token of their own."""

from collections.abc import Mapping
from typing import Any

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.dates import day_in
from crawlers.disclosures import put_disclosures
from crawlers.platform import Draft
from crawlers.posting import anchors, fragment, in_text, list_at, put_links, put_time, text_at
from crawlers.saved import line_of, text_of
from crawlers.social.facebook_addresses import account_in, post_in
from crawlers.social.facebook_markup import BASE


def graph_of(value: Any) -> Mapping[str, Any] | None:
    """A post or a page as the Graph API gives it."""
    if not isinstance(value, Mapping) or not isinstance(value.get("id"), str):
        return None
    if "created_time" in value and ("_" in value["id"] or "facebook.com" in text_at(value, "permalink_url")):
        return value
    return value if "fan_count" in value or ("facebook.com" in text_at(value, "link") and "name" in value) else None


def fill_from_graph(draft: Draft, node: Mapping[str, Any]) -> None:
    """A post or a page, as ``graph_of`` found it."""
    if "created_time" not in node:
        draft.kind = Kind.PROFILE
        handle, _ = account_in(text_at(node, "link"))
        draft.put("author", text_at(node, "name"), "json .name")
        draft.put("handle", text_at(node, "username") or handle, "json .username")
        draft.put("account_id", text_at(node, "id"), "json .id")
        draft.put("bio", text_at(node, "about") or text_at(node, "description"), "json .about")
        if text_at(node, "website"):
            put_links(draft, [(each, "website") for each in text_at(node, "website").split()], "json .website")
        put_count(draft, "followers", node.get("followers_count") or node.get("fan_count"), "json .followers_count")
        return
    draft.kind = Kind.POST
    draft.put("post_id", text_at(node, "id").rpartition("_")[2], "json .id")
    draft.put("author", text_at(node, "from", "name"), "json .from.name")
    draft.put("account_id", text_at(node, "from", "id") or text_at(node, "id").partition("_")[0], "json .from.id")
    draft.put(
        "handle", text_at(node, "from", "username") or account_in(text_at(node, "permalink_url"))[0], "json .from"
    )
    caption = text_at(node, "message")
    draft.put("caption", caption, "json .message")
    cards = [
        (text_at(each, "unshimmed_url") or text_at(each, "url"), "card")
        for each in list_at(node, "attachments", "data")
        if text_at(each, "type") in {"share", "unavailable"}
    ]
    put_links(draft, [*in_text(caption, "caption"), *cards], "json .message")
    put_time(draft, node.get("created_time"), "json .created_time")
    put_disclosures(draft, [], "json .message")


def fill_from_oembed(draft: Draft, answer: Mapping[str, Any]) -> None:
    """``oembed_post`` and ``oembed_video``: the text, and the day in words."""
    draft.kind = Kind.POST
    tree = fragment(text_at(answer, "html"))
    cited = [text_at(answer, "url")]
    if tree is not None:
        cited += [*tree.xpath("//@data-href"), *tree.xpath("//blockquote/@cite")]
    draft.put("post_id", next((found for each in cited if (found := post_in(str(each)))), None), "json .url")
    draft.put("author", text_at(answer, "author_name"), "json .author_name")
    accounts = [account_in(each) for each in (text_at(answer, "author_url"), *map(str, cited))]
    draft.put("handle", next((handle for handle, _ in accounts if handle), None), "json .author_url")
    draft.put("account_id", next((account for _, account in accounts if account), None), "json .author_url")
    if tree is None:
        return
    said = tree.xpath("//blockquote//p")
    draft.put("caption", "\n".join(text_of(each) for each in said), "json .html p", shown=True)
    # This surface makes words of links, so it does not tell whether the post had any.
    links = [*(link for each in said for link in anchors(each, "caption", base=BASE)),
             *in_text(str(draft.fields.get("caption") or ""), "caption")]  # fmt: skip
    if links:
        put_links(draft, links, "json .html p", shown=True)
    when = next((each for each in reversed(tree.xpath("//blockquote//a")) if day_in(line_of(each))), None)
    draft.put("published", day_in(line_of(when)), "json .html a", shown=True)
    draft.put("published_shown", line_of(when), "json .html a", shown=True)
    put_disclosures(draft, [], "json .html p")
