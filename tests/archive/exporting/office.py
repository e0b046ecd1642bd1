"""An office that hands evidence over: the builder's archive on a store, a sequencer on top of it, and exports of it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive.authority import Authority
from archive.exporting.exporter import Asked, Exported, Exporter
from archive.memory import MemoryStore
from archive.receipt import Receipt
from archive.scribe import Scribe
from archive.sealing import Sealing
from archive.sequencer import Sequencer
from custody import keys
from custody.bundle.package import open_package
from custody.bundle.verify import verify
from custody.checkpoint import Checkpoint, open_checkpoint
from custody.digest import Digest
from custody.keys import Signer
from custody.model import Role
from custody.trust import Trust
from custody.verdict import Verdict
from tests.authority import LocalAuthority
from tests.custody.archive_builder import FILES, ArchiveBuilder

OURS = "Love v. Screw"
THEIRS = "Quiet Matter of Others"
DAY = timedelta(days=1)


def shared_item(authorities: Sequence[LocalAuthority] = ()) -> ArchiveBuilder:
    """Two cases that share an item, each with one of its own; theirs has captured the shared one again."""
    made = ArchiveBuilder(authorities, locked=False).open_log()
    ours, theirs = made.open_case(OURS), made.open_case(THEIRS)
    run = made.open_run()
    shared = made.capture(run, scope=ours, files={**FILES, Role.TEXT: b"shared"})
    made.capture(run, scope=ours)
    made.close_run(run, 2)
    if authorities:
        made.stamp()
    other = made.open_run()
    made.capture(other, scope=theirs)
    member = made.detail("item.json", {"item": shared.unit, "scope": theirs})
    made.commit(made.draft(made.event("item.assigned", f"scope:{theirs}", member, {"item": shared.unit})))
    made.capture(other, unit=shared.unit)
    made.close_run(other, 2)
    if authorities:
        made.stamp()
    return made


def scopes_of(made: ArchiveBuilder) -> list[str]:
    return [
        each.chain.removeprefix("scope:") for drafts in made.commits for each in drafts if each.chain[:6] == "scope:"
    ]


@dataclass
class Office:
    """Works on a copy of what the builder built."""

    path: Path
    made: ArchiveBuilder
    authorities: Sequence[LocalAuthority] = ()
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    state: Path | None = None

    def __post_init__(self) -> None:
        self.store = MemoryStore()
        for key, data in self.made.build().objects.items():
            self.store.create(key, data, digest=Digest.of(data), retain_until=None)
        self.cases = list(dict.fromkeys(scopes_of(self.made)))
        self.open()

    def open(self) -> None:
        self.ledger = Sequencer(
            self.store,
            trust=self.trust,
            log_signer=self.made.log_key,
            worker=keys.keyid(self.made.worker.public_key),
            state_dir=self.state or self.path / "state",
            clock=self.now,
            retain_until=lambda: self.now() + DAY,
        )
        (self.state or self.path / "state").mkdir(parents=True, exist_ok=True)
        self.ledger.open()
        self.scribe = self.scribe_of(self.made.worker)
        self.sealing = Sealing(
            self.ledger,
            self.scribe,
            [
                Authority(
                    replace(each, url=local.url),
                    store=self.store,
                    log=self.trust.log.name,
                    retain_until=lambda: self.now() + DAY,
                    timeout_s=30,
                )
                for each, local in zip(self.trust.authorities, self.authorities, strict=False)
            ],
        )

    @property
    def trust(self) -> Trust:
        return self.made.trust

    def scribe_of(self, signer: Signer) -> Scribe:
        return Scribe(self.store, signer, clock=self.now, retain_until=lambda: self.now() + DAY)

    def seal(self, receipt: Receipt) -> None:
        if self.authorities:
            self.sealing.seal([receipt])

    def export(
        self,
        name: str = "bag",
        *,
        case: int | None = 0,
        items: tuple[str, ...] = (),
        since: tuple[Checkpoint, ...] = (),
        as_zip: bool = False,
        at: int | None = None,
        due: Callable[[datetime], Collection[str] | None] = lambda _: None,
    ) -> Exported:
        scope = None if case is None else self.cases[case]
        asked = Asked(
            scope=scope,
            items=items or self.items(scope),
            since=since,
            recipient="the other side",
            as_zip=as_zip,
            at=at,
            looks_due=due,
        )
        exporter = Exporter(self.ledger, self.store, self.scribe, seal=self.seal)
        return exporter.export(asked, self.path / name)

    def items(self, scope: str | None) -> tuple[str, ...]:
        assigned = [each for each in self.ledger.events("item.assigned") if each.event.chain == f"scope:{scope}"]
        return tuple(str(each.event.body["item"]) for each in assigned)

    def checkpoint(self) -> Checkpoint:
        return open_checkpoint(self.ledger.checkpoint()[1], self.trust.log)


def judged(path: Path, trust: Trust | None, *, years: int = 0, kept: Sequence[Checkpoint] = ()) -> Verdict:
    package = open_package(path)
    try:
        return verify(package, trust, at=datetime.now(UTC) + timedelta(days=365 * years), kept=kept)
    finally:
        package.close()
