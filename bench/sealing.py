"""From `capture.completed` to sealed: eight writers on the embedded store, one authority here, waiting included.

Each writer is a process with a vault of its own on one home, as eight commands would be. It records captures (their
ends are real events, their records mere placeholders: nobody looks at a page here) and takes the time from when the end
was durable until its inclusion under an accepted token was proved. `python -m bench.sealing [SECONDS]`.
"""

import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from archive.acquisition import Acquisition
from archive.authorities import add
from archive.config import ArchiveConfig
from archive.embedded import serving
from archive.home import Home
from archive.vault import Vault
from bench.measuring import tell
from custody.model import Outcome, Role, Status
from tests.authority import LocalAuthority

LONG = True

WRITERS = 8
SECONDS = 200.0
PAUSE_S = 2.0
"""Between two captures of one writer: a page takes about as long."""
AIM_S = 90.0


def now() -> datetime:
    return datetime.now(UTC)


def capture(acquisition: Acquisition) -> int:
    """One look that saw nothing; the index of its end."""
    capture_id = acquisition.new_id()
    started = acquisition.start(
        capture_id=capture_id, unit=capture_id, url="https://bench.example/", parent=None, timeout_s=45, facts={}
    )
    nonce = acquisition.nonce()
    record = acquisition.visit_spool(capture_id).write(
        Role.RECORD, "record.json", "application/json", f'{{"bench":"{nonce}"}}'.encode()
    )
    receipt = acquisition.end(
        capture_id=capture_id,
        unit=capture_id,
        started=started,
        record=record,
        files=(),
        status=Status.COMPLETE,
        outcome=Outcome.OK,
        http_status=200,
        started_at=now(),
        ended_at=now(),
        stage="recording",
        unstored=(),
    )
    if receipt is None:
        raise RuntimeError("this home has the log key, so nothing waits in an inbox")
    return receipt.index


def write(home: Path, seconds: float, results: "multiprocessing.SimpleQueue[list[float]]") -> None:
    waits: list[float] = []
    pending: dict[int, float] = {}
    over = threading.Event()
    with Vault.open(ArchiveConfig(home=home), clock=now) as vault:
        acquisition = vault.begin("bench", {}, None)

        def watch() -> None:
            while not over.wait(0.05):
                proved = vault.timekeeper.sealing.standing().proved
                sealed = [each for each in list(pending) if each < proved]
                waits.extend(time.monotonic() - pending.pop(index) for index in sealed)

        watching = threading.Thread(target=watch)
        watching.start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            index = capture(acquisition)
            pending[index] = time.monotonic()
            time.sleep(PAUSE_S)
        vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=())
        while pending and time.monotonic() < until + 120:
            time.sleep(0.1)
        over.set()
        watching.join()
    results.put([*waits, *[float("inf")] * len(pending)])


def quantile(waits: Sequence[float], share: float) -> float:
    return sorted(waits)[min(len(waits) - 1, int(len(waits) * share))]


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch)
        home = Home.open(path / "home", clock=now)
        with LocalAuthority(path / "authority") as authority, serving(home.store):
            add(home, authority.url, roots_pem=authority.roots_pem)
            with Vault.open(ArchiveConfig(home=home.path), clock=now):
                pass  # the log is begun and the store probed once, as it would be long before
            context = multiprocessing.get_context("spawn")
            results = context.SimpleQueue()
            writers = [context.Process(target=write, args=(home.path, seconds, results)) for _ in range(WRITERS)]
            for each in writers:
                each.start()
            waits = []
            while any(each.is_alive() for each in writers) or not results.empty():
                if results.empty():
                    time.sleep(0.1)
                else:
                    waits += results.get()
            if failed := sum(each.exitcode != 0 for each in writers):
                sys.exit(f"{failed} of {WRITERS} writers failed")
            tell("captures", len(waits), f"by {WRITERS} writers within {seconds:g} s")
            tell("tokens asked for", len(authority.queries), "")
    tell("from capture.completed to sealed, median", statistics.median(waits), "s")
    tell("from capture.completed to sealed, p95", quantile(waits, 0.95), "s", at_most=AIM_S)
    tell("from capture.completed to sealed, longest", max(waits), "s")


if __name__ == "__main__":
    main()
