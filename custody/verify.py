"""verify(source, trust) -> Verdict: everything that is stored, held against what was signed. Twelve numbered checks.

The source may be a stranger's bundle made to mislead: reads have limits, keys are made here and never taken from a
file, and every fault becomes a finding with a code and the place it is about.
"""

import builtins
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from custody.bracket import Bracket
from custody.checkpoint import Checkpoint
from custody.checks import checkpoint, inbox, published, shelf
from custody.checks import trust as trust_check
from custody.checks.blobs import Blobs
from custody.checks.chains import Chains
from custody.checks.checkpoint import Signed
from custody.checks.commits import Commits
from custody.checks.entries import Entries, Entry
from custody.checks.inquiry import Inquiry, Map, Progress, SecondOpinion, silent
from custody.checks.kept import Kept
from custody.checks.locks import Locks
from custody.checks.quarantine import Quarantine
from custody.checks.records import Records
from custody.checks.registry import Registry
from custody.checks.stamps import Stamps
from custody.checks.states import States
from custody.checks.stewardship import Stewardship
from custody.checks.tree import Tree
from custody.instant import format_utc
from custody.model import Json
from custody.source import Reader, Source, Unreachable
from custody.trust import Trust
from custody.verdict import CHECKS, Check, Finding, Findings, Severity, Verdict, depends

__all__ = [
    "Bracket", "Check", "Finding", "Map", "Progress", "SecondOpinion", "Severity", "Source", "Verdict", "verify",
]  # fmt: skip

_NOTHING: dict[str, Json] = {"time": "none", "origins": {}}


def verify(
    source: Source,
    trust: Trust | None,
    *,
    at: datetime,
    scope: str | None = None,
    kept: Sequence[Checkpoint] = (),
    second_opinion: SecondOpinion | None = None,
    brackets: bool = False,
    map: Map = builtins.map,  # noqa: A002  # it is one
    progress: Progress | None = None,
    absent: tuple[type[Exception], ...] = (KeyError, FileNotFoundError),
    unreachable: tuple[type[Exception], ...] = (),
) -> Verdict:
    """Never raises for what it finds, and never says that evidence does not hold because a store was down.

    ``trust`` None: the keys are those that the store names itself, and the verdict is ``self-consistent only``.
    ``scope`` is the id of a case: checks 10 to 12 look at its items alone, the log is always checked whole.
    ``kept``: checkpoints of earlier days, opened with the key of ``trust``; today's log must extend them.
    ``second_opinion`` is asked of tokens that this verifier cannot read; the verdict says which rest on it.
    ``brackets``: the verdict gets the bracket of each leaf of an item, at about 100 bytes each.
    ``absent`` and ``unreachable`` are what the source raises when there is nothing under a key, and when it does not
    answer; ``absent`` is looked at first. ``map`` may be that of an executor with threads.
    """
    run = _Run(
        reader=Reader(source, absent=absent, unreachable=unreachable),
        given=trust,
        at=at,
        scope=scope,
        kept=kept,
        second_opinion=second_opinion,
        map=map,
        progress=progress or silent,
        brackets={} if brackets else None,
    )
    return run.verdict()


@dataclass(slots=True, kw_only=True)
class _Run:
    reader: Reader
    given: Trust | None
    at: datetime
    scope: str | None
    kept: Sequence[Checkpoint]
    second_opinion: SecondOpinion | None
    map: Map
    progress: Progress
    brackets: dict[int, Bracket] | None
    findings: Findings = field(default_factory=Findings)
    events: Counter[str] = field(default_factory=Counter)
    facts: dict[str, Json] = field(default_factory=lambda: dict(_NOTHING))
    trust: Trust | None = None
    signed: Signed | None = None

    def verdict(self) -> Verdict:
        self.facts |= {
            "key": "self-consistent" if self.given is None else "trusted",
            "scope": self.scope,
            "verified_at": format_utc(self.at),
        }
        if self._stage(1, self._choose) and self.trust is not None:
            self._check(
                Inquiry(
                    reader=self.reader,
                    trust=self.trust,
                    findings=self.findings,
                    at=self.at,
                    scope=self.scope,
                    map=self.map,
                    progress=self.progress,
                    second_opinion=self.second_opinion,
                )
            )
        else:
            self._skip_after(1)
        newest = self.signed.newest if self.signed is not None else None
        return Verdict(
            log=self.trust.log.name if self.trust is not None else "",
            size=newest.size if newest is not None else 0,
            root=newest.root.hex() if newest is not None else "",
            checks=self.findings.checks(),
            findings=self.findings.findings(),
            facts=self.facts,
            brackets=self.brackets or {},
        )

    def _choose(self) -> None:
        self.trust = trust_check.choose(self.reader, self.given, self.findings)

    def _check(self, inquiry: Inquiry) -> None:
        # The order of reading is that of a log that may grow meanwhile: what is signed, then what it is signed over.
        if not self._stage(2, lambda: self._collect(inquiry)) or self.signed is None:
            self._skip_after(2)
            return
        signed, records, stewardship = self.signed, Records(inquiry), Stewardship(inquiry)
        refused = Quarantine(inquiry)
        if not self._stage(3, lambda: self._walk(inquiry, signed, records, stewardship, refused)):
            self._skip_after(3)
            return
        if not self._stage(10, lambda: self._look(inquiry, records, stewardship, refused)):
            self._skip_after(10)
        self._stage(2, lambda: checkpoint.check_shown(inquiry, signed))

    def _collect(self, inquiry: Inquiry) -> None:
        self.signed = checkpoint.collect(inquiry)

    def _look(self, inquiry: Inquiry, records: Records, stewardship: Stewardship, refused: Quarantine) -> None:
        """Checks 10 to 12, over the blobs."""
        locks = Locks(inquiry)
        locks.survey()
        stewardship.read(records.of_the_case())
        blobs = Blobs(inquiry, locks.deleted, stewardship.excuse)
        records.finish(blobs, locks, stewardship.listed)
        refused.check()
        stewardship.conclude()
        locks.finish(blobs.asked - blobs.disposed)
        self.facts |= {
            "blobs": blobs.count,
            "bytes": blobs.bytes,
            "origins": dict(sorted(records.origins.items())),
            "statuses": dict(sorted(records.statuses.items())),
            "received": records.received,
            "orphans": records.orphans,
        }

    def _walk(
        self, inquiry: Inquiry, signed: Signed, records: Records, stewardship: Stewardship, refused: Quarantine
    ) -> None:
        """Checks 3 to 9, in one pass over the leaves."""
        files = shelf.survey(inquiry)
        walked = Commits(inquiry, signed, files)
        tree = Tree(inquiry, signed, files)
        kept = Kept(inquiry, signed, self.kept)
        stamps = Stamps(inquiry, signed, self.brackets)
        stamps.collect()
        registry = Registry(inquiry.trust)
        entries, chains, states = Entries(inquiry, registry), Chains(inquiry), States(inquiry)
        watchers: tuple[Callable[[Entry], None], ...] = (
            chains.see, states.see, stamps.see, records.see, stewardship.see, refused.see, self._count,
        )  # fmt: skip
        for batch in walked.walk():
            n = batch.commit.n if batch.commit is not None else None
            for at, leaf in enumerate(batch.leaves):
                entry = entries.examine(batch.first + at, leaf, tree.append(leaf, n))
                kept.see(tree)
                for watch in watchers:
                    watch(entry)
                if batch.commit is not None and entry.event is not None:
                    walked.check_event(batch.commit, at, entry.event.event_id)
            if batch.commit is not None:
                tree.end(batch.commit)
                walked.check_signer(batch.commit, registry)
        walked.finish(registry)
        tree.finish(walked)
        walked.report_headers()
        entries.finish()
        published.check(inquiry, registry)
        chains.finish()
        states.finish(chains.broken)
        stewardship.finish()
        stamps.finish(walked.ends)
        if walked.cut:
            for n in range(5, 13):
                self.findings.skip(n, f"only the first {walked.size} leaves are to be had, {depends((3,))}")
        self.facts |= (
            stamps.facts(records.chains())
            | stewardship.facts(records.of_the_case())
            | {
                "leaves": walked.size,
                "commits": len(walked.ends),
                "captures": states.captures,
                "open": states.open,
                "events": dict(sorted(self.events.items())),
                "waiting": inbox.check(inquiry),
            }
        )
        if self.kept:
            self.facts["kept"] = kept.finish()

    def _count(self, entry: Entry) -> None:
        event = entry.event
        if event is None:
            return
        self.events[event.type] += 1
        if event.type == "storage.probed":
            # Whether the writer's own credentials could have released a lock: said with every verdict.
            self.facts["lock_bypass"] = event.body["bypass"]

    def _stage(self, check: int, work: Callable[[], None]) -> bool:
        """Whether it came to its end."""
        try:
            work()
        except Unreachable as error:
            self.findings.unchecked(check, "STORE_UNREACHABLE", str(error), key=error.key)
        except Exception as error:  # noqa: BLE001  # whatever a bundle does to us, it must not pass, nor look like a crash
            message = f"the verifier itself failed, so it says nothing: {type(error).__name__}: {error}"
            self.findings.unchecked(check, "VERIFIER_FAULT", message[:1000], stage=check)
        else:
            return True
        return False

    def _skip_after(self, check: int) -> None:
        for n in CHECKS:
            if n > check:
                self.findings.skip(n, depends((check,)))
