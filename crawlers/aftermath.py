"""What a look calls for besides its capture: the change in the log, new posts, the listing behind a vanishing post.

A run works it out as it ends. Where its worker died before that, whoever takes the look over works it out from the
records and the log, and nothing of it is lost.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from archive import changes, holdings
from archive.catalog import Entry
from archive.changes import Told
from archive.derived import Derived
from archive.errors import NotStored
from archive.looked import Before, Begun
from archive.result import Target
from archive.vault import Vault
from crawlers.address import dedupe_key
from crawlers.bases import Bases
from crawlers.contrast import compared
from crawlers.duty import further
from crawlers.leftover import going_on
from crawlers.light import Basis
from crawlers.pictures.printing import MAKER
from crawlers.postings import MAX_POSTS, posts_on
from crawlers.session import Job
from custody.digest import Digest
from custody.instant import format_utc
from custody.model import Json
from findings.change import ABSENCES, Between, Comparison

_MAX_DOCUMENT = 64 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """What is left to do of a look whose page was recorded."""

    kinds: tuple[str, ...]
    """In what the page had changed."""
    jobs: tuple[Job, ...]


def rest(job: Job, vault: Vault, before: Before, done: Begun, *, look: str, by: Mapping[str, Json]) -> Rest:
    """Blocking. ``done``: the look's own page; of a change that nobody has written down, it is written. ``job``: that
    of the look. Raises ``StoreError``.
    """
    vault.advance_catalog()
    roots = [each for each in before.roots if each.capture != done.capture]
    jobs = [going_on(job, vault, done.unit)]
    jobs += [going_on(further(job, {job.urls[0]: look}) or job, vault, each.unit) for each in roots]
    kinds: tuple[str, ...] = ()
    targets: list[Target] = []
    entry = vault.catalog.entry(done.capture)
    scope = vault.cases.find(job.case)
    if entry is not None and entry.record_sha256 is not None and scope is not None:
        known = {key for each in roots if (key := vault.catalog.url_key(each.capture)) is not None}
        with suppress(NotStored):  # disposed of meanwhile: what it called for is nobody's now
            recorded = _Recorded(job=job, vault=vault, entry=entry, scope=scope, by=by)
            kinds, targets = recorded.work_out(before.ended_as[done.capture])
        targets = [each for each in targets if dedupe_key(each.url) not in known]
        fresh = [each for each in targets if not each.at_once]
        targets = [*fresh[: max(0, job.max_new - len(roots))], *(each for each in targets if each.at_once)]
    jobs.append(further(job, {each.url: look for each in targets}))
    return Rest(kinds=kinds, jobs=tuple(each for each in jobs if each is not None))


def write(
    comparison: Comparison, *, vault: Vault, scope: str, end: Digest, last_same: str | None, by: Mapping[str, Json]
) -> Told:
    """Into the log, with the two looks between which it came about. ``end``: payload of the later capture's end."""
    between = Between.of(comparison, last_same=last_same)
    value = {**comparison.to_json(), "between": {"after": between.not_before, "before": between.not_after}}
    ledger = vault.timekeeper if vault.sequencer.orders else vault.sequencer
    return changes.observe(value, scope=scope, end=end, scribe=vault.scribe_for(scope), submit=ledger.submit, by=by)


def listings(comparison: Comparison, *, vault: Vault, case: str, basis: Basis) -> Iterator[Target]:
    """Where the promotion of a post led that is being taken away: while its listing is there, it is evidence."""
    if not ABSENCES & set(comparison.kinds):
        return
    before = comparison.before
    seen = {before.key}
    for entry in vault.catalog.of_unit(before.unit):
        key = basis.key(entry.final_url or entry.requested_url)
        if entry.capture_id == before.capture or entry.record_sha256 is None or key in seen:
            continue
        seen.add(key)
        yield Target(
            url=entry.requested_url,
            case=case,
            why="listing_of_vanishing_post",
            of=comparison.after.capture,
            at_once=True,
        )


def new_posts(posts: Iterable[str], bases: Bases, *, case: str, of: str) -> Iterator[Target]:
    """Those that the case has no capture of, in the order of their profile; each once."""
    named = set[str]()
    for url in posts:
        key = dedupe_key(url)
        if key not in named and not bases.is_known(key):
            named.add(key)
            yield Target(url=url, case=case, why="new_post", of=of, at_once=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Recorded:
    """The look's own page, as an earlier attempt recorded it."""

    job: Job
    vault: Vault
    entry: Entry
    scope: str
    by: Mapping[str, Json]

    def work_out(self, end: Digest) -> tuple[tuple[str, ...], list[Target]]:
        """In what it had changed, and what that calls for. ``end``: the payload of its end."""
        bases = Bases(self.vault, scope=self.scope, profile=self.job.profile, below=self.entry.started_index)
        try:
            targets = list(self._new_posts(bases)) if self.job.max_new else []
            basis = bases.find((self.entry.requested_url,)).get(self.entry.requested_url)
            if basis is None or not (comparison := self._compared(basis)).changes:
                return (), targets
            ours = self.entry.capture_id
            written = (each for each in changes.observed(self.vault.sequencer, self.scope) if each.capture == ours)
            told = next(written, None) or self._write(comparison, bases.last_same(self.entry.requested_url, basis), end)
            targets += listings(comparison, vault=self.vault, case=self.job.case, basis=basis)
            return told.kinds, targets
        finally:
            bases.close()

    def _new_posts(self, bases: Bases) -> Iterator[Target]:
        record = holdings.record_of(self.vault.store, self._record)
        artifact = holdings.document_of(record)
        if artifact is None or artifact.bytes > _MAX_DOCUMENT:
            return
        html = holdings.blob(self.vault.store, artifact.digest, _MAX_DOCUMENT).decode("utf-8", "replace")
        posts = posts_on([(record.final_url or record.requested_url, html)], limit=MAX_POSTS)
        yield from new_posts(posts, bases, case=self.job.case, of=record.capture_id)

    def _compared(self, basis: Basis) -> Comparison:
        unit = self.vault.catalog.of_unit(self.entry.unit)
        prints = Derived.open(self.vault.home.cache, "prints", MAKER)
        return compared(
            self.vault.store,
            basis.page.record,
            self._record,
            unit=[Digest(each.record_sha256) for each in unit if each.record_sha256 is not None],
            prints=prints,
        )

    def _write(self, comparison: Comparison, same: Entry | None, end: Digest) -> Told:
        last_same = None if same is None else format_utc(same.started_at)
        return write(comparison, vault=self.vault, scope=self.scope, end=end, last_same=last_same, by=self.by)

    @property
    def _record(self) -> Digest:
        return Digest(str(self.entry.record_sha256))
