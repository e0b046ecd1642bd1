"""A WARC file -> lines of CDXJ, by which a replay finds an answer: key, time, and where in which file it lies.

https://specs.webrecorder.net/cdxj/0.1.0/. The key is a SURT: the host's labels the other way round, then path and
query, all spelled as every replay program spells them, so that small differences of an address do not matter.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO
from urllib.parse import quote, unquote_to_bytes, urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from archive.errors import StoreError
from archive.packaging.asked import UNSHOWN, Asked

_WWW = re.compile(r"^www\d*\.")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SAFE = "!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""What stays as it is in a path or a query; all else of ASCII that prints is a letter or a digit."""
_INDEXED = frozenset({"response", "resource"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One record that can be shown."""

    url: str
    at: str
    """UTC, ``YYYYMMDDhhmmss``."""
    mime: str
    status: str
    """Of HTTP; 200 for what was made of the page."""
    digest: str
    filename: str
    offset: int
    """Of its gzip member, in bytes."""
    length: int
    """Of its gzip member, in bytes."""
    asked: Asked | None = None
    """None for ``GET``."""

    @property
    def key(self) -> str:
        return key_of(self.asked.address(self.url) if self.asked is not None else self.url)

    @property
    def order(self) -> tuple[str, str, str, int]:
        return self.key, self.at, self.filename, self.offset

    def line(self) -> str:
        told = {
            "url": self.url,
            "mime": self.mime,
            "status": self.status,
            "digest": self.digest,
            "length": str(self.length),
            "offset": str(self.offset),
            "filename": self.filename,
        }
        if self.asked is not None:
            told |= {"method": self.asked.method, "requestBody": self.asked.request_body()}
        return f"{self.key} {self.at} {json.dumps(told)}\n"


def read(stream: BinaryIO, filename: str) -> list[Answer]:
    """In the order of the file. Raises ``StoreError`` for what is no WARC.

    An answer to anything but ``GET`` is under an address that says so: a replay must not show the answer to a form in
    place of the page. Where nothing can be shown, or what was asked is not kept, it is left out.
    """
    found: list[tuple[str, Answer]] = []
    asked: dict[str, Asked | None] = {}
    """By its answer's record, of what was not asked by ``GET``; None where it is left out."""
    try:
        records = ArchiveIterator(stream)
        for record in records:
            said = record.rec_headers.get_header
            if record.rec_type == "request" and record.http_headers.protocol != "GET":
                asked[said("WARC-Concurrent-To") or ""] = _asked(record)
            elif record.rec_type in _INDEXED:
                offset = records.get_record_offset()
                http = record.http_headers
                answer = Answer(
                    url=said("WARC-Target-URI"),
                    at=re.sub(r"\D", "", said("WARC-Date"))[:14],
                    mime=_mime(http.get_header("Content-Type") if http else said("Content-Type")),
                    status=http.get_statuscode() if http else "200",
                    digest=said("WARC-Payload-Digest") or "",
                    filename=filename,
                    offset=offset,
                    length=records.get_record_length(),
                )
                found.append((said("WARC-Record-ID") or "", answer))
    except (ArchiveLoadFailed, EOFError, ValueError, AttributeError) as error:
        raise StoreError(f"{filename} is no WARC that can be read ({error})") from error
    return [
        replace(answer, asked=asked.get(record_id))
        for record_id, answer in found
        if asked.get(record_id, answer) is not None
    ]


def _asked(record: Any) -> Asked | None:
    """Of a ``request``."""
    http = record.http_headers
    method = http.protocol.upper()
    if method in UNSHOWN or "request-body" in (record.rec_headers.get_header("WARC-Withheld") or ""):
        return None
    return Asked(method=method, media_type=http.get_header("Content-Type") or "", body=record.content_stream().read())


def format_index(answers: list[Answer]) -> bytes:
    return "".join(each.line() for each in sorted(answers, key=lambda each: each.order)).encode()


def key_of(url: str) -> str:
    """``https://www.A.example/B?d&c`` -> ``example,a)/b?c&d``; what is no web address stays nearly as it is."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return _plain(url)
    if parts.scheme not in _DEFAULT_PORTS or not host or re.search(r"\s", host):
        return _plain(url)
    host = _WWW.sub("", host)
    labels = f"[{host}]" if ":" in host else ",".join(reversed(host.split(".")))
    where = labels if port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{labels}:{port}"
    path = "/".join(_segments(_spelled(parts.path).lower())) or "/"
    pairs = _spelled(parts.query).lower().split("&") if parts.query else []
    query = "&".join(sorted(pairs, key=lambda each: each.partition("=")))  # by name: a=1 before a.2=1
    return f"{where}){path}{'?' if query else ''}{query}"


def _segments(path: str) -> Iterator[str]:
    """Without dots, doubled slashes, or one at the end."""
    kept: list[str] = []
    for each in path.split("/"):
        if each == "..":
            kept = kept[:-1]
        elif each not in {"", "."}:
            kept.append(each)
    return iter(["", *kept] if kept else [])


def _spelled(text: str) -> str:
    """Percent signs resolved as often as there are any, then written once."""
    data = text.encode("utf-8", "replace")
    while (resolved := unquote_to_bytes(data)) != data:
        data = resolved
    return quote(data, safe=_SAFE)


def _plain(url: str) -> str:
    """What is no web address, such as ``urn:view:…``."""
    return re.sub(r"\s", lambda found: f"%{ord(found[0]):02X}", url).lower().rstrip("/")


def _mime(value: Any) -> str:
    return re.split(r"[\s;,]", value.strip(), maxsplit=1)[0] if isinstance(value, str) and value.strip() else "unk"
