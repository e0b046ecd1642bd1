"""The vault: what a writer of evidence needs, opened once: home, store, log, trusted time, spool, catalogue."""

import base64
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from archive import disk, keeping, timekeeping
from archive.acquisition import Acquisition
from archive.briefs import BriefLost, Briefs
from archive.cases import Cases
from archive.catalog import Catalog
from archive.cataloguing import Cataloguing
from archive.clock import read_clock
from archive.config import ArchiveConfig
from archive.errors import ArchiveError, Refused
from archive.genesis import open_log
from archive.home import Home
from archive.inbox import Inbox
from archive.keeping import Class
from archive.ledger import Ledger
from archive.packs import Packs
from archive.probe import ProbeReport, probe
from archive.reader import store_of
from archive.recovery import Recovered, recover
from archive.result import Lost, Result
from archive.scribe import Scribe
from archive.sealing import Sealing
from archive.spool import Spool
from archive.store import ObjectStore
from archive.timekeeping import Timekeeper
from custody import keys, keyspace
from custody.instant import format_utc
from custody.keys import Signer
from custody.model import Json, Status

INTERRUPTED_S = 2.0
"""What a run that is told to stop waits for somebody to take its events out of the inbox."""

Notify = Callable[[str], None]


class Vault:
    """Blocking and safe for threads. Use it as a context manager: leaving it lets go of the embedded store."""

    def __init__(
        self,
        *,
        config: ArchiveConfig,
        home: Home,
        store: ObjectStore,
        sequencer: Ledger,
        scribe: Scribe,
        timekeeper: Timekeeper,
        cases: Cases,
        spool: Spool,
        catalog: Catalog,
        clock: Callable[[], datetime],
        stack: ExitStack,
    ) -> None:
        self.config = config
        self.home = home
        self.store = store
        self.sequencer = sequencer
        self.cases = cases
        self.spool = spool
        self.catalog = catalog
        self.scribe = scribe
        self.timekeeper = timekeeper
        self.cataloguing = Cataloguing(self._advance_so_far, time.monotonic)
        self._clock = clock
        self._stack = stack

    @classmethod
    def open(
        cls,
        config: ArchiveConfig,
        *,
        clock: Callable[[], datetime],
        notify: Notify = lambda _: None,
        random: Callable[[int], bytes] = secrets.token_bytes,
        lasting: bool = False,
    ) -> Self:
        """Keys and log are made on first use; the store is probed once a day; what a dead run left is submitted.

        ``lasting``: many runs will share it, side by side, as in a worker.
        """
        with ExitStack() as stack:
            home = Home.open(config.home, clock=clock, random=random, key_specs=config.key_specs)
            if home.first_use:
                _introduce(home, notify)
            timekeeping.believe(home, config)
            _make_directory(config)
            store = stack.enter_context(store_of(config))

            def retain_until() -> datetime:
                return config.retain_until(clock())

            scribe = Scribe(store, home.signers.worker, clock=clock, retain_until=retain_until, random=random)
            report: ProbeReport | None = None
            sequencer: Ledger
            if home.signers.log is None:
                # Whoever holds the log key has probed this store before the log was begun in it; the probe needs
                # rights that a worker should not have.
                sequencer = _submitting(home, store, retain_until, config.inbox_wait_s)
            else:
                report = _probe_when_due(home, store, clock=clock, random=random)
                sequencer = open_log(home, store, clock=clock, retain_until=retain_until, random=random)
            stack.callback(sequencer.close)
            sealing = Sealing(
                sequencer,
                scribe,
                [
                    timekeeping.authority(
                        each, store=store, log=sequencer.log, retain_until=retain_until, random=random
                    )
                    for each in timekeeping.asked(home, config)
                ],
                acquaintances=timekeeping.acquaintances(home, clock),
                turn_lock=home.state_dir(sequencer.log) / "sealing.lock",
            )
            scribe = Scribe(
                store,
                home.signers.worker,
                clock=clock,
                retain_until=retain_until,
                random=random,
                anchor=sealing.anchor,
            )
            if report is not None:
                subject = scribe.detail("probe.json", report.to_json())
                chain = f"log:{keyspace.slug(sequencer.log)}"
                body: dict[str, Json] = {"passed": report.passed, "bypass": report.bypass}
                sequencer.append([scribe.event("storage.probed", chain=chain, subject=subject, body=body)])
                _remember_probe(home, store, clock())
            spool = Spool(home.spool, clock=clock)
            scribe_for = _scribes_by_case(config, sequencer, scribe, clock)
            _tell(recover(spool, sequencer=sequencer, scribe=scribe, scribe_for=scribe_for), notify)
            if config.dsn is not None:
                catalog = Catalog.open_shared(config.dsn, sequencer.log)
            else:
                catalog = Catalog.open(home.catalog)
            stack.callback(catalog.close)
            return cls(
                config=config,
                home=home,
                store=store,
                sequencer=sequencer,
                scribe=scribe,
                timekeeper=Timekeeper(sealing, sequencer, lasting=lasting),
                cases=Cases(sequencer, store),
                spool=spool,
                catalog=catalog,
                clock=clock,
                stack=stack.pop_all(),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.timekeeper.close()
        self._stack.close()

    def scribe_of(self, signer: Signer) -> Scribe:
        """Writes as ``scribe`` does, signed by another key, such as a person's."""
        return self.scribe.signed_by(signer)

    def scribe_for(self, scope: str) -> Scribe:
        """Writes as ``scribe`` does, and locks what it stores for as long as this case is kept."""
        return _scribes_by_case(self.config, self.sequencer, self.scribe, self._clock)(scope)

    def _scribes_of_looks(self, scope: str) -> dict[Class, Scribe]:
        """As ``scribe_for``, by what may come of a scheduled look: each locks for as long as that is kept."""
        try:
            described = Briefs(self.sequencer, self.store).current(scope)
            days = keeping.days_of(self.config, {} if described is None else described.brief.thresholds)
        except BriefLost:  # nobody knows how long the case wanted it kept: as everything
            days = dict.fromkeys(Class, self.config.retention_days)
        return {each: self._scribe_keeping(scope, count) for each, count in days.items()}

    def _scribe_keeping(self, scope: str, days: int) -> Scribe:
        config = replace(self.config, retention_days=days)
        scribe = self.scribe.keeping(lambda: config.retain_until(self._clock()))
        return _scribes_by_case(config, self.sequencer, scribe, self._clock)(scope)

    def open_case(self, name: str) -> str:
        """The scope of the case with this name, which is opened if there is none."""
        return self.cases.open(name, self.sequencer, self.scribe, remembered=self._remembered_cases)

    def recover(self) -> Recovered:
        """Bring to its end what runs of this home have left that died since it was opened."""
        scribe_for = _scribes_by_case(self.config, self.sequencer, self.scribe, self._clock)
        return recover(self.spool, sequencer=self.sequencer, scribe=self.scribe, scribe_for=scribe_for)

    def advance_catalog(self) -> None:
        """To the newest commit in the store, whoever made it."""
        self.catalog.advance(self.store, self.sequencer.reader, self.packs)

    def _advance_so_far(self) -> None:
        """As far as the log was read on for what this process has appended."""
        read = self.sequencer.position.n or None
        self.catalog.advance(self.store, self.sequencer.reader, self.packs, to=read)

    @property
    def packs(self) -> Packs:
        """The catalogue's rows in the store; written where the log's key is."""
        return Packs(self.sequencer.reader, vkey=self.home.trust.log, signer=self.home.signers.log)

    def pack_catalog(self) -> None:
        """Where it is due. Raises ``Refused`` and ``StoreError``."""
        if self.packs.is_due(self.catalog.database):
            self.packs.write(self.catalog.database)

    def unpack_disposed(self) -> None:
        """After a disposal: what was packed before is made anew without it; without the log's key, removed."""
        packs = self.packs
        if not packs.has_any():
            return
        if self.home.signers.log is None:
            packs.remove()
        else:
            packs.write(self.catalog.database)

    def captured_before(self, key: str) -> list[str]:
        """When a page was captured before, newest first, as far as the catalogue was brought up to date."""
        return [format_utc(each.started_at) for each in self.catalog.by_url(key)]

    def begin(self, case: str, described: Mapping[str, Json], operator: str | None) -> Acquisition:
        """Open a run in a case. Its first stamp is asked for, and waited for no longer than a vanishing post allows."""
        scope = self.open_case(case)
        run = self.scribe.new_id()
        acquisition = Acquisition(
            run=run,
            scope=scope,
            scribe=self.scribe_for(scope),
            log=self.timekeeper if self.sequencer.orders else self.sequencer,
            spool=self.spool.run(run),
            advance_catalog=self.cataloguing.tell,
            case_name=case,
            classes=self._scribes_of_looks(scope),
        )
        try:
            worker = keys.keyid(self.home.signers.worker.public_key)
            acquisition.open(
                {**described, "operator": operator, "worker": worker, "clock": self._read_clock()},
                with_first=self.timekeeper.is_lasting,
            )
        except BaseException:
            acquisition.close_run()
            raise
        if self.sequencer.orders:
            self.timekeeper.begin()
        return acquisition

    def finish(
        self,
        acquisition: Acquisition,
        *,
        lost: tuple[Lost, ...],
        unfinished: tuple[str, ...],
        interrupted: bool,
        notices: tuple[str, ...],
        controls: Mapping[str, Json] | None = None,
    ) -> Result:
        """Close the run and ask for trusted time over all of it.

        ``controls``: what came of the run's control captures, by ``start`` and ``end``; kept in the run's end.

        Store, log or disk may be gone by now: what was recorded is told all the same, and ``trouble`` says what failed.
        """
        said = list(notices)
        trouble: list[str] = []
        captured = acquisition.captured
        counts = {
            "captures": len(captured),
            **{status.value: sum(each.status is status for each in captured) for status in Status},
            "lost": len(lost),
        }
        ended: dict[str, Json] = {"lost": [each.capture_id for each in lost], "interrupted": interrupted}
        if controls is not None:
            ended["control"] = controls
        try:
            acquisition.close(counts, {**ended, "clock": self._read_clock()})
        except ArchiveError as error:
            trouble.append(f"the run's end could not be recorded: {error}")
        try:
            self.cataloguing.catch_up()
            self.pack_catalog()
        except Refused:
            pass  # the bucket locks all: there are no packs in it, and that is told where they are asked for
        except ArchiveError as error:
            said.append(f"the catalogue is behind, and the next command brings it up to date: {error}")
        waiting = 0
        if not self.sequencer.orders:
            try:
                waiting = acquisition.settle(INTERRUPTED_S if interrupted else self.config.inbox_wait_s)
            except ArchiveError as error:
                trouble.append(f"what became of the captures in the inbox could not be read: {error}")
        if waiting:
            said.append(f"{waiting} captures wait in the inbox: run `counterproof sequence` where the log key is")
        try:
            timed = self.timekeeper.so_far(trouble[0]) if trouble else self.timekeeper.finish(interrupted=interrupted)
        except ArchiveError as error:
            trouble.append(f"trusted time could not be asked for: {error}")
            timed = self.timekeeper.so_far(trouble[-1])
        try:
            for each in captured:
                acquisition.visit_spool(each.capture_id).remove()
            for look in acquisition.unchanged:
                acquisition.visit_spool(look.capture_id).remove()
            if not acquisition.close_run() and not waiting:
                said.append("what could not be submitted waits in the spool; the next capture submits it")
        except ArchiveError as error:
            trouble.append(f"the spool could not be cleared, and the next capture does it: {error}")
        finally:
            self.timekeeper.stop()
        return Result(
            run=acquisition.run,
            case_id=acquisition.scope,
            case_name=acquisition.case_name,
            store=self.store.name,
            log=self.sequencer.log,
            sealing=timed,
            captures=tuple(captured),
            lost=lost,
            unfinished=unfinished,
            interrupted=interrupted,
            notices=(*said, *trouble),
            trouble="; ".join(trouble),
            controls=controls or {},
            unchanged=tuple(acquisition.unchanged),
        )

    @property
    def _remembered_cases(self) -> Path:
        return self.home.state_dir(self.sequencer.log) / "cases.json"

    def _read_clock(self) -> Json:
        return read_clock(os.environ, clock=self._clock).to_json()


def _scribes_by_case(
    config: ArchiveConfig, ledger: Ledger, scribe: Scribe, clock: Callable[[], datetime]
) -> Callable[[str], Scribe]:
    """Locks a case's blobs for as long as was set for it; the setting is the least."""

    def scribe_for(scope: str) -> Scribe:
        set_for = (each for each in ledger.events("retention.set") if each.event.chain == f"scope:{scope}")
        days = max((int(str(each.event.body["days"])) for each in set_for), default=0)
        if days <= config.retention_days:
            return scribe
        longer = replace(config, retention_days=days)
        return scribe.keeping(lambda: longer.retain_until(clock()))

    return scribe_for


def _submitting(home: Home, store: ObjectStore, retain_until: Callable[[], datetime], wait_s: float) -> Inbox:
    log = home.trust.log.name
    inbox = Inbox(
        store,
        trust=home.trust,
        worker=keys.keyid(home.signers.worker.public_key),
        state_dir=home.state_dir(log),
        retain_until=retain_until,
        wait_s=wait_s,
    )
    try:
        inbox.open()
    except BaseException:
        inbox.close()
        raise
    return inbox


def _introduce(home: Home, notify: Notify) -> None:
    """The public halves, as text that can be copied: whoever verifies later needs to have them from elsewhere."""
    root = home.signers.need_root().public_key
    notify(f"made keys in {home.keys} and the trust file {home.trust_file} (sha256 {home.trust.digest.hex})")
    notify(f"root public key  {base64.b64encode(root).decode()} (id {keys.keyid(root)})")
    notify(f"log public key   {home.trust.log.format()}")
    notify("back up keys/ and trust.json; give trust.json to whoever is to verify")


def _tell(recovered: Recovered, notify: Notify) -> None:
    if recovered.submitted:
        notify(f"the ends of {len(recovered.submitted)} captures that earlier runs left are in the log now")
    if recovered.abandoned:
        notify(f"{len(recovered.abandoned)} captures of a run that died are recorded as abandoned")
    if recovered.waiting:
        notify(
            f"{len(recovered.waiting)} captures of earlier runs wait in the inbox: run `counterproof sequence` where "
            "the log key is"
        )
    for problem in recovered.problems:
        notify(problem)


def _make_directory(config: ArchiveConfig) -> None:
    """A writer may begin a directory store; a reader is told when there is none."""
    if config.store_url is not None and config.store_url.startswith("file:"):
        disk.make_directory(Path(config.store_url.removeprefix("file:").removeprefix("//")).expanduser())


def _probe_file(home: Home) -> Path:
    return home.cache / "probed.json"


def _probe_when_due(
    home: Home, store: ObjectStore, *, clock: Callable[[], datetime], random: Callable[[int], bytes]
) -> ProbeReport | None:
    """Once per store and day, since locked probes stay a while. Raises ``StoreUnsafe``."""
    if _probes(_probe_file(home)).get(store.name) == clock().date().isoformat():
        return None
    return probe(store, clock=clock, random=random)


def _remember_probe(home: Home, store: ObjectStore, at: datetime) -> None:
    path = _probe_file(home)
    known = _probes(path)
    known[store.name] = at.date().isoformat()
    disk.replace_file(path, json.dumps(known).encode())


def _probes(path: Path) -> dict[str, str]:
    with disk.trouble(path):
        if not path.exists():
            return {}
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            return {}  # a cache that cannot be read is a probe that is made again
    return {str(name): str(day) for name, day in known.items()} if isinstance(known, dict) else {}
