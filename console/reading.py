"""``counterproof read``: today's readers over files, or over what a capture kept."""

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from rich.text import Text

from archive import disk
from archive.config import ArchiveConfig
from archive.errors import StoreError, UsageError
from archive.reader import open_catalog, open_reader
from archive.reading import Reading
from console.browsing import entry_named
from console.screen import out
from custody import keyspace
from custody.digest import Digest
from custody.record import MAX_BYTES as MAX_RECORD_BYTES
from custody.record import Record

_GZIP = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 16
_READ = ("dom.html", "body.html", "body.json", "body.txt")
"""The document as the browser had it comes before the bytes as they were sent."""
MAX_SHOWN = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What is to be read, and what it is called in the answer."""

    name: str
    data: bytes
    url: str | None


def read(asked: Sequence[str], config: ArchiveConfig, run: ModuleType, *, url: str | None, as_json: bool) -> None:
    """``asked``: files, or ids of captures. ``run`` is ``crawlers.run``, handed in. Raises UsageError before any."""
    if url is not None and len(asked) > 1:
        raise UsageError("--url is one page's address: name one file with it")
    files = [Path(each) if Path(each).is_file() else None for each in asked]
    for text, file in zip(asked, files, strict=True):
        if file is None and ("/" in text or "." in text):
            raise UsageError(f"there is no file {text}")
    with run.reader() as reader:
        for page in _pages(asked, files, config, url, limit=run.MAX_PAGE_BYTES):
            reading: Reading = reader.read(page.data, url=page.url)
            if as_json:
                out.file.write(json.dumps({**reading.to_json(), "input": page.name}, ensure_ascii=False) + "\n")
            else:
                for line in _lines(page, reading):
                    out.print(line)


def _pages(
    asked: Sequence[str], files: Sequence[Path | None], config: ArchiveConfig, url: str | None, *, limit: int
) -> Iterator[Page]:
    with ExitStack() as stack:
        captured: Callable[[str], Page] | None = None
        for text, file in zip(asked, files, strict=True):
            if file is not None:
                yield Page(name=text, data=_bytes(file, limit), url=url)
                continue
            captured = captured or _archive(stack, config, limit)
            yield captured(text)


def _bytes(path: Path, limit: int) -> bytes:
    """Of the file, unpacked where it is packed; one byte more than the limit, so that it shows when there is more."""
    with disk.trouble(path), path.open("rb") as file:
        if file.peek(2)[:2] != _GZIP:
            return file.read(limit + 1)
        return _unpacked(file, limit + 1)


def _unpacked(file: BinaryIO, most: int) -> bytes:
    """At most so many bytes (RFC 1952); one that breaks off is read as far as it goes."""
    unpacked, member = bytearray(), zlib.decompressobj(wbits=31)
    with suppress(zlib.error):
        while len(unpacked) < most and (chunk := file.read(_CHUNK_BYTES)):
            while chunk and len(unpacked) < most:
                unpacked += member.decompress(chunk, most - len(unpacked))
                chunk = member.unconsumed_tail
                if member.eof:  # another member may follow
                    chunk, member = member.unused_data, zlib.decompressobj(wbits=31)
    return bytes(unpacked)


def _archive(stack: ExitStack, config: ArchiveConfig, limit: int) -> Callable[[str], Page]:
    reader = stack.enter_context(open_reader(config))
    catalog = stack.enter_context(open_catalog(config, reader))

    def blob(digest: Digest, most: int) -> bytes:
        with reader.store.open(keyspace.blob(digest)) as stream:
            data = stream.read(most + 1)
        if len(data) <= most and Digest.of(data) != digest:
            raise StoreError(f"{digest} is not what was recorded: run `counterproof verify`")
        return data

    def captured(text: str) -> Page:
        entry = entry_named(catalog, text)
        if entry.record_sha256 is None or entry.disposed_at is not None:
            raise UsageError(f"capture {entry.capture_id} has nothing to read: it has no record, or was disposed of")
        record = Record.parse(blob(Digest(entry.record_sha256), MAX_RECORD_BYTES))
        kept: dict[str, Any] = {each.name: each for each in record.artifacts}
        chosen = next((kept[name] for name in _READ if name in kept), None)
        if chosen is None:
            raise UsageError(f"capture {entry.capture_id} kept no document: {', '.join(kept)}")
        return Page(
            name=f"{entry.capture_id} {chosen.name}",
            data=blob(chosen.digest, limit),
            url=record.final_url or record.requested_url,
        )

    return captured


def _lines(page: Page, reading: Reading) -> Iterator[Text]:
    wall = f", {reading.wall}" if reading.wall else ""
    yield Text(f"{page.name}: {reading.kind.value}{wall} ({reading.platform})", style="bold")
    for name, value in reading.fields.items():
        said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        said = " ".join(said.split())
        source = reading.sources[name]
        more = "…" if len(said) > MAX_SHOWN else ""
        yield Text(f"  {name:<16} {said[:MAX_SHOWN]}{more}  [{source.seen.value}: {source.where}]")
    for note in reading.notes:
        yield Text(f"  note: {note}", style="yellow")
