"""LTK (formerly liketoknow.it): posts and profiles, as pages and as the answers of its API."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from archive.reading import Kind
from crawlers.dates import instant
from crawlers.disclosures import said_in
from crawlers.hubs import fill_hub, put_buttons, text_of_key
from crawlers.outlinks import outward
from crawlers.platform import Draft, Platform
from crawlers.saved import Saved, dig, line_of

_HOUSE = ("shopltk.com", "liketoknow.it", "rewardstyle.com", "liketk.it", "ltkapp.com", "onelink.me", "app.link")
_POST = re.compile(r"/(?:explore/(?P<name>[\w.-]+)/posts/(?P<id>[0-9a-f-]{36})|p/(?P<hash>\w+))(?:[/?#]|$)")
_PROFILE = re.compile(r"(?:shopltk\.com/explore|liketoknow\.it)/(?!p/|ltk/|explore/)(?P<name>[\w.-]+)/?(?:[?#]|$)")


class Ltk(Platform):
    """``shopltk.com/explore/NAME[/posts/UUID]``, ``liketoknow.it/NAME``, ``liketoknow.it/p/HASH``."""

    name = "ltk"
    hosts: ClassVar[frozenset[str]] = frozenset(("shopltk.com", "liketoknow.it", "ltk.app"))
    ready = "a[href*='rstyle.me'], [class*=product]"

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return (
                super().knows(page)
                or isinstance(dig(page.json, "ltks"), list)
                or _is_profile(dig(page.json, "profile"))
            )
        return super().knows(page)

    def canonical(self, url: str) -> str | None:
        found = _POST.search(url)
        return None if found is None else found["id"] or found["hash"]

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            _fill_answer(page.json, draft)
            return
        address = next((url for url in page.own_urls if self.knows_url(url)), "")
        post = _POST.search(address)
        if post is None:
            fill_hub(page, draft, house=_HOUSE, service="LTK", names=("//h1",), bios=("//*[contains(@class,'bio')]",))
            profile = _PROFILE.search(address)
            if profile is not None and draft.fields:
                draft.fields["handle"] = profile["name"]
            return
        found = outward(page, _HOUSE)
        if not found:
            return
        draft.kind = Kind.POST
        draft.put("post_id", post["id"] or post["hash"], "address of the page")
        draft.put("handle", post["name"], "address of the page")
        name = line_of(page.first("//*[contains(@class,'profile-name') or contains(@class,'display-name')]"))
        draft.put("author", name, "css .profile-name", shown=True)
        _put_caption(draft, line_of(page.first("//*[contains(@class,'caption')]")), "css .caption", shown=True)
        _put_caption(draft, page.meta("og:description"), "meta og:description")
        draft.put("published", instant(page.meta("article:published_time")), "meta article:published_time")
        draft.put("outbound_links", [each["url"] for each in found], "css a[href]", shown=True)
        draft.put("links", found, "css a[href]", shown=True)


def _put_caption(draft: Draft, text: str, where: str, *, shown: bool = False) -> None:
    if draft.put("caption", text, where, shown=shown):
        said = said_in(text)
        if said:
            draft.put("disclosures", said, where, shown=shown)


def _is_profile(value: Any) -> bool:
    return (
        isinstance(value, Mapping) and "display_name" in value and ("avatar_url" in value or "rs_account_id" in value)
    )


def _fill_answer(value: Any, draft: Draft) -> None:
    """``ltks`` with the ``products`` and ``profiles`` that they name; more than one is a profile's page of posts."""
    ltks = [each for each in dig(value, "ltks") or [] if isinstance(each, Mapping)]
    products = [each for each in dig(value, "products") or [] if isinstance(each, Mapping)]
    profile = dig(value, "profile") or dig(value, "profiles", 0)
    if isinstance(profile, Mapping):
        draft.put("author", text_of_key(profile, "full_name", "display_name", "name"), "json .profiles.0")
        draft.put("handle", text_of_key(profile, "display_name", "name"), "json .profiles.0.display_name")
        draft.put("account_id", text_of_key(profile, "id"), "json .profiles.0.id")
        draft.put("bio", text_of_key(profile, "bio"), "json .profiles.0.bio")
    linked = [
        {"url": each["hyperlink"], "text": text_of_key(each, "title", "advertiser_name", "name") or ""}
        for each in products
        if isinstance(each.get("hyperlink"), str) and each["hyperlink"].startswith("http")
    ]
    if len(ltks) != 1:
        put_buttons(draft, linked, "json .products")
        draft.kind = Kind.LINK_HUB if draft.fields else draft.kind
        return
    draft.kind = Kind.POST
    post = ltks[0]
    draft.put("post_id", text_of_key(post, "id"), "json .ltks.0.id")
    _put_caption(draft, text_of_key(post, "caption") or "", "json .ltks.0.caption")
    draft.put(
        "published",
        instant(post.get("date_published")) or instant(post.get("date_created")),
        "json .ltks.0.date_published",
    )
    if isinstance(dig(value, "products"), list):
        draft.put("outbound_links", [each["url"] for each in linked], "json .products")
        draft.put("links", linked, "json .products")
    picture = text_of_key(post, "hero_image")
    draft.put("media", [picture] if picture and picture.startswith("http") else None, "json .ltks.0.hero_image")
