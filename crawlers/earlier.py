"""A capture as a comparison needs it: its record, its words, the reading that today's readers make of it, its pictures.

Two readings are comparable where one program made both: one that another version made in its visit is made again.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO, Protocol

from archive import holdings
from archive.errors import NotStored, StoreError
from archive.reading import Kind, Reading
from archive.store import ObjectStore
from archive.surface import surface_of
from crawlers.links import link_key
from crawlers.pictures.printing import Printer, Sheet
from crawlers.saved import MAX_BYTES
from custody import keyspace
from custody.digest import Digest
from custody.model import Role
from custody.record import Record
from findings.page import Page, Shown

_CHUNK_BYTES = 1 << 20
_LOOKED = ("viewport_at", "settled_at", "requested_at", "closed_at")


class Reads(Protocol):
    """``crawlers.bounded.Bounded``."""

    def read(self, data: bytes, *, url: str | None = None) -> Reading: ...


def page_of(store: ObjectStore, digest: Digest, *, reads: Reads, code: str, printer: Printer | None = None) -> Page:
    """Of the capture with this record. ``code``: digest of this program. ``printer``: None: its pictures take no part.

    Raises ``StoreError``, also where a part of it was disposed of.
    """
    record = holdings.record_of(store, digest)
    visible, is_cut = holdings.visible(store, record)
    none: tuple[Shown, ...] = ()
    pictures, left = (none, 0) if printer is None else _pictures(store, record, printer)
    url = record.final_url or record.requested_url
    return Page(
        capture=record.capture_id,
        unit=record.unit,
        parent=record.parent,
        via=record.via,
        url=url,
        key=link_key(url),
        title=record.title,
        hops=record.hops,
        candidates=record.candidates,
        looked_at=looked_at(record),
        status=record.status,
        outcome=record.outcome,
        origin=record.origin,
        record=digest,
        reading=_reading(store, record, reads, code),
        visible=visible,
        is_cut=is_cut,
        pictures=pictures,
        pictures_left=left,
        vantage=holdings.vantage_of(record.circumstances),
        surface=surface_of(record.circumstances),
        http_status=record.http_status,
    )


def looked_at(record: Record) -> datetime:
    """When what is shown was taken, or as near to it as the record says."""
    return next(record.times[name] for name in _LOOKED if name in record.times)


def _reading(store: ObjectStore, record: Record, reads: Reads, code: str) -> Reading:
    made = holdings.firsthand(store, record, by=code)
    if made is not None:
        return made
    document = holdings.document_of(record)
    if document is None:
        return Reading(platform="generic", kind=Kind.OTHER, notes=("no document was kept",))
    return reads.read(holdings.blob(store, document.digest, MAX_BYTES), url=holdings.read_at(record))


def _pictures(store: ObjectStore, record: Record, printer: Printer) -> tuple[tuple[Shown, ...], int]:
    files = [each.digest for each in record.artifacts if each.role == Role.WARC]
    if not files:
        return (), 0
    try:
        with ExitStack() as stack:
            sheet: Sheet = printer.sheet(stack.enter_context(_file(store, each)) for each in files)
    except NotStored:
        return (), 0  # no picture can be looked at, which the comparison says
    shown = tuple(
        Shown(sha256=each.digest.hex, url=each.url, print=str(each.print))
        for each in sheet.pictures
        if each.print is not None
    )
    return shown, sheet.small + sum(each.print is None for each in sheet.pictures)


@contextmanager
def _file(store: ObjectStore, digest: Digest) -> Iterator[BinaryIO]:
    """The whole blob on the local disk, checked before anybody reads it."""
    with TemporaryFile(prefix="counterproof-") as file:
        with store.open(keyspace.blob(digest)) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                file.write(chunk)
        file.seek(0)
        if Digest.of_stream(file)[0] != digest:
            raise StoreError(f"{digest} is not what was recorded: run `counterproof verify`")
        file.seek(0)
        yield file
