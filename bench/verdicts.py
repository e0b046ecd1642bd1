"""Badges over S3: a capture's page, and its verdict, of ten megabytes each in the embedded store; BENCH_VERDICTS.

The console is a process of its own, asked over HTTP: each capture's page and then its badge, one capture after the
other, as somebody opens them; then two badges at a time, as a promotion's page asks for them. Each capture has bytes of
its own. ``BENCH_VERDICTS`` (20) captures, ``BENCH_VERDICTS_MIB`` (10) of files each.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from archive.config import ArchiveConfig
from archive.reader import store_of
from bench.browsing import Asking
from bench.measuring import tell
from console.web.serving import steady
from custody import keyspace
from custody.digest import Digest
from custody.model import Role
from tests.authority import LocalAuthority
from tests.console.web.opened import serving
from tests.console.web.shelf import Shelf, opened, png

CAPTURES = int(os.environ.get("BENCH_VERDICTS", "20"))
MIB = int(os.environ.get("BENCH_VERDICTS_MIB", "10"))
PARTS = {Role.SCREENSHOT: 0.3, Role.VIEWPORT: 0.05, Role.WARC: 0.55, Role.DOM: 0.08, Role.MEDIA: 0.02}
"""How the bytes of a capture are shared out among its large files."""


def made(authority: LocalAuthority) -> Shelf:
    """One case; each capture has other bytes."""
    shelf = opened([authority])
    run, scope = shelf.open_run(), shelf.open_case("bench")
    chance = random.Random(7)  # noqa: S311  # no secret
    for n in range(CAPTURES):
        files = {role: chance.randbytes(int(MIB * (1 << 20) * part)) for role, part in PARTS.items()}
        files |= {role: png() + files[role] for role in (Role.SCREENSHOT, Role.VIEWPORT)}
        files[Role.DOM] = b"<p>" + files[Role.DOM].hex().encode()[: len(files[Role.DOM])]
        shelf.page(run, scope=scope, files=files, title=f"ten megabytes, number {n}")
    shelf.stamp()
    return shelf


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as name, LocalAuthority(Path(name) / "authority") as authority:
        home, shelf = Path(name) / "home", made(authority)
        home.mkdir()
        (home / "trust.json").write_bytes(shelf.trust.format())
        config = ArchiveConfig.load({"COUNTERPROOF_HOME": str(home)}, settings={})
        command = [sys.executable, "-m", "bench.verdicts", "serve", str(home)]
        with store_of(config) as store:
            for key, data in shelf.build().objects.items():
                if key == keyspace.checkpoint(shelf.log):
                    store.replace(key, data)
                else:
                    store.create(key, data, digest=Digest.of(data), retain_until=None)
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
                assert server.stdin is not None  # noqa: S101  # PIPE
                assert server.stdout is not None  # noqa: S101  # PIPE
                told = json.loads(server.stdout.readline())
                try:
                    measure(told["port"], told["cookie"], [each.id for each in shelf.captures])
                finally:
                    server.stdin.close()


def serve(home: Path) -> None:
    """Until stdin ends. Says where."""
    config = ArchiveConfig.load({"COUNTERPROOF_HOME": str(home)}, settings={})
    with serving(config) as console, console.client() as client:
        cookie = "; ".join(f"{each}={value}" for each, value in client.cookies.items())
        print(json.dumps({"port": console.port, "cookie": cookie}), flush=True)
        steady()  # as the command does
        sys.stdin.read()


def measure(port: int, cookie: str, captures: Sequence[str]) -> None:
    def ask(paths: Sequence[str], in_flight: int = 1) -> list[float]:
        return Asking(port, cookie, paths, in_flight=in_flight).all()

    ask(["/"])
    pages, badges = [], []
    for each in captures:
        pages += ask([f"/captures/{each}"])
        badges += ask([f"/captures/{each}/verdict"])
    both = ask([f"/captures/{each}/verdict" for each in captures], in_flight=2)
    for what, took, most in (
        ("a capture's page, its badge still checking", pages, 100),
        (f"its verdict on {MIB} MiB", badges, 2000),
        ("two verdicts at a time, each", both, 2000),
    ):
        took.sort()
        tell(f"{what}: median", took[len(took) // 2], "ms")
        tell("   p95", took[min(len(took) - 1, int(len(took) * 0.95))], "ms", at_most=most)


if __name__ == "__main__":
    main()
