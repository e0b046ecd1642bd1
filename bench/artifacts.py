"""Verifying stored artifacts on disk, against a two-thread hashlib loop over the same files; BENCH_MB sets how much."""

import hashlib
import os
import random
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bench.measuring import race, tell
from custody import keyspace
from custody.checks.blobs import Blobs, Wanted
from custody.checks.inquiry import Inquiry, silent
from custody.digest import Digest
from custody.files import THREADS, Folder
from custody.model import Role
from custody.source import Reader
from custody.trust import Trust
from custody.verdict import Findings, Verdict
from custody.verify import verify
from tests.custody.archive_builder import START, ArchiveBuilder

MEGABYTES = int(os.environ.get("BENCH_MB", "600"))
# A post as real ones come out: full page, window, DOM, answer, text, headers.
SIZES = {
    Role.SCREENSHOT: 1_600_000,
    Role.VIEWPORT: 450_000,
    Role.DOM: 180_000,
    Role.BODY: 120_000,
    Role.TEXT: 6_000,
    Role.HEADERS: 2_000,
}
ROUNDS = 7
AT = START + timedelta(days=1)


def make(folder: Path) -> Trust:
    """An archive on disk, of captures enough."""
    builder = ArchiveBuilder(locked=False).open_log()
    run, scope = builder.open_run(), builder.open_case()
    noise = random.Random(1)  # noqa: S311
    for _ in range(max(1, MEGABYTES * 1_000_000 // sum(SIZES.values()))):
        builder.capture(run, scope=scope, files={role: noise.randbytes(size) for role, size in SIZES.items()})
    for key, data in builder.build().objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return builder.trust


def judged(source: Folder, trust: Trust) -> Verdict:
    """As `counterproof verify` asks."""
    with ThreadPoolExecutor(THREADS) as pool:
        return verify(source, trust, at=AT, map=pool.map, absent=source.absent, unreachable=source.unreachable)


def wanted_of(files: list[Path]) -> list[Wanted]:
    return [
        Wanted(digest=Digest(path.name), bytes=path.stat().st_size, chain="run:bench", index=0, name="bench")
        for path in files
    ]


def looked_at(source: Folder, trust: Trust, wanted: list[Wanted]) -> None:
    """Check 10 by itself: every artifact read, and held against its digest and length."""
    with ThreadPoolExecutor(THREADS) as pool:
        inquiry = Inquiry(
            reader=Reader(source, absent=source.absent, unreachable=source.unreachable),
            trust=trust,
            findings=Findings(),
            at=AT,
            scope=None,
            map=pool.map,
            progress=silent,
        )
        Blobs(inquiry, {}).check(wanted)
        if inquiry.findings.findings():
            raise SystemExit("the bench's own archive does not hold")


def hashed(files: list[Path]) -> None:
    def digests(some: list[Path]) -> Iterator[str]:
        for path in some:
            with path.open("rb") as file:
                yield hashlib.file_digest(file, "sha256").hexdigest()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda some: list(digests(some)), (files[::2], files[1::2])))


def main() -> None:
    with tempfile.TemporaryDirectory() as name, closing(Folder(Path(name))) as source:
        trust = make(source.path)
        files = sorted(path for path in (source.path / keyspace.BLOBS).rglob("*") if path.is_file())
        megabytes = sum(path.stat().st_size for path in files) / 1e6
        verdict = judged(source, trust)
        if not verdict.holds:
            raise SystemExit([each.to_json() for each in verdict.failures][:3])
        print(f"   {len(files)} files, {megabytes:.0f} MB, {verdict.size} leaves")
        wanted = wanted_of(files)
        loop, check_10, everything = race(
            ROUNDS, lambda: hashed(files), lambda: looked_at(source, trust, wanted), lambda: judged(source, trust)
        )
        tell("hashlib, two threads", megabytes / loop.wall_s, "MB/s")
        tell("check 10, all stored artifacts", megabytes / check_10.wall_s, "MB/s")
        tell("check 10 against the loop", loop.wall_s / check_10.wall_s, "x", at_least=0.9)
        tell("the same in processor time", loop.cpu_s / check_10.cpu_s, "x")
        tell("all twelve checks", megabytes / everything.wall_s, "MB/s")
        tell("of them, per leaf and the rest", (everything.cpu_s - check_10.cpu_s) / verdict.size * 1e6, "us a leaf")


if __name__ == "__main__":
    main()
