"""Pages of one person's links: who, what they say of themselves, and every button with its text and number."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from archive.reading import Kind
from crawlers.address import host_of, registrable_domain
from crawlers.articles import titles_of_page
from crawlers.outlinks import MAX_LINKS, outward, unwrapped
from crawlers.platform import Draft
from crawlers.saved import Saved, line_of, search

MAX_NAME = 120
_TITLES = ("title", "label", "name", "text", "heading", "linkTitle", "link_title", "display_text", "displayText")
_ADDRESSES = ("url", "link", "href", "linkUrl", "link_url", "target_url", "destination")
_NO_BUTTONS = ("image", "img", "avatar", "icon", "thumbnail", "font", "asset", "script", "og", "favicon", "seo", "logo")
"""Keys under which page data keeps addresses of files, not of links."""
_FILES = re.compile(r"\.(?:png|jpe?g|gif|webp|svg|ico|avif|woff2?|ttf|css|m?js|mp4|webm)(?:$|[?#])", re.IGNORECASE)
_ABOUT_LINKS = re.compile(
    r"(?:find|see|view|check out|explore|shop) (?:all )?(?:my|.{1,60}['’]s?) (?:links|recommendations)", re.IGNORECASE
)
_NO_HANDLES = frozenset(
    ("", "s", "admin", "login", "register", "signup", "search", "explore", "discover", "blog", "about")
)


def fill_hub(
    page: Saved,
    draft: Draft,
    *,
    house: Iterable[str],
    service: str = "",
    names: tuple[str, ...] = (),
    bios: tuple[str, ...] = (),
    buttons: str = "//body//a[@href]",
    data: Any = None,
) -> bool:
    """From what is shown; ``names``, ``bios`` and ``buttons`` are XPath, the surest first. False: there is no button.

    ``house``: the service's own hosts, to which no button of a person leads. ``service``: its name, which it puts
    behind the person's in titles. ``data``: what the page was rendered from, for where nothing was. A page without one
    button is a notice, or was not rendered: nothing is read from it.
    """
    own = tuple(house)
    found = outward(page, own, page.all(buttons))
    if found:
        put_buttons(draft, found, f"xpath {buttons}", shown=True)
    else:
        put_buttons(draft, buttons_in(data, own), "json of the page's data")
    if "outbound_links" not in draft.fields:
        return False
    for xpath in names:
        element = page.first(xpath)
        text = line_of(element)
        if 0 < len(text) <= MAX_NAME:
            draft.put("author", text, f"xpath {xpath}", shown=True)
    for title, where in titles_of_page(page):
        draft.put("author", bare_name(title, service), where)
    for xpath in bios:
        draft.put("bio", line_of(page.first(xpath)), f"xpath {xpath}", shown=True)
    described = page.meta("og:description", "twitter:description", "description")
    if described and not is_of_service(described, service):
        draft.put("bio", described, "meta og:description")
    draft.put(
        "handle",
        handle_of(url for url in page.own_urls if registrable_domain(host_of(url)) in own),
        "address of the page",
    )
    if page.meta("og:image").startswith("http"):
        draft.put("media", [page.meta("og:image")], "meta og:image")
    return True


def put_buttons(draft: Draft, found: list[dict[str, str]], where: str, *, shown: bool = False) -> None:
    """The addresses as ``outbound_links``, and as ``links`` each with its text and number."""
    if found:
        draft.kind = Kind.LINK_HUB
        draft.put("outbound_links", [each["url"] for each in found], where, shown=shown)
        numbered = [{"number": n, **each} for n, each in enumerate(found, 1)]
        draft.put("links", numbered, where, shown=shown)


def buttons_in(value: Any, house: Iterable[str]) -> list[dict[str, str]]:
    """What looks like a button in page data: an object with an address that leads out and with words to it."""
    own = frozenset(house)
    found: dict[str, dict[str, str]] = {}
    for path, node in search(value, lambda node: any(isinstance(node.get(key), str) for key in _ADDRESSES)):
        if any(part.lower().startswith(_NO_BUTTONS) for part in path.split(".")):
            continue
        url = next(node[key] for key in _ADDRESSES if isinstance(node.get(key), str))
        text = next((node[key] for key in _TITLES if isinstance(node.get(key), str) and node[key].strip()), "")
        if text and is_button(url, own) and len(found) < MAX_LINKS:
            found.setdefault(unwrapped(url), {"url": unwrapped(url), "text": text.strip()[:300]})
    return list(found.values())


def is_button(url: str, own: frozenset[str]) -> bool:
    if url.startswith(("mailto:", "tel:")):
        return True
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = (parts.hostname or "").removeprefix("www.")
    return parts.scheme in ("http", "https") and "." in host and host not in own and not _FILES.search(parts.path)


def bare_name(title: str, service: str) -> str:
    """A title without the service's name: "Ana | Linktree", "Ana on Bio Link", "@ana's Beacons page"."""
    if service:
        title = re.sub(
            rf"\s*(?:[|·•—–\-:]\s*|\bon\s+|[’']s\s+){re.escape(service)}\b.*$|^{re.escape(service)}\s*[|·•—–\-:]\s*",
            "",
            title,
            flags=re.IGNORECASE,
        )
        if title.strip().lower() in (service.lower(), f"{service.lower()}."):
            return ""
    return title.strip()[:MAX_NAME]


def is_of_service(text: str, service: str) -> bool:
    """Whether a description is the service's own about any page: "Linktree. Make your link do more."."""
    named = re.search(rf"^{re.escape(service)}\b|\b(?:on|with|by|via) {re.escape(service)}\b", text, re.IGNORECASE)
    return bool(service) and (named is not None or _ABOUT_LINKS.match(text) is not None)


def handle_of(urls: Iterable[str]) -> str | None:
    """The account in ``https://hub.example/NAME``."""
    for url in urls:
        try:
            segments = [each for each in urlsplit(url).path.split("/") if each]
        except ValueError:
            continue
        if segments and segments[0].lower() not in _NO_HANDLES and "." not in segments[0][-5:]:
            return segments[0].removeprefix("@")
    return None


def text_of_key(node: Mapping[str, Any], *keys: str) -> str | None:
    """The first of these that is a text with something in it."""
    return next((node[key] for key in keys if isinstance(node.get(key), str) and node[key].strip()), None)
