"""Part of check 10: what was refused, as the log tells, is there still byte for byte: it may speak for its sender."""

from dataclasses import dataclass, field

from custody import keyspace
from custody.checks.blobs import CHECK
from custody.checks.entries import Entry
from custody.checks.inquiry import Inquiry
from custody.digest import Digest
from custody.source import Absent, Unreachable
from custody.tiles import MAX_LEAF_BYTES


@dataclass(slots=True)
class Quarantine:
    """Of one log; whatever lies there that no event names was put there and not told of yet."""

    inquiry: Inquiry
    _named: dict[Digest, int] = field(default_factory=dict)
    """The leaf that tells of it first."""

    def see(self, entry: Entry) -> None:
        if entry.event is not None and entry.event.type == "event.rejected":
            self._named.setdefault(Digest(str(entry.event.body["bytes_sha256"])), entry.index)

    def check(self) -> None:
        named = list(self._named.items())
        for (digest, index), found in zip(named, self.inquiry.mapped(self._look, list(self._named)), strict=True):
            key, findings = keyspace.quarantine(digest), self.inquiry.findings
            what = f"what leaf {index} says was refused"
            if isinstance(found, Unreachable):
                findings.unchecked(CHECK, "STORE_UNREACHABLE", f"{what}: {found}", key=key, index=index)
            elif isinstance(found, Absent):
                findings.fail(CHECK, "QUARANTINE_MISSING", f"{what} is not there", key=key, index=index)
            elif found != digest:
                message = f"{what}: its bytes are not those that were refused"
                findings.fail(CHECK, "QUARANTINE_DIGEST", message, key=key, index=index)

    def _look(self, digest: Digest) -> Digest | Absent | Unreachable | None:
        """In whatever thread the caller's map uses. None: longer than anything that is kept there."""
        try:
            return self.inquiry.reader.digest(keyspace.quarantine(digest), MAX_LEAF_BYTES)[0]
        except (Absent, Unreachable) as error:
            return error
