"""A case's promotions and candidates for its pages: as they were filed, or as they are found in its captures now."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from archive import filing
from archive.briefs import BriefLost
from archive.catalog import Entry
from archive.log import LoggedEvent
from console.dossier import open_dossier
from console.web.holdings import Archive, Holdings
from custody.digest import Digest
from custody.model import Json
from findings.finding import find
from findings.graph import Graph, graph_of
from findings.matter import Matter

MAX_LIVE = 400
"""Captures of a case that are read while somebody waits for the page; beyond that, what was filed is shown."""
MAX_CAPTURES = 1_000_000
_MAX_KEPT = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a case's captures say together."""

    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By promotion (docs/findings.md), in order."""
    leads: Sequence[Mapping[str, Any]] = ()
    """Candidates; empty where the captures were not read now."""
    filed_as: int | None = None
    """Leaf of the ``findings.made`` that the records are from; None: they were found now, and nothing was recorded."""
    filed_at: datetime | None = None
    files: tuple[Digest, ...] = ()
    """What was filed lies in these."""
    is_older: bool = False
    """Captures came or went since they were filed."""
    is_read: bool = True
    """Whether the captures were read now; a large case is not."""
    unread: Mapping[str, str] = field(default_factory=dict)
    graph: Graph | None = None
    """As ``counterproof graph`` draws it; None where the captures were not read now."""
    trouble: str | None = None
    """Why nothing can be told."""


class Promotions:
    """Of one archive. What was worked out is kept in memory until the case has changed."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._kept: dict[str, tuple[object, Told]] = {}
        self._lock = threading.Lock()

    def of(self, holdings: Holdings, scope: str) -> Told:
        """As long as it takes: of a case that nobody has asked for yet, some seconds."""
        key, entries = self._key(holdings, scope)
        with self._lock:
            known = self._kept.get(scope)
            if known is not None and known[0] == key:
                return known[1]
            told = self._tell(holdings, scope, entries)
            if len(self._kept) >= _MAX_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[scope] = (key, told)
            return told

    def at_hand(self, holdings: Holdings, scope: str) -> Told | None:
        """None: it has to be worked out, which a page does not wait for."""
        known = self._kept.get(scope)
        return known[1] if known is not None and known[0] == self._key(holdings, scope)[0] else None

    def _key(self, holdings: Holdings, scope: str) -> tuple[object, Sequence[Entry]]:
        """What tells whether the case has changed; and its captures, oldest first, or the newest of a large one."""
        row = holdings.case(scope)
        # Of a large case the newest captures say as well whether it has changed, and cost a page less.
        entries = [*reversed(self._archive.catalog.of_case(scope, limit=MAX_LIVE + 1))]
        version = self._archive.catalog.brief_of(scope)
        filings = list(_Filings(self._archive, holdings.log_size).events(filing.MADE))
        mine = [each.index for each in filings if each.event.chain == f"work:{scope}"]
        return (_digest(entries), row.captures, version and version.digest, mine[-1] if mine else None), entries

    def _tell(self, holdings: Holdings, scope: str, entries: Sequence[Entry]) -> Told:
        archive = self._archive
        store, filings = archive.reader.store, _Filings(archive, holdings.log_size)
        filed = filing.newest(filings, store, scope)
        live = _Live()
        if len(entries) > MAX_LIVE:
            entries = archive.catalog.of_case(scope, limit=MAX_CAPTURES)
        if len(entries) <= MAX_LIVE:
            try:
                live = self._read(scope, entries)
            except BriefLost as error:
                return Told(trouble=str(error))
        if filed is not None:
            return Told(
                records={name: each.record for name, each in filed.records.items()},
                leads=live.leads,
                filed_as=filed.index,
                filed_at=filed.at,
                files=tuple(dict.fromkeys((filed.digest, *(each.made_in for each in filed.records.values())))),
                is_older=filed.head.get("captures_sha256") != _digest(entries),
                is_read=len(entries) <= MAX_LIVE,
                unread=live.unread,
                graph=live.graph,
            )
        return Told(
            records=live.records,
            leads=live.leads,
            is_read=len(entries) <= MAX_LIVE,
            unread=live.unread,
            graph=live.graph,
        )

    def _read(self, scope: str, entries: Sequence[Entry]) -> "_Live":
        archive = self._archive
        if len(entries) < 2:  # a post, and what it leads to
            return _Live()
        version = archive.catalog.brief_of(scope)
        matter = Matter()
        if version is not None and not archive.catalog.brief_disposed(scope):
            matter = Matter.of(archive.reader.briefs.read(version))
        run = archive.run()
        caches = archive.config.home / "cache"
        dossier = open_dossier(archive.kept, entries, run, caches, pictures=False, in_visit=True)
        found = find(dossier.pages, matter, run.ADDRESSES)
        return _Live(
            records={name: record for name, record, _ in found.records(matter)},
            leads=[{**each.to_json(), "edges": [edge.to_json(None) for edge in each.edges]} for each in found.leads],
            unread=dossier.unread,
            graph=graph_of(found.promotions, found.leads, dossier.pages),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Live:
    records: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    leads: Sequence[Mapping[str, Any]] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    graph: Graph | None = None


@dataclass(frozen=True, slots=True)
class _Filings:
    """The log's ``findings.made``, without reading the rest of it."""

    archive: Archive
    size: int

    def events(self, *types: str) -> Iterator[LoggedEvent]:
        log = self.archive.reader.log
        for index in self.archive.leaves.typed(*types, below=self.size):
            yield log.parse(0, index, log.leaf(index, self.size))


def _digest(entries: Sequence[Entry]) -> str:
    """As ``findings`` has it, over the records of all captures that can take part."""
    records = sorted(each.record_sha256 for each in entries if each.record_sha256 and each.disposed_at is None)
    return Digest.of("\n".join(records).encode()).hex
