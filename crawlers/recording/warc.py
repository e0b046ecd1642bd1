"""Turns -> WARC 1.1 (ISO 28500:2017), one gzip member a record.

The bodies are as the page saw them, transfer and content codings removed; so the headers that speak of these are kept
as ``X-Orig-…`` and ``Content-Length`` is that of what is there, as pywb and browsertrix write it. Names and values are
a site's, hence hostile: no control character of theirs reaches a header line.
"""

import hashlib
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawlers.recording.account import BODY_FORM, Lack
from crawlers.recording.scratch import Kept, Scratch
from crawlers.recording.sockets import MEDIA_TYPE as TALK_TYPE
from crawlers.recording.sockets import Talk, lines
from crawlers.recording.turn import Headers, Turn
from custody.model import Json, Snapshot

VERSION = "WARC/1.1"
MEDIA_TYPE = "application/warc"
_LEVEL = 6
_STORED = 0
"""For what is packed already: a second packing costs more than all the rest of a record, and gains a hundredth."""
_PACKED = re.compile(r"(?:image/(?!svg)|video/|audio/|font/|application/(?:zip|gzip|pdf|x-protobuf))", re.IGNORECASE)
_ORIGINAL = frozenset({"content-encoding", "transfer-encoding", "content-length"})
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")  # all but the tab, RFC 9110 §5.5
_NO_TOKEN = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]")  # RFC 9110 §5.6.2
_PROTOCOLS = {"h2": "h2", "h3": "h3", "http/1.0": "http/1.0", "http/1.1": "http/1.1"}


class Sink(Protocol):
    """Where the file is written to."""

    def write(self, data: bytes) -> object: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """Something that we made of the page, as a ``resource`` record."""

    snapshot: Snapshot
    uri: str


class _Members:
    """What warcio writes, one gzip member for each record."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._packer = _packer(_LEVEL)

    def begin(self, level: int) -> None:
        self._packer = _packer(level)

    def write(self, data: bytes) -> None:
        if packed := self._packer.compress(data):
            self._sink.write(packed)

    def flush(self) -> None:
        """Called once by warcio, at a record's end."""
        self._sink.write(self._packer.flush())


class _Pieces(io.RawIOBase):
    """Bytes that come in pieces, as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces

    def read(self, _size: int = -1) -> bytes:
        return next(self._pieces, b"")


class WarcFile:
    """Blocking. Written from the front, nothing of a body is held in memory."""

    def __init__(self, sink: Sink, scratch: Scratch, *, address: Callable[[Turn], str | None]) -> None:
        self._members = _Members(sink)
        self._writer = WARCWriter(self._members, gzip=False, warc_version=VERSION)
        self._scratch = scratch
        self._address = address
        self._info = ""

    def information(self, facts: Mapping[str, str], at: datetime) -> None:
        """The ``warcinfo`` record; first."""
        self._info = _new_id()
        lines = "".join(f"{_token(name)}: {_line(value)}\r\n" for name, value in facts.items() if value)
        headers = [("WARC-Type", "warcinfo"), ("WARC-Record-ID", self._info), ("WARC-Date", _date(at))]
        self._write(headers, "application/warc-fields", lines.encode())

    def turn(self, turn: Turn) -> None:
        """A request, and the answer where one came."""
        request_id, response_id = _new_id(), _new_id()
        if turn.status is not None:
            headers = [
                *self._common("response", response_id, turn, turn.answered_at or turn.at),
                ("WARC-Concurrent-To", request_id),
            ]
            if turn.body.cut:
                headers.append(("WARC-Truncated", "length"))
            elif not turn.is_over and not turn.whole:
                headers.append(("WARC-Truncated", "time"))
            elif turn.failed is not None and not turn.whole:
                headers.append(("WARC-Truncated", "disconnect"))
            self._write(
                headers,
                "application/http; msgtype=response",
                response_head(turn),
                body=turn.body,
                payload=True,
                level=_STORED if _PACKED.match(turn.media_type) else _LEVEL,
            )
        headers = self._common("request", request_id, turn, turn.at)
        if turn.status is not None:
            headers.append(("WARC-Concurrent-To", response_id))
        self._write(headers, "application/http; msgtype=request", request_head(turn) + turn.posted, posted=turn.posted)
        if turn.talk is not None and turn.talk.messages:
            self._talk(turn, turn.talk, request_id if turn.status is None else response_id)

    def _talk(self, turn: Turn, talk: Talk, beside: str) -> None:
        """The messages of a web socket, under its own address."""
        headers = self._common("resource", _new_id(), turn, turn.answered_at or turn.at)
        headers = [(name, _socket_uri(value) if name == "WARC-Target-URI" else value) for name, value in headers]
        block, length = hashlib.sha256(), 0
        for line in lines(talk, self._scratch):
            block.update(line)
            length += len(line)
        headers += [("WARC-Concurrent-To", beside), ("WARC-Block-Digest", f"sha256:{block.hexdigest()}")]
        if not turn.is_over:
            headers.append(("WARC-Truncated", "time"))
        self._put(headers, TALK_TYPE, _Pieces(lines(talk, self._scratch)), length, _LEVEL)

    def resource(self, made: Made) -> None:
        """The very bytes of an artifact."""
        snapshot = made.snapshot
        headers = [
            ("WARC-Type", "resource"),
            ("WARC-Record-ID", _new_id()),
            ("WARC-Date", _date(snapshot.made_at)),
            ("WARC-Target-URI", _uri(made.uri)),
            ("WARC-Warcinfo-ID", self._info),
            ("WARC-Block-Digest", str(snapshot.digest)),
            ("WARC-Payload-Digest", str(snapshot.digest)),
        ]
        with snapshot.path.open("rb") as stream:
            level = _STORED if _PACKED.match(snapshot.media_type) else _LEVEL
            self._put(headers, _line(snapshot.media_type), stream, snapshot.bytes, level)

    def metadata(self, lacks: Iterable[Lack], section: Mapping[str, Json], url: str, at: datetime) -> None:
        """What is missing, each with its address and reason; last."""
        listed = [
            {
                "url": each.turn.url if each.turn else None,
                "method": each.turn.method if each.turn else None,
                "kind": each.kind or None,
                "status": each.turn.status if each.turn else None,
                "reason": each.reason,
                "detail": each.detail,
            }
            for each in lacks
        ]
        headers = [
            ("WARC-Type", "metadata"),
            ("WARC-Record-ID", _new_id()),
            ("WARC-Date", _date(at)),
            ("WARC-Target-URI", _uri(url)),
            ("WARC-Warcinfo-ID", self._info),
        ]
        data = json.dumps({**section, "missing": listed}, ensure_ascii=True, indent=1).encode()
        self._write(headers, "application/json", data)

    def _common(self, kind: str, record_id: str, turn: Turn, at: datetime) -> list[tuple[str, str]]:
        headers = [
            ("WARC-Type", kind),
            ("WARC-Record-ID", record_id),
            ("WARC-Date", _date(at)),
            ("WARC-Target-URI", _uri(turn.url)),
            ("WARC-Warcinfo-ID", self._info),
        ]
        if turn.kind:
            headers.append(("WARC-Resource-Type", _line(turn.kind).lower()))
        if turn.withheld:
            headers.append(("WARC-Withheld", ", ".join(turn.withheld)))
        if turn.by_worker:
            headers.append(("WARC-Made-By", "service-worker"))
            return headers
        if (address := self._address(turn)) is not None:
            headers.append(("WARC-IP-Address", _line(address)))
        security = turn.security or {}
        if turn.protocol.lower() in _PROTOCOLS:
            headers.append(("WARC-Protocol", _PROTOCOLS[turn.protocol.lower()]))
        if security.get("protocol"):
            headers.append(("WARC-Protocol", _line(str(security["protocol"])).lower().replace(" ", "/")))
        if security.get("cipher"):
            headers.append(("WARC-Cipher-Suite", _line(str(security["cipher"]))))
        return headers

    def _write(
        self,
        headers: list[tuple[str, str]],
        content_type: str,
        head: bytes,
        *,
        body: Kept | None = None,
        payload: bool = False,
        posted: bytes | None = None,
        level: int = _LEVEL,
    ) -> None:
        """``head`` and then ``body``, with the digests of both together and, for HTTP, of the body alone."""
        block, alone = hashlib.sha256(head), hashlib.sha256(posted or b"")
        length = len(head)
        if body is not None:
            for piece in self._scratch.read(body):
                block.update(piece)
                alone.update(piece)
            length += body.bytes
        headers.append(("WARC-Block-Digest", f"sha256:{block.hexdigest()}"))
        if payload or posted is not None:
            headers.append(("WARC-Payload-Digest", f"sha256:{alone.hexdigest()}"))
        rest = self._scratch.read(body) if body is not None else iter(())
        self._put(headers, content_type, _Pieces(_chain(head, rest)), length, level)

    def _put(self, headers: list[tuple[str, str]], content_type: str, stream: Any, length: int, level: int) -> None:
        self._members.begin(level)
        kind = headers[0][1]
        # The bare record: given HTTP headers, warcio would spell them its own way.
        record = ArcWarcRecord(
            "warc", kind, StatusAndHeaders("", headers, protocol=VERSION), stream, None, content_type, length
        )
        record.rec_headers.add_header("Content-Type", content_type)
        if not record.rec_headers.get_header("WARC-Payload-Digest"):
            record.rec_headers.add_header("WARC-Payload-Digest", record.rec_headers.get_header("WARC-Block-Digest"))
        self._writer.write_record(record)


def request_head(turn: Turn) -> bytes:
    """As HTTP/1.1 writes it, whatever carried it."""
    parts = urlsplit(turn.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = [each for each in turn.request_headers if not each[0].startswith(":")]
    if not any(name.lower() == "host" for name, _ in headers):
        headers.insert(0, ("Host", parts.netloc.rpartition("@")[2]))
    if turn.posts:
        headers = [each for each in headers if each[0].lower() not in _ORIGINAL]
        headers.append(("Content-Length", str(len(turn.posted))))
    method = _NO_TOKEN.sub("_", turn.method) or "GET"
    return _head(f"{method} {_uri(target)} HTTP/1.1", headers)


def response_head(turn: Turn) -> bytes:
    headers: list[tuple[str, str]] = []
    for name, value in turn.headers:
        if not name.startswith(":"):
            headers.append((f"X-Orig-{name}" if name.lower() in _ORIGINAL else name, value))
    headers.append(("Content-Length", str(turn.body.bytes)))
    return _head(f"HTTP/1.1 {turn.status} {_line(turn.status_text)}".rstrip(), headers)


def _head(first: str, headers: Headers) -> bytes:
    lines = [first, *(f"{_token(name)}: {_line(value)}" for name, value in headers)]
    return b"".join(_bytes(line) + b"\r\n" for line in (*lines, ""))


def _bytes(text: str) -> bytes:
    """A header's bytes again: DevTools gives them as Latin-1 where they are no UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _token(name: str) -> str:
    return _NO_TOKEN.sub("_", name) or "_"


def _line(text: str) -> str:
    return _CONTROLS.sub(" ", text).encode("utf-8", "replace").decode().strip()


def _uri(text: str) -> str:
    """An address in a header line; a browser has none with a space or a control in it, a script may say one."""
    return re.sub(r"[\x00-\x20\x7f]", lambda found: f"%{ord(found[0]):02X}", text).encode("utf-8", "replace").decode()


def _socket_uri(uri: str) -> str:
    """``https://…`` -> ``wss://…``"""
    return f"ws{uri.removeprefix('http')}"


def _date(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _new_id() -> str:
    return f"<urn:uuid:{uuid4()}>"


def _packer(level: int) -> Any:
    return zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS + 16)


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest


def information(browser: str, software: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The fields of ``warcinfo``."""
    return {
        "software": " ".join(f"{name}/{version}" for name, version in software),
        "browser": browser,
        "format": "WARC File Format 1.1",
        "conformsTo": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "body-form": BODY_FORM,
    }
