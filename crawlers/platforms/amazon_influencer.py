"""Pages of Amazon's influencers and creators: ``/shop/NAME``, their lists and photos, on every marketplace."""

import re
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from archive.reading import Kind
from crawlers.articles import titles_of_page
from crawlers.hubs import put_buttons
from crawlers.outlinks import anchors, words_of
from crawlers.platform import Draft, Platform, judged
from crawlers.saved import Saved, line_of

_AMAZON = re.compile(
    r"(?:www\.|smile\.|m\.)?amazon\.(?:com|ca|co\.uk|de|fr|it|es|nl|se|pl|ie|in|ae|sa|eg|sg|com\.(?:au|br|mx|tr|be)|co\.(?:jp|za))"
)
_SHOP = re.compile(
    r"/shop/(?P<name>[^/?#]+)(?:/(?P<what>list|photo|video|post|ideas?)/(?P<id>[\w.%-]+))?", re.IGNORECASE
)
_ITEM = re.compile(r"/(?:dp|gp/product|gp/aw/d)/([A-Z0-9]{10})(?:[/?]|$)")
_NAMES = (
    "//*[@id='shop-influencer-profile-name' or @id='shop-influencer-name']",
    "//*[@id='shop-influencer-profile-name-and-status']//bdi",
    "//*[contains(@class,'shop-influencer-profile-name') or contains(@class,'influencer-name')]",
    "//*[@id='influencer-profile-header']//h1|//*[contains(@class,'profile-name')]",
)
_BIOS = (
    "//*[@id='shop-influencer-profile-description-text' or @id='shop-influencer-profile-description']",
    "//*[contains(@class,'shop-influencer-profile-description') or contains(@class,'profile-bio')]",
)
_TITLE = re.compile(
    r"(?:[’']s?)?\s+(?:Amazon (?:Page|Storefront|Shop)|Amazon\b.*)$|^Amazon\.[\w.]+\s*:?\s*|\s*[|:-]\s*Amazon.*$",
    re.IGNORECASE,
)


class AmazonInfluencer(Platform):
    """Before Amazon's own file, whose addresses hold these."""

    name = "amazon_influencer"
    hosts: ClassVar[frozenset[str]] = frozenset()
    rank = 10
    ready = "#shop-influencer-profile-name, [class*=influencer], a[href*='/dp/']"

    def knows_url(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return _AMAZON.fullmatch((parts.hostname or "").lower()) is not None and _SHOP.match(parts.path) is not None

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return super().knows(page)
        return super().knows(page) or page.by_id("shop-influencer-profile-name") is not None

    def canonical(self, url: str) -> str | None:
        found = _SHOP.search(url) if self.knows_url(url) else None
        if found is None:
            return None
        return (
            f"{found['name'].lower()}/{found['what'].lower()}/{found['id']}" if found["id"] else found["name"].lower()
        )

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None or judged(page) is not None:
            return
        address = next((url for url in page.own_urls if self.knows_url(url)), "")
        items: dict[str, dict[str, str]] = {}
        for url, element in anchors(page):
            asin = _ITEM.search(url)
            if asin is not None:
                entry = items.setdefault(asin[1], {"url": url, "text": ""})
                entry["text"] = entry["text"] or words_of(element)
        for xpath in _NAMES:
            draft.put("author", line_of(page.first(xpath)), f"xpath {xpath}", shown=True)
        if not items and not draft.fields:
            return
        draft.kind = Kind.LINK_HUB
        for title, where in titles_of_page(page):
            draft.put("author", _TITLE.sub("", title), where)
        place = _SHOP.search(urlsplit(address).path)
        if place is not None:
            draft.put("handle", unquote(place["name"]), "address of the page")
            draft.put("list_id" if place["what"] == "list" else "post_id", place["id"], "address of the page")
        for xpath in _BIOS:
            draft.put("bio", line_of(page.first(xpath)), f"xpath {xpath}", shown=True)
        put_buttons(draft, list(items.values()), "css a[href*='/dp/']", shown=True)
        draft.put("asins", list(items), "css a[href*='/dp/']")
