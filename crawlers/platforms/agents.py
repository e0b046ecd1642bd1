"""Purchasing agents for Chinese shops (Superbuy, CNFans, Pandabuy, ...): what their page sells is another shop's item.

The item's source is in the agent's own address, so a dead agent page still says what it led to. No real page was at
hand.
"""

import re
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from archive.reading import Kind
from crawlers.address import host_of
from crawlers.money import price_of
from crawlers.platform import Draft, Platform
from crawlers.saved import Saved, line_of

SOURCES = {
    "taobao": "https://item.taobao.com/item.htm?id={}",
    "weidian": "https://weidian.com/item.html?itemID={}",
    "1688": "https://detail.1688.com/offer/{}.html",
}
_NAMED = {
    "weidian": "weidian",
    "wd": "weidian",
    "micro": "weidian",
    "taobao": "taobao",
    "tb": "taobao",
    "tmall": "taobao",
    "ali_1688": "1688",
    "1688": "1688",
    "alibaba": "1688",
}
_NUMBERED = {"oopbuy": {"1": "taobao"}, "hoobuy": {"0": "1688", "1": "taobao", "2": "weidian"}}
"""Codes on which two sources agree; others stay unresolved."""
_SOURCE = (
    (re.compile(r"(?:^|\.)weidian\.com$"), "weidian", ("itemid", "item_id")),
    (re.compile(r"(?:^|\.)(?:taobao|tmall)\.com$"), "taobao", ("id",)),
    (re.compile(r"(?:^|\.)1688\.com$"), "1688", ("offerid",)),
)


class Agents(Platform):
    """``item_id`` is the source's; ``outbound_links`` holds the source's address."""

    name = "agents"
    hosts: ClassVar[frozenset[str]] = frozenset(
        [
            "superbuy.com",
            "sugargoo.com",
            "cssbuy.com",
            "kakobuy.com",
            "fansbuy.com",
            "hoobuy.com",
            "cnfans.com",
            "mulebuy.com",
            "acbuy.com",
            "oopbuy.com",
            "basetao.com",
            "wegobuy.com",
            "pandabuy.com",
            "allchinabuy.com",
            "joyabuy.com",
            "joyagoo.com",
            "mycnbox.com",
            "gtbuy.com",
            "hipobuy.com",
            "lovegobuy.com",
            "itaobuy.com",
            "ponybuy.com",
            "eastmallbuy.com",
            "hubbuycn.com",
            "orientdig.com",
            "usfans.com",
        ]
    )
    ready = "h1, [class*='goods-title'], [class*='product-title']"

    def canonical(self, url: str) -> str | None:
        """``weidian:4301234567``: the source's name and its id."""
        found = decode(url) if self.knows_url(url) else None
        return f"{found[0]}:{found[1]}" if found else None

    def fill(self, page: Saved, draft: Draft) -> None:
        source = next((found for url in page.own_urls if self.knows_url(url) and (found := decode(url))), None)
        if page.json is not None or source is None:
            return
        title = page.first(
            "//h1|//*[contains(@class,'goods-title') or contains(@class,'product-title')"
            " or contains(@class,'goodsTitle') or contains(@class,'item-title')]"
        )
        said = line_of(title)
        if not said or self.is_walled(page):
            draft.note(f"the address leads to {source[0]}:{source[1]}")
            return
        draft.kind = Kind.LISTING
        draft.put("title", said, "css h1", shown=True)
        draft.put("item_id", source[1], "the page's address")
        draft.put("outbound_links", [SOURCES[source[0]].format(source[1])], "the page's address")
        for each in page.all("//*[contains(@class,'price') or contains(@class,'Price')]")[:20]:
            shown = line_of(each)
            price = price_of(shown, usual="CNY") if len(shown) <= 60 else None
            if price is not None and price.currency:
                draft.put("price", price.amount, "css .price", shown=True)
                draft.put("price_max", price.highest, "css .price", shown=True)
                draft.put("price_shown", shown, "css .price", shown=True)
                draft.put("currency", price.currency, "css .price", shown=True)
                break
        shop = page.first(
            "//*[contains(@class,'shop-name') or contains(@class,'shopName') or contains(@class,'seller-name')]"
        )
        draft.put("seller", line_of(shop), "css .shop-name", shown=True)


def decode(url: str) -> tuple[str, str] | None:
    """Source (a key of ``SOURCES``) and item id in an agent's address; None where the address does not say."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    asked = {key.lower(): values[0] for key, values in parse_qs(parts.query).items()}
    for name in ("url", "link", "goodsurl", "nturl"):
        if asked.get(name):
            return _source_of(asked[name])
    micro = re.search(r"/item-(?:(micro|1688|taobao|weidian)-)?(\d{6,16})\.html", parts.path)
    if micro:
        return _NAMED.get(micro[1] or "taobao", "taobao"), micro[2]
    path = re.search(r"/product/(\w+)/(\d{6,16})", parts.path)
    if path:
        agent = host_of(url).removeprefix("www.").partition(".")[0]
        source = _NAMED.get(path[1].lower()) if not path[1].isdigit() or path[1] == "1688" else None
        source = source or _NUMBERED.get(agent, {}).get(path[1])
        return (source, path[2]) if source else None
    named = _NAMED.get((asked.get("platform") or asked.get("shop_type") or asked.get("source") or "").lower())
    number = asked.get("id") or asked.get("spuno") or ""
    return (named, number) if named and re.fullmatch(r"\d{6,16}", number) else None


def _source_of(address: Any) -> tuple[str, str] | None:
    host = host_of(address if "://" in address else f"https://{address}")
    parts = urlsplit(address)
    asked = {key.lower(): values[0] for key, values in parse_qs(parts.query).items()}
    for pattern, source, names in _SOURCE:
        if pattern.search(host):
            number = next((asked[each] for each in names if each in asked), "")
            found = re.search(r"/(?:offer|item)/(\d{6,16})(?:\.html?)?", parts.path)
            number = number or (found[1] if found else "")
            return (source, number) if re.fullmatch(r"\d{6,16}", number) else None
    return None
