"""Pages that only stand in between: "you are leaving", "redirect notice", "one moment". What to press, if anything."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from crawlers.address import host_of, same_site
from crawlers.layout import Control, Layout, Part, read
from crawlers.outcome import PageFacts, judge
from crawlers.waiting import MAX_PROSE as MAX_PROSE_WAITING
from crawlers.waiting import MAX_TEXT, is_waiting
from crawlers.wording import fold, is_worded, says, sentences, speaks_of, spoken, title_parts, weight
from custody.model import Outcome

__all__ = ["MAX_TEXT", "WayOn", "find_way_on", "is_waiting"]

MAX_PROSE = 900
"""A page that says more than a warning is a page of its own."""
_LEADS_OUT = "leads out of the site"
_NAMED = "named in the page's address"
_GOING_ON = "worded as going on"
_AS_TARGET = "worded as its target"

_WALLS = {
    Outcome.LOGIN_WALL, Outcome.AGE_GATE, Outcome.CAPTCHA, Outcome.CONSENT, Outcome.PRIVATE, Outcome.GEO_BLOCK,
    Outcome.RATE_LIMITED, Outcome.APP_ONLY,
}  # fmt: skip
_ADS = re.compile(
    r"(^|\.)(doubleclick\.net|googlesyndication\.com|googleadservices\.com|adservice\.google\.\w+|taboola\.com|mgid\.com|"
    r"outbrain\.com|adnxs\.com|criteo\.(com|net)|popads\.net|propellerads\.com|revcontent\.com)$"
)
_AD_NAME = re.compile(r"(^|[-_\s])(ads?|adsbygoogle|advert\w*|sponsor\w*|promoted|banner-ad)($|[-_\s])")
_STORES = re.compile(
    r"(^|\.)(apps\.apple\.com|itunes\.apple\.com|play\.google\.com|appgallery\.huawei\.com|galaxystore\.samsung\.com)$"
)
_FILE = re.compile(r"\.(zip|exe|msi|apk|ipa|dmg|pkg|deb|rpm|iso|7z|rar|gz|pdf|docx?|xlsx?|mp3|mp4)$", re.IGNORECASE)
_TARGET_NAMES = re.compile(
    r"u|url|uri|q|to|target|dest|destination|redirect\w*|redir\w*|link|goto|go|out|next|continue|r|href|site|return|"
    r"external\w*|exit\w*|murl|ued|toasturl|mpre"
)
_SCRIPT_TARGET = re.compile(
    r"""(?:location(?:\.href)?\s*=|location\.(?:assign|replace)\(|window\.open\()\s*["']([^"']{4,4000})["']"""
)
_URL_LIKE = re.compile(r"^(https?://)?([\w-]+\.)+[a-z]{2,}(:\d+)?(/\S*)?$")


@dataclass(frozen=True, kw_only=True, slots=True)
class WayOn:
    """The one thing to press on a page that only stands in between."""

    tag: str
    href: str | None
    """The element's own ``href`` exactly as it stands in the DOM; None for a button or a submit field."""
    text: str
    """The element's text as it is shown, white space collapsed; a submit field's value."""
    signals: tuple[str, ...]
    """Why it was taken for the way on."""
    target: str | None = None
    """Where it leads as far as the page tells, absolute; not where the browser will end up."""


def find_way_on(dom_html: str, visible_text: str, url: str) -> WayOn | None:
    """The control that leads on, where the page says that a reader is leaving and offers exactly one target."""
    if len(visible_text) > MAX_TEXT:
        return None
    layout = read(dom_html, visible_text)
    if layout.prose > MAX_PROSE or layout.inputs() or speaks_of("selling", layout.folded_text):
        return None
    among = spoken(visible_text)
    title = layout.title
    said = _announcement(layout, title, visible_text, among)
    named = _named_targets(url)
    offers = _offers(_Place(layout, url, named, among))
    if not offers or (said is None and not named):
        return None
    chosen = _only(offers)
    if chosen is None:
        return None
    if said is None and (layout.prose > MAX_PROSE_WAITING or not {_NAMED, _GOING_ON} <= set(chosen.signals)):
        return None
    facts = PageFacts(
        url=url,
        requested_url=url,
        http_status=None,
        title=title,
        visible_text=visible_text,
        dom_html=dom_html,
        media_type="text/html",
    )
    if judge(facts).outcome in _WALLS:
        return None  # a wall is recorded, never passed
    why = () if said is None else (f"says: {said[:120]}",)
    return WayOn(
        tag=chosen.tag, href=chosen.href, text=chosen.text, signals=(*why, *chosen.signals), target=chosen.target
    )


def _announcement(layout: Layout, title: str, visible_text: str, among: tuple[str, ...]) -> str | None:
    """The sentence that says that the reader is leaving, or is being sent on."""
    authored = "\n".join(block.folded for block in layout.blocks if block.parts & Part.AUTHORED)
    pressed = {fold(each.text) for each in layout.controls}
    for sentence in (*title_parts(title), *sentences(visible_text, limit=80)):
        if sentence.folded in authored or weight(sentence.folded) > 260:
            continue
        if sentence.line in pressed or sentence.folded in pressed:
            continue  # a button's words announce nothing
        if says("leaving", sentence, among) or says("waiting", sentence, among):
            return sentence.text
    return None


def _named_targets(url: str) -> dict[str, str]:
    """URLs that the page's own query names, by their comparable form."""
    found = {}
    try:
        query = urlsplit(url).query
    except ValueError:
        return {}
    pairs = parse_qsl(query, keep_blank_values=False, max_num_fields=200) if query.count("&") < 200 else []
    values = [
        value
        for name, value in pairs
        if _TARGET_NAMES.fullmatch(name.lower()) or value.lower().startswith(("http://", "https://"))
    ]
    if not pairs and query.lower().startswith(("http", "//")):
        values = [unquote(query)]
    for value in values:
        for form in (value, unquote(value)):
            text = form if "//" in form[:9] else f"https://{form}"
            if host_of(text) and "." in host_of(text) and not re.search(r"\s", text):
                found[_comparable(text)] = text
    return found


def _comparable(url: str) -> str:
    parts = urlsplit(url)
    path = unquote(parts.path).rstrip("/")
    return f"{host_of(url).removeprefix('www.')}{path}?{unquote(parts.query)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Offer:
    tag: str
    href: str | None
    text: str
    target: str | None
    signals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """The page that offers, and what its own address names."""

    layout: Layout
    url: str
    named: dict[str, str]
    among: tuple[str, ...]


def _offers(place: _Place) -> list[_Offer]:
    """Controls that could be the way on, each with where it leads."""
    found = []
    for control in place.layout.controls:
        text = control.text if control.tag == "input" else _as_shown(control.text, place.layout)
        if not text or control.parts & (Part.AUTHORED | Part.NAVIGATION) or _is_other(control, text, place.among):
            continue
        target = _target(control, place.url)
        signals = _signals(control, text, target, place)
        if signals:
            found.append(_Offer(tag=control.tag, href=control.href, text=text, target=target, signals=signals))
    return found


def _as_shown(text: str, layout: Layout) -> str | None:
    """None where the words are not in the visible text: what a reader does not see is not pressed."""
    return text if text and layout.is_shown(text) else None


def _is_other(control: Control, text: str, among: tuple[str, ...]) -> bool:
    element = control.element
    if element.get("download") is not None or {"sponsored", "author", "privacy-policy"} & set(
        (element.get("rel") or "").lower().split()
    ):
        return True
    if element.get("disabled") is not None:
        return True
    around = (element, *element.iterancestors())
    named = (
        f"{each.get('class') or ''} {each.get('id') or ''}".lower()
        for each in around
        if each.tag not in ("body", "html")
    )
    if any(_AD_NAME.search(each) for each in named):
        return True
    folded = fold(text)
    if _URL_LIKE.match(folded):
        return False
    return (
        speaks_of("elsewhere", folded) or is_worded("back_words", text, among) or is_worded("login_words", text, among)
    )


def _target(control: Control, url: str) -> str | None:
    """Where a control leads, as far as its markup tells."""
    element: Any = control.element
    raw = control.href or element.get("data-href") or element.get("data-url") or element.get("formaction")
    if not raw:
        scripted = _SCRIPT_TARGET.search(element.get("onclick") or "")
        raw = scripted[1] if scripted else None
    if not raw and (element.get("type") or "submit").lower() in ("submit", "image"):
        return _form_target(element, url)
    return _absolute(raw, url) if raw else None


def _form_target(element: Any, url: str) -> str | None:
    """Where a GET form would go, its hidden fields included; a POST may do anything, so it leads nowhere we know."""
    form = next(element.iterancestors("form"), None)
    if form is None or (form.get("method") or "get").lower() != "get":
        return None
    for field in form.xpath(".//input[@type='hidden']"):
        value = field.get("value") or ""
        if value.lower().startswith(("http://", "https://")):
            return _absolute(value, url)
    return _absolute(form.get("action") or "", url)


def _absolute(raw: str, url: str) -> str | None:
    try:
        joined = urljoin(url, raw.strip())
        scheme = urlsplit(joined).scheme
    except ValueError:
        return None
    return joined if scheme in ("http", "https") else None


def _signals(control: Control, text: str, target: str | None, place: _Place) -> tuple[str, ...]:
    """Why a control would be the way on; nothing where it is none."""
    worded = is_worded("go_words", text, place.among)
    if target is None:
        # A button that a script listens to: only its words, and the page's own address, tell where it leads.
        button = control.tag != "a" and _posts_nothing(control.element)
        return (_GOING_ON, _NAMED) if worded and place.named and button else ()
    inner = _named_targets(target)
    ends = next((each for each in inner.values() if not same_site(each, place.url)), target)
    is_named = bool({_comparable(target), *inner} & set(place.named))
    if (same_site(ends, place.url) and not is_named) or _leads_nowhere(ends):
        return ()
    signals = [_LEADS_OUT] if not same_site(ends, place.url) else []
    if is_named:
        signals.append(_NAMED)
    if worded:
        signals.append(_GOING_ON)
    folded = fold(text).rstrip("/.…")
    if _URL_LIKE.match(folded) or (len(folded) > 4 and host_of(ends).removeprefix("www.") in folded):
        signals.append(_AS_TARGET)
    return tuple(signals)


def _posts_nothing(element: Any) -> bool:
    form = next(element.iterancestors("form"), None)
    return form is None or (form.get("method") or "get").lower() == "get"


def _leads_nowhere(url: str) -> bool:
    parts = urlsplit(url)
    host = host_of(url)
    return not host or bool(_ADS.search(host) or _STORES.search(host) or _FILE.search(parts.path))


def _only(offers: list[_Offer]) -> _Offer | None:
    """The one target: what the page's address names, else what is worded as the way on; never a choice of ours."""
    for wanted in (_NAMED, _GOING_ON, _AS_TARGET):
        kept = [each for each in offers if wanted in each.signals]
        if kept:
            targets = {_comparable(each.target) for each in kept if each.target is not None}
            return max(kept, key=lambda each: len(each.signals)) if len(targets) <= 1 else None
    return None
