"""What the embedded store takes of processor and memory for what captures ask of it.

Twelve files of 2.9 MB together and two commits each: the requests of a capture, by the same code, without a browser.
BENCH_STORING (40) captures. `python -m bench.storing`.
"""

import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive.embedded import embedded_store, serving
from archive.store import ObjectStore, create_and_read
from bench.measuring import tell
from custody import keyspace
from custody.digest import Digest

CAPTURES = int(os.environ.get("BENCH_STORING", "40"))
FILES = (1_500_000, 1_000_000, 300_000, 40_000, 30_000, *[5_000] * 7)
LOG = "bench.example/log"

_TICKS = os.sysconf("SC_CLK_TCK")
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def spent(pid: int) -> float:
    """Seconds of the processor so far (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def taken(pid: int) -> float:
    """MiB, proportional set size."""
    found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    return 0.0 if found is None else int(found[1]) / 1024


def files(store: ObjectStore, threads: ThreadPoolExecutor, until: datetime) -> None:
    def keep(size: int) -> None:
        data = os.urandom(size)
        digest = Digest.of(data)
        store.create(keyspace.blob(digest), data, digest=digest, retain_until=until)

    list(threads.map(keep, FILES))


def commit(store: ObjectStore, threads: ThreadPoolExecutor, n: int, until: datetime) -> None:
    """As the sequencer does it, in thirteen requests: what it writes is read back, and the pointer is looked at."""

    def both(key: str, size: int, locked: datetime | None) -> None:
        data = os.urandom(size)
        create_and_read(store, key, data, digest=Digest.of(data), retain_until=locked)

    pointer = keyspace.checkpoint(LOG)
    if n > 1:
        store.read(pointer)
        store.head(keyspace.commit(LOG, n - 1))
    both(keyspace.commit(LOG, n), 4_000, until)
    derived = [(keyspace.entries(LOG, n, 128), 180_000), (keyspace.tile(LOG, 0, n, 128), 4_096)]
    list(threads.map(lambda each: both(each[0], each[1], None), derived))
    both(keyspace.checkpoint_at(LOG, n), 300, until)
    if n > 1:
        store.read(pointer)
    store.replace(pointer, os.urandom(300))
    store.read(pointer)


def main() -> None:
    until = datetime.now(UTC) + timedelta(days=1)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        serving(Path(scratch) / "store") as running,
        embedded_store(Path(scratch) / "store") as store,
        ThreadPoolExecutor(4) as threads,
    ):
        files(store, threads, until)
        begun, ours, at, most = spent(running.server), time.process_time(), time.perf_counter(), 0.0
        for n in range(CAPTURES):
            files(store, threads, until)
            commit(store, threads, 2 * n + 1, until)
            commit(store, threads, 2 * n + 2, until)
            most = max(most, taken(running.server))
        tell("the store's processor time", 1000 * (spent(running.server) - begun) / CAPTURES, "ms a capture")
        tell("its client's", 1000 * (time.process_time() - ours) / CAPTURES, "ms a capture")
        tell("by the clock", 1000 * (time.perf_counter() - at) / CAPTURES, "ms a capture")
        tell("memory of the store at most", most, "MiB", at_most=300)


if __name__ == "__main__":
    main()
