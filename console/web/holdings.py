"""The archive as one viewer may see it. All that pages, downloads and the API show goes through here."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from types import ModuleType
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from archive.appraisal import Appraiser
from archive.briefs import BriefLost, Described, Version
from archive.catalog import CaseRow, Catalog, Entry
from archive.config import ArchiveConfig
from archive.errors import NoArchive
from archive.leafindex import LeafIndex
from archive.log import LoggedEvent
from archive.reader import Reader, open_catalog, open_reader
from console.kept import Kept
from console.web.accesses import Accesses
from console.web.viewer import Right, Viewer
from custody import keyspace, tiles
from custody.artifact import Artifact
from custody.digest import Digest
from custody.record import MAX_BYTES as MAX_RECORD_BYTES
from custody.record import Record

_THREADS = 16
"""They wait for the store."""
_MAX_BRIEFS = 1_000
_FRESH = timedelta(seconds=2)
"""So old the catalogue may be before a page asks the log for more."""


class Missing(Exception):
    """It is not there, or is nobody's business who asks: the answer is the same."""


class Forbidden(Exception):
    """It is there and may be seen; what was asked for needs another right."""


@dataclass(kw_only=True, slots=True)
class Archive:
    """What is open for as long as the console runs. Safe for threads."""

    config: ArchiveConfig
    reader: Reader
    catalog: Catalog
    threads: ThreadPoolExecutor
    run: Callable[[], ModuleType]
    """Gives ``crawlers.run``, which is loaded when pages are read again."""
    clock: Callable[[], datetime]
    leaves: LeafIndex
    accesses: Accesses | None = None
    """None: nobody asked for accesses to be recorded."""
    briefs: dict[str, Described] = field(default_factory=dict)
    """By digest, which each was held against when it was read; whether it was disposed of is asked each time."""
    _advanced: datetime | None = None
    _advancing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def kept(self) -> Kept:
        return Kept(reader=self.reader, catalog=self.catalog)

    @property
    def appraiser(self) -> Appraiser:
        return Appraiser(reader=self.reader, catalog=self.catalog, leaves=self.leaves, map=self.threads.map)

    def of_unit(self, unit: str) -> list[Entry]:
        """Its captures, as the log has them now. Whoever is told of them has been asked what he may see."""
        self.freshen(now=True)
        return self.catalog.of_unit(unit)

    @property
    def is_stale(self) -> bool:
        """Whether the catalogue should be read on before a page is shown."""
        return self._advanced is None or self.clock() - self._advanced >= _FRESH

    def freshen(self, *, now: bool = False) -> None:
        """The catalogue read on, unless that was done just now or somebody is at it. Raises ``ArchiveError``."""
        if not now and not self.is_stale:
            return
        if self._advancing.acquire(blocking=now):
            try:
                self.catalog.advance(self.reader.store, self.reader.log)
                self._advanced = self.clock()
            finally:
                self._advancing.release()


@contextmanager
def open_archive(
    config: ArchiveConfig, run: Callable[[], ModuleType], clock: Callable[[], datetime]
) -> Iterator[Archive]:
    """Raises ``NoArchive`` where nothing was captured yet."""
    with ExitStack() as stack:
        reader = stack.enter_context(open_reader(config))
        if not reader.holds_log:
            raise NoArchive(f"{reader.store.name} does not hold the log {reader.log.log} yet")
        catalog = stack.enter_context(open_catalog(config, reader))
        threads = stack.enter_context(ThreadPoolExecutor(_THREADS, "console"))
        yield Archive(
            config=config,
            reader=reader,
            catalog=catalog,
            threads=threads,
            run=run,
            clock=clock,
            leaves=LeafIndex(catalog=catalog, advance=partial(catalog.advance, reader.store, reader.log)),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Holdings:
    """What one viewer may see of it."""

    archive: Archive
    viewer: Viewer

    @property
    def scopes(self) -> frozenset[str] | None:
        """Ids of the cases that may be seen; None: all. For a query's own filter."""
        return self.viewer.scopes

    def cases(self) -> list[CaseRow]:
        """Newest first."""
        return self.archive.catalog.listed(self.scopes)

    def case(self, scope: str) -> CaseRow:
        found = [each for each in self.archive.catalog.listed(None, only=scope) if self.viewer.may(scope, Right.VIEWER)]
        if not found:
            raise Missing("case")
        return found[0]

    def case_named(self, name: str) -> CaseRow:
        """Of two that were opened under one name, the first has it."""
        found = [each for each in self.cases() if each.name == name]
        if not found:
            raise Missing("case")
        return found[-1]

    def require(self, scope: str, right: Right) -> CaseRow:
        """Raises ``Missing`` where it may not be seen, ``Forbidden`` where it may, and no more."""
        row = self.case(scope)
        if not self.viewer.may(scope, right):
            raise Forbidden(right.word)
        return row

    def cases_of(self, unit: str) -> list[CaseRow]:
        """Those that the viewer may see."""
        scopes = [each for each in self.archive.catalog.scopes_of(unit) if self.viewer.may(each, Right.VIEWER)]
        return [row for each in scopes for row in self.archive.catalog.listed(None, only=each)]

    def entry(self, capture_id: str) -> Entry:
        found = self.archive.catalog.entry(capture_id)
        if found is None or not self._is_seen(found.unit):
            raise Missing("capture")
        return found

    def entries(self, scope: str, *, limit: int) -> list[Entry]:
        """Newest first."""
        self.case(scope)
        return self.archive.catalog.of_case(scope, limit=limit)

    def of_unit(self, unit: str) -> list[Entry]:
        if not self._is_seen(unit):
            raise Missing("unit")
        return self.archive.catalog.of_unit(unit)

    def record(self, entry: Entry) -> Record | None:
        """Checked against the digest in the log; None where there is none, or it was disposed of."""
        data = self.record_bytes(entry)
        return None if data is None else Record.parse(data)

    def record_bytes(self, entry: Entry) -> bytes | None:
        """The one way to what a capture says: whoever goes it has looked."""
        if entry.record_sha256 is None or entry.disposed_at is not None:
            return None
        if self.archive.accesses is not None:
            self.archive.accesses.look(self.viewer.name, entry.capture_id)
        return self.archive.kept.blob(Digest(entry.record_sha256), MAX_RECORD_BYTES)

    def record_json(self, entry: Entry) -> Any:
        """The same as a value, with all that a later version has put into it."""
        data = self.record_bytes(entry)
        return None if data is None else json.loads(data)

    def taken(self, entry: Entry, name: str) -> Artifact:
        """A file that is about to be handed out."""
        found = self.artifact(entry, name)
        if self.archive.accesses is not None:
            self.archive.accesses.take(self.viewer.name, entry.capture_id, name)
        return found

    def package_taken(self, entry: Entry, name: str) -> None:
        """A package of its unit is about to be shown."""
        if self.archive.accesses is not None:
            self.archive.accesses.take(self.viewer.name, entry.capture_id, name)

    def artifact(self, entry: Entry, name: str) -> Artifact:
        record = self.record(entry)
        found = [] if record is None else [each for each in record.artifacts if each.name == name]
        if not found:
            raise Missing("file")
        return found[0]

    def events(self, entry: Entry) -> list[LoggedEvent]:
        """All that the log says of a capture and its unit, in order; of cases only those that may be seen."""
        log, size = self.archive.reader.log, self.log_size
        bundles: dict[int, list[bytes]] = {}
        found = []
        for index in self.archive.leaves.about(entry, below=size):
            at, inside = divmod(index, tiles.WIDTH)
            if at not in bundles:
                width = min(tiles.WIDTH, size - at * tiles.WIDTH)
                bundles[at] = tiles.decode_bundle(log.bundle(at, width), width)
            found.append(log.parse(0, index, bundles[at][inside]))
        return [each for each in found if self._concerns(each, entry)]

    def leaf(self, index: int) -> LoggedEvent:
        return self.archive.reader.log.parse(0, index, self.archive.reader.log.leaf(index, self.log_size))

    @property
    def log_size(self) -> int:
        """Leaves under the newest checkpoint, as it lies in the store; nobody has checked it."""
        lines = self.archive.reader.store.read(keyspace.checkpoint(self.archive.reader.log.log)).split(b"\n")
        return int(lines[1])

    def brief(self, scope: str) -> Described | None:
        """What the case says of itself now; None where nobody has described it, or it cannot be read."""
        if not self.viewer.may(scope, Right.VIEWER):
            raise Missing("case")
        return self._read(self.archive.catalog.described().get(scope))

    def zone(self, rows: Sequence[CaseRow]) -> ZoneInfo | None:
        """The time zone of the first of these cases that names one; None: none does."""
        return next(iter(self.zones(rows).values()), None)

    def zones(self, rows: Sequence[CaseRow]) -> dict[str, ZoneInfo]:
        """The time zone of each of these cases that names one, by the case's id."""
        zones = {scope: zone_of(each) for scope, each in self.described(rows).items()}
        return {scope: zone for scope, zone in zones.items() if zone is not None}

    def described(self, rows: Sequence[CaseRow]) -> dict[str, Described]:
        """What each of these cases says of itself now, by the case's id."""
        versions = self.archive.catalog.described()
        read = {each.scope: self._read(versions.get(each.scope)) for each in rows}
        return {scope: each for scope, each in read.items() if each is not None}

    def _read(self, version: Version | None) -> Described | None:
        if version is None:
            return None
        known = self.archive.briefs.get(version.digest.hex)
        if known is not None and known.index == version.index:
            return known
        try:
            read = self.archive.reader.briefs.read(version)
        except BriefLost:
            return None
        if len(self.archive.briefs) >= _MAX_BRIEFS:
            self.archive.briefs.clear()
        self.archive.briefs[version.digest.hex] = read
        return read

    def _is_seen(self, unit: str) -> bool:
        if self.scopes is None:
            return True
        return any(self.viewer.may(each, Right.VIEWER) for each in self.archive.catalog.scopes_of(unit))

    def _concerns(self, each: LoggedEvent, entry: Entry) -> bool:
        kind, _, scope = each.event.chain.partition(":")
        if kind == "scope" and not self.viewer.may(scope, Right.VIEWER):
            return False
        return each.event.body.get("capture") in {None, entry.capture_id}


def zone_of(described: Described | None) -> ZoneInfo | None:
    """The case's time zone, where it names one."""
    if described is None or not described.brief.timezone:
        return None
    try:
        return ZoneInfo(described.brief.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None  # a zone that this machine does not know: UTC alone is shown


async def _here(request: Request) -> Holdings:
    """For this request, the catalogue read on."""
    archive: Archive = request.app.state.archive
    if archive.is_stale:
        await run_in_threadpool(archive.freshen)
    return Holdings(archive=archive, viewer=request.state.viewer)


HoldingsHere = Annotated[Holdings, Depends(_here)]
