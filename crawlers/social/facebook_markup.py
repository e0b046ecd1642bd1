"""Facebook's posts as markup: for desks, for phones, and in the comments that scripts put in place."""

import json
import re
from collections.abc import Iterator
from typing import Any

from archive.reading import Kind
from crawlers.disclosures import put_disclosures
from crawlers.platform import Draft
from crawlers.posting import anchors, fragment, put_links, put_time
from crawlers.saved import Node, Saved, dig, line_of, text_of
from crawlers.social.facebook_addresses import account_in
from crawlers.wrappers import unwrap

BASE = "https://www.facebook.com/"
MAX_STORIES = 100
"""Looked at on one page."""
_IN_COMMENT = (
    "ancestor::*[contains(@class,'UFI') or contains(@class,'commentable_item') or contains(@data-sigil,'comment')"
    " or contains(@class,'ufi') or contains(@data-testid,'UFI')]"
)


def hidden_trees(page: Saved) -> Iterator[Node]:
    """Markup that the page carries in comments, for its scripts to put in place (2012 to 2021)."""
    for code in page.root.iter("code"):
        for child in code:
            if not isinstance(child.tag, str) and child.text and "<" in child.text:
                tree = fragment(child.text.replace("-\\-\\", "--"))
                if tree is not None:
                    yield tree


_CONTAINERS = (
    ".//*[contains(concat(' ',@class,' '),' userContentWrapper ')]",
    ".//*[contains(concat(' ',@class,' '),' story_body_container ')]",
    ".//*[@data-sigil='marea' and .//a[contains(@class,'actor-link')]]",
    ".//*[@id='m_story_permalink_view']/div[1]",
    ".//*[.//*[@data-testid='post_message'] and .//abbr[@data-utime]]",
)
_MESSAGES = (
    ".//*[@data-testid='post_message']",
    ".//*[contains(concat(' ',@class,' '),' userContent ')]",
    "./div[contains(@data-ft,'*s')]",
    ".//div[contains(@data-ft,'*s')]",
    ".//div[@class='msg']/div",
)
_ACTORS = (
    ".//*[self::h3 or self::h5 or self::h6]//a[not(contains(@href,'/posts/'))]",
    ".//a[contains(@class,'actor-link')]",
    ".//span[contains(concat(' ',@class,' '),' fwb ')]//a",
    ".//strong//a",
)


def fill_from_markup(draft: Draft, trees: list[Node], post: str | None) -> None:
    """The story of this post in these trees; of several stories, the one that has its id."""
    if post is None:
        return
    for pattern in _CONTAINERS:
        roots = [root for tree in trees for root in tree.xpath(pattern)][:MAX_STORIES]
        found = [root for root in roots if not root.xpath(_IN_COMMENT)]
        about = [root for root in found if _is_about(root, post)]
        if about or len(found) == 1:
            _from_container(draft, (about or found)[0 if pattern != _CONTAINERS[-1] else -1], post, pattern)
            return


def _is_about(root: Node, post: str) -> bool:
    """Whether a story is the one asked for: its id stands in it, on what holds it, or on its bar of reactions."""
    around = [root, *list(root.iterancestors())[:4]]
    marks = [each.get(name) or "" for each in around for name in ("data-ft", "data-store", "id", "data-xt")]
    marks += [str(each) for each in root.xpath(".//a/@href | .//form//@value")]
    marks += [str(each) for each in root.xpath("following-sibling::*//@id | following-sibling::*/@id")]
    return any(post in each for each in marks)


def _from_container(draft: Draft, root: Node, post: str, pattern: str) -> None:
    draft.kind = Kind.POST
    where = f"xpath {pattern}"
    draft.put("post_id", post, where)
    actor = next((found for each in _ACTORS for found in root.xpath(each) if line_of(found)), None)
    if actor is not None:
        draft.put("author", line_of(actor), where, shown=True)
        handle, account = account_in(actor.get("href") or "")
        draft.put("handle", handle, where)
        draft.put("account_id", account, where)
    stamp = next((each for each in root.iter("abbr") if not each.xpath(_IN_COMMENT)), None)
    if stamp is not None:
        put_time(draft, stamp.get("data-utime") or _stored(stamp.get("data-store"), "time"), f"{where} abbr")
        draft.put("published_shown", stamp.get("title") or line_of(stamp), f"{where} abbr", shown=True)
    around = [root, *root.iterancestors()]
    insights = [each.get("data-ft") or each.get("data-store") or "" for each in around]
    for text in insights:
        match = re.search(
            rf'"publish_time\\?":\s*([0-9]{{9,10}}).{{0,200}}?"story_fbid[^\]]{{0,10}}\[?\D{{0,3}}{post}', text
        )
        if match:
            put_time(draft, match[1], f"{where} data-ft")
    said = next((found for each in _MESSAGES for found in root.xpath(each) if not found.xpath(_IN_COMMENT)), None)
    if said is not None:
        draft.put("caption", _told(said), where, shown=True)
        links = list(anchors(said, "caption", base=BASE))
        posted = {unwrap(url) or url for url, _ in links}
        links += [
            (url, "card")
            for each in root.xpath(".//a[contains(@href,'/l.php?')]")
            if not each.xpath(_IN_COMMENT) and (unwrap(url := str(each.get("href"))) or url) not in posted
        ]
        put_links(draft, links, where, shown=True)
        put_disclosures(draft, [], where)


def _told(element: Node) -> str:
    """A text without what stands for its hidden end."""
    for each in element.xpath(".//*[contains(@class,'text_exposed_hide') or contains(@class,'text_exposed_link')"
                              " or @data-sigil='more']/text()"):  # fmt: skip
        parent = each.getparent()
        if each.is_text:
            parent.text = ""
    return text_of(element)


def _stored(text: str | None, name: str) -> Any:
    try:
        return dig(json.loads(text or "null"), name)
    except (ValueError, RecursionError):
        return None
