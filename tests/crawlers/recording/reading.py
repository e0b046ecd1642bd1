"""A WARC read back by warcio, as whoever gets it would."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker


@dataclass(kw_only=True, slots=True)
class Read:
    kind: str
    url: str
    status: int | None
    method: str | None
    headers: list[tuple[str, str]]
    fields: list[tuple[str, str]]
    """Of the WARC record."""
    body: bytes = field(repr=False)

    def says(self, name: str) -> str | None:
        return next((value for each, value in self.fields if each.lower() == name.lower()), None)

    def header(self, name: str) -> str | None:
        return next((value for each, value in self.headers if each.lower() == name.lower()), None)


def read(path: Path) -> list[Read]:
    found = []
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream, check_digests="raise"):
            http = record.http_headers
            is_request = record.rec_type == "request"
            found.append(
                Read(
                    kind=record.rec_type,
                    url=record.rec_headers.get_header("WARC-Target-URI") or "",
                    status=int(http.get_statuscode()) if http and not is_request else None,
                    method=http.protocol if http and is_request else None,
                    headers=list(http.headers) if http else [],
                    fields=list(record.rec_headers.headers),
                    body=record.content_stream().read(),
                )
            )
    return found


def checked(path: Path) -> int:
    """``warcio check``: its exit code."""
    checker = Checker(SimpleNamespace(inputs=[str(path)], verbose=False))
    checker.process_all()
    return int(checker.exit_value)


def missing(records: list[Read]) -> list[dict[str, Any]]:
    told = next(each for each in records if each.kind == "metadata")
    listed: list[dict[str, Any]] = json.loads(told.body)["missing"]
    return listed
