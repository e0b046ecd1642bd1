"""A capture with all that it keeps, against bare Playwright on the same pages: processor time, pages a minute, memory.

The real command with its embedded store, each time on a new home, in turns with the floors of bench.capturing.floor;
two pages at a time (BENCH_AT_A_TIME), start and end of everything included, the control captures too.

BENCH_POSTS (10) posts, and as many listings behind two redirects each; BENCH_ROUNDS (3). BENCH_MODES picks some of
bare, shot, chromium, full and shell. BENCH_SITE=http://127.0.0.1:PORT takes another site than our own: one with
`/post/N`, `/s/N` and `/__manifest.json`, as bench.capturing.site describes them, on a private address.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from archive.config import ArchiveConfig
from archive.embedded import embedded_store
from archive.vault import Vault
from bench.capturing import complete
from bench.capturing.floor import AT_A_TIME
from bench.capturing.meter import Usage
from bench.measuring import tell
from crawlers.launching import find_browser
from crawlers.profile import Build
from crawlers.program import CHECKOUT
from crawlers.sessions import now

LONG = True

POSTS = int(os.environ.get("BENCH_POSTS", "10"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
OURS = {"chromium": Build.CHROMIUM, "shell": Build.SHELL}
FLOORS = {"bare": Build.CHROMIUM, "shot": Build.CHROMIUM, "full": Build.SHELL}
MODES = os.environ.get("BENCH_MODES", "bare shot chromium full shell").split()


@contextmanager
def serving() -> Iterator[str]:
    """In a process of its own, as another site would be; nothing of it is measured."""
    command = [sys.executable, "-m", "bench.capturing.site", "0", str(POSTS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101  # a pipe was asked for
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def measured(command: Sequence[str], folder: Path) -> Usage:
    log = folder.with_suffix(".log")
    with log.open("wb") as said:
        ran = subprocess.run(
            [sys.executable, "-m", "bench.capturing.meter", *command],
            stdout=subprocess.PIPE,
            stderr=said,
            check=True,
            cwd=CHECKOUT,
        )
    usage = Usage(**json.loads(ran.stdout))
    if usage.status != 0:
        sys.exit(f"{' '.join(command[:6])} ... ended with {usage.status}:\n{log.read_text()[-2000:]}")
    return usage


def capture(urls: Sequence[str], build: Build, home: Path) -> list[str]:
    """As one would type it for pages of one private host that may be asked without a pause."""
    host = urlsplit(urls[0]).hostname or ""
    options = ["--case", "bench", "--no-follow", "--browser", str(build), "--home", str(home), "--authority", "none"]
    manners = ["--delay", "0", "--per-host", str(AT_A_TIME), "--concurrency", str(AT_A_TIME)]
    return [sys.executable, "-m", "console", "capture", *urls, *options, *manners, "--allow-network", f"{host}/32",
            "--progress", "none", "--json"]  # fmt: skip


def begin(home: Path) -> None:
    """The keys are made, the log is begun and the store was tried, as they are once and not with each capture."""
    with Vault.open(ArchiveConfig(home=home), clock=now, notify=lambda _: None):
        pass


def kept(home: Path, log: Path, address: str, pages: Mapping[str, object], wanted: Sequence[str]) -> complete.Tally:
    """What is in the store of one run, held against the truth."""
    text = log.read_text()
    result = json.loads(text[text.index("{\n") :])
    keys = [each["key"] for one in result["captures"] for each in one["artifacts"] if each["role"] == "warc"]
    if len(keys) != len(wanted):
        sys.exit(f"{len(wanted)} pages were asked for, and {len(keys)} have a WARC")
    with embedded_store(home / "store") as store, ExitStack() as stack:
        streams = (stack.enter_context(store.open(key)) for key in keys)
        return complete.compare(pages, wanted, complete.held(streams, address))


def main() -> None:
    scratch = Path(tempfile.mkdtemp(prefix="bench-capture-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        address = os.environ.get("BENCH_SITE", "").rstrip("/") or stack.enter_context(serving())
        pages = complete.truth(address)
        wanted = [path for n in range(POSTS) for path in (f"/post/{n}", f"/s/{n}")]
        urls = [f"{address}{path}" for path in wanted]
        print(f"   {len(urls)} pages of {address}, {ROUNDS} rounds of {', '.join(MODES)}", flush=True)
        used: dict[str, list[Usage]] = {mode: [] for mode in MODES}
        tallies: dict[str, list[complete.Tally]] = {}
        for number in range(ROUNDS):
            for mode in MODES:
                folder = scratch / f"{mode}-{number}"
                folder.mkdir()
                if mode in FLOORS:
                    executable = str(find_browser(os.environ, checkout=CHECKOUT, build=FLOORS[mode]))
                    floor = [sys.executable, "-m", "bench.capturing.floor", mode, executable, str(folder), *urls]
                    used[mode].append(measured(floor, folder))
                else:
                    begin(folder)
                    used[mode].append(measured(capture(urls, OURS[mode], folder), folder))
                    tallies.setdefault(mode, []).append(
                        kept(folder, folder.with_suffix(".log"), address, pages, wanted)
                    )
                shutil.rmtree(folder, ignore_errors=True)
        report(used, tallies, len(urls))


def report(used: Mapping[str, list[Usage]], tallies: Mapping[str, list[complete.Tally]], pages: int) -> None:
    cpu = {mode: statistics.median(each.cpu_s / pages for each in some) for mode, some in used.items()}
    rate = {mode: statistics.median(60 * pages / each.wall_s for each in some) for mode, some in used.items()}
    for mode, some in used.items():
        names = sorted({kind for each in some for kind in each.cpu_by_kind})
        shares = ", ".join(
            f"{kind} {statistics.median(each.cpu_by_kind.get(kind, 0) / pages for each in some):.2f}" for kind in names
        )
        sampled = "" if all(each.exact for each in some) else "; as last seen, for want of a control group"
        tell(f"{mode}: processor time", cpu[mode], f"s a page ({shares}{sampled})")
        tell(f"{mode}: pages", rate[mode], "a minute")
        peak = max(each.peak_mib for each in some)
        tell(f"{mode}: memory at most", peak, "MiB", at_most=900 if mode in tallies else None)
        if store := max(each.store_mib for each in some):
            tell(f"{mode}: the store's besides", store, "MiB")
    for mode, held in tallies.items():
        named, exact = sum(each.named for each in held), sum(each.exact for each in held)
        tell(f"{mode}: of what the pages consist of, kept byte for byte", 100 * exact / named, "%", at_least=100)
        if lacks := sum((each.lacks for each in held), Counter()):
            print(f"   lacking: {dict(lacks)}")
    if {"shot", "chromium"} <= used.keys():
        tell("chromium: processor time against a bare shot", ratio(used, "chromium", "shot", cpu), "x", at_most=1.0)
    if {"bare", "chromium"} <= used.keys():
        tell("the same, without our flags there", ratio(used, "chromium", "bare", cpu), "x")
    if {"full", "shell"} <= used.keys():
        tell("shell: pages a minute against the full floor", rate["shell"] / rate["full"], "x", at_least=0.9)
        tell("shell: processor time against the full floor", ratio(used, "shell", "full", cpu), "x")


def ratio(used: Mapping[str, list[Usage]], ours: str, floor: str, cpu: Mapping[str, float]) -> float:
    """Of neighbours in time, where there are as many: what else runs here changes by the minute."""
    if len(used[ours]) != len(used[floor]):
        return cpu[ours] / cpu[floor]
    return statistics.median(a.cpu_s / b.cpu_s for a, b in zip(used[ours], used[floor], strict=True))


if __name__ == "__main__":
    main()
