"""Linktree: the page's own data (``__NEXT_DATA__``), by itself too; the buttons as shown where there is none."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from archive.reading import Kind
from crawlers.hubs import fill_hub, put_buttons, text_of_key
from crawlers.outlinks import unwrapped
from crawlers.platform import Draft, Platform
from crawlers.saved import Saved, dig
from custody.model import Outcome

_GONE = re.compile(
    r"this linktree (?:is|has been)|page you.re looking for doesn.t exist|linktree has been suspended", re.IGNORECASE
)


class Linktree(Platform):
    """``linktr.ee/NAME``."""

    name = "linktree"
    hosts: ClassVar[frozenset[str]] = frozenset(("linktr.ee", "linktree.com"))
    ready = "[data-testid=LinkButton], a[data-testid], script#__NEXT_DATA__"

    def knows(self, page: Saved) -> bool:
        return super().knows(page) or _account(_data(page)) is not None

    def canonical(self, url: str) -> str | None:
        found = re.match(r"https?://(?:www\.)?linktr\.ee/@?([\w.-]+)/?(?:[?#]|$)", url)
        return found[1].lower() if found else None

    def fill(self, page: Saved, draft: Draft) -> None:
        props = _data(page)
        account = _account(props)
        if account is None:
            if page.json is None and not _GONE.search(page.shown_text[:5_000]):
                _fill_shown(page, draft)
            return
        draft.kind = Kind.LINK_HUB
        where = "json .props.pageProps" if page.json is not None else "json script#__NEXT_DATA__ .props.pageProps"
        handle = text_of_key(account, "username")
        draft.put("handle", handle, f"{where}.account.username")
        draft.put(
            "author", text_of_key(account, "pageTitle") or (handle and f"@{handle}"), f"{where}.account.pageTitle"
        )
        draft.put("bio", account.get("description"), f"{where}.account.description")
        number = account.get("id")
        draft.put("account_id", str(number) if isinstance(number, int) else None, f"{where}.account.id")
        picture = text_of_key(account, "profilePictureUrl", "customAvatar")
        draft.put(
            "media", [picture] if picture and picture.startswith("http") else None, f"{where}.account.profilePictureUrl"
        )
        found: dict[str, dict[str, str]] = {}
        for link in _links(props, account, draft):
            found.setdefault(link["url"], link)
        draft.put("outbound_links", list(found), f"{where}.links")
        put_buttons(draft, list(found.values()), f"{where}.links")

    def wall(self, page: Saved) -> Outcome | None:
        props = _data(page)
        if dig(props, "statusCode") == 404 or (page.json is None and _GONE.search(page.shown_text[:5_000])):
            return Outcome.UNAVAILABLE
        return None


def _data(page: Saved) -> Any:
    """What the page was rendered from; the whole where the whole is that."""
    value = page.json if page.json is not None else page.script("__NEXT_DATA__")
    for path in (("props", "pageProps"), ("pageProps",)):
        inner = dig(value, *path)
        if isinstance(inner, Mapping):
            return inner
    return value


def _account(props: Any) -> Mapping[str, Any] | None:
    account = dig(props, "account")
    if not isinstance(account, Mapping) or not isinstance(account.get("username"), str):
        return None
    known = "pageTitle" in account or "isLogoVisible" in account or "socialLinksPosition" in account
    return account if known or "socialLinks" in account else None


def _links(props: Any, account: Mapping[str, Any], draft: Draft) -> Iterator[dict[str, str]]:
    """Buttons in the order shown, then the row of icons; a heading has no address and is no link."""
    links = dig(props, "links") or account.get("links") or []
    icons = dig(props, "socialLinks") or account.get("socialLinks") or []
    for link in [*_listed(links), *_listed(icons)]:
        url = text_of_key(link, "url")
        if url is None or not url.startswith(("http://", "https://", "mailto:", "tel:", "sms:")):
            continue
        gate = dig(link, "rules", "gate")
        if link.get("locked") or (isinstance(gate, Mapping) and any(gate.values())):
            draft.note("a link stands behind a gate of its own (age, code, or the like), which was not passed")
        yield {"url": unwrapped(url), "text": text_of_key(link, "title", "type") or ""}


def _listed(value: Any) -> list[Mapping[str, Any]]:
    found = [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
    return sorted(found, key=lambda each: each["position"]) if all(_has_position(each) for each in found) else found


def _has_position(link: Mapping[str, Any]) -> bool:
    return isinstance(link.get("position"), int)


def _fill_shown(page: Saved, draft: Draft) -> None:
    fill_hub(
        page,
        draft,
        house=("linktr.ee", "linktree.com"),
        service="Linktree",
        names=("//*[@id='profile-title']", "//h1"),
        bios=(
            "//*[@id='profile-description' or @data-testid='ProfileBio']",
            "//h1/following-sibling::*[self::h2 or self::p][1]",
            "//header//h2",
        ),
    )
