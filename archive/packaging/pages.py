"""``pages.jsonl``: where a replay begins, one line a capture. https://specs.webrecorder.net/wacz/1.1.1/#pages-jsonl"""

import json
from collections.abc import Collection
from dataclasses import dataclass

from custody.instant import format_utc
from custody.model import Json
from custody.record import Record

MAX_TEXT = 4_096
"""Characters of a page's text: enough to search by; all of it is an artifact of its own."""
_HEADER: dict[str, Json] = {"format": "json-pages-1.0", "id": "pages", "title": "Captures", "hasText": True}


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    capture: str
    url: str
    at: str
    title: str
    text: str

    def to_json(self) -> dict[str, Json]:
        told = {"id": self.capture, "url": self.url, "ts": self.at, "title": self.title, "text": self.text}
        return {name: value for name, value in told.items() if value}


def page_of(record: Record, answered: Collection[str], text: str) -> Page:
    """``answered``: addresses with an answer in the WARC. What was asked for comes first, since its hops replay too."""
    wanted = [record.requested_url, *(each.to_url for each in record.hops), record.final_url or ""]
    at = record.times.get("requested_at") or min(record.times.values())
    return Page(
        capture=record.capture_id,
        url=next((each for each in wanted if each.split("#", 1)[0] in answered), record.requested_url),
        at=format_utc(at),
        title=record.title or record.requested_url,
        text=text[:MAX_TEXT],
    )


def format_pages(pages: list[Page]) -> bytes:
    lines = [_HEADER, *(each.to_json() for each in pages)]
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines).encode("utf-8", "replace")
