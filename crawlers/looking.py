"""Looks at what was looked at before: bases before the run, comparisons after it, and what is to be looked at next."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from archive.derived import Derived
from archive.errors import ArchiveError
from archive.result import Captured, Changed, Result, Target
from crawlers import aftermath
from crawlers.address import dedupe_key
from crawlers.bases import Bases
from crawlers.bounded import Bounded
from crawlers.contrast import compared
from crawlers.light import Basis
from crawlers.pictures.printing import MAKER
from crawlers.session import Session
from custody.digest import Digest
from custody.instant import format_utc
from custody.model import Json
from findings.change import Between


@dataclass(kw_only=True, slots=True)
class Looking:
    """Of one run. ``session`` is open, and nothing of it was looked at yet."""

    session: Session
    bases: Bases
    known: Mapping[str, Basis] = field(default_factory=dict)
    """By URL, whether or not its look is a light one."""
    changes: list[Changed] = field(default_factory=list)
    follow_ups: list[Target] = field(default_factory=list)
    fresh: list[Target] = field(default_factory=list)
    _is_over: bool = False

    @classmethod
    async def begin(cls, session: Session) -> "Looking":
        """Find what each URL is held against. Raises ``StoreError``."""
        job, vault = session.job, session.vault
        await asyncio.to_thread(vault.advance_catalog)
        bases = Bases(vault, scope=session.acquisition.scope, profile=job.profile)
        try:
            known = await asyncio.to_thread(bases.find, job.urls)
        except BaseException:
            bases.close()
            raise
        if job.light:
            now = session.clock()
            session.bases.update(
                {url: basis for url, basis in known.items() if not _is_due(basis, now, job.full_every_days)}
            )
        return cls(session=session, bases=bases, known=known)

    def close(self) -> None:
        self.bases.close()

    async def conclude(self) -> None:
        """When all is recorded and before the run is closed: what changed goes into the log. Once."""
        session = self.session
        if self._is_over:
            return
        self._is_over = True
        try:
            await asyncio.to_thread(self._note_new)
        except ArchiveError as error:  # the catalogue: nothing of the evidence hangs on it
            session.notices.append(f"which posts are new could not be told: {error}")
        asked = [each for each in session.acquisition.captured if each.parent is None and self._basis(each)]
        if not asked:
            return
        by: dict[str, Json] = {
            name: session.environment[name] for name in ("version", "code_sha256") if name in session.environment
        }
        await asyncio.to_thread(self._conclude, asked, by)

    def result(self, result: Result) -> Result:
        return replace(result, changes=tuple(self.changes), follow_ups=tuple(self.follow_ups), fresh=tuple(self.fresh))

    def _note_new(self) -> None:
        """Posts that the case has no capture of, in the order of their profile; each once."""
        session = self.session
        named = set[str]()
        for capture, posts in session.posts.items():
            unnamed = (each for each in posts if dedupe_key(each) not in named)
            found = aftermath.new_posts(unnamed, self.bases, case=session.acquisition.case_name, of=capture)
            fresh = list(islice(found, session.job.max_new))
            named |= {dedupe_key(each.url) for each in fresh}
            self.fresh += fresh

    def _conclude(self, asked: Sequence[Captured], by: Mapping[str, Json]) -> None:
        prints = Derived.open(self.session.vault.home.cache, "prints", MAKER)
        with Bounded() as reads:
            for each in asked:
                try:
                    self._compare(each, by, prints, reads)
                except ArchiveError as error:
                    # Both captures are in the log as they are: the same comparison can be made again at any time.
                    self.session.notices.append(
                        f"{each.requested_url}: what changed could not be told ({error}); `counterproof compare "
                        f"{self._base_of(each)} {each.capture_id} --record` does it again"
                    )

    def _compare(self, each: Captured, by: Mapping[str, Json], prints: Derived, reads: Bounded) -> None:
        session, basis = self.session, self._basis(each)
        assert basis is not None
        acquisition, store = session.acquisition, session.vault.store
        unit = [Digest(other.record_sha256) for other in acquisition.captured if other.unit == each.unit]
        comparison = compared(
            store, basis.page.record, Digest(each.record_sha256), unit=unit, prints=prints, reads=reads
        )
        if not comparison.changes:
            return
        same = self._last_same(each, basis)
        between = Between.of(comparison, last_same=same)
        told = aftermath.write(
            comparison,
            vault=session.vault,
            scope=acquisition.scope,
            end=acquisition.ended_as[each.capture_id],
            last_same=same,
            by=by,
        )
        self.changes.append(
            Changed(
                capture_id=each.capture_id,
                before=basis.page.capture,
                url=each.requested_url,
                kinds=told.kinds,
                sentences=tuple(change.sentence for change in comparison.changes),
                not_before=between.not_before,
                not_after=between.not_after,
                index=told.index,
                detail_sha256=told.detail.hex,
            )
        )
        session.progress("changed", {"capture": each.capture_id, "url": each.requested_url, "kinds": list(told.kinds)})
        case = acquisition.case_name
        self.follow_ups += aftermath.listings(comparison, vault=session.vault, case=case, basis=basis)

    def _last_same(self, each: Captured, basis: Basis) -> str | None:
        """When the page was last seen unchanged since the basis."""
        entry = self.bases.last_same(each.requested_url, basis)
        return None if entry is None else format_utc(entry.started_at)

    def _basis(self, each: Captured) -> Basis | None:
        return self.known.get(each.requested_url)

    def _base_of(self, each: Captured) -> str:
        basis = self._basis(each)
        return "" if basis is None else basis.page.capture


def _is_due(basis: Basis, now: datetime, days: int) -> bool:
    return days > 0 and now - basis.page.looked_at >= timedelta(days=days)
