"""Artifacts handed out: checked against their digest first, under safe names, and never as a page that could run."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import BinaryIO
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from archive.catalog import Entry
from archive.errors import StoreError
from console.web import captureview as view
from console.web.holdings import Holdings, HoldingsHere, Missing
from console.web.inert import MAX_CHARACTERS, POLICY, inert
from console.web.pictured import picture_type, pictures_of
from console.web.rendering import render
from custody.model import Role

router = APIRouter()
_CHUNK_BYTES = 1 << 18
_HEAD = 16
_POLICY = "default-src 'none'; sandbox"
"""Of what others have written: even where a browser would open it, nothing in it runs, and it is nobody's origin."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@router.get("/captures/{capture_id}/files/{name}")
def file(capture_id: str, name: str, holdings: HoldingsHere, download: bool = False) -> Response:
    """A picture is shown in the page; everything else is saved, as bytes without a type that a browser acts on."""
    entry = holdings.entry(capture_id)
    artifact = holdings.taken(entry, name) if download else holdings.artifact(entry, name)
    stack = ExitStack()
    stream = stack.enter_context(holdings.archive.kept.file(artifact.digest))
    head = stream.read(_HEAD)
    stream.seek(0)
    kind = None if download else picture_type(head)
    headers = {
        "Content-Security-Policy": _POLICY,
        "Content-Length": str(artifact.bytes),
        "X-Counterproof-SHA256": artifact.digest.hex,
        "Content-Disposition": disposition(f"{capture_id}-{artifact.name}", inline=kind is not None),
    }
    return StreamingResponse(
        _chunks(stream, stack),
        media_type=kind or "application/octet-stream",
        headers=headers,
        background=BackgroundTask(stack.close),
    )


@router.get("/captures/{capture_id}/record")
def record(capture_id: str, holdings: HoldingsHere) -> Response:
    """``record.json``, byte for byte as the log names it."""
    entry = holdings.entry(capture_id)
    data = holdings.record_bytes(entry)
    if data is None or entry.record_sha256 is None:
        raise Missing("record")
    headers = {
        "Content-Security-Policy": _POLICY,
        "X-Counterproof-SHA256": entry.record_sha256,
        "Content-Disposition": disposition(f"{capture_id}-record.json", inline=False),
    }
    return Response(data, media_type="application/octet-stream", headers=headers)


@router.get("/captures/{capture_id}/document")
def document(request: Request, capture_id: str, holdings: HoldingsHere) -> Response:
    """The document that was kept, in a frame that can do nothing."""
    entry = holdings.entry(capture_id)
    name = view.document_of(holdings.record(entry))
    if name is None:
        raise Missing("document")
    cases = holdings.cases_of(entry.unit)
    return render(request, "document.html", entry=entry, name=name, cases=cases)


@router.get("/captures/{capture_id}/document/frame")
def frame(request: Request, capture_id: str, holdings: HoldingsHere) -> Response:
    """Only for the frame of that page: by itself, a press on one of its links could lead somewhere."""
    if request.headers.get("sec-fetch-dest", "iframe") != "iframe":
        return RedirectResponse(f"/captures/{capture_id}/document", 303)
    entry = holdings.entry(capture_id)
    name = view.document_of(holdings.record(entry))
    if name is None:
        raise Missing("document")
    with holdings.archive.kept.file(holdings.artifact(entry, name).digest) as stream:
        text = stream.read(MAX_CHARACTERS * 4).decode("utf-8", "replace")
    headers = {"Content-Security-Policy": POLICY}
    return HTMLResponse(inert(text, _pictures(holdings, entry, text)), headers=headers)


def _pictures(holdings: Holdings, entry: Entry, document: str) -> Callable[[str], str | None]:
    """Those whose bytes are in the capture's traffic. Traffic that cannot be read has none: its boxes say so."""
    record = holdings.record(entry)
    traffic = [] if record is None else [each for each in view.own(record) if each.role == Role.WARC]
    if record is None or not traffic:
        return lambda _: None
    try:
        with holdings.archive.kept.file(traffic[0].digest) as stream:
            return pictures_of(stream, document, record.final_url or record.requested_url).address
    except StoreError:
        return lambda _: None


def disposition(name: str, *, inline: bool) -> str:
    """RFC 6266, with a name that has no path, no space and no dot in front."""
    safe = _UNSAFE.sub("-", name).lstrip(".-")[-150:] or "file"
    return f'{"inline" if inline else "attachment"}; filename="{quote(safe, safe="")}"'


def _chunks(stream: BinaryIO, stack: ExitStack) -> Iterator[bytes]:
    with stack:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
