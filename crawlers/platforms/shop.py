"""Any shop's product page, by what it declares: schema.org in JSON-LD and microdata, Open Graph, product elements."""

from archive.reading import Kind
from crawlers.money import currency_in, price_of
from crawlers.platform import Draft, Platform
from crawlers.products import breadcrumb, declared, fill_declared, fill_meta, fill_offers, heading
from crawlers.saved import Saved, line_of
from crawlers.stock import availability_of

_OFFERED = (
    "//*[@itemprop='offers' and @itemscope][not(ancestor::*[@itemscope][contains(@itemtype,'ItemList')])]"
    "[.//@itemprop='price']"
)


class Shop(Platform):
    """Knows a page that says it is a product's; a page that lists several is none."""

    name = "shop"
    rank = -50

    def knows(self, page: Saved) -> bool:
        return page.json is None and (_is_product(page) or declared(page) is not None)

    def fill(self, page: Saved, draft: Draft) -> None:
        product = declared(page)
        if product is not None:
            draft.kind = Kind.LISTING
            fill_declared(page, draft, product)
        elif _is_product(page):
            draft.kind = Kind.LISTING
            draft.put("title", heading(page), "css h1", shown=True)
        else:
            return
        fill_meta(page, draft)
        fill_shown(page, draft)


def fill_shown(page: Saved, draft: Draft) -> None:
    """What a shop's page shows beside what it declares."""
    crumbs = breadcrumb(page)
    if crumbs is not None:
        draft.put("category", crumbs[1], crumbs[0])


def _is_product(page: Saved) -> bool:
    kind = page.meta("og:type").lower()
    return kind.rpartition(":")[2] in ("product", "product.item") and bool(
        page.meta("product:price:amount", "og:price:amount") or page.first("//*[@itemprop='price']") is not None
    )
