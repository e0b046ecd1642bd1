"""``counterproof read``: today's readers over files, or over what a capture kept."""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
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
from console.kept import Kept, document_of, files_among, firsthand, open_kept, read_at
from console.screen import out
from findings.tags import tags_of

_GZIP = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 16
MAX_SHOWN = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What is to be read, and what it is called in the answer."""

    name: str
    data: bytes
    url: str | None
    kept: Mapping[str, Any] | None = None
    """The reading that was made in the visit, as it was kept; None: there is none."""


def read(
    asked: Sequence[str],
    config: ArchiveConfig,
    run: ModuleType,
    *,
    url: str | None,
    terms: Sequence[str],
    key: bytes,
    as_json: bool,
) -> None:
    """``asked``: files, or ids of captures. ``run`` is ``crawlers.run``, handed in. Raises UsageError before any.

    ``terms``: reviews that name one are read too, their writers under pseudonyms made with ``key``.
    """
    if any(not each.strip() for each in terms):
        raise UsageError("--term wants a word or a name, such as --term Gucci")
    named = run.Named(terms=tuple(terms), key=key) if terms else None
    if url is not None and len(asked) > 1:
        raise UsageError("--url is one page's address: name one file with it")
    files = files_among(asked)
    with run.reader() as reader:
        for page in _pages(asked, files, config, url, limit=run.MAX_PAGE_BYTES):
            reading: Reading = reader.read(page.data, url=page.url, named=named)
            if as_json:
                told = {
                    **reading.to_json(),
                    "input": page.name,
                    "link_tags": _tags(reading),
                    "kept": beside(page, reading),
                }
                out.file.write(json.dumps(told, ensure_ascii=False) + "\n")
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
    chosen = document_of(record)
    if chosen is None:
        there = ", ".join(each.name for each in record.artifacts)
        raise UsageError(f"capture {record.capture_id} kept no document: {there}")
    return Page(
        name=f"{record.capture_id} {chosen.name}",
        data=kept.blob(chosen.digest, limit),
        url=read_at(record),
        kept=firsthand(kept, record),
    )


def beside(page: Page, reading: Reading) -> dict[str, Any] | None:
    """What made the reading that is kept, and in which fields today's has something else."""
    if page.kept is None:
        return None
    told, today = page.kept.get("reading"), reading.to_json()
    before: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    one, other = before.get("fields", {}), reading.fields
    names = sorted({*one, *other} - {"reviews"})  # in a visit nobody says which terms they have to name
    differs = [name for name in names if one.get(name) != other.get(name)]
    differs += [name for name in ("platform", "kind", "wall") if before.get(name) != today[name]]
    return {"by": page.kept.get("by"), "differs": differs}


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
    told = beside(page, reading)
    if told is not None and told["differs"]:
        version = told["by"].get("version") if isinstance(told["by"], Mapping) else "unknown"
        names = ", ".join(told["differs"])
        yield Text(f"  the reading kept in the visit (version {version}) has otherwise: {names}", style="yellow")


def _tags(reading: Reading) -> list[dict[str, str]]:
    """What the links' addresses say of whom they serve: the links stay as they are posted."""
    links = reading.fields.get("outbound_links")
    return [
        {"url": url, "fact": tag.fact.value, "programme": tag.programme, "name": tag.name, "value": tag.value}
        for url in (links if isinstance(links, (list, tuple)) else ())
        if isinstance(url, str)
        for tag in tags_of(url)
    ]
