"""The manifest itself: leaves, checkpoints, tokens, and the proof of any leaf. The same as JSON."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from archive.errors import NotStored, UsageError
from archive.exporting.proofs import Prover
from archive.log import LoggedEvent
from console.web.holdings import Holdings, HoldingsHere, Missing
from console.web.pages.files import disposition
from console.web.rendering import loose, render
from console.web.viewer import Right
from custody import keyspace
from custody.instant import format_utc

router = APIRouter()
api = APIRouter(tags=["manifest"])
_AT_ONCE = 50
_PLAIN = {"Content-Security-Policy": "default-src 'none'; sandbox"}

Before = Annotated[int | None, Query(ge=0, le=1 << 62, description="Leaves below this index; the newest else.")]


@router.get("/log")
def log(request: Request, holdings: HoldingsHere, before: Before = None) -> Response:
    size = holdings.log_size
    last = size if before is None else min(before, size)
    first = max(0, last - _AT_ONCE)
    reader = holdings.archive.reader
    name = reader.log.log
    leaves = [holdings.leaf(index) for index in reversed(range(first, last))]
    trust = reader.trust
    keys = list(reader.store.keys(f"{keyspace.log_prefix(name)}checkpoints/"))
    stamps = list(reader.store.keys(f"{keyspace.log_prefix(name)}timestamps/"))
    return render(
        request,
        "log.html",
        name=name,
        size=size,
        vkey=None if trust is None else trust.log.format(),
        leaves=[(each, may_see(holdings, each)) for each in leaves],
        first=first,
        last=last,
        checkpoint=reader.store.read(keyspace.checkpoint(name)).decode("utf-8", "replace"),
        checkpoints=[int(key.rpartition("/")[2]) for key in keys[-_AT_ONCE:]][::-1],
        all_checkpoints=len(keys),
        tokens=[tuple(key.split("/")[-2:]) for key in stamps if key.endswith(".tsr")][::-1][:_AT_ONCE],
        zone=None,
    )


@router.get("/log/leaves/{index}")
def leaf(request: Request, index: int, holdings: HoldingsHere) -> Response:
    logged = _leaf(holdings, index)
    return render(
        request,
        "leaf.html",
        each=logged,
        size=holdings.log_size,
        body=loose(dict(logged.event.body)),
        payload=json.dumps(json.loads(logged.leaf.event.payload), ensure_ascii=False, indent=2),
        can_prove=holdings.archive.reader.trust is not None,
        zone=None,
    )


@router.get("/log/leaves/{index}/leaf")
def leaf_bytes(index: int, holdings: HoldingsHere) -> Response:
    """As it is hashed into the tree."""
    return _saved(_leaf(holdings, index).data, f"leaf-{index}.json")


@router.get("/log/leaves/{index}/proof")
def proof(index: int, holdings: HoldingsHere) -> Response:
    """C2SP .tlog-proof, up to the newest signed checkpoint; checked before it is given out."""
    logged = _leaf(holdings, index)
    reader = holdings.archive.reader
    if reader.trust is None:
        raise UsageError("a proof rests on the log's key, and this home has no trust file that names it")
    checkpoint = reader.store.read(keyspace.checkpoint(reader.log.log))
    prover = Prover(reader.log, reader.trust.log, checkpoint)
    return _saved(prover.inclusion(index, logged.data).format(), f"entry-{index}.tlog-proof")


@router.get("/log/checkpoint")
def newest(holdings: HoldingsHere) -> Response:
    reader = holdings.archive.reader
    return _saved(reader.store.read(keyspace.checkpoint(reader.log.log)), "checkpoint")


@router.get("/log/checkpoints/{size}")
def checkpoint(size: int, holdings: HoldingsHere) -> Response:
    reader = holdings.archive.reader
    return _saved(_object(holdings, keyspace.checkpoint_at(reader.log.log, size)), f"checkpoint-{size}")


@router.get("/log/tokens/{size}/{name}")
def token(size: int, name: str, holdings: HoldingsHere) -> Response:
    """An authority's raw answer (``.tsr``), or the query that it answers (``.tsq``)."""
    prefix = f"{keyspace.log_prefix(holdings.archive.reader.log.log)}timestamps/{size:020d}/"
    there = {key.removeprefix(prefix): key for key in holdings.archive.reader.store.keys(prefix)}
    if name not in there:
        raise Missing("token")
    return _saved(_object(holdings, there[name]), f"{size}-{name}")


@api.get("/log")
def log_api(holdings: HoldingsHere, before: Before = None) -> dict[str, Any]:
    """The newest leaves below an index: those of what you may not see by their index alone."""
    size = holdings.log_size
    last = size if before is None else min(before, size)
    leaves = [holdings.leaf(index) for index in reversed(range(max(0, last - _AT_ONCE), last))]
    return {
        "schema": 1,
        "log": holdings.archive.reader.log.log,
        "size": size,
        "leaves": [_told(each) if may_see(holdings, each) else {"index": each.index} for each in leaves],
    }


@api.get("/log/leaves/{index}")
def leaf_api(index: int, holdings: HoldingsHere) -> dict[str, Any]:
    logged = _leaf(holdings, index)
    return {"schema": 1, **_told(logged), "leaf": json.loads(logged.data), "body": dict(logged.event.body)}


def may_see(holdings: Holdings, each: LoggedEvent) -> bool:
    """An event of the log itself, of a case that may be seen, or of a unit of one. Runs look at many: for owners."""
    if holdings.scopes is None:
        return True
    kind, _, name = each.event.chain.partition(":")
    if kind == "log":
        return True
    if kind in {"scope", "work"} and holdings.viewer.may(name, Right.VIEWER):
        return True
    unit = name if kind == "item" else each.event.body.get("item")
    scopes = [] if unit is None else holdings.archive.catalog.scopes_of(str(unit))
    return any(holdings.viewer.may(scope, Right.VIEWER) for scope in scopes) and kind == "item"


def _leaf(holdings: Holdings, index: int) -> LoggedEvent:
    if not 0 <= index < holdings.log_size:
        raise Missing("leaf")
    logged = holdings.leaf(index)
    if not may_see(holdings, logged):
        raise Missing("leaf")
    return logged


def _told(each: LoggedEvent) -> dict[str, Any]:
    return {
        "index": each.index,
        "type": each.event.type,
        "chain": each.event.chain,
        "at": format_utc(each.event.occurred_at),
        "leaf_sha256": each.leaf_sha256.hex,
        "subjects": [{"name": one.name, "sha256": one.digest.hex, "bytes": one.bytes} for one in each.event.subjects],
    }


def _object(holdings: Holdings, key: str) -> bytes:
    try:
        return holdings.archive.reader.store.read(key)
    except NotStored as error:
        raise Missing("object") from error


def _saved(data: bytes, name: str) -> Response:
    headers = {**_PLAIN, "Content-Disposition": disposition(name, inline=False)}
    return Response(data, media_type="application/octet-stream", headers=headers)
