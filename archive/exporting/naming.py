"""Names for people: where a blob stands in an export, by item, capture and what it is. No check rests on a name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from archive.exporting.selection import Selection
from custody.bundle import layout
from custody.digest import Digest
from custody.record import Record

_MAX_STEM = 60
_MAX_SUFFIX = 20
_ODD = re.compile(r"[^a-z0-9._-]+")
_EXTENSIONS = {
    "application/gzip": ".gz",
    "application/json": ".json",
    "application/pdf": ".pdf",
    "application/warc": ".warc",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "text/html": ".html",
    "text/plain": ".txt",
    "video/mp4": ".mp4",
}
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(10))})
"""What Windows opens in place of a file, whatever its extension."""


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
        stem, dot, suffix = name.partition(".")
        path, n = f"{folder}{name}", 1
        while path in self._taken:
            n += 1
            path = f"{folder}{stem}-{n}{dot}{suffix}"
        self._taken.add(path)
        return path


def plain_name(text: str, media_type: str | None = None) -> str:
    """Lower-case ASCII that no file system and no shell takes for something else, with an extension.

    The name that was recorded stands in ``index.csv`` and in the record.
    """
    name = _ODD.sub("-", text.lower().replace("\\", "/").rpartition("/")[2]).lstrip("._-")
    stem, dot, suffix = name.partition(".")
    if len(suffix) > _MAX_SUFFIX:
        stem, suffix = name[:_MAX_STEM].replace(".", "-"), name.rpartition(".")[2][:_MAX_SUFFIX]
    stem, suffix = stem[:_MAX_STEM].rstrip("-. "), suffix.strip("-. ")
    if not stem:
        stem = "file"
    if stem in _DEVICES or re.fullmatch(r"[0-9a-f]{64}", stem):
        stem = f"file-{stem[:_MAX_STEM]}"
    extension = f"{dot}{suffix}" if suffix else _EXTENSIONS.get((media_type or "").partition(";")[0].strip(), ".bin")
    return f"{stem}{extension}"


def _host(url: str) -> str:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return _ODD.sub("-", host.lower())[:_MAX_STEM].strip("-._") or "unknown"
