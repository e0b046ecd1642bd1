"""Workers against the plain capture command on the same pages, and two workers against one where pages are slow.

The real commands, with embedded store and database, on the make-believe network: small pages on as many hosts, each
with a stylesheet and two pictures. *Fast*: answered at once; both look at two pages at a time, start and end included.
*Slow*: each answer comes after half a second; each worker looks at one page at a time, from its first look on.

BENCH_LOOKS (16), BENCH_ROUNDS (1).
"""

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from bench.measuring import tell
from tests.command import run
from tests.command import through as plain
from tests.site.host import Answer, Host, Request
from tests.site.pictures import encode
from tests.site.server import Site
from tests.workers import Process, database_of, rows, through, until

LONG = True

LOOKS = int(os.environ.get("BENCH_LOOKS", "16"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "1"))
LATENCY_S = 0.5
PATIENCE_S = 600.0


def town(latency_s: float) -> Site:
    def answer(asked: Request) -> Answer:
        if asked.path.endswith(".css"):
            return Answer(body=b"body { margin: 2em }", media_type="text/css", delay_s=latency_s)
        if asked.path.endswith(".png"):
            return Answer(body=PICTURE, media_type="image/png", delay_s=latency_s)
        if asked.path == "/robots.txt":
            return Answer(status=404, delay_s=latency_s)
        words = "<p>It has words on it, so that it is a page as others are.</p>" * 20
        head = f"<title>{asked.host}</title><link rel=stylesheet href=/a.css>"
        body = f"<!doctype html><meta charset=utf-8>{head}<h1>{asked.host}</h1><img src=/a.png><img src=/b.png>{words}"
        return Answer(body=body.encode(), delay_s=latency_s)

    made = Site()
    for n in range(LOOKS):
        made.hosts[f"h{n}.example"] = Host(name=f"h{n}.example", routes={"*": answer})
    return made


PICTURE = encode(320, 240, bytes(range(240)) * 960)


def urls() -> list[str]:
    return [f"https://h{n}.example/page" for n in range(LOOKS)]


def captured(site: Site, home: Path) -> float:
    """Seconds for all pages, by the command."""
    began = time.perf_counter()
    ran = run(
        "capture", *urls(), "--case", "bench", "--no-follow", "--no-control", "--authority", "none",
        "--robots", "obey", "--concurrency", "2", "--json", *plain(site.resolve, site.trust_spki),
        home=home, timeout_s=PATIENCE_S,
    )  # fmt: skip
    took = time.perf_counter() - began
    assert ran.code == 0, ran.err  # noqa: S101  # what failed is no measurement
    return took


def watched(site: Site, home: Path, *, workers: int, at_a_time: int) -> tuple[float, float]:
    """Seconds for all pages by workers: with their start and end, and from the first look's beginning on."""
    ran = run("watch", "add", *urls(), "--case", "bench", "--every", "30d", "--no-follow", home=home)
    assert ran.code == 0, ran.err  # noqa: S101
    with database_of(home) as database, ExitStack() as stack:
        began = time.perf_counter()
        processes = [
            Process("work", *through(site), "--concurrency", str(at_a_time), home=home) for _ in range(workers)
        ]
        for each in processes:
            stack.callback(each.kill)
        until(lambda: _count(rows(database, _DONE)) == LOOKS, PATIENCE_S, processes[0].told)
        for each in processes:
            each.stop()
        took = time.perf_counter() - began
        first, last = rows(database, "SELECT min(begun_at), max(ended_at) FROM counterproof.looks")[0]
    return took, _seconds(first, last)


_DONE = "SELECT count(*) FROM counterproof.looks WHERE state = 'done' AND outcome = 'ok'"


def _count(found: Sequence[tuple[int, ...]]) -> int:
    return found[0][0]


def _seconds(first: datetime, last: datetime) -> float:
    return (last - first).total_seconds()


def begun(folder: Path) -> Path:
    """A home whose keys are made and whose store was tried, as they are once."""
    folder.mkdir()
    run("doctor", home=folder / "home")
    return folder / "home"


def main() -> None:
    command, worker, one, two = [], [], [], []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        with town(0) as site:
            for n in range(ROUNDS):
                command.append(captured(site, begun(scratch / f"c{n}")))
                worker.append(watched(site, begun(scratch / f"w{n}"), workers=1, at_a_time=2)[0])
        with town(LATENCY_S) as site:
            for n in range(ROUNDS):
                one.append(watched(site, begun(scratch / f"o{n}"), workers=1, at_a_time=1)[1])
                two.append(watched(site, begun(scratch / f"t{n}"), workers=2, at_a_time=1)[1])
    tell("fast: pages a minute, the command", 60 * LOOKS / statistics.median(command), "")
    tell("fast: pages a minute, a worker", 60 * LOOKS / statistics.median(worker), "")
    lost = statistics.median(b / a for a, b in zip(command, worker, strict=True)) - 1
    tell("fast: a worker takes longer by", lost * 100, "%", at_most=5)
    tell("slow: looks a minute, one worker", 60 * LOOKS / statistics.median(one), "")
    tell("slow: looks a minute, two workers", 60 * LOOKS / statistics.median(two), "")
    tell(
        "slow: two workers against one",
        statistics.median(a / b for a, b in zip(one, two, strict=True)),
        "x",
        at_least=1.7,
    )


if __name__ == "__main__":
    main()
