"""Rows of what was found: the part of a search that is written again for each capture, so not by a template.

Each field goes through ``seen`` and ``escape``, as a template's would.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from zoneinfo import ZoneInfo

from markupsafe import Markup

from archive.index.listing import Found
from console.web.rendering import address, seen, state, when, words


def rows(found: Sequence[Found], names: Mapping[str, str | None], zones: Mapping[str, ZoneInfo]) -> Markup:
    """Of the table of captures. ``names``, ``zones``: of cases, by id; of a capture's cases the first says its zone."""
    return Markup("\n".join([_row(each, names, zones) for each in found]))  # noqa: S704  # each part is escaped


def _row(each: Found, names: Mapping[str, str | None], zones: Mapping[str, ZoneInfo]) -> str:
    entry = each.entry
    zone = zones.get(each.scopes[0]) if each.scopes else None
    link = f'<a href="/captures/{_text(entry.capture_id)}">'
    if entry.disposed_at is not None:
        page = f"{link}disposed of</a>"
    else:
        # Put together by formats alone: Markup escapes what it is added to.
        page = f"{link}<bdi>{_text(entry.title or 'no title')}</bdi></a><br>"
        page = f"{page}{address(entry.final_url or entry.requested_url)}"
        if each.passage:
            page = f'{page}\n<blockquote class="passage"><bdi>{_text(each.passage)}</bdi></blockquote>'
    kind = _text(words(each.kind or "not read"))
    if each.platform:
        kind += f' <span class="none">{_text(each.platform)}</span>'
    cases = " ".join([_case(scope, names.get(scope)) for scope in each.scopes]) or '<span class="none">none</span>'
    return (
        f'<tr><td data-of="begun">{when(entry.started_at, zone)}</td>\n<td>{page}</td>\n'
        f'<td data-of="what it is">{kind}</td>\n<td>{state(entry)}</td>\n'
        f'<td data-of="case" class="case-name">{cases}</td></tr>'
    )


def _case(scope: str, name: str | None) -> str:
    return f'<a href="/cases/{_text(scope)}"><bdi>{_text(name or "a case without a name")}</bdi></a>'


@lru_cache(256)
def choices(among: tuple[str, ...], chosen: str) -> Markup:
    """Options of the program's own words. The same few are written for every search."""
    told = "".join(
        f'<option value="{_text(each)}"{" selected" if each == chosen else ""}>{_text(words(each))}</option>'
        for each in among
    )
    return Markup(f'<option value="">any</option>{told}')  # noqa: S704  # each part is escaped


def _text(value: str) -> str:
    return escape(seen(value))
