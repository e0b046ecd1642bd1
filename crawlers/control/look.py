"""One control capture: what it needs before the browser goes there, and what is said of it afterwards."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from crawlers.control.comparison import Brought, differences
from crawlers.control.page import ControlPage
from crawlers.control.site import ControlSite
from crawlers.keeping import Keeping
from crawlers.links import LinkPage, choose_of_all
from crawlers.sight import Seen
from custody.instant import format_utc
from custody.model import Json, Role, Snapshot

When = Literal["start", "end"]
NOT_MADE = "not_made"
MAX_KEPT = 256 * 1024
"""Bytes of one file that is told whole; of a larger one the digest is."""
TIMEOUT_S = 20.0


@dataclass(kw_only=True, slots=True)
class ControlLook:
    """Before: the page, its site and a place for files. After: ``result``."""

    when: When
    page: ControlPage
    site: ControlSite
    keeping: Keeping
    began_at: datetime
    density: float
    result: dict[str, Json] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """By which the egress counts its connections."""
        return self.keeping.name

    def judge(self, seen: Seen, ended_at: datetime) -> None:
        """Blocking: compare what came with what must come."""
        found = differences(self.page, self.site.asked, self._brought(seen))
        self._end("failed" if found else "passed", ended_at, differences=list(found))

    def give_up(self, why: str, ended_at: datetime) -> None:
        """No look was had: that is neither passed nor failed."""
        self._end(NOT_MADE, ended_at, why=why)

    def _end(self, result: str, ended_at: datetime, **more: Json) -> None:
        self.result = {
            "result": result,
            "nonce": self.page.nonce,
            "began_at": format_utc(self.began_at),
            "ended_at": format_utc(ended_at),
            **more,
            "kept": [_told(each) for each in self.keeping.kept],
        }

    def _brought(self, seen: Seen) -> Brought:
        files = {each.role: each.path for each in self.keeping.kept}
        pages = [
            LinkPage(url=url, dom_html=dom, depth=0, position="root") for url, dom in seen.documents(self.page.entry)
        ]
        links = choose_of_all(pages, limit=0, seen=frozenset()) if seen.dom else ()
        return Brought(
            trouble=seen.trouble,
            final_url=seen.final_url,
            http_status=seen.http_status,
            title=seen.title,
            text=seen.text,
            hops=tuple((each.from_url, each.to_url, each.kind, each.status) for each in seen.hops),
            links={each.via.href for each in links},
            body=_bytes(files.get(Role.BODY)),
            viewport=_bytes(files.get(Role.VIEWPORT)),
            screenshot=_bytes(files.get(Role.SCREENSHOT)),
            traffic=_traffic(files.get(Role.WARC)),
            lacks=[f"{each.role.value}: {each.reason}" for each in seen.missing],
            density=self.density,
        )


def _told(snapshot: Snapshot) -> dict[str, Json]:
    told: dict[str, Json] = {
        "role": snapshot.role.value,
        "name": snapshot.name,
        "media_type": snapshot.media_type,
        "bytes": snapshot.bytes,
        "sha256": snapshot.digest.hex,
    }
    if snapshot.bytes <= MAX_KEPT:
        told["base64"] = base64.b64encode(snapshot.path.read_bytes()).decode("ascii")
    return told


def _bytes(path: Path | None) -> bytes:
    return b"" if path is None else path.read_bytes()


def _traffic(path: Path | None) -> Mapping[str, tuple[int, bytes]]:
    """Status and body by address; empty where there is no file that can be read."""
    found: dict[str, tuple[int, bytes]] = {}
    if path is None:
        return found
    try:
        with path.open("rb") as file:
            for record in ArchiveIterator(file):
                if record.rec_type == "response":
                    status = int(record.http_headers.get_statuscode())
                    found[record.rec_headers.get_header("WARC-Target-URI")] = (status, record.content_stream().read())
    except (ArchiveLoadFailed, ValueError):
        return {}
    return found


def summary(controls: Sequence[ControlLook], when: When) -> Mapping[str, Any]:
    """What is known by now of one of the two; empty where it was not begun."""
    return next((each.result for each in controls if each.when == when), {})
