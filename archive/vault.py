"""The vault: what a writer of evidence needs, opened once: home, store, log, trusted time, spool, catalogue."""

import base64
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from archive import disk
from archive.acquisition import Acquisition
from archive.authority import Authority, Stamped
from archive.cases import Cases
from archive.catalog import Catalog
from archive.clock import read_clock
from archive.config import ArchiveConfig
from archive.errors import LogError, StoreError
from archive.genesis import open_log
from archive.home import Home
from archive.probe import ProbeReport, probe
from archive.reader import store_of
from archive.recovery import Recovered, recover
from archive.result import Lost, Result
from archive.result import Sealing as Time
from archive.scribe import Scribe
from archive.sealing import Sealed, Sealing
from archive.sequencer import Sequencer
from archive.spool import Spool
from archive.store import ObjectStore
from custody import keys, keyspace
from custody.instant import format_utc
from custody.keys import Signer
from custody.model import Json, Status
from custody.trust import Authority as Believed

FIRST_STAMP_S = 2.0
"""A post that is vanishing comes first: no capture waits longer for trusted time."""
STAMP_S = 15.0

Notify = Callable[[str], None]


class Vault:
    """Blocking and safe for threads. Use it as a context manager: leaving it lets go of the embedded store."""

    def __init__(
        self,
        *,
        config: ArchiveConfig,
        home: Home,
        store: ObjectStore,
        sequencer: Sequencer,
        scribe: Scribe,
        sealing: Sealing,
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
        self._sealing = sealing
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
    ) -> Self:
        """Keys and log are made on first use; the store is probed once a day; what a dead run left is submitted."""
        with ExitStack() as stack:
            home = Home.open(config.home, clock=clock, random=random)
            if home.first_use:
                _introduce(home, notify)
            _believe(home, config)
            _make_directory(config)
            store = stack.enter_context(store_of(config))

            def retain_until() -> datetime:
                return config.retain_until(clock())

            scribe = Scribe(store, home.signers.worker, clock=clock, retain_until=retain_until, random=random)
            report = _probe_when_due(home, store, clock=clock, random=random)
            sequencer = open_log(home, store, clock=clock, retain_until=retain_until, random=random)
            stack.callback(sequencer.close)
            authorities = [
                Authority(
                    each, store=store, log=sequencer.log, retain_until=retain_until, timeout_s=STAMP_S, random=random
                )
                for each in _asked(home, config)
            ]
            sealing = Sealing(sequencer, scribe, authorities)
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
            _tell(recover(spool, sequencer=sequencer, scribe=scribe), notify)
            catalog = Catalog.open(home.catalog)
            stack.callback(catalog.close)
            return cls(
                config=config,
                home=home,
                store=store,
                sequencer=sequencer,
                scribe=scribe,
                sealing=sealing,
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
        self._stack.close()

    def scribe_of(self, signer: Signer) -> Scribe:
        """Writes as ``scribe`` does, signed by another key, such as a person's."""
        return self.scribe.signed_by(signer)

    def advance_catalog(self) -> None:
        self.catalog.advance(self.store, self.sequencer.reader)

    def captured_before(self, key: str) -> list[str]:
        """When a page was captured before, newest first; from the catalogue, brought up to date."""
        self.advance_catalog()
        return [format_utc(each.started_at) for each in self.catalog.by_url(key)]

    def begin(self, case: str, described: Mapping[str, Json], operator: str | None) -> Acquisition:
        """Open a run in a case. Its first stamp is asked for, and waited for no longer than a vanishing post allows."""
        scope = self.cases.open(case, self.sequencer, self.scribe)
        run = self.scribe.new_id()
        acquisition = Acquisition(
            run=run,
            scope=scope,
            scribe=self.scribe,
            log=self.sequencer,
            spool=self.spool.run(run),
            advance_catalog=self.advance_catalog,
            case_name=case,
        )
        try:
            worker = keys.keyid(self.home.signers.worker.public_key)
            receipt = acquisition.open(
                {**described, "operator": operator, "worker": worker, "clock": read_clock().to_json()}
            )
        except BaseException:
            acquisition.close_run()
            raise

        def stamp() -> None:
            try:
                self._sealing.seal([receipt])
            except (StoreError, LogError):
                return  # the end of the run asks again, and says what came of it

        first = threading.Thread(target=stamp, name="first-stamp", daemon=True)
        first.start()
        first.join(FIRST_STAMP_S)
        return acquisition

    def finish(
        self,
        acquisition: Acquisition,
        *,
        lost: tuple[Lost, ...],
        unfinished: tuple[str, ...],
        interrupted: bool,
        notices: tuple[str, ...],
    ) -> Result:
        """Close the run and ask for trusted time over all of it. A store that is gone by now is a notice."""
        said = list(notices)
        time = Time(time="unavailable", sealed_size=0, detail="the run's end could not be recorded")
        captured = tuple(acquisition.captured)
        counts = {
            "captures": len(captured),
            **{status.value: sum(each.status is status for each in captured) for status in Status},
            "lost": len(lost),
        }
        try:
            receipt = acquisition.close(
                counts, {"lost": [each.capture_id for each in lost], "interrupted": interrupted}
            )
            time = _time(self._sealing.seal([receipt]))
        except (StoreError, LogError) as error:
            said.append(f"the run's end could not be recorded: {error}")
        for each in captured:
            acquisition.visit_spool(each.capture_id).remove()
        if not acquisition.close_run():
            said.append("what could not be submitted waits in the spool; the next capture submits it")
        return Result(
            run=acquisition.run,
            case_id=acquisition.scope,
            case_name=acquisition.case_name,
            store=self.store.name,
            log=self.sequencer.log,
            sealing=time,
            captures=captured,
            lost=lost,
            unfinished=unfinished,
            interrupted=interrupted,
            notices=tuple(said),
        )


def _introduce(home: Home, notify: Notify) -> None:
    """The public halves, as text that can be copied: whoever verifies later needs to have them from elsewhere."""
    root = home.signers.need_root().public_key
    notify(f"made keys in {home.keys} and the trust file {home.trust_file} (sha256 {home.trust.digest.hex})")
    notify(f"root public key  {base64.b64encode(root).decode()} (id {keys.keyid(root)})")
    notify(f"log public key   {home.trust.log.format()}")
    notify("back up keys/ and trust.json; give trust.json to whoever is to verify")


def _tell(recovered: Recovered, notify: Notify) -> None:
    if recovered.submitted:
        notify(f"submitted the ends of {len(recovered.submitted)} captures that an earlier run could not submit")
    if recovered.abandoned:
        notify(f"{len(recovered.abandoned)} captures of a run that died are recorded as abandoned")
    for problem in recovered.problems:
        notify(problem)


def _time(sealed: Sealed) -> Time:
    if sealed.sealed and sealed.size is not None:
        names = ", ".join(each.authority for each in sealed.stamps)
        return Time(time="trusted", sealed_size=sealed.size, detail=f"stamped by {names}")
    if not sealed.stamps:
        return Time(
            time="not_configured", sealed_size=0, detail="no time-stamp authority is configured (--authority URL)"
        )
    detail = "; ".join(f"{each.authority}: {each.reason}" for each in sealed.stamps)
    came = any(isinstance(each, Stamped) for each in sealed.stamps)
    return Time(time="unverified" if came else "unavailable", sealed_size=0, detail=detail)


def _make_directory(config: ArchiveConfig) -> None:
    """A writer may begin a directory store; a reader is told when there is none."""
    if config.store_url is not None and config.store_url.startswith("file:"):
        disk.make_directory(Path(config.store_url.removeprefix("file:").removeprefix("//")).expanduser())


def _believe(home: Home, config: ArchiveConfig) -> None:
    """Authorities named for this run go into the trust file, with their roots when given."""
    roots = ""
    if config.authority_roots is not None:
        with disk.trouble(config.authority_roots):
            roots = config.authority_roots.read_text(encoding="ascii", errors="replace")
    for url in config.authorities or ():
        home.add_authority(url, roots)


def _asked(home: Home, config: ArchiveConfig) -> list[Believed]:
    """Those named for this run; when nobody has said anything, those of the trust file."""
    believed = home.trust.authorities
    if config.authorities is None:
        return list(believed)
    return [each for each in believed if each.url in config.authorities]


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
