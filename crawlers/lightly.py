"""Carries out a light look: judges what is shown while the page is open, and writes the end of an unchanged one."""

import asyncio
from dataclasses import dataclass

from archive.acquisition import Acquisition
from archive.errors import ArchiveError
from archive.holdings import vantage_of
from archive.reading import Reading
from archive.result import Unchanged
from crawlers.light import Now, held, look_json
from crawlers.outcome import PageFacts, judge
from crawlers.session import Looking, Plan
from crawlers.sight import Seen
from custody import canonical
from custody.instant import format_utc
from custody.model import Hop, Json, Outcome, Role, Visit

NAME = "look.json"


@dataclass(frozen=True, slots=True)
class Lightly:
    """Of one plan that has a basis."""

    plan: Plan

    async def is_unchanged(
        self,
        seen: Seen,
        *,
        http_status: int | None,
        media_type: str,
        hops: tuple[Hop, ...],
        picture: bytes | None,
        reading: Reading,
    ) -> bool:
        """What was compared is in ``seen.held`` afterwards. What cannot be compared is looked at in full."""
        try:
            now = Now(
                url=seen.final_url or self.plan.url,
                outcome=await asyncio.to_thread(self._judged, seen, http_status, media_type),
                http_status=http_status,
                hops=hops,
                reading=reading,
                words=seen.text,
                window=picture,
            )
            assert self.plan.basis is not None
            seen.held = await asyncio.to_thread(held, self.plan.basis, now)
        except ArchiveError:
            raise  # the disk: it would hit all that is kept as well
        except Exception as error:  # noqa: BLE001  # a page that we cannot compare is kept in full, and that is said
            seen.settings["not_compared"] = type(error).__name__
            return False
        return bool(seen.held.is_unchanged)

    def _judged(self, seen: Seen, http_status: int | None, media_type: str) -> Outcome:
        """In a thread: judging a hostile page takes seconds of computing."""
        facts = PageFacts(
            url=seen.final_url or self.plan.url,
            requested_url=self.plan.url,
            http_status=http_status,
            title=seen.title or "",
            visible_text=seen.text,
            dom_html="\n".join([seen.dom, *(each.dom for each in seen.frames)]),
            media_type=media_type,
        )
        return judge(facts).outcome


def is_to_end(plan: Plan, seen: Seen, visit: Visit) -> bool:
    """Whether an unchanged look may end so: nothing else happened to it, and what it showed is still judged so."""
    basis = plan.basis
    return (
        seen.unchanged
        and basis is not None
        and seen.trouble is None
        and not seen.quarantine
        and visit.outcome is basis.page.outcome
        and visit.http_status == basis.page.http_status
    )


def end(acquisition: Acquisition, looking: Looking, seen: Seen, visit: Visit, *, look_id: str | None) -> Unchanged:
    """Blocking. The look has its end, durable, when this returns; its files are for nobody any more."""
    plan, held_ = looking.plan, seen.held
    assert plan.basis is not None
    dropped = [each for each in looking.kept if each.name != NAME]
    started_at = visit.times.get("requested_at", visit.times["closed_at"])
    now: dict[str, Json] = {
        "schema": 1,
        "nonce": acquisition.nonce(),
        "capture": visit.capture_id,
        "unit": visit.unit,
        "run": visit.run,
        "started_sha256": visit.started.payload_sha256.hex,
        "url": visit.requested_url,
        "final_url": visit.final_url,
        "outcome": visit.outcome.value,
        "http_status": visit.http_status,
    }
    more: dict[str, Json] = {
        "origin": visit.origin.value,
        "origin_reasons": list(visit.origin_reasons),
        "vantage": vantage_of(visit.circumstances),
        "robots": visit.circumstances["robots"],
        "dropped": {
            "files": len(dropped),
            "bytes": sum(each.bytes for each in dropped),
            "traffic": {name: seen.traffic[name] for name in ("exchanges", "body_bytes") if name in seen.traffic},
        },
    }
    value = look_json(plan.basis, held_, now=now, hops=visit.hops, times=visit.times, more=more)
    said = looking.keep(Role.RECORD, NAME, "application/json", canonical.dumps(value))
    body: dict[str, Json] = {
        "compared_with": plan.basis.page.capture,
        "outcome": visit.outcome.value,
        "http_status": visit.http_status,
        "started_at": format_utc(started_at),
        "ended_at": format_utc(visit.times["closed_at"]),
    }
    receipt = acquisition.end_unchanged(
        capture_id=visit.capture_id, unit=visit.unit, started=visit.started, said=said, body=body
    )
    found = Unchanged(
        capture_id=visit.capture_id,
        url=visit.requested_url,
        compared_with=plan.basis.page.capture,
        looked_at=started_at,
        outcome=Outcome(visit.outcome),
        http_status=visit.http_status,
        look_id=look_id,
        compared=held_.compared,
        not_compared=held_.not_compared,
        dropped_bytes=sum(each.bytes for each in dropped),
        detail_sha256=said.digest.hex,
        started_index=visit.started.index,
        index=None if receipt is None else receipt.index,
    )
    acquisition.unchanged.append(found)
    return found
