"""The pictures among the answers in a capture's traffic (WARC)."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from archive.errors import StoreError
from crawlers.pictures.decoding import MAX_BYTES
from custody.digest import Digest

_CHUNK_BYTES = 1 << 20
_MAGIC = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM")
_IN_BOXES = (b"WEBP", b"ftypavif", b"ftypavis")
"""Some bytes in: RIFF's and ISO media's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A body, at most one byte more than is read."""

    url: str
    record: str
    """WARC-Record-ID."""
    media_type: str
    """As the answer says it; empty where it says none."""
    digest: Digest
    """Of the whole body."""
    data: bytes = field(repr=False)


def pictures(stream: BinaryIO) -> Iterator[Answer]:
    """In the order of the file. Raises ``StoreError`` for what is no WARC."""
    try:
        for record in ArchiveIterator(stream):
            if record.rec_type not in {"response", "resource"}:
                continue
            http, said = record.http_headers, record.rec_headers.get_header
            if http is not None and http.get_statuscode() != "200":
                continue
            kind = (http.get_header("Content-Type") if http else said("Content-Type")) or ""
            body = record.content_stream()
            data = body.read(MAX_BYTES + 1)
            if kind.lower().startswith("image/") or _looks_like_one(data):
                yield Answer(
                    url=said("WARC-Target-URI") or "",
                    record=said("WARC-Record-ID") or "",
                    media_type=kind.partition(";")[0].strip().lower(),
                    digest=_digest(data, body),
                    data=data,
                )
    except (ArchiveLoadFailed, EOFError, ValueError, AttributeError) as error:
        raise StoreError(f"the traffic is no WARC that can be read ({error})") from error


def _digest(data: bytes, rest: BinaryIO) -> Digest:
    seen = hashlib.sha256(data)
    while chunk := rest.read(_CHUNK_BYTES):
        seen.update(chunk)
    return Digest.parse(f"sha256:{seen.hexdigest()}")


def _looks_like_one(data: bytes) -> bool:
    return data.startswith(_MAGIC) or any(each in data[4:16] for each in _IN_BOXES)
