"""Pictures of a captured document: those whose bytes are in the capture's own traffic, for the inert view of it.

Given as ``data:`` addresses, so that the view asks nobody for anything. What they are, their bytes say.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import urldefrag, urljoin

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from archive.errors import StoreError

MAX_PICTURE_BYTES = 4 << 20
MAX_KEPT_BYTES = 24 << 20
"""Of all pictures of one traffic; what comes after that is not shown."""
MAX_SHOWN_CHARACTERS = 32 << 20
"""A document may show one picture a thousand times."""
_MAX_RECORDS = 20_000
_BASE = re.compile(r"""<base\b[^>]{0,2000}?\bhref\s*=\s*["']?([^"'\s>]{1,2000})""", re.IGNORECASE)


@dataclass(kw_only=True, slots=True)
class Pictures:
    """Of one document, while it is written anew."""

    base: str
    """The address that its own addresses are relative to."""
    by_url: dict[str, tuple[str, bytes]] = field(default_factory=dict, repr=False)
    """Media type and bytes."""
    left: int = MAX_SHOWN_CHARACTERS

    def address(self, source: str) -> str | None:
        """``data:…`` in place of an address in the document; None: it is not here, or there were too many."""
        try:
            found = self.by_url.get(urldefrag(urljoin(self.base, source.strip())).url)
        except ValueError:
            return None
        if found is None or len(found[1]) * 4 // 3 > self.left:
            return None
        told = f"data:{found[0]};base64,{b64encode(found[1]).decode()}"
        self.left -= len(told)
        return told


def pictures_of(traffic: BinaryIO, document: str, url: str) -> Pictures:
    """``traffic``: a WARC; of several answers from one address the first. Raises ``StoreError`` where it is none."""
    named = _BASE.search(document)
    try:
        base = urljoin(url, named[1]) if named else url
    except ValueError:
        base = url
    found = Pictures(base=base)
    kept = 0
    for address, data in _answers(traffic):
        kind = picture_type(data)
        if (
            kind is None
            or address in found.by_url
            or len(data) > MAX_PICTURE_BYTES
            or kept + len(data) > MAX_KEPT_BYTES
        ):
            continue
        kept += len(data)
        found.by_url[address] = (kind, data)
    return found


def picture_type(head: bytes) -> str | None:
    """By the bytes alone: what the site called it decides nothing. No SVG, which is a document."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def _answers(traffic: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """Address and body, at most one byte more than is shown."""
    try:
        for n, record in enumerate(ArchiveIterator(traffic)):
            if n >= _MAX_RECORDS:
                return
            http = record.http_headers
            if record.rec_type not in {"response", "resource"} or (http is not None and http.get_statuscode() != "200"):
                continue
            address = record.rec_headers.get_header("WARC-Target-URI") or ""
            yield urldefrag(address).url, record.content_stream().read(MAX_PICTURE_BYTES + 1)
    except (ArchiveLoadFailed, EOFError, OSError, ValueError, AttributeError) as error:
        raise StoreError(f"the traffic is no WARC that can be read ({error})") from error
