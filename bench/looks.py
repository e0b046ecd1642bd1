"""Looks that find nothing new against captures: requests and bytes that the embedded store is sent, for 1,000 of each.

Real events and blobs, by the real acquisition; nobody looks at a page here, so a capture has ten files of a fixed size,
half a megabyte together, as a post has. What opens and closes the run is not counted. `python -m bench.looks`.
"""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from archive.acquisition import Acquisition
from archive.config import ArchiveConfig
from archive.tally import TALLY, Count
from archive.vault import Vault
from bench.measuring import tell
from custody.instant import format_utc
from custody.model import Json, Outcome, Role, Started, Status

EACH = 40
FILES, FILE_BYTES = 10, 50_000
LOOK_BYTES = 3_500
"""Of ``look.json``, about as long as one of a post."""


def now() -> datetime:
    return datetime.now(UTC)


def start(acquisition: Acquisition) -> tuple[str, Started]:
    unit = acquisition.new_id()
    return unit, acquisition.start(
        capture_id=unit, unit=unit, url="https://bench.example/", parent=None, timeout_s=45, facts={}
    )


def look(acquisition: Acquisition) -> None:
    unit, started = start(acquisition)
    said = acquisition.visit_spool(unit).write(Role.RECORD, "look.json", "application/json", os.urandom(LOOK_BYTES))
    body: dict[str, Json] = {
        "compared_with": unit,
        "outcome": "ok",
        "http_status": 200,
        "started_at": format_utc(now()),
        "ended_at": format_utc(now()),
    }
    acquisition.end_unchanged(capture_id=unit, unit=unit, started=started, said=said, body=body)


def capture(acquisition: Acquisition) -> None:
    unit, started = start(acquisition)
    spool = acquisition.visit_spool(unit)
    for n in range(FILES):
        acquisition.store_file(spool.write(Role.DOM, f"file-{n}", "text/html", os.urandom(FILE_BYTES)))
    record = spool.write(Role.RECORD, "record.json", "application/json", os.urandom(6_000))
    acquisition.end(
        capture_id=unit,
        unit=unit,
        started=started,
        record=record,
        files=(),
        status=Status.COMPLETE,
        outcome=Outcome.OK,
        http_status=200,
        started_at=now(),
        ended_at=now(),
        stage="visit",
    )


def main() -> None:
    counts: dict[str, Count] = {}
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        Vault.open(ArchiveConfig(home=Path(scratch) / "home"), clock=now) as vault,
    ):
        acquisition = vault.begin("bench", {}, None)
        for name, do in (("look", look), ("capture", capture)):
            before = TALLY.read()
            for _ in range(EACH):
                do(acquisition)
            counts[name] = TALLY.read().since(before)
        vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=())
    for name, count in counts.items():
        tell(f"store requests for 1,000 {name}s", count.requests * 1000 / EACH, "")
        tell(f"sent for 1,000 {name}s", count.sent_bytes * 1000 / EACH / 1e6, "MB")
    tell("bytes of a look, of a capture's", counts["look"].sent_bytes / counts["capture"].sent_bytes, "", at_most=0.2)
    tell("requests of a look, of a capture's", counts["look"].requests / counts["capture"].requests, "", at_most=0.7)


if __name__ == "__main__":
    main()
