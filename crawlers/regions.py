"""Which part of a page speaks: the author's own text, or navigation, comments, related posts, share buttons."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from crawlers.bystanders import below_comment_titles, is_titled_comments, signed_by_author, signed_by_others
from crawlers.markup import place, squeeze
from crawlers.outline import Node, Outline, Text, names_of


class Region(StrEnum):
    """A part of a page. Every value but the first two and `own_comment` is also why its links are not followed."""

    TEXT = "text"
    BYLINE = "byline"
    """The header of an article: who wrote it, and when."""
    NAVIGATION = "navigation"
    SHARE = "share"
    COMMENT = "comment"
    """Somebody else's words below the author's."""
    OWN_COMMENT = "own_comment"
    """The author's own words among the comments."""
    RELATED = "related"
    """Other posts, the author's or not, offered beside this one."""


# HTML and WAI-ARIA landmarks: what they hold is about the site, not the post.
_AROUND_TAGS = frozenset(("nav", "footer", "aside", "dialog", "menu"))
_AROUND_ROLES = frozenset(
    ("navigation", "contentinfo", "complementary", "banner", "search", "menu", "menubar", "toolbar", "tablist",
     "dialog", "alertdialog", "alert", "status")
)  # fmt: skip
_SECTIONS = frozenset(("article", "main", "section", "aside", "nav"))

# Words that people and their tools put into class and id; style sheets are written in English nearly everywhere.
_NAMES = {
    Region.NAVIGATION: frozenset(
        ("nav", "navbar", "navigation", "menu", "submenu", "breadcrumb", "breadcrumbs", "sidebar", "footer", "masthead",
         "topbar", "colophon", "pagination", "pager", "cookie", "cookies", "consent", "gdpr", "newsletter", "subscribe",
         "signup", "optin", "popup", "modal", "ad", "ads", "advert", "advertisement", "blogroll", "archives",
         "categories", "skiplink")
    ),
    Region.COMMENT: frozenset(
        ("comment", "comments", "commentlist", "respond", "disqus", "replies", "kommentare", "commentaires",
         "comentarios", "commenti", "komentarze", "yorumlar")
    ),
    Region.RELATED: frozenset(
        ("related", "relatedposts", "recommended", "recommendation", "recommendations", "suggested", "suggestions",
         "popular", "trending", "similar", "upnext", "outbrain", "taboola", "yarpp")
    ),
    Region.SHARE: frozenset(
        ("share", "shares", "sharing", "sharebar", "sharedaddy", "addtoany", "addthis", "sharethis", "shareaholic")
    ),
}  # fmt: skip
# `comments-open`, `comment-count` and the like say something about comments and hold none.
_ABOUT_COMMENTS = frozenset(("open", "closed", "enabled", "disabled", "count", "counter", "link", "links", "number"))

_POSTING_TYPES = frozenset(
    ("blogposting", "socialmediaposting", "discussionforumposting", "newsarticle", "article", "review", "videoobject",
     "imageobject", "photograph", "recipe", "creativework")
)  # fmt: skip
_COMMENT_TYPES = frozenset(("comment", "usercomments", "answer"))
_NEEDLE = 32
"""Letters of the author's words that must be found in a row."""
_SHORTEST = 12


@dataclass(frozen=True, slots=True)
class Layout:
    """A page's elements, each with its region."""

    outline: Outline
    regions: tuple[Region, ...]
    container: int
    """The element that holds the post: an article, `main`, or the body."""
    declared_in: int
    """The smallest element with the words that the page declares to be its author's; -1 when there is none."""

    is_sure: bool
    """The page leaves no doubt which part of it the post is: if that has no links, the post has none."""

    def region(self, item: Node | Text) -> Region:
        return self.regions[item.n]


def lay_out(outline: Outline, *, position: str, authors: frozenset[str] = frozenset(), wide: bool = False) -> Layout:
    """The regions of a page at a position (``root``, ``author``, ``link``) of the chain.

    ``authors``: what `crawlers.markup.place` makes of the author's known addresses. ``wide``: the second look, where
    the first found nothing: the post may be anywhere on the page, a profile's links in a side bar.
    """
    declared_in = _declared_in(outline)
    holders = _Holders.of(outline, declared_in)
    regions: list[Region] = []
    for node in outline.nodes:
        above = regions[node.parent] if node.parent >= 0 else Region.TEXT
        if above in (Region.TEXT, Region.BYLINE):
            own = _own_region(outline, node, holders, position=position, wide=wide)
            regions.append(own or above)
        else:
            regions.append(above)
    container = 0
    if position == "root":
        container = _post(outline, regions, declared_in) if not wide else _main(outline)
        inside = outline.inside(container)
        if outline.nodes[container].is_article:
            others = [node.n for node in outline.nodes if node.is_article and node.n not in inside]
            _mark(outline, regions, others, Region.RELATED)
        for node in outline.nodes:
            if node.n not in inside and regions[node.n] in (Region.TEXT, Region.BYLINE):
                regions[node.n] = Region.NAVIGATION
    others = below_comment_titles(outline, holders.of_page)
    others += signed_by_others(outline, authors, counts=lambda n: regions[n] is Region.TEXT)
    _mark(outline, regions, others, Region.COMMENT)
    if position == "root":
        for n in signed_by_author(outline, authors, counts=lambda n: regions[n] is Region.COMMENT):
            regions[n] = Region.OWN_COMMENT
    if position == "author" and not wide:
        # A profile's posts: what they link to is their own matter, unless the profile itself has nothing.
        feed = [node.n for node in outline.nodes if node.is_article and regions[node.n] is Region.TEXT]
        _mark(outline, regions, feed if len(feed) > 1 else [], Region.RELATED)
    holder = outline.nodes[container]
    sure = (
        position == "root" and holder.tag != "body" and (declared_in in outline.inside(container) or holder.chars > 200)
    )
    return Layout(outline=outline, regions=tuple(regions), container=container, declared_in=declared_in, is_sure=sure)


def _own_region(outline: Outline, node: Node, holders: "_Holders", *, position: str, wide: bool) -> Region | None:
    """The region that an element opens by itself, if it opens one."""
    kinds = {kind.rpartition("/")[2].lower() for kind in node.get("itemtype").split()}
    if kinds & _COMMENT_TYPES or "comment" in node.get("itemprop").split():
        return Region.COMMENT
    if position == "root" and node.is_article and _in_article(outline, node):
        # HTML, the article element: one inside another is about it, "for instance, a comment".
        return Region.COMMENT
    if node.n in holders.of_page or node.tag in ("html", "body", "main", "article"):
        return None
    lenient = wide and position != "root" and node.tag != "footer" and node.role != "contentinfo"
    if node.tag == "header" or node.role == "banner":
        if position != "root":
            return None  # on a profile the header is where the biography stands
        sectioned = any(outline.nodes[n].tag in _SECTIONS for n in outline.ancestors(node.n))
        return Region.BYLINE if sectioned and node.role != "banner" else Region.NAVIGATION
    if node.tag in _AROUND_TAGS or node.role in _AROUND_ROLES:
        return None if lenient and _leads_out(node) else Region.NAVIGATION
    names = names_of(node)
    for region, words in _NAMES.items():
        if names & words:
            if region is Region.COMMENT and names & _ABOUT_COMMENTS:
                continue
            if region in (Region.SHARE, Region.NAVIGATION) and node.n in holders.of_articles:
                continue  # `with-sidebar` around an article; a list of comments or related posts holds articles too
            if region in (Region.SHARE, Region.NAVIGATION) and position != "root" and _leads_out(node):
                continue  # a profile's or hub's own buttons, whatever they are called
            return region
    if is_titled_comments(node):
        return Region.COMMENT
    if position != "link" and _is_link_list(node):
        return Region.NAVIGATION
    return None


def _leads_out(node: Node) -> bool:
    return node.links > 0 and node.own_links * 2 < node.links


def _is_link_list(node: Node) -> bool:
    """Nothing but links, and most of them to the site itself: a menu, in whatever clothes."""
    return (
        node.tag in ("ul", "ol", "div", "section", "p", "dl", "table")
        and node.links >= 5
        and node.own_links * 5 >= node.links * 3
        and node.link_chars * 5 >= node.chars * 4
    )


def _in_article(outline: Outline, node: Node) -> bool:
    return any(outline.nodes[n].is_article for n in outline.ancestors(node.n))


@dataclass(frozen=True, slots=True)
class _Holders:
    """Elements around what a page is about, which no class name makes furniture of."""

    of_page: frozenset[int]
    """Around `main`, an article's body, the words that the page declares."""
    of_articles: frozenset[int]

    @classmethod
    def of(cls, outline: Outline, declared_in: int) -> "_Holders":
        sure = [
            node.n
            for node in outline.nodes
            if node.tag == "main" or node.role == "main" or "articlebody" in node.get("itemprop").lower().split()
        ]
        if declared_in >= 0:
            sure.append(declared_in)
        articles = [node.n for node in outline.nodes if node.is_article]
        of_page, of_articles = (
            frozenset(above for n in inner for above in (n, *outline.ancestors(n))) for inner in (sure, articles)
        )
        return cls(of_page=of_page, of_articles=of_articles)


def _declared_in(outline: Outline) -> int:
    """Where the words stand that the page declares to machines as its text: found letter by letter."""
    owners: list[int] = []
    starts: list[int] = []
    pieces: list[str] = []
    length = 0
    for event in outline.events:
        squeezed = squeeze(event.text) if isinstance(event, Text) else ""
        if squeezed:
            owners.append(event.n)
            starts.append(length)
            pieces.append(squeezed)
            length += len(squeezed)
    whole = "".join(pieces)
    texts = {squeeze(text) for text in outline.markup.declared}
    for text in sorted((text for text in texts if len(text) >= _SHORTEST), key=len, reverse=True):
        # A description may begin with the platform's words about the post (`12 likes, someone on 1 May: …`).
        for offset in range(0, max(len(text) - _NEEDLE, 0) + 1, _NEEDLE):
            needle = text[offset : offset + _NEEDLE]
            at = whole.find(needle)
            if at >= 0:
                first, last = bisect_right(starts, at) - 1, bisect_right(starts, at + len(needle) - 1) - 1
                return _around(outline, owners[first : last + 1])
    return -1


def _around(outline: Outline, numbers: list[int]) -> int:
    """The smallest block that holds all of some elements."""
    lines = [{n, *outline.ancestors(n)} for n in numbers]
    return outline.nodes[max(set.intersection(*lines))].block


def _post(outline: Outline, regions: list[Region], declared_in: int) -> int:
    """The element that is the post: of several articles the one that says so, else the first."""
    articles = [node for node in outline.nodes if node.is_article and regions[node.n] is Region.TEXT and node.chars]
    main = _main(outline)
    if articles:
        best = max(articles, key=lambda node: (_claims(outline, node, declared_in), -node.n))
        apart = outline.nodes[main].chars - sum(node.chars for node in articles)
        if _claims(outline, best, declared_in) or len(articles) == 1 or apart < best.chars:
            return best.n
        _mark(outline, regions, [node.n for node in articles], Region.RELATED)
        return main
    for node in outline.nodes:
        kinds = {kind.rpartition("/")[2].lower() for kind in node.get("itemtype").split()}
        if kinds & _POSTING_TYPES and node.chars and regions[node.n] is Region.TEXT:
            return node.n
    return main


def _claims(outline: Outline, article: Node, declared_in: int) -> int:
    """How much speaks for an article being what the page is about."""
    inside = outline.inside(article.n)
    headed = permanent = False
    for n in inside:
        node = outline.nodes[n]
        headed = headed or node.tag == "h1"
        if node.tag == "a" and node.get("href") and any(outline.nodes[m].tag == "time" for m in outline.inside(n)):
            permanent = permanent or place(outline.markup.join(node.get("href")) or "") in outline.markup.own_addresses
    return 2 * (declared_in in inside) + 2 * permanent + headed


def _main(outline: Outline) -> int:
    for node in outline.nodes:
        if node.tag == "main" or node.role == "main":
            return node.n
    return next((node.n for node in outline.nodes if node.tag == "body"), 0)


def _mark(outline: Outline, regions: list[Region], numbers: Iterable[int], region: Region) -> None:
    for number in numbers:
        for n in outline.inside(number):
            if regions[n] in (Region.TEXT, Region.BYLINE):
                regions[n] = region
