"""The traffic of one visit, from its first request to the file: begun before the page is gone to, never again."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from archive.errors import ArchiveError
from crawlers.answers import reached_for
from crawlers.connection import Connection
from crawlers.recording.account import Lack, lack_of, section, words
from crawlers.recording.desk import Desk, File
from crawlers.recording.recorder import Companion, Recorder
from crawlers.recording.scratch import Scratch
from crawlers.recording.turn import Turn
from crawlers.recording.warc import MEDIA_TYPE, Made, WarcFile, information
from crawlers.recording.withholding import Withholding
from crawlers.tab import Tab, TabTrouble
from custody.model import Json, Role, Snapshot

NAME = "traffic.warc.gz"
_SCRATCH = ".bodies"
# As browsertrix names what it makes of a page, so that tools for its archives know them.
_MADE = {Role.VIEWPORT: "urn:view:", Role.SCREENSHOT: "urn:fullPage:", Role.DOM: "urn:dom:"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What came of it."""

    snapshot: Snapshot | None
    section: Mapping[str, Json]
    lacks: str
    """Why the capture is not whole for it, in words; empty where it is."""
    quarantine: Mapping[str, Json]
    """Empty where nothing was withheld."""


class Traffic:
    """Whatever goes wrong with it is said, and costs the visit nothing else."""

    def __init__(
        self,
        desk: Desk,
        clock: Callable[[], datetime],
        *,
        withholding: Withholding | None = None,
        companion: Companion | None = None,
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._withholding = withholding or Withholding()
        self._companion = companion
        self._begun = clock()
        self._scratch: Scratch | None = None
        self._recorder: Recorder | None = None
        self._trouble: str | None = None
        self.tab: Tab | None = None
        """The visit's tab over the recorder's session, on which the network tells of itself; None where it does not."""

    async def begin(self, tab: Tab) -> None:
        """Before anything is asked of the site. Never raises."""
        try:
            limits = self._desk.limits
            self._scratch = Scratch(self._desk.folder / _SCRATCH, each=limits.each, total=limits.visit)
            info = (await tab.send("Target.getTargetInfo"))["targetInfo"]
            wire, (page, beside) = await tab.wire(), await tab.second()
            self._recorder = Recorder(
                wire,
                page,
                self._scratch,
                self._clock,
                context=info.get("browserContextId", ""),
                withholding=self._withholding,
                companion=self._companion,
            )
            await self._recorder.open(info["targetId"])
            self.tab = beside
        except (TabTrouble, TimeoutError) as error:
            self._trouble = f"the browser let nobody record: {error or type(error).__name__}"
        except OSError as error:
            self._trouble = f"the disk took no bodies: {error.strerror}"

    @property
    def trouble(self) -> str | None:
        """Why, from some moment on, not everything is recorded, nor what is done to the page."""
        return self._trouble or (self._recorder.trouble if self._recorder is not None else None)

    @property
    def unheard(self) -> int:
        """Frames and workers that let nobody listen."""
        return len(self._recorder.unheard) if self._recorder is not None else 0

    async def end(
        self,
        *,
        url: str,
        browser: str,
        made: Sequence[Snapshot],
        downloads: bool,
        waits: bool,
        shown_at: Mapping[str, str] | None = None,
        drops: bool = False,
    ) -> Recorded:
        """The file and the record's section. Raises DiskError, as for every other file of the visit.

        ``made``: what was kept of the page; ``waits``: there may be more to come from the browser; ``shown_at``: the
        address of each file that was made of another page than ``url``, by its name. ``drops``: counted, and not kept.
        """
        recorder, scratch = self._recorder, self._scratch
        addresses = shown_at or {}
        try:
            if recorder is None or scratch is None:
                return self._nothing()
            await recorder.close(waits=waits)
            self._desk.shut()
            self._trouble = self._trouble or recorder.trouble
            turns = [turn for turn in recorder.ledger if not turn.from_cache]
            quarantine = self._withholding.apply(recorder.ledger)
            url = self._withholding.address(url, self._clock())
            if downloads:
                for turn in turns:
                    turn.is_download = turn.kind == "Document" and not turn.whole
            if not turns and self._trouble is not None:
                return self._nothing()
            lacks = [lack for turn in turns if (lack := lack_of(turn)) is not None]
            if recorder.ledger.more:
                lacks.append(Lack(turn=None, reason="over_limit", detail=f"{recorder.ledger.more} more", counts=True))
            if unopened := len(recorder.ledger.unopened):
                detail = f"{unopened} web sockets of a worker, opened before it could be listened to"
                lacks.append(Lack(turn=None, kind="WebSocket", reason="not_listened_to", detail=detail, counts=True))
            for kind, why in recorder.unheard:
                lacks.append(Lack(turn=None, kind=kind, reason="not_listened_to", detail=why, counts=True))
            said = section(turns, lacks, trouble=self._trouble)
            if drops:
                return Recorded(snapshot=None, section=said, lacks="", quarantine=quarantine)
            connections = list(self._desk.connections())

            def write(file: File) -> None:
                warc = WarcFile(file, scratch, address=lambda turn: address_of(turn, connections))
                warc.information(information(browser, self._desk.software), self._begun)
                for turn in turns:
                    warc.turn(turn)
                for snapshot in made:
                    if snapshot.role in _MADE:
                        page = addresses.get(snapshot.name, url)
                        warc.resource(Made(snapshot=snapshot, uri=f"{_MADE[snapshot.role]}{page}"))
                facts = {**said, "connections": [each.to_json() for each in connections]}
                warc.metadata(lacks, facts, url, self._clock())

            snapshot = await asyncio.to_thread(self._desk.fill, Role.WARC, NAME, MEDIA_TYPE, write)
            reasons = [each for each in (words(lacks), self._trouble or "") if each]
            return Recorded(snapshot=snapshot, section=said, lacks="; ".join(reasons), quarantine=quarantine)
        except ArchiveError:
            raise
        except Exception as error:  # noqa: BLE001  # what was kept of the page must not go for a fault in here
            self._trouble = f"the file could not be written: {type(error).__name__}"
            return self._nothing()
        finally:
            self._desk.shut()
            if scratch is not None:
                with contextlib.suppress(OSError):
                    scratch.close()

    def _nothing(self) -> Recorded:
        why = self._trouble or "nothing was recorded"
        quarantine = self._withholding.apply(())
        return Recorded(snapshot=None, section={"trouble": why}, lacks=why, quarantine=quarantine)


def address_of(turn: Turn, connections: Sequence[Connection]) -> str | None:
    """Where the egress had connected to for it: the browser itself knows the egress's address only."""
    reached = reached_for(turn.url, turn.answered_at, connections)
    return reached.address if reached else None
