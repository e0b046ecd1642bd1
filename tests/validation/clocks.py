"""Family ``times``: times that pages show, and the clock that they go by."""

import json
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

from tests.validation.draft import Draft
from tests.validation.families import Family, Making
from tests.validation.truth import Page

CLOCK = "This page was drawn at"


def _moment(making: Making) -> datetime:
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=making.random.randrange(600 * 86_400))


def _begin(making: Making) -> Draft:
    draft = making.draft("Dated")
    draft.show_some(making.random, making.place(), "png")
    making.prose(draft, paragraphs=2)
    return draft


def _element(form: str, making: Making) -> Page:
    """``<time>``, for machines and for readers."""
    at, draft = _moment(making), _begin(making)
    machine = {
        "utc": at.isoformat().replace("+00:00", "Z"),
        "offset": at.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat(),
        "date": at.date().isoformat(),
        "basic": f"{at:%Y-%m-%dT%H:%M:%S}+0000",
    }[form]
    shown = f"{at:%d %B %Y, %H:%M}"
    draft.put(f'<p>Posted on <time datetime="{machine}">{shown}</time></p>', f"Posted on {shown}")
    return making.publish(draft, stamps=[machine, shown])


def _json_ld(making: Making) -> Page:
    at, draft = _moment(making), _begin(making)
    stamps = [at.isoformat(), (at + timedelta(days=2)).isoformat()]
    value = {
        "@context": "https://schema.org",
        "@type": "SocialMediaPosting",
        "datePublished": stamps[0],
        "dateModified": stamps[1],
    }
    draft.head.append(f'<script type="application/ld+json">{json.dumps(value)}</script>')
    return making.publish(draft, stamps=stamps)


def _meta(making: Making) -> Page:
    at, draft = _moment(making), _begin(making)
    draft.head.append(f'<meta property="article:published_time" content="{at.isoformat()}">')
    return making.publish(draft, stamps=[at.isoformat()])


def _local(making: Making) -> Page:
    """Written by the page's script for the reader's language and time zone: en-US and UTC, by default."""
    at, draft = _moment(making), _begin(making)
    hour = f"{at.hour % 12 or 12}:{at:%M:%S} {'PM' if at.hour >= 12 else 'AM'}"
    shown = f"{at.month}/{at.day}/{at.year}, {hour}"
    draft.put(
        f'<p id="at"></p><script>document.getElementById("at").textContent ='
        f" new Date({int(at.timestamp() * 1000)}).toLocaleString()</script>",
        shown,
    )
    return making.publish(draft)


def _ago(making: Making) -> Page:
    """Relative to the page's clock, which nobody may have moved."""
    draft = _begin(making)
    days = making.random.randrange(2, 300)
    draft.put(
        f'<p id="ago"></p><script>const then = Date.now() - {days} * 86400000;'
        'document.getElementById("ago").textContent ='
        " Math.round((Date.now() - then) / 86400000) + ' days ago'</script>",
        f"{days} days ago",
    )
    return making.publish(draft)


def _clock(making: Making) -> Page:
    """The page's own clock, in the page's own words: held against when the site was asked, and when it was shot."""
    draft = _begin(making)
    draft.put(
        f'<p id="now"></p><script>document.getElementById("now").textContent = "{CLOCK} "'
        " + new Date().toISOString()</script>"
    )
    return making.publish(draft, clock=CLOCK)


FAMILY: Family = {
    **{f"time-{form}": partial(_element, form) for form in ("utc", "offset", "date", "basic")},
    "json-ld": _json_ld,
    "meta": _meta,
    "local": _local,
    "ago": _ago,
    "clock": _clock,
    "clock-again": _clock,
}
