"""Templates, and how times, digests, addresses and strangers' words are written in them."""

import re
from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime, tzinfo
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from archive.catalog import Entry
from console.screen import HIDDEN, span
from custody.instant import format_utc

TEMPLATES = Path(__file__).with_name("templates")
STATIC = Path(__file__).with_name("static")
_TO_THE_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_MINUTE = "%Y-%m-%d %H:%M:%S"


def when(at: datetime | str | None, zone: tzinfo | None = None) -> Markup:
    """In UTC, and in the case's time zone. A text that is no instant to the second is shown as it is, unconverted."""
    if at is None:
        return Markup('<span class="none">not known</span>')
    if isinstance(at, str):
        instant = instant_of(at)
        if instant is None:
            return Markup("<span>{}</span>").format(seen(at))
        at = instant
    utc = at.astimezone(UTC)
    text = format_utc(utc)  # Markup.format takes five times as long, and lists print hundreds of times
    told = Markup(f'<time datetime="{text}">{text[:10]} {text[11:19]} UTC</time>')  # noqa: S704  # digits
    if zone is None or utc.astimezone(zone).utcoffset() == utc.utcoffset():
        return told
    local = utc.astimezone(zone)
    form = "%H:%M:%S" if local.date() == utc.date() else _MINUTE
    return told + Markup(' <span class="zone">({} {})</span>').format(local.strftime(form), str(zone))


def instant_of(text: object) -> datetime | None:
    """Of a text that names one to the second, with its distance from UTC; of a day or a time of day, none."""
    if not isinstance(text, str) or _TO_THE_SECOND.fullmatch(text) is None:
        return None
    try:
        found = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None  # there is no such instant: the thirtieth of February
    return found if MINYEAR < found.year < MAXYEAR else None  # at either end, other zones have no such time


def digest(value: object) -> Markup:
    """All of it, in pieces that a narrow screen can break."""
    text = str(value).removeprefix("sha256:")
    parts = "<wbr>".join([escape(text[at : at + 8]) for at in range(0, len(text), 8)])
    return Markup(f'<code class="digest">{parts}</code>')  # noqa: S704  # each part is escaped


def address(url: object) -> Markup:
    """Of a stranger's page: text, so that nobody goes there by a slip of the finger."""
    text = seen(url)
    parts = "<wbr>".join([escape(text[at : at + 24]) for at in range(0, len(text), 24)])
    return Markup(f'<code class="address"><bdi>{parts}</bdi></code>')  # noqa: S704  # each part is escaped


def size(count: int) -> str:
    if count < 10_000:
        return f"{count:,} B"
    return f"{count / 1000:,.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"


def words(text: object) -> str:
    """A word of the program's own, for people: ``login_wall`` is login wall."""
    return str(text).replace("_", " ")


def seen(text: object) -> str:
    """What a page wrote, without characters that turn a line around or hide in it."""
    shown = str(text)
    return shown if shown.isascii() else shown.translate(HIDDEN)  # none of them is ASCII


def state(entry: Entry) -> Markup:
    """How a capture ended and what it showed, as tags. Few of them differ, and lists print hundreds."""
    return _state(
        is_disposed=entry.disposed_at is not None,
        status=entry.status,
        outcome=entry.outcome,
        origin=entry.origin,
        is_quarantined=bool(entry.quarantine),
    )


@lru_cache(1024)
def _state(
    *, is_disposed: bool, status: str | None, outcome: str | None, origin: str | None, is_quarantined: bool
) -> Markup:
    if is_disposed or status is None:
        told = [_tag("disposed of" if is_disposed else "open", "warn")]
    else:
        told = [_tag(status, {"failed": "bad", "abandoned": "bad", "partial": "warn"}.get(status))]
    if outcome:
        told.append(_tag(words(outcome), None if outcome == "ok" else "warn"))
    if origin:
        told.append(_tag(words(origin), None if origin == "public" else "warn"))
    if is_quarantined:
        told.append(_tag("quarantined", "bad"))
    return Markup("\n").join(told)


def _tag(text: str, tone: str | None) -> Markup:
    return Markup('<span class="{}">{}</span>').format("tag" if tone is None else f"tag {tone}", seen(text))


class Loose(dict[str, Any]):
    """What others wrote, for templates: a key that is not there is None, whereas a name of ours is an error."""

    def __missing__(self, key: str) -> None:
        return None


def loose(value: Any) -> Any:
    """All of it, at every depth."""
    if isinstance(value, Mapping):
        return Loose({str(name): loose(each) for name, each in value.items()})
    if isinstance(value, (list, tuple)):
        return [loose(each) for each in value]
    return value


def _finalize(value: Any) -> Any:
    """Of everything that a template prints."""
    return value if type(value) is not str or value.isascii() else value.translate(HIDDEN)


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
        auto_reload=False,
    )
    made.globals["state"] = state
    made.tests["instant"] = lambda value: instant_of(value) is not None
    made.filters |= {"when": when, "digest": digest, "address": address, "size": size, "words": words, "span": span}
    return made


def render(
    request: Request, name: str, /, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """A page, or a part of one, for whoever asks."""
    viewer = request.state.viewer
    word = "" if viewer is None else viewer.csrf

    def csrf() -> Markup:
        return Markup('<input type="hidden" name="csrf" value="{}">').format(word)

    template = request.app.state.templates.get_template(name)
    html = template.render(
        request=request,
        viewer=viewer,
        csrf=csrf,
        csrf_word=word,
        bar=request.app.state.bar,
        path=request.url.path,
        is_local=request.app.state.is_local,
        **values,
    )
    return HTMLResponse(html, status, headers=headers)
