"""What `verify` needs of memory and time as a log grows: two logs of signed leaves, and what lies between them."""

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.measuring import tell
from tests.custody.archive_builder import ArchiveBuilder, Draft

LONG = True
SIZES = (4_000, 16_000)
COMMIT = 1_000
JUDGE = r"""
import re, sys, time
from pathlib import Path
from bench.artifacts import judged
from custody.files import Folder
from custody.trust import Trust
def peak():
    # Of this program alone; what getrusage says may be its parent's.
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
folder = Path(sys.argv[1])
trust = Trust.parse((folder / "trust.json").read_bytes())
before, began = peak(), time.process_time()
verdict = judged(Folder(folder), trust)
assert verdict.holds, verdict.failures[:3]
print(verdict.size, peak() - before, time.process_time() - began)
"""


def make(folder: Path, size: int) -> None:
    """Runs opened, with one detail for all: what is measured is the log."""
    builder = ArchiveBuilder(locked=False).open_log()
    subject = builder.detail("run.json", {})

    def opened() -> Draft:
        run = builder.new_id()
        return builder.draft(builder.event("run.opened", f"run:{run}", subject, {"purpose": "case"}, run=run))

    for _ in range(size // COMMIT):
        builder.commit(*(opened() for _ in range(COMMIT)))
    for key, data in {**builder.build().objects, "trust.json": builder.trust.format()}.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def measured(size: int) -> tuple[int, float, float]:
    """Leaves, KiB of memory that the verification took, seconds of the processor."""
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), size)
        ran = subprocess.run([sys.executable, "-c", JUDGE, name], check=True, capture_output=True, text=True)
    leaves, kib, seconds = ran.stdout.split()
    return int(leaves), float(kib), float(seconds)


def main() -> None:
    (few, little, short), (many, much, long) = (measured(size) for size in SIZES)
    for leaves, kib, seconds in ((few, little, short), (many, much, long)):
        print(f"   {leaves} leaves: {kib / 1024:.0f} MiB, {seconds:.1f} s of processor time", flush=True)
    tell("memory as the log grows", (much - little) / (many - few) * 1024, "bytes a leaf")
    tell("leaves and signatures checked", (many - few) / (long - short), "leaves/s of processor time")


if __name__ == "__main__":
    main()
