"""Timekeeping: trusted time for one writer, asked for as a run begins, while it goes on, and at its end."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from archive import authorities, disk
from archive.authority import Authority, Stamped
from archive.config import ArchiveConfig
from archive.errors import ArchiveError
from archive.home import Home
from archive.ledger import Ledger
from archive.pacing import AT_MOST_EVERY_S, Acquaintances, Pace, Stamper
from archive.receipt import Receipt
from archive.result import Sealing as Time
from archive.sealing import WITHIN_S, Sealed, Sealing
from archive.store import ObjectStore
from custody.event import Envelope
from custody.trust import Authority as Believed

FIRST_STAMP_S = 2.0
"""A post that is vanishing comes first: no capture waits longer for trusted time."""
LAST_STAMP_S = 35.0
"""What a run's end waits for all authorities together, with the pause that some ask for between requests."""
_LATER = "this worker asks for it every minute, and no look waits for that"
INTERRUPTED_S = 10.0
"""The same for somebody who has pressed Ctrl-C."""


class Timekeeper:
    """Of one writer. As a log it is the writer's own, and hears of each leaf on the way."""

    def __init__(
        self,
        sealing: Sealing,
        log: Ledger,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
        lasting: bool = False,
    ) -> None:
        """``lasting``: for a worker, whose many runs share it. It asks at its pace, and no run waits for it."""
        self._lasting = lasting
        self.sealing = sealing
        self.log = log.log
        self._log = log
        self._monotonic = monotonic
        self._pace = pace or Pace()
        self._stamper: Stamper | None = None

    @property
    def is_lasting(self) -> bool:
        return self._lasting

    def submit(self, envelopes: Sequence[Envelope], *, patience_s: float = 0.0) -> tuple[Receipt | None, ...]:
        receipts = self._log.submit(envelopes, patience_s=patience_s)
        self.note([each for each in receipts if each is not None])
        return receipts

    def wait(self, envelopes: Sequence[Envelope], within_s: float) -> tuple[Receipt | None, ...]:
        receipts = self._log.wait(envelopes, within_s)
        self.note([each for each in receipts if each is not None])
        return receipts

    def append(self, envelopes: Sequence[Envelope]) -> tuple[Receipt, ...]:
        receipts = self._log.append(envelopes)
        self.note(receipts)
        return receipts

    def note(self, receipts: Sequence[Receipt]) -> None:
        """These leaves want trusted time; whoever took them into the log elsewhere says so here."""
        self.sealing.note(receipts)
        if self._stamper is not None:
            self._stamper.tell()

    def begin(self) -> None:
        """Ask for a first stamp, wait a moment for it, and go on asking whenever it is time to."""
        if self._lasting and self._stamper is not None:
            return
        self._end()
        self._stamper = Stamper(
            pending=lambda: self.sealing.pending,
            stamp=self._stamp,
            monotonic=self._monotonic,
            pace=self._pace,
            look=self._look,
        )
        self._stamper.start()
        if not self._lasting:
            self._stamper.wait_for_first(FIRST_STAMP_S)

    def finish(self, *, interrupted: bool) -> Time:
        """Ask once more, and say what came of it. Raises ``ArchiveError`` when store, log or disk are not there."""
        if self._lasting:
            return self.so_far(_LATER if self.sealing.asks else "no time-stamp authority is configured")
        self._end()
        if not self.sealing.asks:
            return told(self.sealing.standing())
        return told(self.sealing.seal_noted(within_s=INTERRUPTED_S if interrupted else LAST_STAMP_S))

    def so_far(self, why: str) -> Time:
        """What is known without asking anybody, when asking is out of the question."""
        standing = self.sealing.standing()
        word = "unavailable" if self.sealing.asks else "not_configured"
        return Time(time=word, sealed_size=standing.proved, detail=why)

    def stop(self) -> None:
        """A run is over: no more requests from the background, unless others share it."""
        if not self._lasting:
            self._end()

    def close(self) -> None:
        """No more requests from the background; one that is under way ends by itself."""
        self._end()

    def _end(self) -> None:
        if self._stamper is not None:
            self._stamper.stop()
            self._stamper = None

    def _stamp(self) -> bool:
        try:
            # A little less than the pace, or two that are due at once would put each other off for ever.
            sealed = self.sealing.seal_noted(unless_asked_within_s=AT_MOST_EVERY_S / 2)
        except ArchiveError:
            return False  # the end of the run asks again, and says what came of it
        return sealed.sealed or not sealed.stamps

    def _look(self) -> float | None:
        try:
            return self.sealing.look()
        except ArchiveError:
            return None


def told(sealed: Sealed) -> Time:
    """As a command says it."""
    if sealed.sealed:
        return Time(
            time="trusted", sealed_size=sealed.proved, detail=f"stamped by {', '.join(sealed.by)}{_read(sealed)}"
        )
    if sealed.quorum is None:
        detail = "no time-stamp authority is configured (`counterproof authorities add`, or --authority URL)"
        return Time(time="not_configured", sealed_size=0, detail=detail)
    if not sealed.stamps and not sealed.by:
        return Time(time="unavailable", sealed_size=0, detail="nothing of this run is in the log yet")
    missing = [f"{each.authority}: {each.reason}" for each in sealed.stamps if each.authority not in sealed.by]
    have = f"{len(sealed.by)} of the {sealed.quorum} authorities that have to stamp have done so; " if sealed.by else ""
    if len(sealed.by) + len(missing) < sealed.quorum:
        missing.append(f"{sealed.quorum} have to stamp, and only {len(sealed.by) + len(missing)} were to be asked")
    came = any(isinstance(each, Stamped) and not each.trusted for each in sealed.stamps)
    return Time(
        time="unverified" if came else "unavailable",
        sealed_size=sealed.proved,
        detail=f"{have}{'; '.join(missing)}; `counterproof seal` asks again",
    )


def _read(sealed: Sealed) -> str:
    """Whose tokens we cannot read ourselves: whoever relies on them needs to know."""
    others = sealed.second_opinions
    return f" (the token of {', '.join(others)} is read by OpenSSL alone)" if others else ""


def believe(home: Home, config: ArchiveConfig) -> None:
    """Authorities named for this run go into the trust file, with their roots when given."""
    roots = "" if config.authority_roots is None else read_pem(config.authority_roots)
    for text in config.authorities or ():
        authorities.add(home, text, roots_pem=roots, must_have_roots=False)


def read_pem(path: Path) -> str:
    with disk.trouble(path):
        return path.read_text(encoding="ascii", errors="replace")


def asked(home: Home, config: ArchiveConfig) -> list[Believed]:
    """Those named for this run; when nobody has said anything, those of the trust file."""
    believed = home.trust.authorities
    if config.authorities is None:
        return list(believed)
    named = {authorities.url_of(each) for each in config.authorities}
    return [each for each in believed if each.url in named]


def acquaintances(home: Home, clock: Callable[[], datetime]) -> Acquaintances:
    return Acquaintances(home.cache / "authorities.json", clock=clock)


def authority(
    believed: Believed,
    *,
    store: ObjectStore,
    log: str,
    retain_until: Callable[[], datetime],
    random: Callable[[int], bytes],
) -> Authority:
    return Authority(
        believed,
        store=store,
        log=log,
        retain_until=retain_until,
        timeout_s=WITHIN_S,
        spacing_s=authorities.spacing_s(believed.url),
        random=random,
    )
