"""Check 12, locks: what the store itself says of its objects: versions, delete markers, and how long they are held."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from custody import keyspace
from custody.artifact import Lock
from custody.checks.blobs import Wanted
from custody.checks.inquiry import Inquiry
from custody.digest import Digest
from custody.instant import format_utc
from custody.source import Absent, LockLike, StoredLike, Unreachable, VersionLike

CHECK = 12

_LOG_KEYS = ("checkpoints/", "commit/", "keys/", "timestamps/")
_STRENGTH = {"GOVERNANCE": 1, "COMPLIANCE": 2}
_BLOB = re.compile(re.escape(keyspace.BLOBS) + "[0-9a-f]{2}/([0-9a-f]{64})")


@dataclass(slots=True)
class Locks:
    inquiry: Inquiry
    deleted: dict[str, str] = field(default_factory=dict)
    """Keys that a delete marker hides, and the marker's version."""
    _first: dict[str, str] = field(default_factory=dict)
    """Keys, and a version of each."""
    _more: dict[str, list[str]] = field(default_factory=dict)
    """Further versions, of keys that have any."""
    _markers: dict[str, list[str]] = field(default_factory=dict)
    _checked: int = 0

    def survey(self) -> None:
        """Of all blobs, and of what the log writes once. Before check 10, which leaves the deleted ones to us."""
        try:
            for prefix in (keyspace.BLOBS, *(f"{self.inquiry.prefix}{each}" for each in _LOG_KEYS)):
                for version in self.inquiry.reader.versions(prefix):
                    self._see(version)
        except Unreachable as error:  # not everyone who may read may list versions; the bytes can still be looked at
            self.inquiry.findings.unchecked(CHECK, "STORE_UNREACHABLE", str(error), key=error.key)

    def check(self, wanted: Iterable[Wanted]) -> None:
        """The lock of each against the one in its record."""
        asked = [each for each in wanted if each.lock is not None and each.key not in self.deleted]
        if not self._keeps(asked):
            return
        for each, said in zip(asked, self.inquiry.mapped(self._head, asked), strict=True):
            if isinstance(said, Unreachable):
                self.inquiry.findings.unchecked(CHECK, "STORE_UNREACHABLE", str(said), **each.locator)
            elif said is not None:
                self._checked += 1
                self._compare(each, each.lock, said.lock)

    @property
    def checked(self) -> int:
        """How many were compared."""
        return self._checked

    def _keeps(self, asked: Iterable[Wanted]) -> bool:
        """Whether this source has locks at all. Object Lock needs versions: one that lists none, and tells of none in
        its first answer, has neither. A directory would hash every file again to answer for each.
        """
        if self._first or self._checked:
            return True
        for each in asked:
            said = self._head(each)
            if said is not None:
                return isinstance(said, Unreachable) or said.lock is not None or said.version_id is not None
        return False

    def _compare(self, wanted: Wanted, recorded: Lock | None, actual: LockLike | None) -> None:
        if recorded is not None and is_weaker(recorded, actual):
            self.inquiry.findings.fail(
                CHECK,
                "BLOB_LOCK_WEAK",
                f"{wanted.name} of leaf {wanted.index}: recorded {spelled(recorded)}, found {spelled(actual)}",
                recorded=spelled(recorded),
                actual=spelled(actual),
                **wanted.locator,
            )

    def finish(self, wanted: Iterable[Digest]) -> None:
        """``wanted``: the blobs that ought to be there; versions of others are nobody's evidence."""
        findings = self.inquiry.findings
        if not self._first and not self._checked:
            findings.skip(CHECK, "this source keeps neither versions nor locks, as a copy on disk does not")
            return
        asked = {keyspace.blob(each) for each in wanted}
        for key in sorted(self._more.keys() | self._markers.keys()):
            is_blob = _BLOB.fullmatch(key) is not None
            if is_blob and key not in asked:
                continue
            if key in self._more or key not in self.deleted:
                versions = [self._first.get(key, ""), *self._more.get(key, ()), *self._markers.get(key, ())]
                findings.fail(
                    CHECK,
                    "BLOB_EXTRA_VERSION" if is_blob else "LOG_EXTRA_VERSION",
                    f"{key} was not written once: it has {len(versions)} versions",
                    key=key,
                    versions=sorted(filter(None, versions)),
                )
            elif is_blob:  # of the log's own objects, the checks before this have named what is hidden
                findings.fail(
                    CHECK,
                    "BLOB_DELETE_MARKER",
                    f"{key} is hidden by a delete marker; remove the marker and the bytes are there again",
                    key=key,
                    version=self.deleted[key],
                )
        findings.detail(CHECK, f"{self._checked} locks")

    def _see(self, version: VersionLike) -> None:
        key = version.key
        if version.is_delete_marker:
            self._markers.setdefault(key, []).append(version.version_id)
            if version.is_latest:
                self.deleted[key] = version.version_id
        elif self._first.setdefault(key, version.version_id) != version.version_id:
            self._more.setdefault(key, []).append(version.version_id)

    def _head(self, wanted: Wanted) -> StoredLike | Unreachable | None:
        """In whatever thread the caller's map uses."""
        try:
            return self.inquiry.reader.head(wanted.key)
        except Absent:
            return None
        except Unreachable as error:
            return error


def is_weaker(recorded: LockLike, found: LockLike | None) -> bool:
    """Whether an object is held less firmly than was recorded."""
    if found is None:
        return True
    return found.retain_until < recorded.retain_until or _STRENGTH.get(found.mode, 0) < _STRENGTH.get(recorded.mode, 0)


def spelled(lock: LockLike | None) -> str:
    return "no lock" if lock is None else f"{lock.mode} until {format_utc(lock.retain_until)}"
