"""Reddit: posts, accounts and communities, in the old, the middle and the new design, and as JSON, oEmbed and embed."""

import re
from collections.abc import Mapping
from html import unescape
from typing import ClassVar

from archive.reading import Kind
from crawlers.counts import count
from crawlers.dates import instant
from crawlers.outlinks import anchors
from crawlers.platform import Draft, Platform
from crawlers.reddit_posts import NOBODY, POST, fill_answer, is_answer, put_person, put_text
from crawlers.saved import Node, Saved, dig, line_of, search, text_of
from crawlers.social.comments import of_markup, put_comment_links
from crawlers.surfaces import Official, oembed
from custody.model import Outcome

_ACCOUNT = re.compile(r"reddit\.com/(?:user|u)/([\w-]+)")
_CLASS = "contains(concat(' ',normalize-space(@class),' '),' {} ')"
_THING = f"//*[{_CLASS.format('thing')} and {_CLASS.format('link')}]"
_WALLS = (
    (Outcome.AGE_GATE, "//form[contains(@action,'over18')]|//*[@name='over18']"),
    (Outcome.PRIVATE, "//*[contains(@class,'interstitial') and contains(.,'private community')]"),
    (Outcome.REMOVED, "//*[contains(@class,'interstitial') and contains(.,'banned')]"),
)  # fmt: skip
_SAID = (
    (Outcome.CAPTCHA, re.compile(r"please wait for verification|prove your humanity", re.IGNORECASE)),
    (
        Outcome.RATE_LIMITED,
        re.compile(r"whoa there, pardner|too many requests|you.ve been blocked by network security", re.IGNORECASE),
    ),
    (Outcome.PRIVATE, re.compile(r"(?:is|this is) a private community|this community is private", re.IGNORECASE)),
    (
        Outcome.AGE_GATE,
        re.compile(r"you must be (?:18|at least eighteen)|quarantined|log in to confirm you.re over 18", re.IGNORECASE),
    ),
    (Outcome.REMOVED, re.compile(r"this (?:subreddit|community) (?:was|has been) banned", re.IGNORECASE)),
    (
        Outcome.UNAVAILABLE,
        re.compile(
            r"there aren.t any (?:communities|subreddits) on reddit with that name|page not found", re.IGNORECASE
        ),
    ),
)
_REASONS = {
    "private": Outcome.PRIVATE, "quarantined": Outcome.AGE_GATE, "gated": Outcome.AGE_GATE, "banned": Outcome.REMOVED,
    "gold_only": Outcome.PRIVATE,
}  # fmt: skip

_PLACE = re.compile(r"/(?:r|user|u)/[\w-]+/comments/[0-9a-z]{4,10}(?:/[^/?#]*)?")
_PROVIDERS = "https://oembed.com/providers.json"


class Reddit(Platform):
    """``/r/SUB/comments/ID``, ``/user/NAME``, ``redd.it/ID``, with ``.json`` behind or not."""

    name = "reddit"
    hosts: ClassVar[frozenset[str]] = frozenset(("reddit.com", "redd.it"))
    ready = "shreddit-post, #siteTable .thing, [data-test-id=post-content]"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return super().knows(page) or dig(page.json, "provider_name") == "reddit" or is_answer(page.json)
        marked = (
            "//shreddit-post|//shreddit-app|//*[@id='siteTable'][.//*[@data-fullname]]"
            "|//head/title[starts-with(normalize-space(.),'Reddit - ')]"
        )
        return super().knows(page) or page.first(marked) is not None

    def canonical(self, url: str) -> str | None:
        found = POST.search(url) if self.knows_url(url) else None
        return found[1] if found else None

    def surfaces(self, url: str) -> tuple[Official, ...]:
        """The oEmbed of a post whose address names where it is."""
        found = _PLACE.search(url) if self.knows_url(url) else None
        if found is None:
            return ()
        return (oembed("https://www.reddit.com/oembed?url=", f"https://www.reddit.com{found[0]}", _PROVIDERS),)

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            fill_answer(page.json, draft)
            return
        wanted = next((found[1] for found in map(POST.search, page.own_urls) if found), None)
        for fill in (_fill_new, _fill_old, _fill_middle):
            if fill(page, draft, wanted):
                return
        if wanted is not None and self.wall(page) is None:
            _fill_declared(page, draft, wanted)
            return
        account = next((found[1] for found in map(_ACCOUNT.search, page.own_urls) if found), None)
        if (
            account is not None
            and page.first("//shreddit-app|//faceplate-tracker|//*[@id='siteTable']|//*[contains(@class,'profile')]")
            is not None
        ):
            draft.kind = Kind.PROFILE
            draft.put("handle", account, "address of the page")
            draft.put("author", account, "address of the page")
            draft.put(
                "bio",
                line_of(page.first("//*[@data-testid='profile-description']")),
                "css [data-testid=profile-description]",
                shown=True,
            )

    def wall(self, page: Saved) -> Outcome | None:
        if page.json is not None:
            reason = _REASONS.get(str(dig(page.json, "reason")))
            known = {403: Outcome.PRIVATE, 404: Outcome.UNAVAILABLE, 429: Outcome.RATE_LIMITED}
            code = dig(page.json, "error")
            return reason or (known.get(code) if isinstance(code, int) else None)
        for outcome, xpath in _WALLS:
            if page.first(xpath) is not None:
                return outcome
        text = page.shown_text[:6_000]
        return next((outcome for outcome, said in _SAID if said.search(text)), None)


# --- pages ------------------------------------------------------------------------------------------------------------


def _fill_new(page: Saved, draft: Draft, wanted: str | None) -> bool:
    """``<shreddit-post>`` (from 2023): its attributes say all but the words."""
    posts = page.all("//shreddit-post")
    # Of several, the page's own; one alone is it, unless it says that it is another: promoted posts look the same.
    named = [each for each in posts if (each.get("id") or "").removeprefix("t3_") in (wanted, "")]
    if not named and (wanted is not None or len(posts) != 1):
        return False
    post = (named or posts)[0]
    where = "css shreddit-post"
    draft.kind = Kind.POST
    put_person(draft, post.get("author"), f"{where}[author]", shown=True)
    draft.put("account_id", post.get("author-id"), f"{where}[author-id]")
    draft.put("post_id", (post.get("id") or "").removeprefix("t3_") or wanted, f"{where}[id]")
    draft.put(
        "title", post.get("post-title") or line_of(page.first("//*[@slot='title']")), f"{where}[post-title]", shown=True
    )
    draft.put("published", instant(post.get("created-timestamp")), f"{where}[created-timestamp]")
    draft.put(
        "community", (post.get("subreddit-prefixed-name") or "").removeprefix("r/"), f"{where}[subreddit-prefixed-name]"
    )
    draft.put("likes", count(post.get("score")), f"{where}[score]")
    body = next(
        iter(post.xpath(".//*[@slot='text-body']//*[contains(@id,'-rtjson-content') or contains(@class,'md')]")), None
    )
    body = (
        body
        if body is not None
        else next(iter(post.xpath(".//*[@slot='text-body']|.//*[@property='schema:articleBody']")), None)
    )
    _put_words(page, draft, body, post.get("content-href"), where)
    comments = [each for each in page.all("//shreddit-comment") if each.get("author") == post.get("author")]
    own = of_markup(page, comments if post.get("author") not in NOBODY else [], "./*[@slot='comment']")
    put_comment_links(draft, own, "css shreddit-comment of the author", shown=True)
    return True


def _fill_old(page: Saved, draft: Draft, wanted: str | None) -> bool:
    """The design of ``old.reddit.com`` (2008 on): ``.thing.link`` with the post's facts as data attributes."""
    things = page.all(_THING)
    table = page.by_id("siteTable")
    if not things or (table is None and wanted is None):
        return False
    named = [each for each in things if (each.get("data-fullname") or "").removeprefix("t3_") in (wanted, "")]
    body = page.first("//body")
    classes = (body.get("class") or "") if body is not None else ""
    if "profile-page" in classes or "listing-page" in classes:
        return False
    if not named and (wanted is not None or "comments-page" not in classes or len(things) != 1):
        return False
    thing = (named or things)[0]
    where = "css .thing.link"
    draft.kind = Kind.POST
    put_person(draft, thing.get("data-author") or _inner(thing, "author"), f"{where}[data-author]", shown=True)
    draft.put("account_id", thing.get("data-author-fullname"), f"{where}[data-author-fullname]")
    draft.put("post_id", (thing.get("data-fullname") or "").removeprefix("t3_"), f"{where}[data-fullname]")
    heading = next(iter(thing.xpath(".//a[contains(concat(' ',normalize-space(@class),' '),' title ')]")), None)
    draft.put("title", line_of(heading), f"{where} a.title", shown=True)
    stamp = next(iter(thing.xpath(".//time[@datetime]/@datetime")), "")
    draft.put("published", instant(thing.get("data-timestamp")) or instant(stamp), f"{where}[data-timestamp]")
    draft.put("published_shown", line_of(next(iter(thing.xpath(".//time")), None)), f"{where} time", shown=True)
    draft.put("community", thing.get("data-subreddit"), f"{where}[data-subreddit]")
    draft.put("likes", count(thing.get("data-score")), f"{where}[data-score]")
    words = next(iter(thing.xpath(".//*[contains(@class,'usertext-body')]")), None)
    _put_words(page, draft, words, thing.get("data-url"), where)
    # Reddit marks the author of the post in every thread below it.
    of_author = f"./*[{_CLASS.format('entry')}]//a[{_CLASS.format('submitter')}]"
    comments = page.all(f"//*[{_CLASS.format('comment')}][{of_author}]")
    own = of_markup(page, comments, f"./*[{_CLASS.format('entry')}]//*[contains(@class,'usertext-body')]")
    put_comment_links(draft, own, "css .comment of .submitter", shown=True)
    return True


def _fill_middle(page: Saved, draft: Draft, wanted: str | None) -> bool:
    """The design of 2018 to 2023: what it was rendered from, in ``window.___r``."""
    state = page.assigned("window.___r") if page.by_id("data") is not None or "___r" in page.text[:4_000_000] else None
    models = dig(state, "posts", "models")
    if isinstance(models, Mapping) and wanted is not None:
        post = models.get(f"t3_{wanted}")
        if isinstance(post, Mapping):
            where = f"json script#data .posts.models.t3_{wanted}"
            draft.kind = Kind.POST
            put_person(draft, post.get("author"), f"{where}.author")
            draft.put("account_id", post.get("authorId"), f"{where}.authorId")
            draft.put("post_id", wanted, f"{where}.postId")
            draft.put("title", post.get("title"), f"{where}.title")
            draft.put("published", instant(post.get("created")), f"{where}.created")
            draft.put("likes", post.get("score"), f"{where}.score")
            source = dig(post, "source", "url")
            rich = dig(post, "media", "markdownContent") or dig(post, "media", "content")
            caption = rich if isinstance(rich, str) and not rich.startswith("http") else ""
            documents = search(dig(post, "media", "richtextContent"), lambda node: isinstance(node.get("u"), str))
            linked = [node["u"] for _, node in documents]
            put_text(draft, unescape(caption), [source, *linked], where)
            return True
    content = page.first("//*[@data-test-id='post-content']")
    if content is None or wanted is None:
        return False
    where = "css [data-test-id=post-content]"
    draft.kind = Kind.POST
    draft.put("post_id", wanted, "address of the page")
    put_person(
        draft,
        next(
            (found[1] for found in map(re.compile(r"/user/([\w-]+)").search, content.xpath(".//a/@href")) if found),
            None,
        ),
        where,
    )
    draft.put("title", line_of(next(iter(content.xpath(".//h1|.//h2")), None)), f"{where} h1, h2", shown=True)
    body = next(iter(content.xpath(".//*[contains(@class,'RichTextJSON-root')]")), None)
    link = next(iter(content.xpath(".//a[@data-testid='outbound-link']/@href")), None)
    _put_words(page, draft, body, link, where)
    return True


def _fill_declared(page: Saved, draft: Draft, wanted: str) -> None:
    """A page without its content: what meta elements say, which Reddit wraps in words of its own."""
    named = page.meta("twitter:title", "og:title") or line_of(page.first("//head/title"))
    title = re.sub(r"^From the .{1,60}? community on Reddit:\s*|^r/\w+\s+[-–]\s+|\s+:\s+r/?\w+$", "", named)
    if not title or title.lower().startswith(("reddit - ", "reddit.com", "blocked")):
        return
    draft.kind = Kind.POST
    draft.put("post_id", wanted, "address of the page")
    draft.put("title", title, "meta og:title")
    described = page.meta("description")
    boilerplate = re.match(
        r"explore this post|posted by u/|posted in the|view on reddit|\d[\d.,k]* votes", described, re.IGNORECASE
    )
    if described and not boilerplate:
        draft.put("caption", described, "meta description")
        if described.endswith("…"):
            draft.note("the caption is cut off, as the page has it")


def _inner(element: Node, name: str) -> str:
    return line_of(
        next(iter(element.xpath(f".//*[contains(concat(' ',normalize-space(@class),' '),' {name} ')]")), None)
    )


def _put_words(page: Saved, draft: Draft, body: Node | None, link: str | None, where: str) -> None:
    linked = [] if body is None else [url for url, _ in anchors(page, body.iter("a"))]
    put_text(draft, "" if body is None else text_of(body), [link, *linked], where, shown=True)
