"""Accesses: who looked at which capture and took which file, filed in the log where the console was told to.

Each is on disk before its answer goes out; some at a time become one ``evidence.accessed``, with the names of people in
its blob. Where they cannot be filed, nothing more is shown: a list with a gap that nobody sees is worse than none.
"""

import json
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from archive import disk
from archive.errors import ArchiveError, Refused
from archive.scribe import NONCE_BYTES, Scribe
from custody import canonical
from custody.instant import format_utc, parse_utc
from custody.model import Json

ACCESSED = "evidence.accessed"
SUBJECT = "accesses.jsonl"
EVERY_S = 60.0
_AGAIN = timedelta(minutes=5)
"""A look that is repeated within so long is one look."""
_MAX_REMEMBERED = 10_000


class Logbook(Protocol):
    """Where the event goes."""

    def append(self, envelopes: list[Any]) -> object: ...


OpenDesk = Callable[[], AbstractContextManager[tuple[Scribe, Logbook]]]
"""Opens what signs and what is appended to, for as long as it takes. Raises ``ArchiveError``."""


class Accesses:
    """Safe for threads; one process at a time has its journal."""

    def __init__(self, journal: Path, open_desk: OpenDesk, clock: Callable[[], datetime]) -> None:
        """Files what an earlier process has left. Raises ``ArchiveError`` where nothing can be filed."""
        self._path = journal
        self._open_desk = open_desk
        self._clock = clock
        self._lock = threading.Lock()
        self._looked: dict[tuple[str, str], datetime] = {}
        self._trouble: str | None = None
        self._stopped = threading.Event()
        disk.make_directory(journal.parent)
        with disk.trouble(journal):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._journal = os.open(journal, flags, disk.PRIVATE_FILE)
        self.file()
        self._thread = threading.Thread(target=self._go_on, name="accesses", daemon=True)
        self._thread.start()

    def look(self, by: str, capture: str) -> None:
        """Somebody is about to be shown a capture. Raises ``Refused`` where that cannot be filed."""
        at = self._clock()
        with self._lock:
            last = self._looked.get((by, capture))
            if last is not None and at - last < _AGAIN:
                return
            if len(self._looked) >= _MAX_REMEMBERED:
                self._looked.clear()
            self._write({"at": format_utc(at), "by": by, "how": "looked", "capture": capture})
            self._looked[by, capture] = at

    def take(self, by: str, capture: str, name: str) -> None:
        """Somebody is about to be given a file of it."""
        with self._lock:
            line: dict[str, Json] = {"at": format_utc(self._clock()), "by": by, "how": "took", "capture": capture}
            self._write({**line, "name": name})

    def file(self) -> int:
        """Into the log, all that is in the journal; how many. Raises ``ArchiveError``."""
        with self._lock:
            with disk.trouble(self._path):
                lines = [json.loads(each) for each in self._path.read_bytes().splitlines() if each.endswith(b"}")]
            if not lines:
                self._trouble = None
                return 0
            try:
                with self._open_desk() as (scribe, log):
                    log.append([self._event(scribe, lines)])
            except ArchiveError as error:
                self._trouble = str(error)
                raise
            with disk.trouble(self._path):
                os.ftruncate(self._journal, 0)
            self._trouble = None
            return len(lines)

    def close(self) -> None:
        """Raises ``ArchiveError`` where the last of them could not be filed: they stay for the next time."""
        self._stopped.set()
        self._thread.join()
        try:
            self.file()
        finally:
            os.close(self._journal)

    def _event(self, scribe: Scribe, lines: list[dict[str, Any]]) -> Any:
        """Its chain is of its own: whose evidence it was is in the blob, and in no export."""
        at = [parse_utc(each["at"]) for each in lines]
        head: dict[str, Json] = {
            "schema": 1,
            "nonce": scribe.random(NONCE_BYTES).hex(),
            "from": format_utc(min(at)),
            "to": format_utc(max(at)),
            "accesses": len(lines),
        }
        data = b"".join(canonical.dumps(each) + b"\n" for each in (head, *lines))
        took = sum(each["how"] == "took" for each in lines)
        body: dict[str, Json] = {"looked": len(lines) - took, "took": took}
        return scribe.event(ACCESSED, chain=f"work:{scribe.new_id()}", subject=scribe.blob(SUBJECT, data), body=body)

    def _write(self, line: dict[str, Json]) -> None:
        if self._trouble is not None:
            raise Refused(
                f"accesses are to be recorded, and cannot be ({self._trouble}): nothing is shown until they are"
            )
        with disk.trouble(self._path):
            os.write(self._journal, json.dumps(line).encode() + b"\n")

    def _go_on(self) -> None:
        while not self._stopped.wait(EVERY_S):
            try:
                self.file()
            except ArchiveError:
                continue  # it is kept, said to whoever asks for anything, and tried again
