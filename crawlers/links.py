"""Which links of a page are followed, and why the others are not."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, unquote, urlsplit

from archive.errors import UsageError
from crawlers.address import dedupe_key, host_of, parse_target
from crawlers.anchors import Link, declared_links, links_of
from crawlers.authors import Profile, authors_of, declared_authors
from crawlers.controls import controls_among
from crawlers.hosts import Kind, classify, platform_of
from crawlers.listing import asks_for_password, is_article, is_hub_host, is_listing, is_posting, is_profile
from crawlers.markup import Markup, place
from crawlers.outline import Outline, Text
from crawlers.regions import Layout, Region, lay_out
from crawlers.resolving import literal
from crawlers.special import is_public
from crawlers.wrappers import carried_destination, unwrap
from custody.model import Candidate, Via
from findings.pointing import Button, Pointing, points

RECORDED_PER_REASON = 20
"""Of links that never were candidates (navigation, the site's own) so many are named per reason, the rest counted."""

RECORDED_CANDIDATES = 500
"""Of candidates that were not followed. A page with more than that many is no page of somebody's links."""
MAX_LINKS = 5_000
"""Links of a page that are judged, in document order."""

# Where a promotion is likely to go on comes first when not all links can be followed, a person's other accounts last.
_FIRST = (Kind.HUB, Kind.SHORTENER, Kind.WRAPPER, Kind.MARKET)
_NOT_PUBLIC_NAMES = (
    "localhost",
    "local",
    "internal",
    "lan",
    "home",
    "arpa",
    "onion",
    "invalid",
)  # RFC 6761, 6762, 7686
# What a link to a picture or a feed leads to is no page. A PDF may be a catalogue, and is an outcome of its own.
_FILES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".ico", ".mp4", ".webm", ".mov", ".mp3", ".wav",
          ".css", ".js", ".json", ".xml", ".rss", ".atom", ".ics", ".vcf", ".zip", ".apk", ".dmg", ".exe")  # fmt: skip
_WHERE = {"root": "text", "author": "profile"}
_COMMENT = "comment"
"""Where a link stands that the author wrote among the comments of the post."""
UNREADABLE = "no_address"
"""A button in a list of links that a script makes one of: the page does not say where it leads."""
_UNREADABLE = ("unsupported_scheme", "not_public_page")
_KIND_REASONS = {
    Kind.SHARE: "share",
    Kind.APP_STORE: "app_store",
    Kind.LEGAL: "legal",
    Kind.HOUSEHOLD: "navigation",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkPage:
    """A page that was looked at, and its place in the chain."""

    url: str
    """Where it was at the end, not what was asked for."""
    dom_html: str = field(repr=False)
    depth: int
    position: str
    """``root`` (asked for), ``author`` (an author's profile), ``link`` (anything else that was followed)."""
    pointing: Pointing | None = field(default=None, repr=False)
    """What the post's own words say of where its link is; None: nobody has read them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """Every link of a page, decided."""

    candidates: tuple[Candidate, ...]
    """Those to follow first, in the order of following."""
    left_out: Counter[str]
    """Reason -> how many more links there were than are named."""


def choose(page: LinkPage, *, limit: int, seen: Collection[str], max_depth: int | None = None) -> tuple[Candidate, ...]:
    """The links of a page, those to follow first. ``seen``: dedupe keys of what the unit has looked at already."""
    return survey(page, limit=limit, seen=seen, max_depth=max_depth).candidates


def choose_of_all(pages: Sequence[LinkPage], *, limit: int, seen: Collection[str]) -> tuple[Candidate, ...]:
    """Of a page and of the documents framed in it, as if they were one: one limit, and each address once."""
    follow: list[Candidate] = []
    leave: list[Candidate] = []
    known = set(seen) | {dedupe_key(page.url) for page in pages if _is_somewhere(page.url)}
    for page in pages:
        chosen = choose(page, limit=limit - len(follow), seen=known)
        here = {each.via.href for each in chosen if each.follow}
        told = {each.via.href for each in (*follow, *leave)}
        # What one document left and another promotes is followed, and said once.
        leave = [each for each in leave if each.via.href not in here]
        follow += [each for each in chosen if each.follow]
        leave += [each for each in chosen if not each.follow and each.via.href not in told]
        known |= {dedupe_key(each.via.href) for each in follow}
    return (*follow, *leave)


def survey(page: LinkPage, *, limit: int, seen: Collection[str], max_depth: int | None = None) -> Survey:
    """As `choose`, and the number of links that are not worth a line each."""
    outline = Outline(Markup.parse(page.url, page.dom_html))
    position = _position(page, outline)
    if position is None:
        return Survey(candidates=(), left_out=Counter())
    known = {_bare(key) for key in seen}
    for wide in (False, True):
        layout, links, profiles = _looked_at(outline, position, wide=wide)
        judged = _judged(layout, links[:MAX_LINKS], position, wide=wide)
        if any(each.reason is None and each.via.where != _COMMENT for each in judged) or layout.is_sure:
            break
    if position != "link" and not any(each.reason is None for each in judged):
        links += declared_links(layout)
        judged = _judged(layout, links, position, wide=True)
    if position == "link" and not _is_hub(layout, judged):
        return Survey(candidates=(), left_out=Counter())
    if page.pointing is not None and position != "root":
        judged = _pointed_first(judged, page.pointing)
    over = max_depth is not None and page.depth >= max_depth
    found = _decided([*_with_profiles(judged, profiles)], known, limit=limit, over_depth=over)
    sure = is_hub_host(page.url)
    if sure or position == "link" or _is_hub(layout, judged):
        found = _with_controls(found, layout, links[:MAX_LINKS], position, wide=wide, sure=sure)
    if len(links) > MAX_LINKS:
        found.left_out["not_judged"] = len(links) - MAX_LINKS
    return found


def _looked_at(outline: Outline, position: str, *, wide: bool) -> tuple[Layout, list[Link], tuple[Profile, ...]]:
    """Twice where the author shows only in the page: knowing who writes tells whose the other words are."""
    authors = frozenset(place(url) for url in declared_authors(outline.markup)) if position == "root" else frozenset()
    layout = lay_out(outline, position=position, authors=authors, wide=wide)
    links = list(links_of(layout))
    if position != "root":
        return layout, links, ()
    profiles = authors_of(layout, links[:MAX_LINKS])
    found = authors | {place(profile.href) for profile in profiles}
    if found != authors:
        layout = lay_out(outline, position=position, authors=found, wide=wide)
        links = list(links_of(layout))
    return layout, links, profiles


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    via: Via
    key: str
    """Equal for two links to one page, wrapped or not, http or https."""
    rank: int
    n: int
    follow: str
    """The reason to follow it, if nothing speaks against it."""
    reason: str | None
    """What speaks against it."""


def _position(page: LinkPage, outline: Outline) -> str | None:
    """What the page is, by its place in the chain and its own words; None where a chain ends."""
    if page.position == "root":
        if is_hub_host(page.url):
            return "link"
        if is_listing(outline) and not is_posting(outline.markup):
            return None
        return "author" if is_profile(outline.markup) else "root"
    if page.position == "link" and not is_hub_host(page.url) and (is_listing(outline) or is_article(outline.markup)):
        return None
    return page.position


def _judged(layout: Layout, links: Iterable[Link], position: str, *, wide: bool) -> list[_Judged]:
    """Each address once: the best thing that can be said of it, and the first words under which it stands."""
    where = _WHERE.get(position, "page")
    plain = {"text": "in_text", "profile": "profile_link"}.get(where, "hub_link")
    best: dict[str, _Judged] = {}
    for n, link in enumerate(links):
        reason = _against(link, layout, wide=wide)
        target = unwrap(link.href) or _own_way_out(link.href, layout.outline) or link.href
        key = _bare(dedupe_key(target)) or link.href
        kind = classify(link.href) if reason not in _UNREADABLE else Kind.OTHER
        commented = link.region is Region.OWN_COMMENT
        each = _Judged(
            via=Via(href=link.href, text=link.text, where=_COMMENT if commented else where),
            key=key,
            rank=_rank(kind, target) if reason is None else 9,
            n=n,
            follow=_why(kind, link, target, "own_comment" if commented else plain),
            reason=reason,
        )
        other = best.get(key)
        if other is None or (each.reason is None and other.reason is not None):
            best[key] = each
        elif other.reason == each.reason and not other.via.text and link.text:
            best[key] = replace(other, via=replace(other.via, text=link.text))
    return sorted(best.values(), key=lambda each: (each.rank, each.n))


def _pointed_first(judged: list[_Judged], pointing: Pointing) -> list[_Judged]:
    """The number that the post says comes before its neighbours, so that no limit keeps it from being followed."""
    buttons = [
        Button(href=each.via.href, label=each.via.text, key=each.key, is_aside=each.rank > 1)
        for each in sorted(judged, key=lambda one: one.n)
        if each.reason is None
    ]
    pointed = {each.href for each in points(pointing, buttons)}
    return sorted(judged, key=lambda each: each.via.href not in pointed)


def _why(kind: Kind, link: Link, target: str, plain: str) -> str:
    if kind is Kind.SHORTENER:
        return "shortener"
    return "wrapper" if kind is Kind.WRAPPER or target != link.href or "sponsored" in link.rel else plain


def _against(link: Link, layout: Layout, *, wide: bool) -> str | None:
    """Why a link is no candidate; None when it is one."""
    outline = layout.outline
    if urlsplit(link.href).scheme.lower() not in ("http", "https"):
        return "unsupported_scheme"
    target = unwrap(link.href) or link.href
    if not (_is_somewhere(link.href) and _is_somewhere(target)):
        return "not_public_page"
    if urlsplit(target).path.lower().endswith(_FILES):
        return "not_a_page"
    kinds = (classify(link.href), classify(target))
    for kind, reason in _KIND_REASONS.items():
        if kind in kinds:
            return reason
    same = platform_of(host_of(target)) == outline.site
    # A site's own way out, known or not: with the destination in its query, or sold as such (rel=sponsored).
    leaves = kinds[0] is Kind.WRAPPER or _own_way_out(link.href, outline) or "sponsored" in link.rel
    if same and not (target == link.href and leaves):
        return "same_site"
    if Kind.WRAPPER not in kinds and _carries_this_page(link.href, outline.markup):
        return "share"
    if "me" in link.rel or link.region in (Region.TEXT, Region.OWN_COMMENT) or (wide and link.region is Region.BYLINE):
        return None
    return "navigation" if link.region is Region.BYLINE else link.region.value


def _own_way_out(url: str, outline: Outline) -> str | None:
    """Where a page of this site that only passes visitors on says that it passes them."""
    return carried_destination(url) if platform_of(host_of(url)) == outline.site else None


def _is_somewhere(url: str) -> bool:
    """Whether a stranger could go there: a URL that can be captured, on a host that can be public."""
    try:
        parse_target(url)
    except UsageError:
        return False
    host = host_of(url)
    address = literal(host)
    if address is not None:
        return is_public(address)
    last = host.rpartition(".")[2]
    # A name that ends in a number is an address in disguise (WHATWG URL, "ends in a number").
    return "." in host and not re.fullmatch(r"\d+|0x[0-9a-f]*", last) and last not in _NOT_PUBLIC_NAMES


def _carries_this_page(url: str, markup: Markup) -> bool:
    """A link that takes the page's own address somewhere offers it to others, whatever the service is called."""
    values = [value for _, value in parse_qsl(urlsplit(url).query)]
    return any("." in value and place(value) in markup.own_addresses for value in values if value.startswith("http"))


def _rank(kind: Kind, target: str) -> int:
    """0 before 1 before 2. A wrapped link counts as what it leads to, a paid one as what it is."""
    aim = classify(target)
    if aim is Kind.SOCIAL:
        return 2
    return 0 if kind in _FIRST or aim in _FIRST else 1


def _is_hub(layout: Layout, judged: list[_Judged]) -> bool:
    """A page that mostly leads elsewhere, and says little itself; an interstitial is the smallest of them."""
    outline = layout.outline
    if is_hub_host(outline.markup.url):
        return True
    out = [each for each in judged if each.reason is None and each.rank < 2]
    social = [each for each in judged if each.reason is None and each.rank == 2]
    own = sum(each.reason == "same_site" for each in judged)
    prose = sum(
        len("".join(event.text.split()))
        for event in outline.events
        if isinstance(event, Text) and layout.region(event) is Region.TEXT and outline.nodes[event.n].link < 0
    )
    if not out or asks_for_password(outline) or own > len(out) + len(social) or prose > 400 + 60 * len(out):
        return False
    if len(out) + len(social) > 1:
        return True
    # One way out, on a page that names it: "you are leaving for shop.example". Anything else with a single link is not
    # a page of links but one with a link on it.
    aim = host_of(unwrap(out[0].via.href) or out[0].via.href).removeprefix("www.")
    return aim in unquote(urlsplit(outline.markup.url).query) or aim in out[0].via.text.lower()


def _with_profiles(judged: list[_Judged], profiles: Iterable[Profile]) -> Iterator[_Judged]:
    named = []
    for profile in profiles:
        if _is_somewhere(profile.href):
            via = Via(href=profile.href, text=profile.text, where="author")
            key = _bare(dedupe_key(profile.href))
            named.append(_Judged(via=via, key=key, rank=0, n=0, follow="author_profile", reason=None))
    keys = {each.key for each in named}
    yield from (each for each in judged if each.key not in keys)
    yield from named


def _decided(judged: list[_Judged], known: Collection[str], *, limit: int, over_depth: bool) -> Survey:
    good = [each for each in judged if each.reason is None]
    fresh = [each for each in good if each.key not in known and _bare(dedupe_key(each.via.href)) not in known]
    new = {each.key for each in fresh}
    room = {each.key for each in _within(fresh, limit)}
    follow: list[Candidate] = []
    leave: list[Candidate] = []
    for each in good:
        if each.key not in new:
            leave.append(Candidate(via=each.via, follow=False, reason="duplicate"))
        elif over_depth:
            leave.append(Candidate(via=each.via, follow=False, reason="over_depth"))
        elif each.key not in room:
            leave.append(Candidate(via=each.via, follow=False, reason="over_limit"))
        else:
            follow.append(Candidate(via=each.via, follow=True, reason=each.follow))
    named: Counter[str] = Counter()
    left_out: Counter[str] = Counter(each.reason for each in leave[RECORDED_CANDIDATES:])
    del leave[RECORDED_CANDIDATES:]
    for each in judged:
        if each.reason is not None:
            named[each.reason] += 1
            if named[each.reason] > RECORDED_PER_REASON:
                left_out[each.reason] += 1
            else:
                leave.append(Candidate(via=each.via, follow=False, reason=each.reason))
    return Survey(candidates=(*follow, *leave), left_out=left_out)


def _with_controls(
    found: Survey, layout: Layout, links: Sequence[Link], position: str, *, wide: bool, sure: bool
) -> Survey:
    """And the buttons of a list of links that no address can be read of: listed, and never pressed."""
    out = [link.n for link in links if _against(link, layout, wide=wide) is None]
    beside = 0 if sure else 1 if position == "link" else 2
    words = list(controls_among(layout, out=out, known={link.n for link in links}, beside=beside))
    if len(words) > RECORDED_PER_REASON:
        found.left_out[UNREADABLE] += len(words) - RECORDED_PER_REASON
    listed = (
        Candidate(via=Via(href="", text=each, where=_WHERE.get(position, "page")), follow=False, reason=UNREADABLE)
        for each in words[:RECORDED_PER_REASON]
    )
    return Survey(candidates=(*found.candidates, *listed), left_out=found.left_out)


def _bare(key: str) -> str:
    """Without the scheme: nobody promotes a page twice by http and https."""
    return key.partition("://")[2]


def _within(fresh: list[_Judged], limit: int) -> list[_Judged]:
    """As many as may be followed. A long post does not crowd out the author's profile: it gets the last place."""
    chosen = fresh[:limit]
    profile = next((each for each in fresh if each.via.where == "author"), None)
    if profile is not None and not any(each is profile for each in chosen) and limit >= 2:
        chosen = [*chosen[:-1], profile]
    return chosen


def link_key(url: str) -> str:
    """Equal for two links to one page, wrapped or not, http or https. For comparing only."""
    return _bare(dedupe_key(unwrap(url) or url)) or url


def is_aside(url: str) -> bool:
    """Whether a link leads to an account on a platform where people post, and not to anything that is sold."""
    return classify(unwrap(url) or url) is Kind.SOCIAL
