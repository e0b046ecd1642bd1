"""A unit's package: its captures' traffic out of the store into one WACZ, stored, and named in the item's chain."""

import hashlib
import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from archive import disk
from archive.errors import NotStored, Refused, StoreError
from archive.log import LoggedEvent
from archive.packaging import cdxj, pages, wacz
from archive.payload import CHUNK_BYTES
from archive.scribe import Scribe
from archive.stewardship.decisions import allows
from archive.stewardship.desk import Desk
from archive.stewardship.survey import Item, Survey
from custody import keyspace
from custody.artifact import OTHERS, Artifact
from custody.checks.states import RECORDED
from custody.digest import Digest
from custody.errors import FormatError
from custody.event import Ref, Subject
from custody.instant import format_utc
from custody.model import Json, Role
from custody.record import MAX_BYTES, Record, quarantine_of

MADE = "package.made"
SUBJECT = "package.wacz"


class NoTraffic(Refused):
    """None of the unit's captures has any to pack."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """A package on disk, not yet in the store."""

    unit: str
    path: Path
    digest: Digest
    bytes: int
    members: tuple[wacz.Member, ...]
    rests_on: Digest
    """Payload of the newest end among its captures."""
    captures: tuple[str, ...]
    without: tuple[str, ...]
    """Captures that have a record and no traffic."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    packed: Packed
    index: int | None
    """Of ``package.made``. None: the log had one of these very bytes, and nothing was recorded."""


@dataclass(frozen=True, slots=True)
class _Captured:
    ended: LoggedEvent
    record: Record
    traffic: Artifact | None


def is_due(item: Item) -> bool:
    """Whether the unit has captures that no package of it can have: one came to its end since."""
    ends = [each.index for each in _ends(item)]
    packed = [each.index for each in item.claims if each.name == SUBJECT]
    return bool(ends) and max(ends) > max(packed, default=-1)


def pack(desk: Desk, survey: Survey, unit: str, folder: Path) -> Packed:
    """Blocking; needs disk for the package and one WARC. Every byte of the store is hashed before it is believed.

    Raises ``NoTraffic``, ``Refused`` for what was disposed of, ``StoreError`` where a blob is gone or altered.
    """
    if not survey.is_live(unit):
        raise Refused(f"unit {unit} was disposed of: there is nothing left to pack")
    captured = [_captured(desk, each) for each in _ends(survey.items[unit])]
    barred = [each.record.capture_id for each in captured if quarantine_of(each.record.circumstances)]
    if barred := [each for each in barred if not allows(desk, survey, each, scope=None)]:
        raise Refused(
            f"capture {barred[0]} of unit {unit} is quarantined: secrets may be in its traffic. `counterproof show` "
            "says why, and `counterproof allow` is how a person decides that it may be handed over"
        )
    packable = [each for each in captured if each.traffic is not None]
    if not packable:
        raise NoTraffic(
            f"no capture of unit {unit} has its traffic (role warc): it was captured before traffic was recorded, "
            "or recording it failed, as `counterproof show` says under missing; capture the page again and pack that"
        )
    packable.sort(key=lambda each: each.record.capture_id)
    newest = max((each.ended for each in packable), key=lambda each: each.index)
    answers: list[cdxj.Answer] = []
    listed: list[pages.Page] = []
    path = folder / f"{unit}.wacz"
    with wacz.Wacz(path, max(_ended_at(each) for each in packable)) as made:
        for each in packable:
            if each.traffic is None:
                continue
            desk.tell(f"{each.record.capture_id}: {each.traffic.bytes} bytes of traffic")
            name = wacz.archived(each.record.capture_id)
            with _fetched(desk, each.traffic, each.record.capture_id, folder) as stream:
                found = cdxj.read(stream, name.removeprefix("archive/"))
                stream.seek(0)
                made.put(name, stream, each.traffic.bytes)
            answers += found
            listed.append(pages.page_of(each.record, {answer.url for answer in found}, _text(desk, each.record)))
        _finish(made, packable, unit, listed, cdxj.format_index(answers))
    with disk.trouble(path), path.open("rb") as whole:
        digest, length = Digest.of_stream(whole)
    return Packed(
        unit=unit,
        path=path,
        digest=digest,
        bytes=length,
        members=tuple(made.members),
        rests_on=newest.leaf.event.payload_sha256,
        captures=tuple(each.record.capture_id for each in packable),
        without=tuple(each.record.capture_id for each in captured if each.traffic is None),
    )


def record(desk: Desk, survey: Survey, packed: Packed) -> Made:
    """Stored and read back first, then in the log; kept as long as the case's captures, held where they are held."""
    if any(each.digest == packed.digest and each.name == SUBJECT for each in survey.items[packed.unit].claims):
        return Made(packed=packed, index=None)
    scribe = scribe_for(desk, survey, packed.unit)
    key = keyspace.blob(packed.digest)
    desk.store.create(key, packed.path, digest=packed.digest, retain_until=scribe.retain_until())
    if survey.held(packed.unit):
        desk.keeper.set_hold(key, on=True)
    body: dict[str, Json] = {
        "format": wacz.FORMAT,
        "members": len(packed.members),
        "members_sha256": wacz.list_digest(list(packed.members)).hex,
    }
    envelope = scribe.event(
        MADE,
        chain=f"item:{packed.unit}",
        subject=Subject(name=SUBJECT, digest=packed.digest, bytes=packed.bytes),
        body=body,
        refs=(Ref(rel="derived_from", payload_sha256=packed.rests_on),),
    )
    return Made(packed=packed, index=desk.log.append([envelope])[0].index)


def _finish(made: wacz.Wacz, packable: list[_Captured], unit: str, listed: list[pages.Page], index: bytes) -> None:
    """What stands beside the WARCs; their description comes before the two lists, in the order of the paths."""
    lists = {wacz.INDEX: index, wacz.PAGES: pages.format_pages(listed)}
    members = [*made.members, *(wacz.Member(path, Digest.of(data), len(data)) for path, data in lists.items())]
    description = wacz.describe(members, _facts(packable, unit, listed, made.at))
    digest = wacz.describe_digest(description)
    for path, data in ((wacz.DESCRIPTION_DIGEST, digest), (wacz.DESCRIPTION, description), *lists.items()):
        made.put(path, io.BytesIO(data), len(data))


def _facts(packable: list[_Captured], unit: str, listed: list[pages.Page], at: datetime) -> dict[str, Json]:
    first = next((each for each in listed if each.capture == unit), listed[0])
    return {
        "title": f"Unit {unit}",
        "created": format_utc(at),
        "software": f"Counterproof {version('counterproof')}",
        "mainPageUrl": first.url,
        "mainPageDate": first.at,
        "captures": [
            {
                "id": each.record.capture_id,
                "record_sha256": each.ended.event.subjects[0].digest.hex,
                "traffic_sha256": each.traffic.digest.hex if each.traffic else None,
            }
            for each in packable
        ],
    }


def _ends(item: Item) -> Iterator[LoggedEvent]:
    """Those with a record."""
    for each in item.captures.values():
        if each.end is not None and each.end.event.type in RECORDED:
            yield each.end


def _captured(desk: Desk, ended: LoggedEvent) -> _Captured:
    capture, subject = str(ended.event.body["capture"]), ended.event.subjects[0]
    try:
        found = Record.parse(desk.read(subject.digest, MAX_BYTES))
    except (NotStored, FormatError) as error:
        raise StoreError(f"the record of capture {capture} cannot be used ({error}): {_HELP}") from error
    traffic = next((each for each in found.artifacts if each.role == Role.WARC.value), None)
    return _Captured(ended, found, traffic)


def _ended_at(captured: _Captured) -> datetime:
    return captured.ended.event.occurred_at


@contextmanager
def _fetched(desk: Desk, traffic: Artifact, capture: str, folder: Path) -> Iterator[BinaryIO]:
    """The WARC on disk, as it was recorded."""
    hasher, length = hashlib.sha256(), 0
    with disk.trouble(folder), tempfile.TemporaryFile(dir=folder) as file:
        try:
            with desk.store.open(keyspace.blob(traffic.digest)) as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    hasher.update(chunk)
                    length += len(chunk)
                    file.write(chunk)
        except NotStored as error:
            raise StoreError(f"the traffic of capture {capture} is gone: {_HELP}") from error
        if (hasher.hexdigest(), length) != (traffic.digest.hex, traffic.bytes):
            raise StoreError(f"the traffic of capture {capture} is not what was recorded: {_HELP}")
        file.seek(0)
        yield file


def _text(desk: Desk, found: Record) -> str:
    """The page's own, not that of a page in between; empty where it is gone."""
    texts = [each for each in found.artifacts if each.role == Role.TEXT.value and not each.name.startswith(OTHERS)]
    if not texts:
        return ""
    try:
        return desk.read(texts[0].digest, _MAX_TEXT_BYTES).decode("utf-8", "replace")
    except (NotStored, FormatError) as error:
        raise StoreError(f"the text of capture {found.capture_id} cannot be used ({error}): {_HELP}") from error


def scribe_for(desk: Desk, survey: Survey, unit: str) -> Scribe:
    """Keeps as long as the longest of the unit's cases asks."""
    days = max((survey.days.get(scope, 0) for scope in survey.items[unit].scopes), default=0)
    until: Callable[[], datetime] = desk.worker.retain_until
    return desk.worker.keeping(lambda: max(until(), desk.clock() + timedelta(days=days))) if days else desk.worker


_MAX_TEXT_BYTES = 64 * 1024 * 1024
_HELP = "nothing was packed; run `counterproof verify`, and compare the store with a copy"
