"""Verifying stored artifacts over S3 (the embedded store), against a 16-thread GET-and-hash loop; BENCH_S3_MB."""

import hashlib
import os
import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from archive import disk
from archive.embedded import BUCKET, embedded_store, serving
from archive.errors import NotStored, StoreError
from archive.s3 import S3Store
from archive.watchdog import SERVER_LOCK
from bench.artifacts import AT, SIZES
from bench.measuring import race, tell
from console.verification import STORE_THREADS
from custody import keyspace
from custody.checks.blobs import Blobs, Wanted
from custody.checks.inquiry import Inquiry, silent
from custody.digest import Digest
from custody.source import Reader
from custody.verdict import Findings
from tests.custody.archive_builder import ArchiveBuilder

MEGABYTES = int(os.environ.get("BENCH_S3_MB", "250"))
LOOP_THREADS = 16
ROUNDS = 5


def fill(store: S3Store) -> list[Wanted]:
    noise = random.Random(3)  # noqa: S311  # bytes to hash
    made = []
    for n in range(max(1, MEGABYTES * 1_000_000 // sum(SIZES.values()))):
        for role, size in SIZES.items():
            data = noise.randbytes(size)
            digest = Digest.of(data)
            store.create(keyspace.blob(digest), data, digest=digest, retain_until=None)
            made.append(Wanted(digest=digest, bytes=size, chain="run:bench", index=n, name=role.value))
    return made


def looked_at(store: S3Store, wanted: list[Wanted]) -> None:
    """Check 10, as `counterproof verify` does it."""
    with ThreadPoolExecutor(STORE_THREADS) as pool:
        inquiry = Inquiry(
            reader=Reader(store, absent=(NotStored,), unreachable=(StoreError,)),
            trust=ArchiveBuilder().trust,
            findings=Findings(),
            at=AT,
            scope=None,
            map=pool.map,
            progress=silent,
        )
        Blobs(inquiry, {}).check(wanted)
        if inquiry.findings.findings():
            raise SystemExit("the bench's own archive does not hold")


def got(client: Any, keys: list[str]) -> None:
    def digest(key: str) -> str:
        hasher = hashlib.sha256()
        body = client.get_object(Bucket=BUCKET, Key=key)["Body"]
        while chunk := body.read(1 << 18):
            hasher.update(chunk)
        return hasher.hexdigest()

    with ThreadPoolExecutor(LOOP_THREADS) as pool:
        list(pool.map(digest, keys))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name) / "store"
        with embedded_store(directory) as store, serving(directory) as running:
            wanted = fill(store)
            client: Any = boto3.client(
                "s3",
                endpoint_url=running.endpoint,
                region_name="us-east-1",
                aws_access_key_id=running.credentials.access_key,
                aws_secret_access_key=running.credentials.secret_key,
                config=Config(max_pool_connections=LOOP_THREADS, s3={"addressing_style": "path"}),
            )
            keys = [each.key for each in wanted]
            megabytes = sum(each.bytes for each in wanted) / 1e6
            print(f"   {len(keys)} objects, {megabytes:.0f} MB, {STORE_THREADS} threads of ours", flush=True)
            loop, ours = race(ROUNDS, lambda: got(client, keys), lambda: looked_at(store, wanted))
            tell("GET and hash, 16 threads", megabytes / loop.wall_s, "MB/s")
            tell("check 10, all stored artifacts", megabytes / ours.wall_s, "MB/s")
            tell("check 10 against the loop", loop.wall_s / ours.wall_s, "x", at_least=0.9)
            tell("the same in processor time", loop.cpu_s / ours.cpu_s, "x")
        # Its folder goes when the server has gone, which nobody has to wait for but us.
        deadline = time.monotonic() + 30
        while disk.try_exclusive(directory / SERVER_LOCK) is None and time.monotonic() < deadline:
            time.sleep(0.1)


if __name__ == "__main__":
    main()
