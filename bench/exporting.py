"""Promotions exported from the embedded store, against a 16-thread GET loop over the same blobs; BENCH_PROMOTIONS."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from archive import cases, disk
from archive.config import ArchiveConfig
from archive.embedded import BUCKET, serving
from archive.exporting.exporter import Asked, Exported, Exporter
from archive.home import Home
from archive.vault import Vault
from archive.watchdog import SERVER_LOCK
from bench.artifacts import SIZES
from bench.measuring import race, tell, timed
from console.verbs.exporting import judge
from custody.event import Event
from custody.model import Role
from tests.custody.archive_builder import ArchiveBuilder, Captured, Draft

PROMOTIONS = int(os.environ.get("BENCH_PROMOTIONS", "10"))
CAPTURES = 3
"""Of each: post, hop, listing."""
FILES = {**SIZES, Role.WARC: 2_000_000}
THREADS = 16
ROUNDS = 3
AIM_S = 600.0
"""For 120 promotions."""


def now() -> datetime:
    return datetime.now(UTC)


def fill(vault: Vault, scope: str) -> None:
    """Real events and records; the files are noise, stored as captures store them."""
    noise, scribe = random.Random(5), vault.scribe  # noqa: S311  # bytes to move
    run = scribe.new_id()
    opened = scribe.detail("run.json", {"run": run})
    vault.sequencer.append([
        scribe.event("run.opened", chain=f"run:{run}", run=run, subject=opened, body={"purpose": "case"})
    ])  # fmt: skip
    for _ in range(PROMOTIONS):
        unit = scribe.new_id()
        for n in range(CAPTURES):
            capture = unit if n == 0 else scribe.new_id()
            _capture(vault, run, unit, capture, {role: noise.randbytes(size) for role, size in FILES.items()})
        vault.sequencer.append([cases.assign(unit, scope, scribe)])


def _capture(vault: Vault, run: str, unit: str, capture: str, files: dict[Role, bytes]) -> None:
    scribe, builder, chain = vault.scribe, ArchiveBuilder(locked=False), f"item:{unit}"
    body: Any = {"capture": capture, "attempt": 1, "deadline": "2030-01-01T00:00:00.000Z"}
    job = scribe.detail("job.json", {"capture_id": capture})
    started = scribe.event("capture.started", chain=chain, run=run, subject=job, body=body)
    begun = Captured(
        id=capture, unit=unit, started=Draft(lambda: started, chain), ended=None, record=None, record_digest=None
    )
    record = builder.record(run, begun, files)
    for data in builder.blobs.values():
        scribe.blob("artifact", data)
    subject = scribe.blob("record.json", record.format())
    end: Event = builder.end(run, begun, record, subject)
    ended = scribe.event(end.type, chain=chain, run=run, subject=subject, body=end.body, refs=end.refs)
    vault.sequencer.append([started, ended])


class Rounds:
    def __init__(self, vault: Vault, scope: str, client: Any, folder: Path) -> None:
        self.vault = vault
        self.scope = scope
        self.client = client
        self.folder = folder
        self.made: list[Exported] = []

    def export(self, *, as_zip: bool = False) -> None:
        with ThreadPoolExecutor(THREADS) as threads:
            exporter = Exporter(self.vault.sequencer, self.vault.store, self.vault.scribe, map=threads.map)
            asked = Asked(scope=self.scope, items=tuple(self.vault.cases.items(self.scope)), as_zip=as_zip)
            self.made.append(exporter.export(asked, self.folder / f"bag-{len(self.made)}"))

    def zip(self) -> None:
        self.export(as_zip=True)

    def command(self) -> None:
        """With what belongs to it: Python's own start, promotions found, and the check of what was made."""
        words = ("export", "--case", "bench", "--no-package", "-o", str(self.folder / "command.zip"))
        subprocess.run(
            [sys.executable, "-m", "console", *words, "--home", self.vault.home.path],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def clear(self) -> None:
        """All but the last, which is checked."""
        for old in self.made[:-1]:
            if old.path.is_dir():
                shutil.rmtree(old.path)
            old.path.unlink(missing_ok=True)
        (self.folder / "command.zip").unlink(missing_ok=True)

    def loop(self, keys: list[str]) -> None:
        def get(key: str) -> None:
            body = self.client.get_object(Bucket=BUCKET, Key=key)["Body"]
            while body.read(1 << 18):
                pass

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(get, keys))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        home = Home.open(path / "home", clock=now)
        with serving(home.store) as running, Vault.open(ArchiveConfig(home=home.path), clock=now) as vault:
            scope = vault.cases.open("bench", vault.sequencer, vault.scribe)
            fill(vault, scope)
            client: Any = boto3.client(
                "s3",
                endpoint_url=running.endpoint,
                region_name="us-east-1",
                aws_access_key_id=running.credentials.access_key,
                aws_secret_access_key=running.credentials.secret_key,
                config=Config(max_pool_connections=THREADS, s3={"addressing_style": "path"}),
            )
            rounds = Rounds(vault, scope, client, path)
            rounds.export()
            made = rounds.made[0]
            keys = list(vault.store.keys("v1/blobs/"))
            print(f"   {PROMOTIONS} promotions, {made.blobs} files, {made.bytes / 1e6:.0f} MB", flush=True)
            loop, ours, zipped, command = race(
                ROUNDS, lambda: rounds.loop(keys), rounds.export, rounds.zip, rounds.command, after=rounds.clear
            )
            tell("GET, 16 threads", made.bytes / 1e6 / loop.wall_s, "MB/s")
            tell("export to a folder", made.bytes / 1e6 / ours.wall_s, "MB/s")
            tell("export against the loop", loop.wall_s / ours.wall_s, "x", at_least=0.7)
            tell("the same in processor time", loop.cpu_s / ours.cpu_s, "x")
            tell("export to a zip against the loop", loop.wall_s / zipped.wall_s, "x", at_least=0.7)
            tell("the command, to a zip, checked", command.wall_s * 120 / PROMOTIONS, "s for 120", at_most=AIM_S)
            tell("120 promotions at that pace", ours.wall_s * 120 / PROMOTIONS, "s", at_most=AIM_S)
            words: list[str] = []
            checked = timed(lambda: words.append(judge(rounds.made[-1].path, vault.sequencer.trust).word))
            print(f"   what it says: {words[0]}", flush=True)
            tell("checking it as its recipient will", checked.wall_s * 120 / PROMOTIONS, "s for 120")
        deadline = time.monotonic() + 30
        while disk.try_exclusive(home.store / SERVER_LOCK) is None and time.monotonic() < deadline:
            time.sleep(0.1)


if __name__ == "__main__":
    main()
