"""``counterproof read``: today's readers over files, or over what a capture kept."""

import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from rich.text import Text

from archive import disk
from archive.config import ArchiveConfig
from archive.errors import UsageError
from archive.reading import Reading
from archive.surface import Surface, surface_of
from console.kept import Kept, files_among, open_kept
from console.screen import out

_GZIP = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 16
_READ = ("dom.html", "body.html", "body.json", "body.txt", "blotted.json")
"""The document as the browser had it comes before the bytes as they were sent."""
_ANSWERS = frozenset({Surface.OEMBED.value, Surface.API.value})
"""Surfaces whose address is not the platform's: whose an answer is, its words say."""
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
    files = files_among(asked)
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
        kept: Kept | None = None
        for text, file in zip(asked, files, strict=True):
            if file is not None:
                yield Page(name=text, data=_bytes(file, limit), url=url)
                continue
            kept = kept or stack.enter_context(open_kept(config))
            yield _captured(kept, text, limit)


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


def _captured(kept: Kept, text: str, limit: int) -> Page:
    record = kept.record(text)
    artifacts: dict[str, Any] = {each.name: each for each in record.artifacts}
    chosen = next((artifacts[name] for name in _READ if name in artifacts), None)
    if chosen is None:
        raise UsageError(f"capture {record.capture_id} kept no document: {', '.join(artifacts)}")
    surface = surface_of(record.circumstances)
    return Page(
        name=f"{record.capture_id} {chosen.name}",
        data=kept.blob(chosen.digest, limit),
        url=None if surface in _ANSWERS else record.final_url or record.requested_url,
    )


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
