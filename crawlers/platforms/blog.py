"""Blog posts and articles on sites of their own: WordPress, Blogger, Tumblr, Medium, Ghost, Substack, and the like."""

import re
from datetime import date
from html import unescape
from urllib.parse import urlsplit

from archive.reading import Kind
from crawlers.address import host_of
from crawlers.articles import (
    TYPES,
    agreed,
    article,
    authors,
    is_aside,
    line_in,
    recipe,
    recipe_author,
    shown_name,
    times,
    titles,
    titles_of_page,
)  # fmt: skip
from crawlers.dates import day_in, instant
from crawlers.disclosures import said_in
from crawlers.markup import squeeze
from crawlers.outlinks import to_shops
from crawlers.platform import Draft, Platform, judged
from crawlers.saved import Node, Saved, line_of
from crawlers.social.comments import of_markup, put_comment_links
from crawlers.speech import MAX_CHARACTERS, SPEECH, speech_in
from crawlers.syndication import answer_of, fill_answer

_HOSTS = (
    "blogspot.",
    "tumblr.com",
    "medium.com",
    "substack.com",
    "wordpress.com",
    "ghost.io",
    "typepad.com",
    "livejournal.com",
)
_POST_OG = frozenset(("article", "blog", "blogpost", "blog_post", "post", "news", "recipe", "food", "story", "review"))
_INDEX_CLASSES = frozenset(
    ("archive", "home", "blog", "search", "category", "tag", "author", "error404", "page-template-blog")
)
_CLASS = "contains(concat(' ', normalize-space(@class), ' '), ' {} ')"
_TITLE_CLASSES = ("entry-title", "post-title", "p-name", "blog-post-title", "article-title", "post__title",
                  "article__title",
                  "single-title", "entry-header-title", "pagetitle", "post-headline", "gh-article-title")  # fmt: skip
_AUTHOR_CLASSES = ("entry-author-name", "author-name", "post-author-name", "p-author", "post-author", "entry-author",
                   "byline-name", "byline", "post-meta-author", "author-link", "article-author", "article__author",
                   "author")  # fmt: skip
_TITLES = "//*[self::h1 or self::h2 or self::h3][{}]".format(
    " or ".join(_CLASS.format(each) for each in _TITLE_CLASSES)
)
_FN = f"//*[{_CLASS.format('vcard')} or {_CLASS.format('author')}]//*[{_CLASS.format('fn')}]"
_DATED = (
    "//*[contains(@class,'date') or contains(@class,'Date') or contains(@class,'time') or contains(@class,'publish')]"
)
_META = (
    "//*[contains(@class,'meta') or contains(@class,'posted') or contains(@class,'byline') or contains(@class,'info')]"
)
_COMMENT_FORMS = (
    "//form[contains(@action,'wp-comments-post')]|//*[@id='respond' or @id='commentform' or @id='comment-form']"
)
_COMMENT_WORDS = (
    "(.//*[contains(@class,'comment-content') or contains(@class,'comment-text') or contains(@class,'comment-entry')"
    " or contains(@class,'comment_content') or contains(@class,'comment-body')])[1]"
)
_SIGNED = ("//*[contains(concat(' ',@rel,' '),' author ')]", _FN)
_BYLINES = tuple(f"//*[{_CLASS.format(each)}]" for each in _AUTHOR_CLASSES)
_SHORT = 160
_LONGEST_NAME = 80
_DAY = len("2020-01-01")


class Blog(Platform):
    """Of no platform in particular: read by what publishing systems have in common. After all others."""

    name = "blog"
    rank = -60
    ready = "article, .hentry, .post, [itemprop=articleBody]"

    def knows_url(self, url: str) -> bool:
        host = f".{host_of(url)}"
        return any(f".{each}" in host if each.endswith(".") else host.endswith(f".{each}") for each in _HOSTS)

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return answer_of(page.json) is not None
        return _is_post(page)

    def canonical(self, url: str) -> str | None:
        """Tumblr's number of a post; others have their address alone."""
        found = re.match(r"https?://[^/]+\.tumblr\.com/post/(\d+)|https?://(?:www\.)?tumblr\.com/[\w-]+/(\d+)", url)
        return None if found is None else found[1] or found[2]

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            fill_answer(page.json, draft)
            return
        if not _is_post(page):
            if judged(page) is None:
                for title, where in titles_of_page(page):
                    draft.put("title", title, where)
            return
        draft.kind = Kind.POST
        self._names(page, draft, tumblr=next((name for name in map(_tumblr, page.own_urls) if name), ""))
        _put_time(page, draft)
        _put_recipe_time(page, draft)
        draft.put(
            "outbound_links",
            to_shops(page),
            "css a[href], to shops, affiliate networks, shorteners and link hubs",
            shown=True,
        )
        own = of_markup(page, page.all(f"//*[{_CLASS.format('bypostauthor')}]"), _COMMENT_WORDS)
        put_comment_links(draft, own, "css .bypostauthor", shown=True)
        draft.put("language", page.root.get("lang"), "css html[lang]")
        pictures = [each for each in page.markup.metas.get("og:image", ()) if each.startswith("http")]
        if pictures:
            draft.put("media", list(dict.fromkeys(pictures)), "meta og:image")
        body = article(page)
        if body is not None and isinstance(body[1].get("articleBody"), str):
            draft.put("text", unescape(body[1]["articleBody"])[:MAX_CHARACTERS], f"{body[0]} .articleBody")
        draft.put("text", speech_in(page), SPEECH, shown=True)
        said = said_in(page.shown_text, by="page")
        if said:
            draft.put("disclosures", said, "text of the page", shown=True)
        domain = (
            re.search(r"Shopify\.shop\s*=\s*\"([\w.-]+)\"", page.text[:400_000])
            if "Shopify.shop" in page.text
            else None
        )
        if domain is not None:
            draft.put("shop_domain", domain[1], "script Shopify.shop")

    def _names(self, page: Saved, draft: Draft, *, tumblr: str) -> None:
        if tumblr:
            draft.put("author", tumblr, "address of the page")
            draft.put("handle", tumblr, "address of the page")
            number = next((found for found in map(self.canonical, page.own_urls) if found), None)
            draft.put("post_id", number, "address of the page")
        else:
            body = page.first("//body")
            posted = re.search(r"\bpostid-(\d+)\b", (body.get("class") or "") if body is not None else "")
            draft.put("post_id", None if posted is None else posted[1], "css body[class]")
            for author, where in authors(page):
                draft.put("author", author, where)
            _put_shown_author(page, draft, _SIGNED)
            cook = recipe_author(page)
            if cook is not None:
                draft.put("author", *cook)
            _put_shown_author(page, draft, _BYLINES)
        for title, where in titles(page):
            draft.put("title", title, where)
        headed = line_in(page, _TITLES) or line_in(page, "//*[contains(@itemprop,'headline')]")
        if headed is not None:
            draft.put("title", headed[1], "css .entry-title and its like", shown=True)
        blog_names = {squeeze(page.meta("og:site_name")), squeeze(tumblr)}
        if tumblr:  # Tumblr gives a post without a title its blog's
            blog_names.add(squeeze(line_of_title(page)))
        named = [each for each in titles_of_page(page) if squeeze(each[0]) not in blog_names]
        for title, where in named:
            if not (tumblr and where == "css title"):
                draft.put("title", title, where)


def line_of_title(page: Saved) -> str:
    titled = page.first("//head/title")
    return "" if titled is None else " ".join("".join(titled.itertext()).split())


def _tumblr(url: str) -> str:
    """The blog's name in an address on Tumblr: ``NAME.tumblr.com/post/1``, ``www.tumblr.com/NAME/1``."""
    found = re.match(
        r"https?://(?:(?:www\.)?tumblr\.com/(?:blog/view/|@)?([\w-]+)/\d+|([\w-]+)\.tumblr\.com(?:/|$))", url
    )
    name = "" if found is None else found[1] or found[2]
    return "" if name in ("www", "assets", "static", "api") else name


def _is_post(page: Saved) -> bool:
    body = page.first("//body")
    classes = set((body.get("class") or "").lower().split()) if body is not None else set()
    kind = page.meta("og:type").lower()
    if kind.endswith("product") or (page.own_urls and all(map(_is_front, page.own_urls))):
        return False
    if classes & _INDEX_CLASSES and not classes & {"single", "single-post"}:
        return False
    if (
        classes & {"single", "single-post", "item-view", "post-template", "blog-single", "single-blog", "post-single"}
        or article(page) is not None
    ):
        return True
    if page.meta("article:published_time") or recipe(page) is not None:
        return True
    products = (*page.things("product"), *page.items("product"))
    if any("offers" in properties for _, properties in products):
        return False  # shops call their pages articles too
    if kind.rpartition(":")[2] in _POST_OG:
        return True
    if len(page.items(*TYPES)) == 1:
        return True
    if products:
        return False
    posts = page.all(f"//*[{_CLASS.format('hentry')} or {_CLASS.format('h-entry')}]")
    if len(posts) == 1:
        return True
    if not posts and page.all(_COMMENT_FORMS) and page.first("//*[@rel='bookmark']|//article") is not None:
        return True
    pieces = page.all("//article")
    signed = bool(page.meta("author", "article:author")) or (len(pieces) == 1 and pieces[0].find(".//time") is not None)
    return len(pieces) == 1 and signed and page.first("//article//h1|//main//h1|//h1") is not None


def _is_front(url: str) -> bool:
    """Whether an address is a site's front page, which is no post."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.path.strip("/") in ("", "index.html", "index.php") and not parts.query


def _put_shown_author(page: Saved, draft: Draft, ways: tuple[str, ...]) -> None:
    """By the first of these ways that finds one name; several are those of readers, or of other posts."""
    for way in ways:
        lines = [line_of(each) for each in page.all(way)[:40] if not is_aside(each)]
        names = {name for name in map(shown_name, lines) if 1 < len(name) <= _LONGEST_NAME}
        if len(names) != 1:
            continue
        name = names.pop()
        if not name.lower().startswith(("about", "author", "meet ")):
            draft.put("author", name, f"xpath {way}"[:200], shown=True)
            return


def _put_time(page: Saved, draft: Draft) -> None:
    declared = list(times(page))
    best = agreed(declared)
    if best is not None:
        draft.put("published", best[0], best[1])
    for element in page.all("//time|//abbr[contains(@class,'published')]")[:60]:
        given = element.get("datetime") or element.get("title") or element.get("content")
        at = None if given is None else instant(given)
        if "updated" in (element.get("class") or "") and "published" not in (element.get("class") or ""):
            continue
        if at is not None and not is_aside(element):
            draft.put("published", at, f"css {element.tag}[datetime]", shown=True)
            if _near(at, str(draft.fields["published"])):
                draft.put("published_shown", line_of(element), f"css {element.tag}", shown=True)
                return
    american = {"en-us": True}.get((page.root.get("lang") or "").lower().replace("_", "-"))
    if american is None and (page.root.get("lang") or "")[:2].lower() not in ("", "en"):
        american = False
    for way in (_DATED, _META):
        for element in page.all(way)[:80]:
            text = _own_line(element)
            day = day_in(text, near=next(iter(page.own_urls), ""), american=american) if text else None
            if day is not None and not is_aside(element) and not re.search(r"updated|modified", text, re.IGNORECASE):
                draft.put("published", day, "text of the page's date", shown=True)
                if _near(day, str(draft.fields["published"])):
                    draft.put("published_shown", text, "text of the page's date", shown=True)
                    return


def _put_recipe_time(page: Saved, draft: Draft) -> None:
    found = recipe(page)
    if found is not None:
        draft.put("published", instant(found[1].get("datePublished")), f"{found[0]} .datePublished")


def _near(one: str, other: str) -> bool:
    """Whether two times are of one day, wherever it is told: a reader's clock is up to a day off UTC."""
    return abs((date.fromisoformat(one[:_DAY]) - date.fromisoformat(other[:_DAY])).days) <= 1


def _own_line(element: Node) -> str:
    text = line_of(element)
    return text if len(text) <= _SHORT else ""
