"""Pages of a console over HTTP, 20 in flight; and the verdict on ten megabytes, against hashing the same files alone.

``BENCH_BROWSING_CATALOG``: a folder in which ``bench.catalog`` has made a catalogue (``BENCH_CATALOG_KEPT``): some real
captures are taken into a copy of it, and the pages are of so many more. Who asks is another process than who answers.
"""

import hashlib
import json
import os
import random
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.index.following import write_position
from archive.index.sqlite import SqliteDatabase
from archive.log import Position
from bench.measuring import race, tell
from console.web.serving import steady
from custody import keyspace
from custody.model import Role
from tests.authority import LocalAuthority
from tests.console.web.opened import served
from tests.console.web.shelf import Laid, lay, opened, png

MIB = int(os.environ.get("BENCH_BROWSING_MIB", "10"))
REQUESTS = int(os.environ.get("BENCH_BROWSING_REQUESTS", "600"))
CATALOG = os.environ.get("BENCH_BROWSING_CATALOG")
IN_FLIGHT = 20
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
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    with tempfile.TemporaryDirectory(dir=CATALOG) as name, LocalAuthority(Path(name) / "authority") as authority:
        laid = made(Path(name) / "laid", authority)
        if CATALOG is not None:
            shutil.copyfile(
                Path(CATALOG) / "catalog.sqlite", laid.home / f"catalog-{keyspace.slug(laid.builder.log)}.sqlite"
            )
        command = [sys.executable, "-m", "bench.browsing", "serve", str(laid.home), str(laid.store)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdin is not None  # noqa: S101  # PIPE
            assert server.stdout is not None  # noqa: S101  # PIPE
            told = json.loads(server.stdout.readline())
            try:
                measure(told["port"], server.pid, told["cookie"], laid)
            finally:
                server.stdin.close()
            print(server.stdout.read(), end="")


def serve(home: Path, store: Path) -> None:
    """Until stdin ends. Says where, and in the end what memory it took at most."""
    laid = Laid(home=home, store=store, builder=opened())
    name = home / f"catalog-{keyspace.slug(laid.builder.log)}.sqlite"
    if name.is_file():
        database = SqliteDatabase.open(name)
        with database.transaction() as transaction:  # from the beginning of the log that is there
            write_position(transaction, laid.builder.log, Position())
        database.close()
    with served(laid) as console, console.client() as client:
        cookie = "; ".join(f"{each}={value}" for each, value in client.cookies.items())
        print(json.dumps({"port": console.port, "cookie": cookie}), flush=True)
        steady()  # as the command does
        cpu = time.process_time()
        sys.stdin.read()
        print(f"      processor time of the console in all: {time.process_time() - cpu:.1f} s")
        peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
        tell("memory of the console at most", int(peak.split()[1]) / 1024, "MiB", at_most=300)


def measure(port: int, pid: int, cookie: str, laid: Laid) -> None:
    post, *others = laid.builder.captures
    assert post.record is not None  # noqa: S101  # it was just made
    files = [laid.path(each.key) for each in post.record.artifacts]

    def ask(path: str) -> float:
        return Asking(port, cookie, [path], in_flight=1).all()[0]

    def bare() -> None:
        for each in files:
            hashlib.sha256(each.read_bytes()).hexdigest()

    page = f"/captures/{post.id}"
    verdict, alone = race(_ROUNDS, lambda: ask(f"{page}/verdict"), bare)
    tell(f"verdict on {MIB} MiB", verdict.wall_s * 1000, "ms", at_most=2000)
    tell("against hashing the same files alone", verdict.wall_s / alone.wall_s, "times")
    tell("its capture's page, alone", min(ask(page) for _ in range(_ROUNDS)), "ms", at_most=100)
    ask("/search?q=page")  # what is new is taken in for the search once
    chance = random.Random(3)  # noqa: S311  # picks requests
    runs = {
        "the cases": ["/"],
        "a list, all": ["/search?origin=public"],
        "a list, by kind and outcome": ["/search?kind=listing&outcome=removed"],
        "a list, of a case": [f"/search?case=scope-{n:02d}" for n in range(20)] if CATALOG else ["/search?kind=other"],
        "a search, a word that half of all have": ["/search?q=bracelet"],
        "a search, two words": ["/search?q=quilted+tarnish"],
        "a search, a phrase among removed pages": ["/search?q=%22gold+ring%22&outcome=removed"],
        "a search, a handle": [f"/search?q=user{n}" for n in range(7000)],
        "a capture's page": [f"/captures/{each.id}" for each in others],
    }
    for name, paths in runs.items():
        spent = cpu_s(pid)
        took = sorted(Asking(port, cookie, [chance.choice(paths) for _ in range(REQUESTS)], in_flight=IN_FLIGHT).all())
        tell(f"{name}, {IN_FLIGHT} in flight: median", took[len(took) // 2], "ms")
        tell("   p95", took[int(len(took) * 0.95)], "ms", at_most=100)
        print(f"      processor time of the console for each: {(cpu_s(pid) - spent) * 1000 / len(took):.1f} ms")


def cpu_s(pid: int) -> float:
    """Of that process and its threads until now."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Asking:
    """So many requests at a time over kept connections, each of the next as soon as one is answered.

    One thread and no parser: what it takes is hardly anything beside what it measures.
    """

    def __init__(self, port: int, cookie: str, paths: Sequence[str], *, in_flight: int) -> None:
        self._address = ("127.0.0.1", port)
        self._head = f" HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n"
        self._paths = paths
        self._in_flight = in_flight

    def all(self) -> list[float]:
        """Milliseconds of each, from when it is sent until its last byte is there."""
        took: list[float] = []
        left = list(reversed(self._paths))
        with selectors.DefaultSelector() as waiting, ExitStack() as stack:
            for _ in range(min(self._in_flight, len(left))):
                each = stack.enter_context(socket.create_connection(self._address))
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                waiting.register(each, selectors.EVENT_READ, self._sent(each, left.pop()))
            while waiting.get_map():
                for key, _ in waiting.select(120):
                    sent: Sent = key.data
                    sent.received += key.fileobj.recv(1 << 20)  # type: ignore[union-attr]
                    if not sent.is_whole():
                        continue
                    took.append((time.perf_counter() - sent.at) * 1000)
                    if left:
                        waiting.modify(key.fileobj, selectors.EVENT_READ, self._sent(key.fileobj, left.pop()))
                    else:
                        waiting.unregister(key.fileobj)
        return took

    def _sent(self, to: Any, path: str) -> "Sent":
        to.sendall(f"GET {path}{self._head}".encode())
        return Sent(path=path, at=time.perf_counter())


@dataclass
class Sent:
    path: str
    at: float
    received: bytearray = field(default_factory=bytearray)
    length: int | None = None

    def is_whole(self) -> bool:
        """Raises ``SystemExit`` for an answer that is no page."""
        if self.length is None:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = bytes(self.received[:end]).decode("latin-1")
            if not head.startswith("HTTP/1.1 200"):
                raise SystemExit(f"{self.path} was answered with {head.splitlines()[0]}")
            said = next(each for each in head.splitlines() if each.lower().startswith("content-length:"))
            self.length = end + 4 + int(said.partition(":")[2])
        return len(self.received) >= self.length


if __name__ == "__main__":
    main()
