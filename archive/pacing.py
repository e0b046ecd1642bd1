"""When to ask for the time: seldom enough for those who give it, often enough for those who rest on it."""

import contextlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from archive import disk
from archive.errors import DiskError
from custody.errors import FormatError
from custody.instant import format_utc, parse_utc

AT_MOST_EVERY_S = 60.0
"""While new leaves arrive, a checkpoint is stamped this often and no oftener."""
AT_LEAST_EVERY_S = 300.0
"""An authority that does not answer is asked ever less often, down to this."""
LOOK_EVERY_S = 3.0
"""What another process has had stamped is looked for this often: it is stamped for all."""


class Pace:
    """Of one run. Knows no clock: every method is told the time, in seconds that only ever grow."""

    def __init__(self, *, at_most_every_s: float = AT_MOST_EVERY_S, at_least_every_s: float = AT_LEAST_EVERY_S) -> None:
        self._shortest = at_most_every_s
        self._longest = at_least_every_s
        self._asked: float | None = None
        self._in_vain = 0

    def wait(self, now: float, *, others_s: float | None = None) -> float:
        """Seconds until it is time to ask, if there is anything to ask about; 0: now.

        ``others_s``: seconds since anybody of this home asked last. What they had stamped is stamped for us, too, so
        that eight processes ask no oftener than one.
        """
        waits = 0.0
        if self._asked is not None:
            interval = min(self._longest, self._shortest * 2.0 ** min(self._in_vain, 10))
            waits = self._asked + interval - now
        if others_s is not None and others_s >= 0:
            waits = max(waits, self._shortest - others_s)
        return max(0.0, waits)

    def asked(self, now: float, *, sealed: bool) -> None:
        """We asked at ``now``; ``sealed``: as many answered as have to."""
        self._asked = now
        self._in_vain = 0 if sealed else self._in_vain + 1


class Stamper:
    """A thread that asks when it is time. Nothing waits for it, and what goes wrong in it is asked for again."""

    def __init__(
        self,
        *,
        pending: Callable[[], bool],
        stamp: Callable[[], bool],
        monotonic: Callable[[], float],
        pace: Pace | None = None,
        look: Callable[[], float | None] = lambda: None,
    ) -> None:
        """``pending``: is there a leaf without trusted time? ``stamp``: ask, and say whether all of them have it.

        ``look``: take over what others have had stamped, and say how many seconds ago anybody asked.
        """
        self._pending = pending
        self._stamp = stamp
        self._look = look
        self._monotonic = monotonic
        self._pace = pace or Pace()
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._stepped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stamper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, *, within_s: float = 0.0) -> None:
        """Asks no more. A request that is under way ends by itself."""
        self._stopping.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(within_s)

    def wait_for_first(self, seconds: float) -> None:
        """For its first request to come to something, and no longer than that."""
        self._stepped.wait(seconds)

    def tell(self) -> None:
        """There is a new leaf."""
        self._news.set()

    def step(self) -> float | None:
        """Ask if it is time to. Seconds until the next look; None: not before there is news."""
        if not self._pending():
            return None
        others_s = self._look()
        if not self._pending():
            return None
        began = self._monotonic()
        if (wait := self._pace.wait(began, others_s=others_s)) > 0:
            return wait if others_s is None else min(wait, LOOK_EVERY_S)
        self._pace.asked(began, sealed=self._stamp())
        return self._pace.wait(self._monotonic()) if self._pending() else None

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._news.clear()
            wait = self.step()
            self._stepped.set()
            if wait is None:
                self._news.wait()
            else:
                self._stopping.wait(wait)


@dataclass(frozen=True, kw_only=True, slots=True)
class Acquaintance:
    """What this home remembers of an authority."""

    asked_at: datetime | None = None
    """When a request was sent last, by any process of this home."""
    signer_ends: datetime | None = None
    """When the certificate ends that signed the newest token that held."""


class Acquaintances:
    """By authority id, in a file that can be deleted: then the first request comes without a pause."""

    def __init__(self, path: Path | None, *, clock: Callable[[], datetime]) -> None:
        """Without a path nothing is remembered."""
        self._path = path
        self._clock = clock

    def of(self, authority: str) -> Acquaintance:
        return self._read().get(authority, Acquaintance())

    def turn(self, authority: str, spacing_s: float, *, within_s: float) -> float | None:
        """Take the next turn to ask: seconds to wait for it. Whoever comes next, from any process, waits longer.

        None: it would not come in time, and is left to somebody else.
        """
        now = self._clock()
        waits = timedelta()

        def take(known: Acquaintance) -> Acquaintance:
            nonlocal waits
            # A time in the far future is another clock's: it must not keep us from asking for ever.
            if known.asked_at is not None and known.asked_at - now < timedelta(seconds=10 * spacing_s):
                waits = max(timedelta(), known.asked_at + timedelta(seconds=spacing_s) - now)
            return known if waits.total_seconds() > within_s else replace(known, asked_at=now + waits)

        self._change(authority, take)
        return None if waits.total_seconds() > within_s else waits.total_seconds()

    def since_asked_s(self) -> float | None:
        """Seconds since any of them was asked last by any process of this home; None: nobody knows."""
        now = self._clock()
        ages = [(now - each.asked_at).total_seconds() for each in self._read().values() if each.asked_at is not None]
        return min((each for each in ages if each >= 0), default=None)

    def note_signer(self, authority: str, ends: datetime) -> None:
        self._change(authority, lambda known: replace(known, signer_ends=ends))

    def _change(self, authority: str, change: Callable[[Acquaintance], Acquaintance]) -> None:
        if self._path is None:
            change(Acquaintance())
            return
        # A memory that cannot be kept is no reason not to ask for the time.
        with contextlib.suppress(DiskError), disk.exclusive(self._path.with_suffix(".lock")):
            before = self._read()
            known = before.get(authority, Acquaintance())
            if (changed := change(known)) != known:
                self._write(self._path, {**before, authority: changed})

    def _write(self, path: Path, known: Mapping[str, Acquaintance]) -> None:
        document = {
            name: {
                "asked_at": None if each.asked_at is None else format_utc(each.asked_at),
                "signer_ends": None if each.signer_ends is None else format_utc(each.signer_ends),
            }
            for name, each in known.items()
        }
        disk.replace_file(path, json.dumps(document).encode())

    def _read(self) -> dict[str, Acquaintance]:
        if self._path is None:
            return {}
        try:
            document: Any = json.loads(self._path.read_text(encoding="utf-8"))
            return {
                str(name): Acquaintance(asked_at=_instant(each["asked_at"]), signer_ends=_instant(each["signer_ends"]))
                for name, each in document.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, FormatError):
            return {}


def _instant(text: Any) -> datetime | None:
    return None if text is None else parse_utc(str(text))
