"""ShopMy: a curator's page and collections of products, as pages and as the answers of its API."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from archive.reading import Kind
from crawlers.hubs import fill_hub, put_buttons, text_of_key
from crawlers.platform import Draft, Platform
from crawlers.saved import Saved, dig, search

_HOUSE = ("shopmy.us", "shopmyshelf.us")
_OUT = re.compile(r"https?://(?:go\.)?(?:shopmy\.us|shopmyshelf\.us)/(?:p|ap)[-/]\w+")
"""ShopMy's own affiliate links, which lead on to shops."""


class Shopmy(Platform):
    """``shopmy.us/NAME``, ``shopmy.us/collections/N``, ``shopmy.us/p/N``."""

    name = "shopmy"
    hosts: ClassVar[frozenset[str]] = frozenset(_HOUSE)
    ready = "a[href*='shopmy.us/p'], img"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return super().knows(page) or _is_answer(page.json)
        return super().knows(page) or page.meta("og:site_name").lower() == "shopmy"

    def canonical(self, url: str) -> str | None:
        found = re.search(r"shopmy\.us/(?:shop/)?(collections/(?:public/|embed/)?\d+|p/\w+)", url)
        return None if found is None else re.sub(r"public/|embed/", "", found[1])

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            _fill_answer(page.json, draft)
            return
        own = [each for each in page.all("//body//a[@href]") if _OUT.match(each.get("href") or "")]
        data = page.script("__NEXT_DATA__")
        if own:
            links = {each.get("href"): " ".join("".join(each.itertext()).split()) for each in own}
            put_buttons(
                draft,
                [{"url": url, "text": text} for url, text in links.items()],
                "css a[href*=shopmy.us/p]",
                shown=True,
            )
        elif isinstance(data, Mapping):
            _fill_answer(data, draft)
        fill_hub(page, draft, house=_HOUSE, service="ShopMy", names=("//h1",), bios=("//*[contains(@class,'bio')]",))


def _is_answer(value: Any) -> bool:
    ways = (
        ("pins", 0),
        ("collection", "pins", 0),
        ("collections", 0, "pins", 0),
        ("user", "collections", 0, "pins", 0),
    )
    pins = [dig(value, *way) for way in ways]
    return any(isinstance(pin, Mapping) and "link" in pin and ("title" in pin or "product" in pin) for pin in pins)


def _fill_answer(value: Any, draft: Draft) -> None:
    """A ``pin`` is a product with a ``link``, in collections that have names, of a ``user``."""
    found: dict[str, dict[str, str]] = {}
    for _, collection in search(value, lambda node: isinstance(node.get("pins"), list)):
        draft.put("title", text_of_key(collection, "name", "title"), "json .collection.name")
        for pin in collection["pins"]:
            url = text_of_key(pin, "link", "affiliate_link", "url") if isinstance(pin, Mapping) else None
            if url is not None and url.startswith("http"):
                found.setdefault(url, {"url": url, "text": text_of_key(pin, "title", "name") or ""})
    user = (
        dig(value, "user")
        or dig(value, "collection", "user")
        or next(
            (
                node
                for _, node in search(
                    value, lambda node: "username" in node and ("description" in node or "bio" in node)
                )
            ),
            None,
        )
    )
    if isinstance(user, Mapping):
        draft.put("author", text_of_key(user, "name", "username"), "json .user.name")
        draft.put("handle", text_of_key(user, "username"), "json .user.username")
        draft.put("bio", text_of_key(user, "description", "bio"), "json .user.description")
        draft.kind = Kind.LINK_HUB
    put_buttons(draft, list(found.values()), "json .pins")
