"""A case's captures as findings need them: records, texts, and today's readings of the pages that were kept."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from archive.briefs import Described
from archive.catalog import Entry
from archive.derived import Derived
from archive.errors import NotStored
from archive.holdings import MAX_TEXT_BYTES, vantage_of
from archive.reading import Kind, Reading
from archive.surface import surface_of
from console.kept import Kept, document_of, firsthand, read_at
from custody import canonical
from custody.artifact import OTHERS, Artifact
from custody.digest import Digest
from custody.errors import FormatError
from custody.model import Role
from custody.record import MAX_BYTES as MAX_RECORD_BYTES
from custody.record import Record
from findings.page import Page, Shown
from findings.voices import words_behind

_THREADS = 8
"""They wait for the store; one process reads."""
_AT_ONCE = 64
_LOOKED = ("viewport_at", "settled_at", "requested_at", "closed_at")


@dataclass(kw_only=True, slots=True)
class Dossier:
    """Pages of one case, and what could not be read of it."""

    pages: list[Page] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    """By capture, why it takes no part: it has no record, was disposed of, or its blobs cannot be read."""
    in_part: dict[str, str] = field(default_factory=dict)
    """By capture, what of it takes no part: its reader or its pictures came to no end."""


def open_dossier(
    kept: Kept,
    entries: Sequence[Entry],
    run: ModuleType,
    caches: Path,
    *,
    pictures: bool,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
    in_visit: bool = False,
) -> Dossier:
    """Of these captures. ``run`` is ``crawlers.run``, handed in; ``tell``: how many are done, of all.

    ``in_visit``: readings that were made in the visits do, whichever version made them; else only today's.
    """
    dossier = Dossier()
    code = run.code()["code_sha256"]
    cache = Derived.open(caches, "readings", code)
    made_by = None if in_visit else code

    def fetch(entry: Entry) -> _Fetched | str:
        return _fetch(kept, entry, cache, made_by, run.MAX_PAGE_BYTES)

    with (
        run.reader() as reader,
        _Sheets(kept, run, caches) as sheets,
        ThreadPoolExecutor(_THREADS, "dossier") as threads,
    ):
        done = 0
        for some in _batches(entries):
            for entry, fetched in zip(some, threads.map(fetch, some), strict=True):
                done += 1
                tell(done, len(entries))
                if isinstance(fetched, str):
                    dossier.unread[entry.capture_id] = fetched
                    continue
                page = _page(fetched, entry, run, reader, cache)
                if not page.reading.was_ended:
                    dossier.in_part[entry.capture_id] = page.reading.notes[0]
                if pictures:
                    try:
                        shown, left = sheets.of(fetched.record)
                        page = replace(page, pictures=shown, pictures_left=left)
                    except NotStored as error:
                        dossier.in_part[entry.capture_id] = f"its pictures are not there ({error})"
                dossier.pages.append(page)
    return dossier


class _Sheets:
    """Prints of the pictures in captures' traffic, each capture's known by its WARCs once they were looked at."""

    def __init__(self, kept: Kept, run: ModuleType, caches: Path) -> None:
        self._kept = kept
        self._known = Derived.open(caches, "sheets", run.PRINTS_MAKER)
        self._printer = run.Printer(Derived.open(caches, "prints", run.PRINTS_MAKER))

    def __enter__(self) -> Self:
        self._printer.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._printer.__exit__(*error)

    def of(self, record: Record) -> tuple[tuple[Shown, ...], int]:
        """And how many pictures there were of which there is no print."""
        files = [each.digest for each in record.artifacts if each.role == Role.WARC]
        if not files:
            return (), 0
        key = Digest.of(" ".join(each.hex for each in files).encode())
        if (text := self._known.get(key)) is not None and (known := _sheet(text)) is not None:
            return known
        with ExitStack() as stack:
            sheet = self._printer.sheet(stack.enter_context(self._kept.file(each)) for each in files)
        shown = [[each.digest.hex, each.url, str(each.print)] for each in sheet.pictures if each.print is not None]
        left = sheet.small + sum(each.print is None for each in sheet.pictures)
        self._known.put(key, json.dumps([shown, left]))
        return tuple(Shown(sha256=sha256, url=url, print=made) for sha256, url, made in shown), left


def references_of(
    kept: Kept, described: Described | None, run: ModuleType, caches: Path, *, tell: Callable[[str], None]
) -> tuple[Shown, ...]:
    """Prints of the pictures that a case has given. ``tell``: of each that cannot be compared, why."""
    if described is None or not described.brief.pictures:
        return ()
    found: list[Shown] = []
    with run.Printer(Derived.open(caches, "prints", run.PRINTS_MAKER)) as printer:
        for each in described.brief.pictures:
            try:
                look = printer.look(kept.blob(each.digest, each.bytes), each.digest)
            except NotStored:
                tell(f"the case's picture {each.name} is not there, and was not compared: run `counterproof verify`")
                continue
            if look.print is None:
                tell(f"the case's picture {each.name} was not compared: no print, {look.why}")
            else:
                found.append(Shown(sha256=each.digest.hex, url=each.name, print=str(look.print)))
    return tuple(found)


def _sheet(text: str) -> tuple[tuple[Shown, ...], int] | None:
    """None: a line that broke off, or of somebody else."""
    try:
        shown, left = json.loads(text)
        return tuple(Shown(sha256=sha256, url=url, print=made) for sha256, url, made in shown), int(left)
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fetched:
    record: Record
    record_digest: Digest
    document: bytes | None
    """None: none was kept, or its reading is known."""
    key: Digest | None
    """Of the document at its address, for the cache of readings."""
    visible: str
    behind: str
    """Words of the source that are not shown; of pages that others' links led to alone."""
    is_cut: bool
    reading: Reading | None
    """As it was made in the visit, where that does."""


def _fetch(kept: Kept, entry: Entry, cache: Derived, made_by: str | None, limit: int) -> _Fetched | str:
    """In any thread. A sentence where the capture cannot take part. ``made_by``: whose readings do; None: anybody's."""
    if entry.disposed_at is not None:
        return "it was disposed of"
    if entry.record_sha256 is None:
        return "it has no end yet, or was abandoned"
    digest = Digest(entry.record_sha256)
    try:
        record = Record.parse(kept.blob(digest, MAX_RECORD_BYTES))
        text = next((each for each in record.artifacts if each.role == Role.TEXT and _is_own(each)), None)
        visible = "" if text is None else kept.blob(text.digest, MAX_TEXT_BYTES).decode("utf-8", "replace")
        document = document_of(record)
        key = None if document is None else Digest.of(f"{document.digest} {read_at(record)}".encode())
        reading = _firsthand(kept, record, made_by)
        known = reading is not None or (key is not None and cache.get(key) is not None)
        is_led_to = record.parent is not None and not record.candidates
        wanted = document is not None and (not known or is_led_to)
        data = kept.blob(document.digest, limit) if wanted and document is not None else None
        behind = words_behind(data[:MAX_TEXT_BYTES].decode("utf-8", "replace")) if data and is_led_to else ""
        long = [each for each in (text, document if is_led_to else None) if each and each.bytes > MAX_TEXT_BYTES]
    except NotStored as error:
        return f"a part of it is not there ({error}): run `counterproof verify`"
    except FormatError as error:
        return f"its record cannot be read ({error}): run `counterproof verify`"
    return _Fetched(
        record=record,
        record_digest=digest,
        document=data,
        key=key,
        visible=visible,
        behind=behind,
        is_cut=bool(long),
        reading=reading,
    )


def _is_own(artifact: Artifact) -> bool:
    return not artifact.name.startswith(OTHERS)


def _page(fetched: _Fetched, entry: Entry, run: ModuleType, reader: Any, cache: Derived) -> Page:
    record = fetched.record
    url = _address(record)
    return Page(
        capture=record.capture_id,
        unit=record.unit,
        parent=record.parent,
        via=record.via,
        url=url,
        key=run.link_key(url),
        title=record.title,
        hops=record.hops,
        candidates=record.candidates,
        looked_at=next((record.times[name] for name in _LOOKED if name in record.times), entry.started_at),
        status=record.status,
        outcome=record.outcome,
        origin=record.origin,
        record=fetched.record_digest,
        reading=_reading(fetched, reader, cache),
        visible=fetched.visible,
        behind=fetched.behind,
        is_cut=fetched.is_cut,
        vantage=vantage_of(record.circumstances),
        surface=surface_of(record.circumstances),
        http_status=record.http_status,
    )


def _reading(fetched: _Fetched, reader: Any, cache: Derived) -> Reading:
    if fetched.reading is not None:
        return fetched.reading
    if fetched.key is None:
        return Reading(platform="generic", kind=Kind.OTHER, notes=("no document was kept",))
    known = cache.get(fetched.key)
    if known is not None and (reading := _parsed(known)) is not None:
        return reading
    made: Reading = reader.read(fetched.document or b"", url=read_at(fetched.record))
    if made.was_ended:  # what was not is tried again the next time
        cache.put(fetched.key, canonical.dumps(made.to_json()).decode())
    return made


def _firsthand(kept: Kept, record: Record, made_by: str | None) -> Reading | None:
    """The reading that was kept with the capture; None where there is none, or another version's does not do."""
    value = firsthand(kept, record)
    by = value.get("by") if value is not None else None
    if value is None or not isinstance(by, dict) or made_by not in {None, by.get("code_sha256")}:
        return None
    return _of_json(value.get("reading"))


def _parsed(text: str) -> Reading | None:
    """What the cache has; None for a line that nobody of us wrote so."""
    try:
        return _of_json(canonical.loads(text.encode()))
    except FormatError:
        return None


def _of_json(value: Any) -> Reading | None:
    try:
        return Reading.of_json(value)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _address(record: Record) -> str:
    return record.final_url or record.requested_url


def _batches(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    for at in range(0, len(entries), _AT_ONCE):
        yield entries[at : at + _AT_ONCE]
