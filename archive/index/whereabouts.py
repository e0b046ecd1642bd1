"""Is this in the archive? A SHA-256 -> what it is of: an artifact, a record, a job, or a blob of any other event."""

import json
from dataclasses import dataclass

from archive.index.database import Database
from archive.index.rows import COLUMNS, Entry, entry_of, kept_of, prefix_of
from archive.index.sight import Sight, of_case, seen
from archive.index.tables import ARTIFACT, JOB, RECORD
from custody.digest import Digest
from custody.model import Json

MAX_FOUND = 100
_WIDTH = len(COLUMNS.split(", "))


@dataclass(frozen=True, kw_only=True, slots=True)
class Whereabouts:
    """One place in the archive that names these very bytes, as the catalogue says: log and record prove it."""

    what: str
    """``artifact``, ``record`` or ``job`` of a capture; else the type of the event whose blob it is."""
    name: str
    role: str | None
    """Of an artifact."""
    bytes: int | None
    """As the record or the event says; None where only the record's own digest is known here."""
    index: int
    """The leaf of the log that names it: the end of the capture, its start for a job, or the event's."""
    entry: Entry | None
    chain: str | None
    """Of an event that is not of a capture."""

    def to_json(self) -> dict[str, Json]:
        return {
            "what": self.what,
            "name": self.name,
            "role": self.role,
            "bytes": self.bytes,
            "index": self.index,
            "capture": None if self.entry is None else self.entry.to_json(),
            "chain": self.chain,
        }


def whereabouts(database: Database, digest: Digest, sight: Sight) -> list[Whereabouts]:
    """Oldest first, ``MAX_FOUND`` at most. Nothing: it is not in the archive, or not in what may be seen."""
    rights, scopes = seen(sight)
    columns = ", ".join(f"captures.{name}" for name in COLUMNS.split(", "))
    rows = database.rows(
        f"SELECT digests.what, {columns}, kept.artifacts, captures.job_sha256 FROM digests"  # noqa: S608  # ours
        " JOIN captures ON captures.started_index = digests.place"
        " LEFT JOIN kept ON kept.started_index = digests.place"
        f" WHERE digests.prefix = ? AND digests.what IN (?, ?, ?){rights} ORDER BY digests.place LIMIT ?",
        [prefix_of(digest.hex), ARTIFACT, RECORD, JOB, *scopes, MAX_FOUND],
    )
    found: list[Whereabouts] = []
    for row in rows:
        entry = entry_of(row[1 : _WIDTH + 1])
        artifacts, job = row[_WIDTH + 1 :]
        if row[0] == RECORD and entry.record_sha256 == digest.hex:
            found.append(_of_capture(entry, "record", "record.json", entry.index))
        elif row[0] == JOB and job == digest.hex:
            found.append(_of_capture(entry, "job", "job.json", entry.started_index))
        elif row[0] == ARTIFACT:
            found += [
                _of_capture(entry, "artifact", each.name, entry.index, role=each.role, length=each.bytes)
                for each in kept_of(artifacts)
                if each.digest == digest
            ]
    found += _of_events(database, digest, sight)
    return sorted(found, key=lambda each: each.index)[:MAX_FOUND]


def _of_capture(
    entry: Entry, what: str, name: str, index: int | None, *, role: str | None = None, length: int | None = None
) -> Whereabouts:
    place = entry.started_index if index is None else index
    return Whereabouts(what=what, name=name, role=role, bytes=length, index=place, entry=entry, chain=None)


def _of_events(database: Database, digest: Digest, sight: Sight) -> list[Whereabouts]:
    rows = database.rows(
        "SELECT events.leaf_index, events.type, events.chain, events.item, events.subjects FROM digests"
        " JOIN events ON events.leaf_index = digests.place"
        " WHERE digests.prefix = ? AND digests.what = 3 ORDER BY digests.place LIMIT ?",
        (prefix_of(digest.hex), MAX_FOUND),
    )
    found = []
    for index, type_, chain, item, subjects in rows:
        named = [each for each in json.loads(subjects) if each[1] == digest.hex]
        if named and _may_see(database, chain, item, sight):
            name, _, length = named[0]
            found.append(
                Whereabouts(what=type_, name=name, role=None, bytes=length, index=index, entry=None, chain=chain)
            )
    return found


def _may_see(database: Database, chain: str, item: str | None, sight: Sight) -> bool:
    """An event of a case, or of a unit of one; what is of the log itself is for whoever may see all."""
    if sight is None:
        return True
    kind, _, name = chain.partition(":")
    if kind in {"scope", "work"}:
        return of_case(name, sight)
    if item is None:
        return False
    scopes = database.rows("SELECT scope FROM members WHERE unit = ?", (item,))
    return any(of_case(scope, sight) for (scope,) in scopes)
