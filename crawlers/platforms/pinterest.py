"""Pinterest: pins and profiles, out of the page's own data in its shapes, JSON-LD, oEmbed, the widgets' API."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from archive.reading import Kind
from crawlers.address import host_of
from crawlers.articles import article
from crawlers.dates import instant
from crawlers.disclosures import said_in
from crawlers.hubs import text_of_key
from crawlers.outlinks import unwrapped
from crawlers.platform import Draft, Platform
from crawlers.saved import Saved, dig, search
from crawlers.surfaces import Official, embed, oembed
from custody.model import Outcome

_HOST = re.compile(r"(?:[\w-]+\.)*pinterest\.(?:com?(?:\.[a-z]{2})?|[a-z]{2,3})|pin\.it")
_PIN = re.compile(r"/pin/(?:[^/?#]*--)?(\d+)")
_SCRIPTS = ("initial-state", "__PWS_INITIAL_PROPS__", "__PWS_DATA__", "jsInit1")
_WIDGET = "https://developers.pinterest.com/docs/web-features/widgets/"
_PROVIDERS = "https://oembed.com/providers.json"
_GONE = re.compile(
    r"we (?:couldn.t|could not|can.t) find that (?:page|pin)|this (?:page|pin) isn.t available", re.IGNORECASE
)

Found = tuple[str, Mapping[str, Any]]


class Pinterest(Platform):
    """``/pin/ID`` and ``/USER/``, under any of its countries' names."""

    name = "pinterest"
    hosts: ClassVar[frozenset[str]] = frozenset(("pinterest.com", "pin.it"))
    ready = "[data-test-id=pin], [data-test-id=closeup-title], [data-test-id=profile-name]"

    def knows_url(self, url: str) -> bool:
        return _HOST.fullmatch(host_of(url)) is not None

    def knows(self, page: Saved) -> bool:
        if page.json is not None:
            return (
                dig(page.json, "provider_name") == "Pinterest"
                or super().knows(page)
                or _in_answer(page.json) is not None
            )
        return super().knows(page) or page.meta("og:site_name") == "Pinterest"

    def canonical(self, url: str) -> str | None:
        found = _PIN.search(url) if self.knows_url(url) else None
        return found[1] if found else None

    def surfaces(self, url: str) -> tuple[Official, ...]:
        """The widget and the oEmbed of a pin."""
        pin = self.canonical(url)
        if pin is None:
            return ()
        return (
            embed(f"https://assets.pinterest.com/ext/embed.html?id={pin}", _WIDGET),
            oembed("https://www.pinterest.com/oembed.json?url=", f"https://www.pinterest.com/pin/{pin}/", _PROVIDERS),
        )

    def fill(self, page: Saved, draft: Draft) -> None:
        if page.json is not None:
            self._fill_answer(page.json, draft)
            return
        number = self._number(page)
        pin = _pin(page, number)
        if pin is not None:
            _fill_pin(draft, *pin)
        if number is not None and (
            pin is not None or page.meta("og:type") == "pinterestapp:pin" or article(page) is not None
        ):
            draft.kind = Kind.POST
            draft.put("post_id", number, "address of the page")
            _fill_declared(page, draft)
        elif number is None:
            self._fill_profile(page, draft)
        draft.put("language", page.root.get("lang") if draft.fields else None, "css html[lang]")

    def wall(self, page: Saved) -> Outcome | None:
        gone = page.json is None and _GONE.search(page.shown_text[:4_000]) is not None
        return Outcome.UNAVAILABLE if gone or dig(page.json, "resource_response", "http_status") == 404 else None

    def _number(self, page: Saved) -> str | None:
        """Of this page's pin: a canonical link may name another, of which this is a copy."""
        named = [page.url or "", page.meta("og:url"), page.meta("twitter:url"), page.meta("al:ios:url")]
        for url in (*named, *page.own_urls):
            found = _PIN.search(url) or re.match(r"pinterest://pin/(\d+)", url)
            if found is not None:
                return found[1]
        return None

    def _fill_answer(self, value: Any, draft: Draft) -> None:
        if dig(value, "provider_name") == "Pinterest":
            draft.kind = Kind.POST
            draft.put("title", value.get("title"), "json .title")
            draft.put("author", value.get("author_name"), "json .author_name")
            draft.put("handle", _account(value.get("author_url")), "json .author_url")
            number = re.search(r"[?&]id=(\d+)", str(value.get("html"))) or _PIN.search(str(value.get("url")))
            draft.put("post_id", None if number is None else number[1], "json .html")
            picture = text_of_key(value, "thumbnail_url")
            draft.put("media", None if picture is None else [picture], "json .thumbnail_url")
            return
        found = _in_answer(value)
        if found is not None and "pinner" not in found[1] and "full_name" in found[1]:
            _fill_user(draft, *found)
        elif found is not None:
            draft.kind = Kind.POST
            _fill_pin(draft, *found)

    def _fill_profile(self, page: Saved, draft: Draft) -> None:
        handle = next((name for name in map(_account, (page.meta("og:url"), *page.own_urls)) if name), None)
        if handle is None:
            return
        for path, data in _data(page):
            for inner, user in search(
                data, lambda node: node.get("username") == handle and ("full_name" in node or "fullName" in node)
            ):
                if "follower_count" in user or "followerCount" in user or "about" in user:
                    _fill_user(draft, f"{path}{inner}", user)
                    return
        if page.meta("og:type") in ("profile", "pinterestapp:pinner"):
            draft.kind = Kind.PROFILE
            draft.put("handle", handle, "address of the page")
            name = re.sub(r"\s*\([^()]*\)\s*(?:[-–|·•]|on Pinterest).*$|\s+on Pinterest.*$", "", page.meta("og:title"))
            draft.put("author", name, "meta og:title")
            followers = page.meta("pinterestapp:followers")
            draft.put("followers", int(followers) if followers.isdigit() else None, "meta pinterestapp:followers")


def _data(page: Saved) -> Iterator[tuple[str, Any]]:
    for name in _SCRIPTS:
        value = page.script(name)
        if value is not None:
            yield f"json script#{name} ", value
    for n, element in enumerate(page.all("//script[@data-relay-response or @data-relay-completed-request]")[:50]):
        value = Saved(text=element.text or "").json
        if value is not None:
            yield f"json script[data-relay-response] {n} ", value


def _pin(page: Saved, number: str | None) -> Found | None:
    """The page's own pin among the twenty that it shows: by its number, or as the answer to what the page asked for."""
    first: Found | None = None
    for path, data in _data(page):
        for inner, node in search(
            data, lambda node: "pinner" in node and ("created_at" in node or "createdAt" in node)
        ):
            if number is not None and number in (node.get("id"), node.get("entityId")):
                return f"{path}{inner}", node
        asked = search(data, lambda node: node.get("name") == "PinResource" and "response" in node)
        for inner, node in asked:
            answer = dig(node, "response", "data")
            if isinstance(answer, Mapping) and "pinner" in answer and first is None:
                first = f"{path}{inner}.response.data", answer
    return first


def _in_answer(value: Any) -> Found | None:
    """The pin or the account that an answer is about: of the site's resources, of the widgets' API, of API v5."""
    ways = (
        ("resource_response", "data"),
        ("data", "v3GetPinQuery", "data"),
        ("response", "data", "v3GetPinQuery", "data"),
        ("data", 0),
        ("data",),
        (),
    )
    for way in ways:
        node = dig(value, *way)
        if isinstance(node, Mapping) and (
            ("pinner" in node and "id" in node)
            or ("pinner" in node and "entityId" in node)
            or ("board_owner" in node and "created_at" in node)
            or ("username" in node and "full_name" in node and "pin_count" in node and "board_count" in node)
        ):
            return "json ." + ".".join(map(str, way)), node
    return None


def _fill_pin(draft: Draft, path: str, pin: Mapping[str, Any]) -> None:
    pinner = pin.get("pinner") or pin.get("board_owner")
    pinner = pinner if isinstance(pinner, Mapping) else {}
    draft.put("author", text_of_key(pinner, "full_name", "fullName"), f"{path}.pinner.full_name")
    handle = text_of_key(pinner, "username") or _account(pinner.get("profile_url"))
    draft.put("handle", handle, f"{path}.pinner.username")
    draft.put("account_id", text_of_key(pinner, "entityId", "id"), f"{path}.pinner.id")
    followers = pinner.get("follower_count", pinner.get("followerCount"))
    draft.put("followers", followers if isinstance(followers, int) else None, f"{path}.pinner.follower_count")
    draft.put("post_id", text_of_key(pin, "entityId", "id"), f"{path}.id")
    draft.put("published", instant(text_of_key(pin, "created_at", "createdAt")), f"{path}.created_at")
    draft.put("title", text_of_key(pin, "title", "grid_title", "gridTitle"), f"{path}.title")
    caption = _caption(pin)
    draft.put("caption", caption, f"{path}.description")
    said = said_in(caption or "")
    if pin.get("sponsorship"):
        said.append({"by": "platform", "text": "sponsorship"})
    if said:
        draft.put("disclosures", said, f"{path}.description")
    if "link" in pin:
        link = text_of_key(pin, "link")
        draft.put("outbound_links", [] if link is None else [unwrapped(link)], f"{path}.link")
    saves = dig(pin, "aggregated_pin_data", "aggregated_stats", "saves") or dig(
        pin, "aggregatedPinData", "aggregatedStats", "saves"
    )
    draft.put("saves", saves if isinstance(saves, int) else None, f"{path}.aggregated_pin_data")
    picture = dig(pin, "images", "orig", "url") or dig(pin, "imageSpec_orig", "url") or dig(pin, "images_orig", "url")
    draft.put("media", [picture] if isinstance(picture, str) else None, f"{path}.images.orig.url")


def _caption(pin: Mapping[str, Any]) -> str | None:
    """What stands under the pin. A copy's ``description`` may be its saver's note, which stands elsewhere."""
    described = text_of_key(
        pin, "closeup_unified_description", "closeupUnifiedDescription", "closeup_description", "closeupDescription"
    )
    if described is not None:
        return described
    copied = pin.get("is_repin") or pin.get("isRepin") or "closeup_unified_description" in pin
    note = text_of_key(pin, "closeup_user_note", "closeupUserNote")
    text = text_of_key(pin, "description")
    return (
        None if text is None or (copied and note is not None and note.strip() == text.strip()) else text.strip() or None
    )


def _fill_user(draft: Draft, path: str, user: Mapping[str, Any]) -> None:
    draft.kind = Kind.PROFILE
    draft.put("author", text_of_key(user, "full_name", "fullName"), f"{path}.full_name")
    draft.put("handle", text_of_key(user, "username"), f"{path}.username")
    draft.put("account_id", text_of_key(user, "entityId", "id"), f"{path}.id")
    draft.put("bio", text_of_key(user, "about"), f"{path}.about")
    followers = user.get("follower_count", user.get("followerCount"))
    draft.put("followers", followers if isinstance(followers, int) else None, f"{path}.follower_count")
    site = text_of_key(user, "website_url", "websiteUrl")
    if "website_url" in user or "websiteUrl" in user:
        draft.put("outbound_links", [] if site is None else [site], f"{path}.website_url")


def _fill_declared(page: Saved, draft: Draft) -> None:
    """JSON-LD and meta elements, for what the page's data did not give; a meta title is made of tags."""
    found = article(page)
    if found is not None:
        path, thing = found
        person = thing.get("author")
        person = person[0] if isinstance(person, list) and person else person
        if isinstance(person, Mapping):
            draft.put("author", text_of_key(person, "name"), f"{path} .author.name")
            draft.put("handle", _account(person.get("url")), f"{path} .author.url")
        draft.put("published", instant(thing.get("datePublished")), f"{path} .datePublished")
        draft.put("title", text_of_key(thing, "headline", "name"), f"{path} .headline")
        draft.put("caption", text_of_key(thing, "articleBody"), f"{path} .articleBody")
        link = (
            text_of_key(thing.get("sharedContent") or {}, "url")
            if isinstance(thing.get("sharedContent"), Mapping)
            else None
        )
        draft.put("outbound_links", None if link is None else [link], f"{path} .sharedContent.url")
    draft.put(
        "handle", _account(page.meta("pinterestapp:pinner", "pinterestapp:pinboard")), "meta pinterestapp:pinboard"
    )
    source = page.meta("pinterestapp:source", "og:see_also")
    draft.put("outbound_links", [source] if source.startswith("http") else None, "meta pinterestapp:source")
    picture = page.meta("og:image")
    draft.put("media", [picture] if picture.startswith("http") else None, "meta og:image")


def _account(url: Any) -> str | None:
    found = re.match(r"(?:https?://[^/]*)?/([\w.-]+)/?", url) if isinstance(url, str) else None
    reserved = found is None or found[1] in (
        "pin",
        "ideas",
        "search",
        "explore",
        "topics",
        "today",
        "login",
        "resource",
        "_",
        "business",
    )
    return None if found is None or reserved else found[1]
