"""A capture's page, and the verdict on ten megabytes, against a bare loop that hashes the same files."""

import hashlib
import os
import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from bench.measuring import race, tell
from custody.model import Role
from tests.authority import LocalAuthority
from tests.console.web.opened import Console, served
from tests.console.web.shelf import Laid, lay, opened, png

MIB = int(os.environ.get("BENCH_BROWSING_MIB", "10"))
REQUESTS = int(os.environ.get("BENCH_BROWSING_REQUESTS", "100"))
IN_FLIGHT = 4
_ROUNDS = 5


def made(folder: Path, authority: LocalAuthority) -> Laid:
    """A case of thirty captures; the first has so many megabytes."""
    shelf = opened([authority])
    run, scope = shelf.open_run(), shelf.open_case("bench")
    chance = random.Random(7)  # noqa: S311  # no secret
    heavy = {Role.SCREENSHOT: png() + chance.randbytes(MIB << 19), Role.WARC: chance.randbytes(MIB << 19)}
    shelf.page(run, scope=scope, files=heavy, title="ten megabytes")
    for n in range(29):
        shelf.page(run, scope=scope, title=f"page {n}")
    shelf.stamp()
    return lay(shelf, folder)


def main() -> None:
    with tempfile.TemporaryDirectory() as name, LocalAuthority(Path(name) / "authority") as authority:
        laid = made(Path(name) / "laid", authority)
        with served(laid) as console:
            measure(console, laid)


def measure(console: Console, laid: Laid) -> None:
    post = laid.builder.captures[0]
    assert post.record is not None  # noqa: S101  # it was just made
    files = [laid.path(each.key) for each in post.record.artifacts]
    with console.client() as client:
        cookies = dict(client.cookies)

        def ask(path: str) -> float:
            begun = time.perf_counter()
            with httpx.Client(base_url=console.base, cookies=cookies, timeout=60, trust_env=False) as one:
                one.get(path).raise_for_status()
            return (time.perf_counter() - begun) * 1000

        def bare() -> None:
            for each in files:
                hashlib.sha256(each.read_bytes()).hexdigest()

        page = f"/captures/{post.id}"
        verdict, alone = race(_ROUNDS, lambda: ask(f"{page}/verdict"), bare)
        tell(f"verdict on {MIB} MiB", verdict.wall_s * 1000, "ms", at_most=2000)
        tell("against hashing the same files alone", verdict.wall_s / alone.wall_s, "times")
        with ThreadPoolExecutor(IN_FLIGHT) as threads:
            took = sorted(threads.map(ask, [page] * REQUESTS))
        tell(f"a capture's page, {IN_FLIGHT} in flight: median", took[len(took) // 2], "ms")
        tell("p95", took[int(len(took) * 0.95)], "ms", at_most=100)


if __name__ == "__main__":
    main()
