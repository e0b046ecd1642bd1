"""What posts and profiles of all platforms have in common: times, links, counts, disclosures, data."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from archive.reading import Kind
from crawlers.markup import Markup
from crawlers.mentions import written_urls
from crawlers.moments import Moment
from crawlers.platform import Draft
from crawlers.saved import Node, Saved, dig
from crawlers.wrappers import unwrap

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = datetime(1995, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_MILLIS = 10**11
"""From here on a number of seconds would lie in the year 5138: it counts milliseconds."""
_TWITTER_TIME = "%a %b %d %H:%M:%S %z %Y"
MAX_SCRIPT = 8 << 20

# --- times ------------------------------------------------------------------------------------------------------------


def instant(value: Any) -> datetime | None:
    """Unix seconds or milliseconds (number or text), ISO 8601 with a zone, RFC 5322, or X's own form. None: it is none.

    A time without a zone is no instant; ``day_of`` makes a day of it.
    """
    try:
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, (int, float)) or re.fullmatch(r"[0-9]{9,13}", str(value)):
            number = int(value)
            found = _EPOCH + (timedelta(milliseconds=number) if number >= _MILLIS else timedelta(seconds=number))
        else:
            found = _of_text(str(value).strip()[:64])
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return found if found.tzinfo is not None and _EARLIEST < found < _LATEST else None


def _of_text(text: str) -> datetime:
    if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]", text):
        return datetime.fromisoformat(text)
    if re.match(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{2} ", text):
        return datetime.strptime(text, _TWITTER_TIME)  # noqa: DTZ007  # the form has a zone in it
    return parsedate_to_datetime(text)


def day_of(value: Any) -> str | None:
    """The day in front of an ISO 8601 time that names no zone."""
    match = re.match(r"((?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2})(?:$|[T ])", str(value or ""))
    return match[1] if match else None


def put_time(draft: Draft, value: Any, where: str, *, shown: bool = False) -> None:
    """``published``: to the second in UTC where the page gives an instant, else the day where it gives that."""
    found = instant(value)
    if found is not None:
        written = found.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
        draft.put("published", written, where, shown=shown)
    else:
        draft.put("published", day_of(value), where, shown=shown)


def put_moment(draft: Draft, moment: Moment | None, where: str) -> None:
    """``published_from_id`` beside ``published``; a note where the two contradict each other."""
    if moment is None:
        return
    draft.put("published_from_id", moment.to_json(), where)
    said = draft.fields.get("published")
    published = instant(said) if isinstance(said, str) else None
    contradiction = moment.contradiction(published) if published is not None else None
    if contradiction is not None:
        draft.note(f"published_from_id: {contradiction}")


# --- links ------------------------------------------------------------------------------------------------------------


def target_of(url: str) -> str:
    """Where a link says it leads, out of a platform's wrapper."""
    return unwrap(url) or url


def put_links(draft: Draft, found: Iterable[tuple[str, ...]], where: str, *, shown: bool = False) -> None:
    """``outbound_links``: where the author's links say they lead, each once. ``links``: as posted, how each was shown.

    ``found``: the address as the page has it, its place (``caption``, ``bio``, ``website``), and, where the page says
    so beside it, where it leads. That there are none is a value, but not of a post without a caption to hold one.
    """
    kept: dict[str, tuple[str, str]] = {}
    for url, place, *leads in found:
        if url and url.strip():
            kept.setdefault(url.strip(), (place, leads[0] if leads and leads[0] else ""))
    if not kept and draft.kind is Kind.POST and "caption" not in draft.fields:
        return
    targets = [leads or target_of(url) for url, (_, leads) in kept.items()]
    draft.put("outbound_links", list(dict.fromkeys(targets)), where, shown=shown)
    posted = [
        {"url": url, "shown_as": place, **({"leads_to": leads} if leads else {})}
        for url, (place, leads) in kept.items()
    ]
    draft.put("links", posted or None, where, shown=shown)


def in_text(text: str, place: str, *, cut: bool = False) -> list[tuple[str, str]]:
    """The addresses that a text has in full. A bare ``name.example/path`` is words, not a link."""
    return [(url, place) for url, written in written_urls(text, cut=cut) if written.lower().startswith("http")]


def anchors(element: Node | None, place: str, *, base: str, skip: str = "") -> list[tuple[str, str]]:
    """The links in an element that lead off the site of ``base``, or out through one of its wrappers."""
    if element is None:
        return []
    markup = Markup(url=base, root=element)
    host = _site(base)
    links = []
    for each in element.iter("a"):
        href = each.get("href") or ""
        if skip and skip in (each.get("class") or "").split():
            continue
        url = markup.join(href, base) or ""
        if url.startswith(("http://", "https://")) and (unwrap(url) or _site(url) != host):
            links.append((url, place))
    return links


def _site(url: str) -> str:
    try:
        return ".".join((urlsplit(url).hostname or "").split(".")[-2:])
    except ValueError:
        return ""


def segments(url: str) -> list[str]:
    """The path of an address, piece by piece."""
    try:
        return [each for each in urlsplit(url).path.split("/") if each]
    except ValueError:
        return []


# --- data -------------------------------------------------------------------------------------------------------------


def oembed(page: Saved, *providers: str) -> Mapping[str, Any] | None:
    """An oEmbed answer (oembed.com) of one of these providers, lower case; None where the page is none."""
    answer = page.json
    if not isinstance(answer, Mapping) or "version" not in answer or "type" not in answer:
        return None
    return answer if str(answer.get("provider_name")).lower() in providers else None


def fragment(html: str) -> Node | None:
    """Markup that came inside something else (an oEmbed's ``html``, a comment), as a tree."""
    if not html.strip():
        return None
    try:
        return etree.fromstring(html.encode(errors="replace"), etree.HTMLParser(encoding="utf-8", huge_tree=True))
    except (etree.LxmlError, ValueError):
        return None


def has_icon_of(page: Saved, host: str) -> bool:
    """Whether the page's own icon comes from there: platforms keep theirs on a host of their own."""
    return any(
        "icon" in (each.get("rel") or "").lower() and (each.get("href") or "").startswith(f"https://{host}/")
        for each in page.root.iter("link")
    )


def blocks(page: Saved, *needles: str) -> Iterator[tuple[str, Any]]:
    """The JSON of ``<script type="application/json">`` elements in which one of these words stands."""
    for n, script in enumerate(page.scripts):
        text = script.text or ""
        if (script.get("type") or "").lower() == "application/json" and len(text) <= MAX_SCRIPT:
            if not any(each in text for each in needles):
                continue
            try:
                yield f"json script {n}", json.loads(text, strict=False)
            except (ValueError, RecursionError):
                page.notes.append(f"script {n}: its JSON cannot be read")


def text_at(value: Any, *path: str | int) -> str:
    """The text at a path; empty where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, str) else str(found) if isinstance(found, int) and found is not True else ""


def list_at(value: Any, *path: str | int) -> list[Any]:
    """The list at a path; empty where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, list) else []


def map_at(value: Any, *path: str | int) -> Mapping[str, Any]:
    """The object at a path; empty where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, Mapping) else {}


def flag(value: Any) -> bool | None:
    """A mark as JSON has it; None where it is none."""
    return value if isinstance(value, bool) else None
