"""Any shop's product page, by what it declares: schema.org in JSON-LD and microdata, Open Graph, product elements."""

from archive.reading import Kind
from crawlers.cards import card_price, fill_meta
from crawlers.platform import Draft, Platform
from crawlers.products import add_declared, all_declared, declared, fill_declared, heading
from crawlers.saved import Saved
from crawlers.shopfront import fill_shown, shown_offer


class Shop(Platform):
    """Knows a page that says it is a product's; a page that lists several is none."""

    name = "shop"
    rank = -50
    ready = "[itemprop='price'], [itemtype*='schema.org/Product'], meta[property='product:price:amount']"

    def knows(self, page: Saved) -> bool:
        if page.json is not None or _is_article(page):
            return False
        return _is_product(page) or declared(page) is not None or shown_offer(page) is not None

    def fill(self, page: Saved, draft: Draft) -> None:
        products = list(all_declared(page))
        offer = shown_offer(page)
        if not products and not _is_product(page) and offer is None:
            return
        draft.kind = Kind.LISTING
        if products:
            fill_declared(page, draft, products[0])
        for each in products[1:]:
            add_declared(page, draft, product=each)
        draft.put("title", heading(page), "css h1", shown=True)
        fill_meta(page, draft)
        if offer is not None and "price" not in draft.fields:
            draft.put("price", offer.amount, "css [class*=price]", shown=True)
            draft.put("price_max", offer.highest, "css [class*=price]", shown=True)
            draft.put("currency", offer.currency, "css [class*=price]", shown=True)
        fill_shown(page, draft)


def _is_article(page: Saved) -> bool:
    """An article about a product, which may declare that, too."""
    works = page.things("article", "blogposting", "newsarticle", "recipe")
    return bool(works) and page.meta("og:type").lower() in ("article", "blog", "")


def _is_product(page: Saved) -> bool:
    """By its own word in Open Graph, with a price to it: shops give their front pages the type ``product``, too."""
    kind = page.meta("og:type").lower().rpartition(":")[2]
    return kind in ("product", "product.item", "og_product") and bool(
        page.meta("product:price:amount", "og:price:amount", "product:sale_price:amount")
        or card_price(page)
        or len(page.all("//*[@itemprop='price']")) == 1
    )
