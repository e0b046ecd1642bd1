"""Sharing: what promotions of one case have in common. That two posts lead to one seller is seen; why, is not said."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from custody.model import Json
from findings.observation import About, Observation
from findings.page import Page
from findings.promotion import Promotion
from findings.tags import tags_of
from findings.voices import host_of

MAX_NAMED = 20
"""Captures that one observation names; the rest is counted."""


class What(StrEnum):
    """What may be shared."""

    SELLER = "seller"
    TAG = "tag"
    LISTING = "listing"


_ABOUT = {What.SELLER: About.SHARED_SELLER, What.TAG: About.SHARED_TAG, What.LISTING: About.SHARED_LISTING}
_OF_MANY_HOSTS = frozenset(("generic", "shop", "blog", "hub", "shopify", "woocommerce", "agents"))
"""Readers that know a way of building pages, and no house."""
_CALLED = {What.SELLER: "the seller", What.TAG: "the link's tag", What.LISTING: "the listing"}


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Thing:
    """One seller, tag or listing, as it is told from others."""

    what: What
    key: str
    shown: str
    """For people."""


def things_of(promotion: Promotion) -> Iterator[Thing]:
    """Each once."""
    end = promotion.end
    if promotion.has_listing:
        yield Thing(what=What.LISTING, key=listing_key(end), shown=f"“{end.text('title') or end.url}”")
        seller = seller_of(end)
        if seller is not None:
            yield seller
    addresses = [
        *(each.href for each in promotion.edges),
        *(hop.to_url for each in promotion.edges for hop in each.hops),
    ]
    tags = {each for url in [*addresses, end.url] for each in tags_of(url) if each.joins}
    for each in sorted(tags):
        key = f"{each.programme} {each.name} {each.value}"
        yield Thing(what=What.TAG, key=key, shown=f"{each.programme} {each.name}={each.value}")


def seller_of(page: Page) -> Thing | None:
    """By its id where the page has one, else by its name, at that place: two shops may call themselves alike."""
    place = _place(page)
    named, number = page.text("seller"), page.text("seller_id")
    if number is None and named is None:
        return None
    key = f"{place} id {number}" if number else f"{place} name {' '.join((named or '').lower().split())}"
    return Thing(what=What.SELLER, key=key, shown=f"“{named or number}” at {host_of(page.url)}")


def listing_key(page: Page) -> str:
    """By the item's id at that place, where the page has one: shops have several addresses for one thing."""
    number = page.text("asin") or page.text("item_id")
    return f"{_place(page)} {number}" if number else page.key


def account_of(post: Page) -> str | None:
    """Who posted: by the platform's id, else by the profile that the post links, else by the name at that place."""
    place = _place(post)
    known = post.text("account_id") or post.text("handle")
    if known is not None:
        return f"{place} {known.lower()}"
    profile = next((each.via.href for each in post.candidates if each.via.where == "author"), None)
    if profile is not None:
        return f"profile {profile.partition('://')[2].rstrip('/').lower()}"
    name = post.text("author")
    return f"{place} name {name.lower()}" if name else None


def _place(page: Page) -> str:
    """Where ids and names are one person's: a platform's whole, but of a shop or blog that runs by itself its host."""
    host = host_of(page.url)
    platform = page.reading.platform
    return host if platform in _OF_MANY_HOSTS or not platform else f"{platform} {_country(host)}".strip()


def _country(host: str) -> str:
    """Marketplaces number their goods and sellers by country: ``amazon.de`` is not ``amazon.com``."""
    return ".".join(host.split(".")[-2:]) if host.count(".") else host


def shared(promotions: Sequence[Promotion]) -> Mapping[str, tuple[Observation, ...]]:
    """By promotion's id: what it shares with promotions of other posts."""
    users: dict[Thing, list[Promotion]] = defaultdict(list)
    known: dict[tuple[What, str], Thing] = {}
    for each in promotions:
        for thing in dict.fromkeys(things_of(each)):
            users[known.setdefault((thing.what, thing.key), thing)].append(each)
    found: dict[str, list[Observation]] = defaultdict(list)
    for thing, some in sorted(users.items(), key=lambda item: item[0]):
        posts = list(dict.fromkeys(each.post.key for each in some))
        if len(posts) < 2:  # two is what sharing takes
            continue
        observation = _observation(thing, some, len(posts))
        for each in some:
            found[each.id].append(observation)
    return {name: tuple(some) for name, some in found.items()}


def _observation(thing: Thing, some: Sequence[Promotion], posts: int) -> Observation:
    accounts = list(dict.fromkeys(account for each in some if (account := account_of(each.post)) is not None))
    captures = _captures(some)
    by = f" by {len(accounts)} accounts" if len(accounts) > 1 else " by one account" if accounts else ""
    facts: dict[str, Json] = {
        "key": thing.key,
        "posts": posts,
        "accounts": accounts[:MAX_NAMED],
        "captures": captures[:MAX_NAMED],
        "captures_in_all": len(captures),
    }
    return Observation(
        about=_ABOUT[thing.what],
        sentence=f"{posts} posts{by} of this case lead to {_CALLED[thing.what]} {thing.shown[:160]}."
        if thing.what is not What.TAG
        else f"The links of {posts} posts{by} of this case carry {thing.shown[:160]}.",
        is_weak=len(accounts) < 2,
        facts=facts,
    )


def _captures(some: Iterable[Promotion]) -> list[str]:
    return list(dict.fromkeys(name for each in some for name in (each.post.capture, each.end.capture)))
