"""How long findings take on a case of 10,000 posts and 2,000 listings, and how much memory: pages in hand, one core."""

import os
import random
import resource
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from archive.reading import Kind, Reading, Seen, Source
from bench.measuring import tell
from custody.digest import Digest
from custody.model import Candidate, Hop, HopKind, Json, Origin, Outcome, Status, Via
from findings.finding import find
from findings.graph import graph_of
from findings.matter import Matter, Reference, Term
from findings.page import Page, Shown
from findings.tracing import Addresses

POSTS = int(os.environ.get("BENCH_FINDINGS_POSTS", "10000"))
LISTINGS = int(os.environ.get("BENCH_FINDINGS_LISTINGS", "2000"))
MATTER = Matter(
    terms=tuple(
        Term(text=each)
        for each in ("Cartier", "Love bracelet", "Gucci", "Dior", "Chanel", "Hermès", "Rolex", "Van Cleef & Arpels")
    ),
    references=(Reference(term="Cartier", amount=Decimal(6900), currency="USD"),),
    version=1,
)
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
_WORDS = """
    new drop gold bracelet screw ring bag summer love this look so pretty everyday jewelry tarnish free water proof
    haul unboxing dupe favourite wrist stack belt leather classic quilted chain soft link code ship fast worth it
"""
_EACH = _WORDS.split()
_LABELS = ("{} · the bracelet", "{} · gold ring", "{} · quilted bag", "{} · belt")


def case(chance: random.Random) -> list[Page]:
    """Each post sends its readers to a hub of twelve buttons and names the number of one."""
    pages: list[Page] = []
    for n in range(POSTS):
        unit = f"unit-{n}"
        number = chance.randrange(1, 13)
        caption = " ".join(chance.choices(_EACH, k=60))
        brand = chance.choice(("Cartier", "G*cci", "dior", "my", "C4rtier", "the"))
        said = f"{brand} {caption} link in bio, number {number} #ootd #dupe"
        hub = f"https://hub.example/{n % 500}"
        shops = [f"https://shop.example/item/{(n % 500 * 12 + k) % LISTINGS}" for k in range(12)]
        words: dict[str, Json] = {"caption": said, "handle": f"user{n % 700}", "published": "2026-01-01T10:00:00Z"}
        bio = [link(hub, "links", "profile")]
        post = page(unit, "post", Kind.POST, f"https://social.example/p/{n}", links=bio, fields=words)
        buttons = [link(url, _LABELS[k % 4].format(k + 1), "page") for k, url in enumerate(shops)]
        middle = page(unit, "hub", Kind.LINK_HUB, hub, parent=post, via=post.candidates[0].via, links=buttons)
        pages += [post, middle]
        for k in sorted({number - 1, *chance.sample(range(12), 1)}):
            pages.append(listing(shops[k], middle, buttons[k].via))
    return pages


def listing(url: str, parent: Page, via: Via) -> Page:
    number = int(url.rpartition("/")[2])
    fixed = random.Random(number)  # noqa: S311  # no secret
    title = " ".join(fixed.choices(_EACH, k=12))
    visible = " ".join(fixed.choices(_EACH, k=400))
    said: dict[str, Json] = {"title": title, "seller": f"Store {number % 90}", "item_id": str(number)}
    price: dict[str, Json] = {"price": "19.99", "currency": "USD"}
    name = f"listing-{number}"
    return page(parent.unit, name, Kind.LISTING, url, parent=parent, via=via, visible=visible, fields=said | price)


def link(href: str, text: str, where: str) -> Candidate:
    return Candidate(via=Via(href=href, text=text, where=where), follow=True, reason="hub_link")


def page(
    unit: str,
    name: str,
    kind: Kind,
    url: str,
    *,
    parent: Page | None = None,
    via: Via | None = None,
    links: list[Candidate] | None = None,
    visible: str = "",
    fields: Mapping[str, Json] | None = None,
) -> Page:
    known = fields or {}
    seen = {each: Source(where="css x", seen=Seen.SHOWN) for each in known}
    hop = Hop(n=1, from_url="https://sho.rt/a", to_url=url, kind=HopKind.HTTP, status=302, at=BEGUN)
    shown = Shown(sha256=Digest.of(url.encode()).hex, url=f"{url}.jpg", print="")
    return Page(
        capture=f"{unit}-{name}", unit=unit, parent=parent.capture if parent else None, via=via, url=url, key=url,
        title=None, hops=(hop,) if kind is Kind.LISTING else (), candidates=tuple(links or ()),
        looked_at=BEGUN + timedelta(days=30), status=Status.COMPLETE, outcome=Outcome.OK, origin=Origin.PUBLIC,
        record=Digest.of(f"{unit}-{name}".encode()), visible=visible, pictures=(shown,),
        reading=Reading(platform="generic", kind=kind, fields=known, sources=seen),
    )  # fmt: skip


def main() -> None:
    pages = case(random.Random(7))  # noqa: S311  # no secret
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun = time.process_time()
    found = find(pages, MATTER, Addresses(key=str, is_aside=lambda _: False))
    took = time.process_time() - begun
    records = sum(1 for _ in found.records(MATTER))
    print(f"   {len(pages)} captures: {records} promotions, {len(found.leads)} candidates")
    tell("findings of one case", took, "CPU s", at_most=60)
    begun = time.process_time()
    graph = graph_of(found.promotions, found.leads, pages)
    print(f"   graph: {len(graph.nodes)} nodes, {len(graph.links)} edges, {time.process_time() - begun:.1f} CPU s")
    tell("memory, its pages in it", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MiB", at_most=1024)
    print(f"   of that {held:.0f} MiB were the pages")


if __name__ == "__main__":
    main()
