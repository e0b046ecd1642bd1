"""A second observer: the same pages, at the same time, by another process with keys and a browser of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from archive import disk, observers
from archive.config import STORE_URL, ArchiveConfig
from archive.derived import Derived
from archive.errors import ArchiveError, UsageError
from archive.home import Home
from archive.observers import Agreement, Operator
from archive.reader import open_reader
from archive.result import Captured, Result
from archive.vault import Notify, Vault
from crawlers.address import host_of
from crawlers.contrast import observed_twice
from crawlers.pictures.printing import MAKER
from crawlers.program import code_sha256
from crawlers.session import Job
from crawlers.sessions import now
from crawlers.upstream import VARIABLE as PROXY
from crawlers.upstream import Upstream
from custody import keys
from custody.digest import Digest
from custody.errors import TrustError
from custody.trust import Trust

SECOND_PROXY = "COUNTERPROOF_OBSERVER_PROXY"
"""The second observer's way out, where no option says it."""
WITHIN_S = 60
"""Two looks that are further apart are not called at the same time."""
_END_S = 60.0
"""For the other one, once ours is done: twice the time of a page more than it was given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What was typed about the second observer."""

    home: Path | None = None
    """None: one of our own, below our home, with a log and a store of its own."""
    store: str | None = None
    device: str | None = None
    """None: as the first."""
    proxy: str | None = None
    trust: Path | None = None
    """Of the other operator; None: it is the same one."""


@dataclass(slots=True)
class Second:
    """Runs beside our own looks. Used as a context: it is not left running."""

    wishes: Wishes
    case: str
    urls: Sequence[str]
    options: Mapping[str, Any]
    ours: Path
    environment: Mapping[str, str] = field(repr=False)
    notify: Notify
    store: str | None = None
    _process: "subprocess.Popen[str] | None" = None
    _home: Path = field(default=Path())

    @classmethod
    def of_job(cls, job: Job, wishes: Wishes, config: ArchiveConfig, *, environment: Mapping[str, str]) -> Self:
        """Of a watched page: robots.txt holds for the second one as it does for the first."""
        profile = {"device": job.profile.device.value, "locale": job.profile.locale, "timezone": job.profile.timezone}
        overridden = any(host_of(each) in job.robots_overrides for each in job.urls)
        options = {
            **job.to_json(),
            "profile": profile,
            "robots": "record" if overridden else job.robots,
            "timeout_s": job.timeout_s,
            "delay_s": job.delay_s,
            "upstream": None,
        }
        return cls(
            wishes=wishes,
            case=job.case,
            urls=job.urls,
            options=options,
            ours=config.home,
            environment=environment,
            notify=lambda _: None,
            store=config.store_url,
        )

    def __enter__(self) -> Self:
        self._home = (self.wishes.home or self.ours / "observers" / "second").expanduser().absolute()
        if self.wishes.home is None:
            disk.make_directory(self._home.parent)
        elif not (self._home / "trust.json").is_file():
            raise UsageError(
                f"there is no home in {self._home}: make one by `counterproof keys enrol --home DIR`, or leave "
                "--observer-home out for one of this program's own"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def begin(self, vault: Vault) -> None:
        """Refuses a home that has our key, or not the trust file that it is said to have, and a way out that cannot be
        read; then it looks.
        """
        self.operator(vault)
        if self.wishes.proxy is not None:
            Upstream.parse(self.wishes.proxy)
        command = [sys.executable, "-m", "console", "capture", *self.urls, "--case", self.case, "--json"]
        command += ["--home", str(self._home), "--no-follow", "--progress", "none", "--authority", "none"]
        if self._is_worker(vault):
            command.remove("none")
            command.remove("--authority")
        for name, value in self._said():
            command += [name, value]
        if not self.options["control"]:
            command.append("--no-control")
        environment = dict(self.environment)
        if (proxy := self.wishes.proxy or self.options["upstream"]) is not None:
            environment[PROXY] = proxy  # a password is no option: the process list shows those to everybody
        if (store := self._store(vault)) is None:
            environment.pop(STORE_URL, None)
        else:
            command += ["--store", store]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )

    def operator(self, vault: Vault) -> Operator:
        """Whose word the second one's is. Raises ``UsageError``."""
        if not (self._home / "trust.json").is_file():
            return Operator.SAME  # it is made with its first look
        home = Home.open(self._home, clock=now)
        if home.signers.worker.public_key == vault.home.signers.worker.public_key:
            raise UsageError("the second observer signs with a key of its own: name another home by --observer-home")
        if self.wishes.trust is None:
            return Operator.SAME
        try:
            given = Trust.parse(self.wishes.trust.expanduser().read_bytes())
        except (OSError, TrustError) as error:
            raise UsageError(f"{self.wishes.trust} is no trust file that can be read: {error}") from error
        if given.digest != home.trust.digest:
            raise UsageError(f"the home {self._home} does not run under the trust file {self.wishes.trust}")
        shared = set(given.root_keys) & set(vault.home.trust.root_keys)
        if shared or given.log.name == vault.home.trust.log.name:
            raise UsageError("that trust file is our own operator's: it has our log, or one of our root keys")
        return Operator.OTHER

    def conclude(self, vault: Vault, result: Result) -> list[Agreement]:
        """When both have looked: each page's two captures compared, and the comparison in our log."""
        document = self._document()
        theirs = {str(each["requested_url"]): each for each in document.get("captures", ()) if each["parent"] is None}
        made = []
        config = ArchiveConfig.load(
            {name: value for name, value in self.environment.items() if name != STORE_URL},
            home=self._home,
            store_url=self._store(vault),
        )
        with open_reader(config) as reader:
            for each in result.captures:
                other = theirs.get(each.requested_url) if each.parent is None else None
                if other is not None:
                    made.append(self._compared(vault, each, other, reader.store, str(document["run"])))
        for each in result.captures:
            if each.parent is None and each.requested_url not in theirs:
                self.notify(f"the second observer has no capture of {each.requested_url}: nothing to compare")
        return made

    def _compared(  # both captures, and where each lies
        self, vault: Vault, ours: Captured, other: Mapping[str, Any], store: Any, their_run: str
    ) -> Agreement:
        prints = Derived.open(vault.home.cache, "prints", MAKER)
        comparison = observed_twice(
            vault.store, Digest(ours.record_sha256), store, Digest(str(other["record_sha256"])), prints=prints
        )
        their_home = Home.open(self._home, clock=now)
        scope = vault.open_case(self.case)
        ledger = vault.timekeeper if vault.sequencer.orders else vault.sequencer
        apart = abs((comparison.after.looked_at - comparison.before.looked_at).total_seconds())
        return observers.agree(
            comparison.to_json(),
            observers.Other(
                capture=str(other["id"]),
                record=Digest(str(other["record_sha256"])),
                log=their_home.trust.log.name,
                worker=keys.keyid(their_home.signers.worker.public_key),
                run=their_run,
                index=other["manifest"]["index"],
            ),
            operator=self.operator(vault),
            apart_s=round(apart),
            within_s=WITHIN_S,
            worker=keys.keyid(vault.home.signers.worker.public_key),
            scope=scope,
            index=ours.index,
            vault_log=vault.sequencer,
            scribe=vault.scribe_for(scope),
            submit=ledger.submit,
            by={"version": metadata.version("counterproof"), "code_sha256": code_sha256()},
        )

    def _document(self) -> Mapping[str, Any]:
        if self._process is None:
            raise ArchiveError("the second observer was never begun")
        try:
            out, err = self._process.communicate(timeout=float(self.options["timeout_s"]) * 2 + _END_S)
        except subprocess.TimeoutExpired as error:
            raise ArchiveError("the second observer did not come to its end: there is nothing to compare") from error
        try:
            document: Any = json.loads(out)
        except ValueError as error:
            last = (err.strip().splitlines() or ["it said nothing"])[-1]
            raise ArchiveError(f"the second observer came to no result: {last[:300]}") from error
        if "error" in document:
            raise ArchiveError(f"the second observer came to no result: {document['error']}")
        found: Mapping[str, Any] = document
        return found

    def _said(self) -> Iterator[tuple[str, str]]:
        """Our own options, but for what was said of the second."""
        profile: Mapping[str, str] = self.options["profile"]
        yield "--device", self.wishes.device or profile["device"]
        yield "--locale", profile["locale"]
        yield "--timezone", profile["timezone"]
        yield "--robots", self.options["robots"]
        yield "--timeout", str(self.options["timeout_s"])
        yield "--delay", str(self.options["delay_s"])
        yield "--per-host", str(self.options["per_host"])
        yield "--look-again", "0"
        for name, option in (("resolve", "--resolve"), ("allow_network", "--allow-network")):
            for each in self.options[name]:
                yield option, each
        for each in self.options["trust_spki"]:
            yield "--trust-spki", each

    def _is_worker(self, vault: Vault) -> bool:
        """Whether it writes into our own log."""
        if not (self._home / "trust.json").is_file():
            return False
        return Home.open(self._home, clock=now).trust.log.name == vault.home.trust.log.name

    def _store(self, vault: Vault) -> str | None:
        if self.wishes.store is not None:
            return self.wishes.store
        return self.store if self._is_worker(vault) else None
