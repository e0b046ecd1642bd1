"""Where one look puts its files: a spool, and what is in it so far."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from archive.spool import SpoolFile, VisitSpool
from custody.model import Role, Snapshot


@dataclass(kw_only=True, slots=True)
class Keeping:
    """Of one look. ``name`` is what the egress counts its connections by."""

    name: str
    url: str
    spool: VisitSpool
    kept: list[Snapshot] = field(default_factory=list)

    def rename(self, old: str, new: str) -> Snapshot:
        """The same file by another name in the record. In the spool it stays what it was."""
        place = next(n for n, each in enumerate(self.kept) if each.name == old)
        assert all(each.name != new for each in self.kept), "a name is used once"
        self.kept[place] = snapshot = replace(self.kept[place], name=new)
        return snapshot

    def keep(self, role: Role, name: str, media_type: str, data: bytes) -> Snapshot:
        """Write bytes into the spool, hashed on the way. A name used before gets a number."""
        return self.fill(role, name, media_type, lambda file: file.write(data))

    def fill(self, role: Role, name: str, media_type: str, write: Callable[[SpoolFile], object]) -> Snapshot:
        """The same for what is too large to be held in memory: ``write`` is handed the open file."""
        taken = {snapshot.name for snapshot in self.kept}
        stem, dot, suffix = name.rpartition(".")
        number = 2
        while name in taken:
            name = f"{stem}-{number}{dot}{suffix}" if dot else f"{suffix}-{number}"
            number += 1
        with self.spool.writer(role, name, media_type) as file:
            write(file)
            snapshot = file.finish()
        self.kept.append(snapshot)
        return snapshot
