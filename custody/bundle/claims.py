"""Check 14, export: what the export says of itself is what the log was told when it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from custody.bundle import layout
from custody.bundle.findings import EXPORT, ExportFindings
from custody.bundle.lists import parse_list
from custody.bundle.package import Gone, Package
from custody.bundle.places import Places
from custody.bundle.statement import (
    DISPOSED,
    MAX_BYTES,
    WITHHELD,
    Later,
    MissingBlob,
    Scopes,
    parse_missing,
    read_export,
)
from custody.checks.entries import Entry
from custody.digest import Digest
from custody.errors import FormatError
from custody.model import Json

WITHHOLDABLE = frozenset({
    "correction.json", "decision.json", "disposal-report.json", "disposal.json", "hold.json", "rejected.json",
    "release.json", "replica.json", "run-closed.json", "run.json", "statement.json",
})  # fmt: skip
"""Details that may speak of other matters. Records, their artifacts, jobs, keys and tokens are never kept back."""


@dataclass(slots=True)
class Claims:
    """The three files that an export describes itself by. None: it cannot be read, which has been named."""

    package: Package
    findings: ExportFindings
    places: Places | None = None
    """Known when the lists are read."""
    scopes: Scopes | None = None
    contents: dict[str, Digest] | None = None
    missing: tuple[MissingBlob, ...] = ()
    entry: Entry | None = None
    """The one that tells of this export."""
    blob: Digest | None = None
    later: bool = False
    """Of a version that is not known here."""
    mismatched: bool = False
    """What it says of its chains is not what was said when it was made."""

    def read(self, log: str) -> None:
        """Before anything else is looked at: by these the rest is judged."""
        scopes = self._parsed(layout.SCOPES, Scopes.parse)
        if isinstance(scopes, Scopes) and scopes.log != log:
            self._mismatch(layout.SCOPES, f"it is of the log {scopes.log}")
        elif isinstance(scopes, Scopes):
            self.scopes = scopes
        self.contents = self._parsed(layout.CONTENTS, parse_list)
        self.missing = self._parsed(layout.MISSING, parse_missing) or ()

    def _parsed(self, path: str, parse: Any) -> Any:
        try:
            limit = layout.MAX_LIST_BYTES if path == layout.CONTENTS else MAX_BYTES
            return parse(self.package.read(path, limit))
        except Later as error:
            self.later = True
            self.findings.unchecked(EXPORT, "EXPORT_VERSION", f"{path}: {error}", file=path)
            return None
        except (Gone, FormatError) as error:
            self._mismatch(path, str(error))
            return None

    def see(self, entry: Entry) -> None:
        if entry.event is None or entry.event.type != "evidence.exported" or entry.repeated:
            return
        digest = entry.event.subjects[0].digest
        if self.entry is None and self.places is not None and self.places.holds(digest.hex):
            self.entry, self.blob = entry, digest

    def check(self, *, unread: bool) -> None:
        """``unread``: some entry could not be believed, so that it may be the one."""
        if self.entry is None or self.blob is None or self.places is None:
            if unread:
                self.findings.skip(EXPORT, "the entry that tells of the export is not among those that can be believed")
            else:
                self._mismatch(layout.SCOPES, "no entry tells that this export was made")
            return
        path = self.places.path(self.blob.hex)
        if self.package.digest(path)[0] != self.blob:
            self.findings.skip(EXPORT, "depends on 10 blobs")
            return
        try:
            told = read_export(self.package.read(path, MAX_BYTES))
        except (Gone, FormatError) as error:
            self._mismatch(path, f"export.json: {error}")
            return
        self._compare(told, path, self.entry)

    def _compare(self, told: Mapping[str, Any], blob: str, entry: Entry) -> None:
        for path, name in ((layout.SCOPES, "scopes_sha256"), (layout.CONTENTS, "contents_sha256")):
            found = self.package.digest(path)[0] if path in self.package.sizes else None
            if found is not None and found.hex != told[name]:
                self._mismatch(path, f"the log was told of {told[name]} when the export was made")
                if path == layout.CONTENTS:
                    self.contents = None  # it condemns no other file
        counts: dict[str, Json] = {name: told[name] for name in ("entries", "blobs", "bytes")}
        if entry.event is not None and counts != dict(entry.event.body):
            self._mismatch(blob, "its counts are not its event's")
        if self.scopes is not None and not self.mismatched and told["chains"] != self.scopes.chains_json():
            self._mismatch(layout.SCOPES, "export.json tells of other chains")
        self.findings.detail(EXPORT, f"told in leaf {entry.index}: {told['entries']} entries, {told['blobs']} blobs")

    def excused(self, entries: Mapping[int, Entry]) -> set[Digest]:
        """Blobs that were kept back, and may be; all others that are stated to be missing are missing."""
        kept = set()
        for each in self.missing:
            if each.reason != WITHHELD:
                continue
            entry = entries.get(each.index)
            subjects = entry.event.subjects if entry is not None and entry.event is not None else ()
            names = {subject.name for subject in subjects if subject.digest == each.digest}
            if names and names <= WITHHOLDABLE:
                kept.add(each.digest)
                self.findings.note(
                    EXPORT,
                    "BLOB_WITHHELD",
                    f"{each.name} of leaf {each.index} was kept back: it may speak of other matters",
                    index=each.index,
                    name=each.name,
                )
        return kept

    def facts(self) -> dict[str, Json]:
        return {
            "scope": None if self.scopes is None else self.scopes.scope,
            "items": 0 if self.scopes is None else len(self.scopes.items),
            "exported_in": None if self.entry is None else self.entry.index,
            "stated_missing": sum(each.reason not in {WITHHELD, DISPOSED} for each in self.missing),
            "withheld": sum(each.reason == WITHHELD for each in self.missing),
        }

    def _mismatch(self, path: str, message: str) -> None:
        self.mismatched |= path == layout.SCOPES
        self.findings.fail(EXPORT, "EXPORT_MISMATCH", f"{path}: {message}", file=path)
