"""Tracing: from the captures of one unit to its promotions and its leads. What nobody saw leads nowhere."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from archive.reading import Kind
from archive.surface import Surface
from custody.errors import FormatError
from custody.instant import parse_utc
from custody.model import Candidate, Hop, Via
from findings.page import Page, Words, file_of
from findings.pointing import Button, By, Pointer, Pointing, pointing_of, points
from findings.promotion import Chosen, Edge, Lead, Mutable, Promotion, Published, Quote, is_pointed
from findings.resembling import Resembles
from findings.voices import host_of, speech_of

_SURFACES = frozenset((Surface.EMBED.value, Surface.OEMBED.value, Surface.API.value))
"""``via.where`` of a capture that shows the same thing on another surface of its platform."""
_OPEN = frozenset(("over_limit", "over_depth", "no_follow", "duplicate", "no_address"))
"""Reasons for which a link was not followed although nothing spoke against it."""
_COMMENT = "comment"
_AUTHORS_WORDS = ("text", _COMMENT)
"""``via.where`` of a link in what the author wrote, in the post or below it."""
_ENDS = (Kind.LISTING, Kind.STOREFRONT)
_DEEPEST = 12
"""Links in a row. The crawler follows fewer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Addresses:
    """What is known of addresses by those who look at pages; handed in."""

    key: Callable[[str], str]
    """The same for two spellings of one page, and for a wrapped address and what it says it leads to."""
    is_aside: Callable[[str], bool]
    """Whether it is an account on a platform where a person's posts are, and no shop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Traced:
    """Of one unit."""

    promotions: tuple[Promotion, ...] = ()
    leads: tuple[Lead, ...] = ()


def trace(pages: Sequence[Page], addresses: Addresses, resembles: Resembles | None = None) -> Traced:
    """``pages``: all captures of one unit. Without a post among them there is nothing to trace."""
    root = next((each for each in pages if each.parent is None), None)
    if root is None or root.kind in (*_ENDS, Kind.LINK_HUB, Kind.PROFILE):
        return Traced()
    walk = _Walk(root, pages, addresses, resembles)
    promotions: list[Promotion] = []
    leads: list[Lead] = []
    for found in walk.ends():
        if isinstance(found, Promotion):
            promotions.append(found)
        else:
            leads.append(found)
    return Traced(promotions=tuple(promotions), leads=tuple(leads))


def by_unit(pages: Sequence[Page]) -> Mapping[str, Sequence[Page]]:
    """In the order in which the units come."""
    units: dict[str, list[Page]] = defaultdict(list)
    for each in pages:
        units[each.unit].append(each)
    return units


def published_of(page: Page) -> Published | None:
    """As the page says, and as the id says; where they overlap, what both allow. What contradicts is no interval."""
    fields = page.reading.fields
    said = _interval(fields.get("published"))
    made = fields.get("published_from_id")
    by_id: tuple[datetime, datetime] | None = None
    if isinstance(made, Mapping):
        first, last = _interval(made.get("from")), _interval(made.get("to"))
        by_id = (first[0], last[1]) if first and last else None
    if said and by_id:
        earliest, latest = max(said[0], by_id[0]), min(said[1], by_id[1])
        if earliest <= latest:
            return Published(earliest=earliest, latest=latest, basis="page and id")
    if said:
        return Published(earliest=said[0], latest=said[1], basis="page")
    return Published(earliest=by_id[0], latest=by_id[1], basis="id") if by_id else None


def _interval(value: object) -> tuple[datetime, datetime] | None:
    """An instant is itself; a day is known to the day only, in nobody knows which zone."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("2026-01-01"):
            day = datetime.fromisoformat(value).replace(tzinfo=UTC)
            return day - timedelta(hours=14), day + timedelta(hours=36)
        text = value if "." in value else value.replace("Z", ".000Z")
        at = parse_utc(text)
    except (ValueError, FormatError):
        return None
    return at, at


class _Walk:
    """Over one unit, from its post to where its links end."""

    def __init__(self, root: Page, pages: Sequence[Page], addresses: Addresses, resembles: Resembles | None) -> None:
        self._root = root
        self._addresses = addresses
        self._resembles = resembles
        self._children: dict[str, list[Page]] = defaultdict(list)
        for each in pages:
            if each.parent is not None:
                self._children[each.parent].append(each)
        self._also = tuple(self._surfaces(root))
        self._posts = {each.capture for each in (root, *self._also)}
        self._by_key = {addresses.key(each.via.href): each for each in pages if each.via is not None}
        self._published = next((at for each in (root, *self._also) if (at := published_of(each))), None)
        self._quoted, self._pointing = self._spoken()

    def ends(self) -> Iterator[Promotion | Lead]:
        told: set[tuple[str, str]] = set()
        for page in (self._root, *self._also):
            for each in self._from(page, (), {page.capture}):
                last = each.edges[-1]
                place = (last.from_capture, self._addresses.key(last.href) if last.href else last.text)
                if place not in told:
                    told.add(place)
                    yield each

    def _surfaces(self, page: Page) -> Iterator[Page]:
        for each in self._children[page.capture]:
            if each.via is not None and each.via.where in _SURFACES:
                yield each
                yield from self._surfaces(each)

    def _spoken(self) -> tuple[Sequence[tuple[Page, Words]], tuple[Pointing, ...]]:
        """The author's texts on all surfaces of the post, and what each says of where the link is."""
        texts = [(page, words) for page in (self._root, *self._also) for words in speech_of(page)]
        sent = any(
            each.kind not in _ENDS and each.via is not None and each.via.where == "text" and _leads_on(each)
            for page in (self._root, *self._also)
            for each in self._children[page.capture]
        )
        return texts, tuple(pointing_of(words.text, is_sent=sent) for _, words in texts)

    def _onwards(self, page: Page, path: tuple[Edge, ...], been: set[str]) -> Iterator[Promotion | Lead]:
        """From a page, and from what its platform showed of it elsewhere."""
        for each in (page, *self._surfaces(page)):
            yield from self._from(each, path, been | {each.capture})

    def _from(self, page: Page, path: tuple[Edge, ...], been: set[str]) -> Iterator[Promotion | Lead]:
        links = [each for each in page.candidates if each.follow or each.reason in _OPEN]
        if page.capture in self._posts:
            there = {self._addresses.key(each.via.href) for each in links if each.via.href}
            links += [each for each in _only_on_pictures(page) if self._addresses.key(each.via.href) not in there]
        pointers = self._pointers(page, links)
        for link in links:
            child = self._child(page, link)
            edge = self._edge(page, link, child, pointers.get(link.via.href))
            edges = (*path, edge)
            if child is None:
                yield from self._not_followed(link, edges)
            elif child.capture not in been and len(edges) < _DEEPEST:
                yield from self._at(child, edges, been | {child.capture})

    def _at(self, page: Page, edges: tuple[Edge, ...], been: set[str]) -> Iterator[Promotion | Lead]:
        shown = [each for each in (page, *self._surfaces(page)) if each.was_seen]
        if page.kind not in _ENDS and any(_leads_on(each) for each in shown):
            yield from self._onwards(page, edges, been)
        elif edges[-1].chosen is Chosen.AUTHOR:
            if not page.was_seen and any(each.says_something for each in self._pointing):
                yield self._lead(edges, page, f"not_seen: {page.outcome.value}")  # it points at what nobody could see
        elif not is_pointed(edges):
            if edges[-1].chosen is not Chosen.REACHABLE or not self._addresses.is_aside(edges[-1].href):
                yield self._lead(edges, page, "reachable")
        elif page.kind in _ENDS or not page.was_seen:
            yield Promotion(post=self._root, also=self._also, edges=edges, end=page, published=self._published)
        else:
            yield self._lead(edges, page, "no_listing")

    def _not_followed(self, link: Candidate, edges: tuple[Edge, ...]) -> Iterator[Lead]:
        aside = edges[-1].chosen is Chosen.REACHABLE and self._addresses.is_aside(link.via.href)
        is_silent = edges[-1].chosen is Chosen.AUTHOR and not any(each.says_something for each in self._pointing)
        if not aside and not is_silent:
            yield self._lead(edges, None, f"not_followed: {link.reason}")

    def _lead(self, edges: tuple[Edge, ...], end: Page | None, reason: str) -> Lead:
        return Lead(post=self._root, edges=edges, end=end, reason=reason)

    def _child(self, page: Page, link: Candidate) -> Page | None:
        """The capture that the link led to: this page's own, or the one of the same address elsewhere in the unit."""
        for each in self._children[page.capture]:
            if each.via == link.via:
                return each
        return self._by_key.get(self._addresses.key(link.via.href)) if link.via.href else None

    def _pointers(self, page: Page, links: Sequence[Candidate]) -> dict[str, tuple[Pointer, Quote | None]]:
        """By address, for the page's links at which the post points."""
        if page.capture in self._posts:
            return self._in_post(page, links)
        buttons = [
            Button(
                href=each.via.href,
                label=each.via.text,
                key=self._addresses.key(each.via.href) if each.via.href else each.via.text,
                looks_like_post=self._looks_like_post(page, each.via),
                is_aside=bool(each.via.href) and self._addresses.is_aside(each.via.href),
            )
            for each in links
            if each.via.where != "author"
        ]
        found: dict[str, tuple[Pointer, Quote | None]] = {}
        for (spoken, words), pointing in zip(self._quoted, self._pointing, strict=True):
            for pointer in points(pointing, buttons):
                quote = (
                    Quote(capture=spoken.capture, words=words.name, passage=pointer.passage)
                    if pointer.passage
                    else None
                )
                found.setdefault(pointer.href, (pointer, quote))
        return found

    def _in_post(self, page: Page, links: Sequence[Candidate]) -> dict[str, tuple[Pointer, Quote | None]]:
        stickers = _on_pictures(page)
        return {
            each.via.href: (
                Pointer(href=each.via.href, by=_by(each.via, stickers), passage=None),
                None,
            )
            for each in links
            if each.via.where in _AUTHORS_WORDS and each.via.href
        }

    def _looks_like_post(self, page: Page, via: Via) -> bool:
        if self._resembles is None or not page.pictures:
            return False
        shown = self._picture_of(page, via)
        if shown is None:
            return False
        mine = [each for post in (self._root, *self._also) for each in post.own_pictures]
        return any(
            file_of(each.url) == file_of(shown) and self._resembles.same(each, one) is not None
            for each in page.pictures
            for one in mine
        )

    def _picture_of(self, page: Page, via: Via) -> str | None:
        """The address of the picture on a button, where the reading of the page has it."""
        links = page.reading.fields.get("links")
        key = self._addresses.key(via.href) if via.href else ""
        for each in links if isinstance(links, (list, tuple)) else ():
            if not isinstance(each, Mapping) or not isinstance(each.get("image"), str):
                continue
            if self._addresses.key(str(each.get("url"))) == key:
                return str(each["image"])
        return None

    def _edge(
        self, page: Page, link: Candidate, child: Page | None, pointed: tuple[Pointer, Quote | None] | None
    ) -> Edge:
        hops = child.hops if child is not None else ()
        pointer, quote = pointed if pointed is not None else (None, None)
        chosen = Chosen.POINTED if pointer else Chosen.REACHABLE
        if link.via.where == "author":
            chosen, pointer, quote = Chosen.AUTHOR, None, None
        return Edge(
            from_capture=page.capture,
            to_capture=child.capture if child is not None else None,
            href=link.via.href,
            text=link.via.text,
            where=link.via.where,
            chosen=chosen,
            by=pointer.by if pointer else None,
            rests_on=quote,
            mutable=tuple(_mutable(page, link.via, hops)),
            seen_at=page.looked_at,
            hops=hops,
        )


def _by(via: Via, stickers: frozenset[str]) -> By:
    if via.href in stickers:
        return By.STICKER
    return By.COMMENT if via.where == _COMMENT else By.IN_TEXT


def _leads_on(page: Page) -> bool:
    return any(each.follow or each.reason in _OPEN for each in page.candidates)


def _mutable(page: Page, via: Via, hops: Sequence[Hop]) -> Iterator[Mutable]:
    if via.where == "profile" or page.kind is Kind.PROFILE:
        yield Mutable.PROFILE
    elif via.where == _COMMENT:
        yield Mutable.COMMENT
    elif via.where == "page":
        yield Mutable.HUB
    hosts = [host_of(via.href), *(host_of(hop.to_url) for hop in hops)]
    if len(set(hosts)) > 1:
        yield Mutable.SHORT_LINK


def _only_on_pictures(page: Page) -> Iterator[Candidate]:
    """Addresses on the post's picture, which only its data has: nobody could press them."""
    for each in sorted(_on_pictures(page)):
        yield Candidate(via=Via(href=each, text="", where="text"), follow=False, reason="only_on_picture")


def _on_pictures(page: Page) -> frozenset[str]:
    links = page.reading.fields.get("links")
    if not isinstance(links, (list, tuple)):
        return frozenset()
    return frozenset(
        str(each.get("url")) for each in links if isinstance(each, Mapping) and each.get("shown_as") == "sticker"
    )
