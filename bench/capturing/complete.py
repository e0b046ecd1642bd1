"""Whether what the pages consist of is in the captures' traffic, byte for byte."""

import hashlib
import json
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from warcio.archiveiterator import ArchiveIterator

REDIRECT = "redirect"
"""Its body is none of a browser's to give out: it has to be there with its status, and is not compared."""


@dataclass(slots=True)
class Tally:
    """Of what the truth names: how much is there, how much of it with the same bytes."""

    named: int = 0
    present: int = 0
    exact: int = 0
    lacks: Counter[str] = field(default_factory=Counter)
    """By kind."""

    @property
    def whole(self) -> bool:
        return self.named == self.present == self.exact


def truth(address: str) -> Mapping[str, Any]:
    """What a site says that its pages consist of: the answer of `/__manifest.json`."""
    with urllib.request.urlopen(f"{address}/__manifest.json", timeout=60) as answer:  # noqa: S310  # the bench's own
        pages: Mapping[str, Any] = json.load(answer)["pages"]
    return pages


def held(warcs: Iterable[BinaryIO], address: str) -> dict[str, set[tuple[int, str]]]:
    """Of each path that was answered: status, and SHA-256 of the body as it is kept."""
    found: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for stream in warcs:
        for record in ArchiveIterator(stream):
            uri = record.rec_headers.get_header("WARC-Target-URI") or ""
            if record.rec_type == "response" and uri.startswith(address):
                digest = hashlib.sha256(record.raw_stream.read()).hexdigest()
                found[uri.removeprefix(address)].add((int(record.http_headers.get_statuscode()), digest))
    return found


def compare(pages: Mapping[str, Any], wanted: Sequence[str], found: Mapping[str, set[tuple[int, str]]]) -> Tally:
    tally = Tally()
    for page in wanted:
        for each in pages[page]["resources"]:
            tally.named += 1
            had = found.get(each["path"], set())
            present = any(status == each["status"] for status, _ in had)
            exact = present if each["kind"] == REDIRECT else (each["status"], each["sha256"]) in had
            tally.present += present
            tally.exact += exact
            if not exact:
                tally.lacks[each["kind"]] += 1
    return tally
