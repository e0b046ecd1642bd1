"""``captures``, ``show``, ``get``: the archive by its manifest."""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from rich.text import Text

from archive import disk
from archive.absence import Absence, Recorded, absences, is_absent, sentence
from archive.briefs import BriefLost
from archive.catalog import Catalog, Entry
from archive.config import ArchiveConfig
from archive.dating import NOT_DATED, Dated, Dating
from archive.errors import Refused, StoreError, UsageError
from archive.reader import Reader, open_catalog, open_reader
from archive.reading import reading_line, reading_of
from archive.surface import Surface, shown_of, surface_of
from archive.wrapping import Led, wrapper_line, wrappers_of
from console.later import Later, later_of
from console.screen import out, print_json, say
from console.telling import lines
from custody import keyspace
from custody.artifact import OTHERS
from custody.digest import Digest
from custody.instant import format_utc
from custody.record import MAX_BYTES, Record, quarantine_of

_MIN_ID = 4
_CHUNK_BYTES = 1 << 20


def captures(config: ArchiveConfig, case: str | None, limit: int, *, as_json: bool) -> None:
    with open_reader(config) as reader, open_catalog(config, reader) as catalog:
        found = catalog.captures(case=case, limit=limit)
        if as_json:
            dated = _dating(reader, catalog)
            print_json({"schema": 1, "captures": [_entry(each, dated(each)) for each in found]})
            return
    for each in found:
        state = f"{each.status or 'open':<8}  {each.outcome or '':<12}  {each.origin or '':<10}"
        about = f"disposed of on {format_utc(each.disposed_at)}" if each.disposed_at else each.requested_url
        barred = "  QUARANTINED" if each.quarantine else ""
        if each.surface not in {None, Surface.PAGE}:
            about = f"{about}  ({each.surface})"
        out.print(Text(f"{each.capture_id}  {format_utc(each.started_at)}  {state}  {about}{barred}"))
    if not found:
        say("nothing was captured yet" if case is None else f"nothing was captured in case {case}")


def show(
    config: ArchiveConfig,
    capture_id: str,
    *,
    as_json: bool,
    promotions: Callable[[Reader, Catalog, Entry], list[dict[str, Any]]],
) -> None:
    """``promotions``: gives the records of those that the capture has a part in."""
    with open_reader(config) as reader, open_catalog(config, reader) as catalog:
        entry = entry_named(catalog, capture_id)
        later = later_of(reader, catalog, entry)
        dated = _dating(reader, catalog)(entry)
        data = None if entry.disposed_at is not None else _record(reader, entry)
        absence = None if data is None else _absence(reader, catalog, entry, Record.parse(data))
        promoted: list[dict[str, Any]] | None = []
        try:
            promoted = [] if data is None else promotions(reader, catalog, entry)
        except BriefLost as error:
            say(f"promotions cannot be told: {error}")
            promoted = None  # nobody knows what its case asks for
    if as_json:
        document = {"schema": 1, "capture": _entry(entry, dated), "record": None if data is None else json.loads(data)}
        gone = None if absence is None else absence.to_json()
        print_json({**document, "absence": gone, "promotions": promoted, **later.to_json()})
        return
    out.print(Text(f"capture   {entry.capture_id}", style="bold"))
    if data is None:
        _show_disposed(entry, later)
        out.print(Text(f"time      {dated}"))
        return
    record = Record.parse(data)
    for name, value in _described(entry, record):
        out.print(Text(f"{name:<9} {value}"))
        for line in later.beside(name):
            out.print(Text(f"          {line}", style="yellow"))
    out.print(Text(f"time      {dated}", style="" if dated.bracket.not_after else "bold yellow"))
    if absence is not None:
        out.print(Text(f"absence   {sentence(absence)}"))
    for line in _quarantined(record):
        out.print(Text(line, style="bold red"))
    for line in (*later.elsewhere(), *later.held(), *later.allowed(), *later.witnessed(), *later.handed_over()):
        out.print(Text(line, style="yellow"))
    for line in _attended(record):
        out.print(Text(line))
    for hop in record.hops:
        out.print(Text(f"hop {hop.n:<6}{hop.kind} {hop.status or ''} -> {hop.to_url}"))
    for told in wrappers_of(record.circumstances):
        out.print(
            Text(f"wrapper   {wrapper_line(told)}", style="bold yellow" if told["result"] == Led.DISAGREES else "")
        )
    for artifact in record.artifacts:
        out.print(Text(f"kept      {artifact.role:<11}{artifact.name:<28}{artifact.bytes:>10}  {artifact.digest}"))
    for missing in record.missing:
        out.print(Text(f"missing   {missing.role}: {missing.reason}"))
    for link in record.candidates:
        decided = "followed" if link.follow else "not followed"
        out.print(Text(f"link      {decided} ({link.reason}): {link.via.href}"))
    for each in lines(promoted or (), None):
        out.print(each)


def _absence(reader: Reader, catalog: Catalog, entry: Entry, record: Record) -> Absence | None:
    """What the looks of its unit come to, where this one found nothing there."""
    if not is_absent(record.outcome, record.http_status):
        return None
    later = [
        Recorded.of(Record.parse(_record(reader, each)))
        for each in catalog.of_unit(entry.unit)
        if each.parent == entry.capture_id and each.record_sha256 is not None and each.disposed_at is None
    ]
    return absences([Recorded.of(record), *later]).get(entry.capture_id)


def get(config: ArchiveConfig, capture_id: str, what: str, output: Path, *, force: bool) -> None:
    with open_reader(config) as reader, open_catalog(config, reader) as catalog:
        entry = entry_named(catalog, capture_id)
        if entry.disposed_at is not None:
            raise Refused(f"{_disposed(entry)}: there is nothing left to fetch; `counterproof show` says why")
        digest = _wanted(reader, entry, what)
        with reader.store.open(keyspace.blob(digest)) as source:
            if str(output) == "-":
                _copy(source, sys.stdout.buffer, digest)
            else:
                _save(source, output, digest, force=force)
    say(f"{output}: {digest}")


def _show_disposed(entry: Entry, later: Later) -> None:
    act, told = later.disposal or (None, {})
    where = "" if act is None else f" (leaf {act.index}): {told.get('why') or 'the reason cannot be read'}"
    out.print(Text(f"disposed  of on {format_utc(entry.disposed_at)}{where}" if entry.disposed_at else ""))
    status = entry.status or "open"
    out.print(Text(f"status    {status}, shown: {entry.outcome or 'unknown'}"))
    out.print(Text(f"manifest  log index {entry.started_index} (started), {entry.index} (ended): these stay"))


def _disposed(entry: Entry) -> str:
    at = "" if entry.disposed_at is None else f" on {format_utc(entry.disposed_at)}"
    return f"capture {entry.capture_id} was disposed of{at}"


def entry_named(catalog: Catalog, text: str) -> Entry:
    if len(text) < _MIN_ID:
        raise UsageError(f"an id is named by {_MIN_ID} characters at least, got {text!r}")
    found = catalog.find(text)
    if not found:
        raise UsageError(f"there is no capture {text!r}; `counterproof captures` lists them")
    if len(found) > 1:
        some = ", ".join(each.capture_id for each in found[:5])
        raise UsageError(f"{text!r} names {len(found)} captures ({some}, …): type more of it, or its end")
    return found[0]


def _record(reader: Reader, entry: Entry) -> bytes:
    if entry.record_sha256 is None:
        raise UsageError(f"capture {entry.capture_id} has no record: it was begun and has not ended, or was abandoned")
    digest = Digest(entry.record_sha256)
    with reader.store.open(keyspace.blob(digest)) as stream:
        data = stream.read(MAX_BYTES + 1)
    if Digest.of(data) != digest:
        raise StoreError(f"the record of {entry.capture_id} is not what was recorded: run `counterproof verify`")
    return data


def _wanted(reader: Reader, entry: Entry, what: str) -> Digest:
    if what in {"record", "record.json"} and entry.record_sha256 is not None:
        return Digest(entry.record_sha256)
    artifacts = Record.parse(_record(reader, entry)).artifacts
    named = [each for each in artifacts if each.name == what]
    # Of several in one role, the page itself comes before the pages in between.
    named += [each for each in artifacts if each.role == what and not each.name.startswith(OTHERS)]
    named += [each for each in artifacts if each.role == what]
    if not named:
        there = ", ".join(dict.fromkeys([*(each.role for each in artifacts), *(each.name for each in artifacts)]))
        raise UsageError(f"capture {entry.capture_id} has no {what!r}; it has {there}")
    return named[0].digest


def _save(source: BinaryIO, output: Path, digest: Digest, *, force: bool) -> None:
    """Written beside, then moved: a file under the asked name is always whole and what it says."""
    if output.is_dir():
        raise UsageError(f"{output} is a directory: name a file in it")
    if not output.parent.is_dir():
        raise UsageError(f"there is no directory {output.parent}: make it, or name another")
    if output.exists() and not force:
        raise UsageError(f"{output} is there already: name another, or add --force")
    beside = output.with_name(f".{output.name}.{os.getpid()}")
    with disk.trouble(output):
        try:
            with beside.open("xb") as target:
                _copy(source, target, digest)
            beside.replace(output)
        finally:
            beside.unlink(missing_ok=True)


def _copy(source: BinaryIO, target: BinaryIO, digest: Digest) -> None:
    hasher = hashlib.sha256()
    while chunk := source.read(_CHUNK_BYTES):
        hasher.update(chunk)
        target.write(chunk)
    if hasher.hexdigest() != digest.hex:
        raise StoreError(f"what the store gave is not {digest}: run `counterproof verify`")


def _entry(entry: Entry, dated: Dated) -> dict[str, Any]:
    return {**entry.to_json(), "time": dated.to_json()}


def _dating(reader: Reader, catalog: Catalog) -> Callable[[Entry], Dated]:
    """By the tokens that the trust file believes; without one, none is."""
    if reader.trust is None:
        return lambda _: NOT_DATED
    dating = Dating(reader.store, reader.trust, catalog)
    return lambda entry: dating.of(entry.anchor, entry.index)


def _quarantined(record: Record) -> Iterator[str]:
    found = quarantine_of(record.circumstances)
    if found:
        yield (
            f"QUARANTINED since {found['since']} ({found['reason']}): secrets may be in it; no export has it without a "
            "decision (`counterproof allow`)"
        )


def _attended(record: Record) -> Iterator[str]:
    """What a person did, where one attended."""
    session: Any = record.circumstances["session"]
    if session.get("surface") != "attended":
        return
    inputs, seen = session.get("inputs", []), session.get("pages", [])
    yield f"attended  by a person: {session.get('inputs_total', len(inputs))} inputs, {len(seen)} pages seen"
    for each in seen:
        yield f"page {each['n']:<5}{each['at']} {each['url']} ({len(each['files'])} files)"


def _surface(record: Record) -> str:
    """Which face of the platform it is of, what it showed, and what was looked at in its place."""
    said: Any = record.circumstances.get("surface", {})
    shown = shown_of(record.circumstances, record.outcome, record.http_status)
    wall = f" ({said['wall']})" if "wall" in said else ""
    told = f"{surface_of(record.circumstances)}: {shown}{wall}"
    if "next" in said:
        told += f"; then {said['next']['surface'] or 'none'} ({said['next']['why']})"
    return told


def _described(entry: Entry, record: Record) -> list[tuple[str, str]]:
    http = f", HTTP {record.http_status}" if record.http_status else ""
    rows = [
        ("asked", record.requested_url),
        ("shown", record.final_url or "no page"),
        ("title", record.title or ""),
        ("status", f"{record.status}, shown: {record.outcome}{http} ({record.outcome_reason})"),
        ("surface", _surface(record)),
        ("origin", f"{record.origin} ({'; '.join(record.origin_reasons[:3])})"),
        ("record", f"sha256:{entry.record_sha256}"),
        ("manifest", f"log index {entry.started_index} (started), {entry.index} (ended)"),
    ]
    rows += [(name, format_utc(at)) for name, at in sorted(record.times.items(), key=lambda each: each[1])]
    if told := reading_of(record.circumstances):
        rows.append(("reading", reading_line(told)))
    if record.via is not None:
        rows.insert(0, ("via", f"{record.via.text!r} in {record.via.where}: {record.via.href}"))
    return [row for row in rows if row[1]]
