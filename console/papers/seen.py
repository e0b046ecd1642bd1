"""When a page was looked at first and last in a case, and when a look first and last showed it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from archive.surface import Shown, shown_of
from console.papers.casefile import CaseFile, Look
from console.papers.zones import told
from custody.checks.looks import UNCHANGED


@dataclass(slots=True)
class Seen:
    """Of the looks that asked for one address. Times are those of our clock when a look began."""

    looks: list[datetime] = field(default_factory=list)
    shown: list[datetime] = field(default_factory=list)
    """Those that showed the page: one that found it gone or walled did not."""
    unchanged: int = 0
    """Those that found what an earlier one had kept."""

    def words(self, zone: ZoneInfo | None) -> str:
        count = f"{len(self.looks)} look{'' if len(self.looks) == 1 else 's'} of this case asked for this address"
        if len(self.looks) > 1:
            count += f", the first {told(min(self.looks), zone)}, the last {told(max(self.looks), zone)}"
            count += f"; {self.unchanged} found nothing new" if self.unchanged else ""
        if not self.shown:
            return f"{count}. None showed the page"
        first, last = min(self.shown), max(self.shown)
        return f"{count}. First seen {told(first, zone)}, last seen {told(last, zone)}"

    def span(self, zone: ZoneInfo | None) -> str:
        """Of those that showed it."""
        if not self.shown:
            return "never seen"
        first, last = told(min(self.shown), zone), told(max(self.shown), zone)
        return first if first == last else f"{first} to {last}"


def seen_of(file: CaseFile) -> Mapping[str, Seen]:
    """By the address that was asked for. Looks without an end, and what was disposed of, tell of no page."""
    as_before = {
        str(each.capture): str(each.logged.event.body["compared_with"])
        for each in file.deeds
        if each.logged.event.type == UNCHANGED
    }
    found: dict[str, Seen] = {}
    for look in file.looks.values():
        kept = file.looks.get(as_before.get(look.id, look.id))
        if kept is None or kept.record is None:
            continue
        each = found.setdefault(look.entry.requested_url or kept.entry.requested_url, Seen())
        each.looks.append(look.entry.started_at)
        if _showed(kept):
            each.shown.append(look.entry.started_at)
        each.unchanged += look.id in as_before
    return found


def _showed(look: Look) -> bool:
    record = look.record
    return record is not None and (shown_of(record.circumstances, record.outcome, record.http_status) == Shown.CONTENT)
