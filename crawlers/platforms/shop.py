"""Any shop's product page, by what it declares: schema.org in JSON-LD and microdata, Open Graph, product elements."""

from archive.reading import Kind
from crawlers.counter import fill_shown
from crawlers.platform import Draft, Platform
from crawlers.products import declared, fill_declared, fill_meta, heading
from crawlers.saved import Saved


class Shop(Platform):
    """Knows a page that says it is a product's; a page that lists several is none."""

    name = "shop"
    rank = -50
    ready = "[itemprop='price'], [itemtype*='schema.org/Product'], meta[property='product:price:amount']"

    def knows(self, page: Saved) -> bool:
        return page.json is None and (_is_product(page) or declared(page) is not None)

    def fill(self, page: Saved, draft: Draft) -> None:
        product = declared(page)
        if product is None and not _is_product(page):
            return
        draft.kind = Kind.LISTING
        if product is not None:
            fill_declared(page, draft, product)
        draft.put("title", heading(page), "css h1", shown=True)
        fill_meta(page, draft)
        fill_shown(page, draft)


def _is_product(page: Saved) -> bool:
    """By its own word in Open Graph, with a price to it: shops give their front pages the type ``product``, too."""
    kind = page.meta("og:type").lower().rpartition(":")[2]
    return kind in ("product", "product.item", "og_product") and bool(
        page.meta("product:price:amount", "og:price:amount", "product:sale_price:amount")
        or len(page.all("//*[@itemprop='price']")) == 1
    )
