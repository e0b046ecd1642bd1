"""What an article says of itself to machines: title, author, time. JSON-LD first, for this page's article alone."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import unescape
from typing import Any

from crawlers.dates import day_in, instant, same_instant
from crawlers.markup import place, types_of
from crawlers.saved import Node, Saved, dig, line_of

TYPES = (
    "blogposting", "socialmediaposting", "discussionforumposting", "newsarticle", "article", "techarticle",
    "opinionnewsarticle", "reviewnewsarticle", "reportagenewsarticle", "advertisercontentarticle",
    "liveblogposting",
)  # fmt: skip
_PAGES = ("webpage", "itempage", "aboutpage", "collectionpage")
_TITLE_METAS = ("og:title", "twitter:title", "dc.title", "sailthru.title", "parsely-title")
_AUTHOR_METAS = (
    "author", "article:author_name", "parsely-author", "sailthru.author", "dc.creator", "dcterms.creator",
    "citation_author", "byl", "vr:author", "cxenseparse:author",
)  # fmt: skip
_TIME_METAS = (
    "article:published_time", "og:article:published_time", "og:published_time", "article:published",
    "article.published", "datepublished", "date.published", "parsely-pub-date", "sailthru.date", "pubdate",
    "publishdate",
    "publish-date", "publish_date", "publication_date", "dc.date.issued", "dcterms.created", "dc.date.created",
    "dc.date",
    "dcterms.date", "date", "citation_publication_date", "cxenseparse:recs:publishtime", "bt:pubdate",
)  # fmt: skip
_WRITTEN_BY = re.compile(
    r"written by|author|verfasst von|geschrieben von|ecrit par|écrit par|escrito por|scritto da|geschreven door|"
    r"skriven av|autor|автор|написано|yazar|作者|投稿者|執筆者|글쓴이",
    re.IGNORECASE,
)
_LONGEST_NAME = 120
_INTRODUCED = re.compile(
    r"^\W*(?:(?:posted|written|published|words)\s+)?(?:by|von|por|par|di|door|av|af|автор|作者|投稿者)\b[:\s]*",
    re.IGNORECASE,
)
_FOLLOWED = re.compile(
    r"\s+(?:on|am|le|il|el|em)\s+\d|\s+[|•·—]\s+|\s+(?:at|on)\s+[A-Z]\w+\s+\d|\s+[A-Z]\w{2,8}\.? \d{1,2},? \d{4}"
    r"|\s+\d{1,2}[./ ]\w+[./ ]\d{4}|,?\s+(?:published|updated)\b"
)
_ASIDE = re.compile(
    r"(?:[a-z]+[-_])?comments?(?:[-_]?(?:list|area|section|body|author|form|content|meta|text|thread|wrap\w*|\d+))?"
    r"|commentlist|disqus\w*|(?:site[-_]|primary[-_]|secondary[-_])?sidebar(?:[-_]\w+)?|related(?:[-_]\w+)?"
    r"|jp-relatedposts|reviews?[-_](?:list|item)"
)
_NO_ASIDE = re.compile(r"(?:no|has|with|open|closed|hide|show)[-_]comments?|(?:no|has|with)[-_]\w+")
"""What themes write on a whole page or post of its comments or its side bar."""

Found = tuple[str, str]
"""A value, and where it was."""


def article(page: Saved) -> tuple[str, Mapping[str, Any]] | None:
    """The JSON-LD object of the page's own article; None where none is told from those that it only lists."""
    found = page.things(*TYPES)
    if not found:
        return None
    own = [each for each in found if is_own(page, each[1])]
    if own:
        return own[0]
    rank = {name: n for n, name in enumerate(TYPES)}
    found.sort(key=lambda each: min((rank[name] for name in types_of(each[1]) if name in rank), default=len(TYPES)))
    titled = [each for each in found if each[1].get("headline") or each[1].get("datePublished")]
    return titled[0] if len(titled) == 1 else None


def is_own(page: Saved, thing: Mapping[str, Any]) -> bool:
    """Whether an object names the page's address, or hangs on the object that does (Yoast: ``isPartOf``)."""
    names: list[Any] = []
    for key in ("@id", "url", "mainEntityOfPage", "isPartOf"):
        value = thing.get(key)
        names += [value.get("@id"), value.get("url")] if isinstance(value, Mapping) else [value]
    addresses = {place(url) for url in page.own_urls}
    return any(isinstance(each, str) and place(page.markup.join(each) or "") in addresses for each in names)


def titles(page: Saved) -> Iterator[Found]:
    """Best first: the article's headline, then the elements that themes title posts with, then meta elements."""
    found = article(page)
    if found is not None:
        for key in ("headline", "name"):
            if isinstance(found[1].get(key), str):
                yield unescape(found[1][key]), f"{found[0]} .{key}"
                break


def titles_of_page(page: Saved) -> Iterator[Found]:
    """What the page calls itself: meta elements, then its title."""
    for name in _TITLE_METAS:
        if page.meta(name):
            yield unescape(page.meta(name)), f"meta {name}"
    titled = page.first("//head/title")
    if titled is not None:
        yield " ".join("".join(titled.itertext()).split()), "css title"


def authors(page: Saved) -> Iterator[Found]:
    """Of the article, not of a recipe or a comment on the page: a plug-in may name another there."""
    found = article(page)
    pages = [each for each in page.things(*_PAGES) if each[1].get("author")]
    for path, thing in ([] if found is None else [found]) + pages:
        for key in ("author", "creator"):
            names = [name for name in _names(page, thing.get(key)) if name]
            if names:
                yield ", ".join(dict.fromkeys(names)), f"{path} .{key}"
    for name in _AUTHOR_METAS:
        if _is_name(page.meta(name)):
            yield unescape(page.meta(name)), f"meta {name}"
    for n in ("1", "2"):
        if _WRITTEN_BY.search(page.meta(f"twitter:label{n}")) and _is_name(page.meta(f"twitter:data{n}")):
            yield unescape(page.meta(f"twitter:data{n}")), f"meta twitter:data{n}"
    for path, properties in page.items(*TYPES):
        for name in _names(page, properties.get("author")):
            yield name, f"{path} .author"


def recipe(page: Saved) -> tuple[str, Mapping[str, Any]] | None:
    """The page's recipe, where it has one: its author and day are heard after all others."""
    found = page.things("recipe")
    return found[0] if len(found) == 1 else next((each for each in found if is_own(page, each[1])), None)


def recipe_author(page: Saved) -> Found | None:
    found = recipe(page)
    names = [] if found is None else _names(page, found[1].get("author"))
    return (", ".join(dict.fromkeys(names)), f"{found[0]} .author") if found is not None and names else None


def times(page: Saved) -> Iterator[Found]:
    """Every time of publication that is declared, the surest first, as ``crawlers.dates.instant`` gives it."""
    found = article(page)
    pages = [each for each in page.things(*_PAGES) if each[1].get("datePublished")]
    for path, thing in ([] if found is None else [found]) + pages:
        at = instant(thing.get("datePublished")) or instant(thing.get("dateCreated"))
        if at is not None:
            yield at, f"{path} .datePublished"
    for name in _TIME_METAS:
        for value in page.markup.metas.get(name, ()):
            at = instant(value) or day_in(value)
            if at is not None:
                yield at, f"meta {name}"
    for path, properties in page.items(*TYPES):
        at = instant(dig(properties, "datePublished"))
        if at is not None:
            yield at, f"{path} .datePublished"


def agreed(found: list[Found]) -> Found | None:
    """The surest time; only its day where another source gives that day another hour."""
    if not found:
        return None
    at, where = found[0]
    for other, _ in found[1:]:
        if not same_instant(at, other) and other[:10] == at[:10]:
            return at[:10], where
    return at, where


def is_aside(element: Node) -> bool:
    """Whether an element stands among comments, related posts or a side bar: somebody else's words."""
    for above in (element, *element.iterancestors()):
        if above.tag in ("body", "html", "main"):
            return False
        if above.tag == "aside" or _names_aside(f"{above.get('class') or ''} {above.get('id') or ''}"):
            return True
    return False


@lru_cache(maxsize=4096)
def _names_aside(names: str) -> bool:
    tokens = names.lower().split()
    return any(_ASIDE.fullmatch(each) and not _NO_ASIDE.fullmatch(each) for each in tokens)


def shown_name(text: str) -> str:
    """A byline without what introduces it ("by ", "Posted by", "von") and what follows ("on May 5")."""
    name = _INTRODUCED.sub("", re.sub(r"^BY(?=[A-Z][a-z])", "", text))
    return _FOLLOWED.split(name)[0].strip(" ,:|-–—•·")


def _names(page: Saved, value: Any) -> list[str]:
    found = []
    for each in value if isinstance(value, list) else [value]:
        person = each
        if isinstance(person, Mapping) and not person.get("name") and isinstance(person.get("@id"), str):
            person = _by_id(page).get(person["@id"], person)
        if isinstance(person, Mapping):
            person = dig(person, "properties", "name") or person.get("name")
            person = person[0] if isinstance(person, list) and person else person
        if isinstance(person, str) and _is_name(person):
            found.append(" ".join(unescape(person).split()))
    return found


def _by_id(page: Saved) -> dict[str, Mapping[str, Any]]:
    return {
        thing["@id"]: thing
        for thing in page.markup.things
        if isinstance(thing.get("@id"), str) and isinstance(thing.get("name"), str)
    }


def _is_name(text: str) -> bool:
    return bool(text.strip()) and "://" not in text and not re.search(r"\S@\S", text) and len(text) <= _LONGEST_NAME


def line_in(page: Saved, xpath: str) -> tuple[Node, str] | None:
    """The first element that is found, is nobody else's, and has text."""
    for element in page.all(xpath)[:40]:
        if not is_aside(element):
            text = line_of(element)
            if text:
                return element, text
    return None
