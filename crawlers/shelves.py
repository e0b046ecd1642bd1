"""Shelves: a page that offers many goods, told by its cards, each with one link into the site and one price."""

from crawlers.address import host_of, registrable_domain
from crawlers.money import price_of
from crawlers.saved import Node, Saved, line_of

LEAST = 4
"""Goods: a page with fewer shows them beside something else."""
_MAX_LINKS = 600
_MAX_CARD = 400
"""Characters of a card: what is longer is no card."""
_HIGHEST = 5
"""Elements around a link that are looked at."""


def goods_on(page: Saved) -> int:
    """How many different pages of this site stand on cards with a price, at most as many as are looked at."""
    site = registrable_domain(host_of(page.url or next(iter(page.own_urls), "")))
    goods: set[str] = set()
    for link in page.all("//body//a[@href]")[:_MAX_LINKS]:
        target = page.markup.join(link.get("href") or "") or ""
        if not target.startswith("http") or target in goods:
            continue
        if site and registrable_domain(host_of(target)) != site:
            continue
        if _has_price(_card(link, target, page)):
            goods.add(target)
    return len(goods)


def _card(link: Node, target: str, page: Saved) -> Node:
    """The link with what stands around it, as far as nothing else is linked there."""
    card = link
    for _ in range(_HIGHEST):
        above = card.getparent()
        if above is None or above.tag in ("body", "main", "ul", "ol", "table"):
            break
        others = {page.markup.join(each.get("href") or "") for each in above.iter("a")}
        if others - {target, None}:
            break
        card = above
    return card


def _has_price(card: Node) -> bool:
    text = line_of(card)
    if not 0 < len(text) <= _MAX_CARD:
        return False
    found = price_of(text)
    return found is not None and found.currency is not None
