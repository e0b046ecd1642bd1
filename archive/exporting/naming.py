"""Names for people: where a blob stands in an export, by item, capture and what it is. No check rests on a name."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from archive.exporting.selection import Selection
from archive.filename import MAX_STEM, ODD, parted, plain_name
from custody.bundle import layout
from custody.digest import Digest
from custody.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A blob, and who names it."""

    digest: Digest
    bytes: int
    index: int
    """Of the leaf that names it, or whose record does."""
    name: str
    chain: str
    """Of that leaf."""
    capture: str | None = None
    role: str | None = None
    """None: an event names it itself."""
    media_type: str | None = None


class Names:
    """Of one export: each path once, also where capitals do not count. The same choice gives the same names."""

    def __init__(self, chosen: Selection, records: Mapping[str, Record]) -> None:
        self._taken: set[str] = set()
        self._items = {item: f"item-{n:03d}" for n, item in enumerate(chosen.items, 1)}
        self._captures: dict[str, str] = {}
        counts: dict[str, int] = {}
        for each in chosen.events:
            if each.event.type == "capture.started":
                capture = str(each.event.body["capture"])
                n = counts[each.event.chain] = counts.get(each.event.chain, 0) + 1
                host = _host(records[capture].requested_url) if capture in records else "no-record"
                self._captures.setdefault(capture, f"{n:02d}-{host}")

    def path(self, named: Named) -> str:
        return self._free(self.folder(named), self._file(named))

    def folder(self, named: Named) -> str:
        """With a slash at its end."""
        kind, _, name = named.chain.partition(":")
        if kind == "item":
            item = self._items.get(name, "item")
            capture = self._captures.get(named.capture or "")
            return f"{layout.ARTIFACTS}{item}/{capture}/" if capture else f"{layout.ARTIFACTS}{item}/"
        where = {"scope": "case", "run": "runs", "work": "later"}.get(kind, "log")
        return f"{layout.ARTIFACTS}{where}/"

    @staticmethod
    def _file(named: Named) -> str:
        name = plain_name(named.name, named.media_type)
        if named.role is not None or named.chain.startswith("item:"):
            return name
        return f"entry-{named.index}-{name}"

    def _free(self, folder: str, name: str) -> str:
        stem, suffix = parted(name)
        path, n = f"{folder}{name}", 1
        while path in self._taken:
            n += 1
            path = f"{folder}{stem}-{n}{suffix}"
        self._taken.add(path)
        return path


def _host(url: str) -> str:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return ODD.sub("-", host.lower())[:MAX_STEM].strip("-._") or "unknown"
