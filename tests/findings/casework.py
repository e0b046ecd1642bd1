"""Captured pages as findings get them, made by hand: a post, a profile, a hub, listings."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from archive.reading import Kind, Reading, Seen, Source
from custody.digest import Digest
from custody.model import Candidate, Hop, HopKind, Json, Origin, Outcome, Status, Via
from findings.page import Page, Shown
from findings.resembling import Match
from findings.tracing import Addresses, Traced, trace

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def key(url: str) -> str:
    parts = urlsplit(url)
    return f"{(parts.hostname or '').removeprefix('www.')}{parts.path}?{parts.query}"


ADDRESSES = Addresses(key=key, is_aside=lambda url: (urlsplit(url).hostname or "").endswith("tube.example"))


@dataclass
class Unit:
    """Pages of one unit, each added by the link that led to it."""

    name: str = "u1"
    pages: list[Page] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def post(
        self,
        caption: str = "",
        *,
        url: str = "https://social.example/p/1",
        more: Mapping[str, Json] | None = None,
        **fields: Json,
    ) -> Page:
        author: dict[str, Json] = {"author": "Ana", "handle": "ana.finds", "caption": caption}
        values = {**author, **fields, **(more or {})}
        return self.add(Kind.POST, url, None, None, values)

    def profile(self, parent: Page, *, url: str = "https://social.example/ana.finds", **fields: Json) -> Page:
        via = Via(href=url, text="ana.finds", where="author")
        return self._follow(parent, via, Kind.PROFILE, url, fields)

    def hub(
        self, parent: Page, *, url: str = "https://hub.example/ana", where: str = "profile", **fields: Json
    ) -> Page:
        return self._follow(parent, Via(href=url, text="my links", where=where), Kind.LINK_HUB, url, fields)

    def listing(
        self,
        parent: Page,
        href: str,
        *,
        text: str = "",
        where: str = "page",
        url: str | None = None,
        visible: str = "",
        hops: Sequence[str] = (),
        outcome: Outcome = Outcome.OK,
        kind: Kind = Kind.LISTING,
        pictures: tuple[Shown, ...] = (),
        more: Mapping[str, Json] | None = None,
        **fields: Json,
    ) -> Page:
        via = Via(href=href, text=text, where=where)
        steps = [href, *hops, url or href]
        made = tuple(
            Hop(n=n, from_url=one, to_url=other, kind=HopKind.HTTP, status=302, at=NOON)
            for n, (one, other) in enumerate(itertools.pairwise(steps), 1)
            if one != other
        )
        return self._follow(
            parent,
            via,
            kind,
            url or href,
            {**fields, **(more or {})},
            visible=visible,
            hops=made,
            outcome=outcome,
            pictures=pictures,
        )

    def buttons(
        self, page: Page, labels: Mapping[str, str], *, reason: str = "over_limit", where: str = "page"
    ) -> Page:
        """More links on a page, none of them followed."""
        more = tuple(
            Candidate(via=Via(href=href, text=text, where=where), follow=False, reason=reason)
            for href, text in labels.items()
        )
        return self.change(page, candidates=(*self.now(page).candidates, *more))

    def now(self, page: Page) -> Page:
        """The page as it is after what was added to it."""
        return next(each for each in self.pages if each.capture == page.capture)

    def trace(self, resembles: "SameWords | None" = None) -> Traced:
        return trace(self.pages, ADDRESSES, resembles)

    def _follow(
        self,
        parent: Page,
        via: Via,
        kind: Kind,
        url: str,
        fields: Mapping[str, Json],
        *,
        visible: str = "",
        hops: tuple[Hop, ...] = (),
        outcome: Outcome = Outcome.OK,
        pictures: tuple[Shown, ...] = (),
    ) -> Page:
        link = Candidate(via=via, follow=True, reason="in_text")
        self.change(parent, candidates=(*self.now(parent).candidates, link))
        return self.add(kind, url, parent, via, fields, visible=visible, hops=hops, outcome=outcome, pictures=pictures)

    def add(
        self,
        kind: Kind,
        url: str,
        parent: Page | None,
        via: Via | None,
        fields: Mapping[str, Json],
        *,
        visible: str = "",
        hops: tuple[Hop, ...] = (),
        outcome: Outcome = Outcome.OK,
        pictures: tuple[Shown, ...] = (),
    ) -> Page:
        number = next(self._numbers)
        page = Page(
            capture=f"{self.name}-{number}",
            unit=self.name,
            parent=parent.capture if parent else None,
            via=via,
            url=url,
            key=key(url),
            title=None,
            hops=hops,
            candidates=(),
            looked_at=NOON + timedelta(minutes=number),
            status=Status.COMPLETE,
            outcome=outcome,
            origin=Origin.NOT_PUBLIC,
            record=Digest.of(f"{self.name}-{number}".encode()),
            reading=Reading(
                platform="generic",
                kind=kind,
                fields=dict(fields),
                sources={name: Source(where=f"css .{name}", seen=Seen.SHOWN) for name in fields},
            ),
            visible=visible,
            pictures=pictures,
        )
        self.pages.append(page)
        return page

    def change(self, page: Page, **changes: object) -> Page:
        changed = replace(self.now(page), **changes)  # type: ignore[arg-type]  # the caller names a field of Page
        self.pages[[each.capture for each in self.pages].index(page.capture)] = changed
        return changed


class SameWords:
    """Pictures with one print are one picture."""

    def same(self, one: Shown, other: Shown) -> Match | None:
        if not one.print or one.print != other.print:
            return None
        return Match(one=one, other=other, distance=0, threshold=31, mirrored=False)


def picture(print_: str, url: str = "https://cdn.example/a.jpg") -> Shown:
    return Shown(sha256=Digest.of(url.encode()).hex, url=url, print=print_)
