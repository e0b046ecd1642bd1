"""Whose page it is: the author's profile as the page names it, by one convention or another."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from crawlers.address import host_of
from crawlers.anchors import Link
from crawlers.hosts import platform_of
from crawlers.markup import Markup, place, squeeze, types_of
from crawlers.outline import Node, Outline, names_of
from crawlers.regions import Layout, Region

_BYLINE_ELEMENTS = 50
"""An author's name, picture and link take no more."""
# What sites call their own pages, where an account's name might stand.
_NO_NAMES = frozenset(
    ("about", "account", "archive", "blog", "cart", "contact", "discover", "download", "explore", "faq", "feed", "help",
     "home", "jobs", "live", "login", "menu", "messages", "news", "notifications", "posts", "press", "reels", "search",
     "settings", "shop", "signin", "signup", "store", "support", "tags", "trending", "upload", "videos")
)  # fmt: skip
MAX_AUTHORS = 2
"""A post made together has two; a page that names more is an index."""

_WORKS = (
    ("socialmediaposting", "blogposting", "discussionforumposting"),
    ("newsarticle", "article", "videoobject", "imageobject", "photograph"),
    ("review", "creativework", "webpage", "itempage", "recipe", "howto"),
)
"""In this order: a recipe plug-in may name the recipe's author, who is not the post's."""

# Path segments under which platforms keep posts: what stands before them is the account.
_POST_SEGMENTS = frozenset(
    ("p", "post", "posts", "status", "statuses", "reel", "reels", "video", "videos", "photo", "photos", "tv", "note",
     "notes", "story", "stories", "article", "articles", "pin", "live", "clip", "clips", "item")
)  # fmt: skip
_ACCOUNT_SEGMENTS = frozenset(
    ("user", "users", "u", "profile", "profiles", "author", "authors", "people", "member", "c")
)


@dataclass(frozen=True, slots=True)
class Profile:
    """The address of an author, and the words under which the page links to it."""

    href: str
    text: str


def declared_authors(markup: Markup) -> tuple[str, ...]:
    """Addresses of the author as JSON-LD and meta elements give them, best first."""
    found = list(_of_things(markup)) or [each for each in markup.metas.get("article:author", ()) if "://" in each]
    urls = [markup.join(each) or "" for each in found]
    return tuple(
        dict.fromkeys(url for url in urls if urlsplit(url).scheme in ("http", "https") and not _is_page(markup, url))
    )


def authors_of(layout: Layout, links: Iterable[Link]) -> tuple[Profile, ...]:
    """The author's profile; the first convention that the page follows decides.

    Where one names only the site's front page, as a blog with one author may, the others are heard first.
    """
    known = [link for link in links if link.region not in (Region.COMMENT, Region.RELATED) and not link.written]
    words = {place(link.href): link.text for link in reversed(known) if link.text}
    markup = layout.outline.markup
    ways = (
        (Profile(href, "") for href in declared_authors(markup)),
        _by_rel(layout, known),
        _by_microdata(layout),
        _by_byline(layout, known),
        _by_path(layout, known),
        _by_name(layout, known),
        _by_face(layout, known),
    )
    front: dict[str, Profile] = {}
    for way in ways:
        found = {
            place(profile.href): Profile(profile.href, profile.text or words.get(place(profile.href), ""))
            for profile in way
            if urlsplit(profile.href).scheme in ("http", "https") and not _is_page(markup, profile.href)
        }
        deeper = {
            key: profile for key, profile in found.items() if key.strip("/") != host_of(markup.url).removeprefix("www.")
        }
        front = front or found
        if deeper:
            return tuple(deeper.values())[:MAX_AUTHORS]
    return tuple(front.values())[:1]


def _is_page(markup: Markup, url: str) -> bool:
    return place(url) in markup.own_addresses or not host_of(url)


def _of_things(markup: Markup) -> Iterator[str]:
    by_id = {thing["@id"]: thing for thing in markup.things if isinstance(thing.get("@id"), str) and len(thing) > 1}
    for kinds in _WORKS:
        works = [thing for thing in markup.things if set(types_of(thing)) & set(kinds)]
        works.sort(key=lambda thing: not _is_about_page(markup, thing))
        named = False
        for work in works:
            for key in ("author", "creator"):
                people = work.get(key)
                for person in people if isinstance(people, list) else [people]:
                    if isinstance(person, dict) and set(person) <= {"@id", "@type", "name"}:
                        # A reference stands for its object.
                        person = by_id.get(str(person.get("@id")), person)  # noqa: PLW2901
                    url = _address_of(person)
                    if url:
                        named = True
                        yield url
            if any(work.get(key) for key in ("author", "creator")):
                break  # the other works of the kind are other people's: comments, related posts
        if named:
            return


def _is_about_page(markup: Markup, work: Mapping[str, Any]) -> bool:
    said = [work.get("@id"), work.get("url"), work.get("mainEntityOfPage")]
    said += [each.get("@id") for each in said if isinstance(each, dict)]
    return any(isinstance(each, str) and place(markup.join(each) or "") in markup.own_addresses for each in said)


def _address_of(person: Any) -> str | None:
    if not isinstance(person, dict):
        return None
    same = person.get("sameAs")
    candidates = [person.get("url"), person.get("mainEntityOfPage"), person.get("mainEntityofPage"), person.get("@id")]
    candidates += same if isinstance(same, list) else [same]
    for candidate in candidates:
        value = candidate.get("@id") or candidate.get("url") if isinstance(candidate, dict) else candidate
        # `https://site/#/schema/person/1` is a name for an object, not a page.
        if isinstance(value, str) and value and "#" not in value:
            return value
    return None


def _by_rel(layout: Layout, links: list[Link]) -> Iterator[Profile]:
    """HTML, link type `author`; a link element counts as well as an a."""
    yield from (Profile(link.href, link.text) for link in links if "author" in link.rel)
    markup = layout.outline.markup
    for element in markup.root.iter("link"):
        if "author" in (element.get("rel") or "").lower().split() and element.get("href"):
            yield Profile(markup.join(element.get("href")) or "", "")


def _by_microdata(layout: Layout) -> Iterator[Profile]:
    outline = layout.outline
    for node in outline.nodes:
        if layout.region(node) in (Region.COMMENT, Region.RELATED):
            continue
        if {"author", "creator"} & set(node.get("itemprop").lower().split()):
            inside = [outline.nodes[n] for n in outline.inside(node.n)[:_BYLINE_ELEMENTS]]
            ways = [each for each in inside if "url" in each.get("itemprop").lower().split()] or inside
            for each in ways:
                href = each.get("href") or (each.get("content") if each.tag in ("meta", "link") else "")
                if href:
                    yield Profile(outline.markup.join(href) or "", outline.text_of(each.n))
                    break


def _by_byline(layout: Layout, links: list[Link]) -> Iterator[Profile]:
    """A link in, or as, something called author or byline; microformats: `h-card`, `p-author`, `vcard`."""
    outline = layout.outline
    for link in links:
        if link.region in (Region.TEXT, Region.BYLINE) and platform_of(host_of(link.href)) == outline.site:
            around = [link.n, *outline.ancestors(link.n)][:4]
            if any(_is_byline(outline.nodes[n]) for n in around) and len(link.text) <= 60:
                yield Profile(link.href, link.text)
                return


def _is_byline(node: Node) -> bool:
    return node.chars <= 200 and bool(names_of(node) & {"author", "byline", "vcard", "hcard", "username", "poster"})


def _by_path(layout: Layout, links: list[Link]) -> Iterator[Profile]:
    """`/@name/video/1` and `/name/status/1` lie below the account; taken when the page links to it."""
    markup = layout.outline.markup
    for address in [markup.url, markup.meta("og:url")]:
        account = _account_of(address)
        if account:
            yield from (
                Profile(link.href, link.text)
                for link in links
                if place(link.href) == place(account) and link.region is not Region.NAVIGATION
            )
            yield from (Profile(link.href, link.text) for link in links if place(link.href) == place(account))


def _account_of(url: str) -> str | None:
    parts = urlsplit(url)
    segments = [segment for segment in parts.path.split("/") if segment]
    if len(segments) >= 2 and (segments[0].startswith("@") or segments[1].lower() in _POST_SEGMENTS):
        account = segments[:1]
    elif len(segments) >= 3 and segments[0].lower() in _ACCOUNT_SEGMENTS:
        account = segments[:2]
    else:
        return None
    return f"{parts.scheme}://{parts.netloc}/{'/'.join(account)}"


def _by_name(layout: Layout, links: list[Link]) -> Iterator[Profile]:
    """A link whose words are its own path (`/someone/` under `someone`), where more says that it is a person."""
    outline = layout.outline
    titles = [element.text or "" for element in outline.markup.root.iter("title")]
    metas = [outline.markup.meta(name) for name in ("og:title", "twitter:title", "og:description", "description")]
    said = squeeze(" ".join(titles + metas))
    for sure in (True, False):
        for link in links:
            name = _name_of(link)
            if name and link.region in (Region.TEXT, Region.BYLINE) and platform_of(host_of(link.href)) == outline.site:
                marked = link.text.startswith("@") or "/@" in link.href or bool(re.search(r"[\d_.]", name))
                if (squeeze(name) in said) if sure else (marked or _is_pictured(outline, link)):
                    yield Profile(link.href, link.text)
                    return


def _name_of(link: Link) -> str | None:
    segments = [segment for segment in urlsplit(link.href).path.split("/") if segment]
    if not (len(segments) == 1 or (len(segments) == 2 and segments[0].lower() in _ACCOUNT_SEGMENTS)):
        return None
    name = segments[-1]
    same = squeeze(link.text) == squeeze(name) != "" and not link.text.startswith("#")
    return name if same and name.lower() not in _NO_NAMES else None


def _by_face(layout: Layout, links: list[Link]) -> Iterator[Profile]:
    """A link to an account with a picture to it, above the author's words."""
    outline = layout.outline
    last = max(outline.inside(layout.declared_in)) if layout.declared_in >= 0 else len(outline.nodes)
    for link in links:
        segments = [segment for segment in urlsplit(link.href).path.split("/") if segment]
        accounted = len(segments) == 2 and segments[0].lower().lstrip("@") in _ACCOUNT_SEGMENTS
        placed = link.region in (Region.TEXT, Region.BYLINE) and link.n <= last
        if placed and accounted and platform_of(host_of(link.href)) == outline.site and _is_pictured(outline, link):
            yield Profile(link.href, link.text)
            return


def _is_pictured(outline: Outline, link: Link) -> bool:
    """A picture in the link, or right before it: the account's face."""
    around = outline.inside(outline.nodes[link.n].parent)
    return any(outline.nodes[n].tag == "img" for n in around if n < link.n + 4) and len(around) < 40
