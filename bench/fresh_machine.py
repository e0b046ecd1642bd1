"""A machine that knows nothing opens a log of a million leaves and appends to it: how long, and with how much memory.

``python -m bench.fresh_machine --at DIR`` keeps the log in DIR, where the next run finds it; it takes minutes to make.
"""

import argparse
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from archive.directory import DirectoryStore
from archive.draft import Draft
from archive.genesis import open_log
from archive.home import Home
from archive.scribe import Scribe
from archive.sequencer import Sequencer, _Pending
from bench.measuring import tell
from custody import keys
from custody.commit import Commit
from custody.event import Envelope, Event, pae
from custody.keys import Signer

LONG = True
SIZES = (1_000, 100_000, 1_000_000)

_COMMIT = 8_192
_FIRST_UUID = 0x0195_0000_0000_7000_8000_0000_0000_0000
_FRESH = r"""
import re, sys, time
from pathlib import Path
from archive.directory import DirectoryStore
from archive.genesis import open_log
from archive.home import Home
from bench.fresh_machine import event, now, until
def peak():
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
home, store = Home.open(Path(sys.argv[1]), clock=now), DirectoryStore(Path(sys.argv[2]))
before, began = peak(), time.perf_counter()
sequencer = open_log(home, store, clock=now, retain_until=until)
opened = time.perf_counter()
times = []
for _ in range(int(sys.argv[3])):
    envelope = event(home, store)
    at = time.perf_counter()
    (receipt,) = sequencer.append([envelope])
    times.append(time.perf_counter() - at)
print(receipt.tree_size, opened - began, times[0], sorted(times)[len(times) // 2], peak(), before)
"""


def now() -> datetime:
    return datetime.now(UTC)


def until() -> datetime:
    return now().replace(microsecond=0) + timedelta(days=1)


def event(home: Home, store: DirectoryStore) -> Envelope:
    """A ``capture.started``, as a capture makes it."""
    scribe = Scribe(store, home.signers.worker, clock=now, retain_until=until)
    capture = scribe.new_id()
    return scribe.event(
        "capture.started",
        chain=f"item:{capture}",
        subject=scribe.detail("job.json", {"capture_id": capture}),
        body={"capture": capture, "attempt": 1, "deadline": "2030-01-01T00:00:00.000Z"},
    )


def uuid(number: int) -> str:
    """A UUIDv7 whose milliseconds grow with the number, as with a real clock."""
    digits = f"{_FIRST_UUID + (number << 80) + secrets.randbits(62):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def events(signer: Signer, at: int, count: int) -> Iterator[tuple[Envelope, Event]]:
    """Starts and their ends in turns, really signed. Their text comes from a mould: JCS of what has a fixed shape."""
    keyid = keys.keyid(signer.public_key)
    occurred = now()
    utc = occurred.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    capture = started = ""
    for number in range(at, at + count):
        event_id = uuid(number)
        if number % 2 == 0:
            capture = event_id
            kind, name, refs = "capture.started", "job.json", ""
            body = f'{{"attempt":1,"capture":"{capture}","deadline":"2030-01-01T00:00:00.000Z"}}'
        else:
            kind, name = "capture.abandoned", "detail.json"
            refs = f'{{"payload_sha256":"{started}","rel":"started_by"}}'
            body = f'{{"capture":"{capture}","reason":"interrupted"}}'
        payload = (
            f'{{"_type":"https://in-toto.io/Statement/v1","predicate":{{"anchor":null,"body":{body},'
            f'"chain":"item:{capture}","event_id":"{event_id}","occurred_at":"{utc}","refs":[{refs}],"run":null,'
            f'"salt":"{secrets.token_hex(16)}"}},"predicateType":"https://counterproof.example/custody/{kind}/v1",'
            f'"subject":[{{"annotations":{{"bytes":100}},"digest":{{"sha256":"{"0" * 64}"}},"name":"{name}"}}]}}'
        ).encode()
        started = sha256(payload).hexdigest()
        envelope = Envelope(payload, keyid, signer.sign(pae(payload)))
        yield envelope, Event(type=kind, event_id=event_id, salt="", occurred_at=occurred, run=None,
                              chain=f"item:{capture}", subjects=(), body={})  # fmt: skip


def commit(sequencer: Sequencer, made: list[tuple[Envelope, Event]]) -> None:
    """As the sequencer commits, but for the judging of what was made a moment ago."""
    with sequencer._turn():
        sequencer._follow()
        follower = sequencer._follower
        draft = Draft(sequencer._heads, sequencer.trust, after=follower.position)
        logged = now()
        for envelope, parsed in made:
            draft.place(envelope, parsed, logged)
        built = Commit(
            n=follower.position.n + 1, prev=follower.position.commit_sha256, old=follower.position.size,
            new=draft.index, root=follower.edge.grow(draft.leaves).root, key=sequencer._keyid, by=sequencer._worker,
            nonce=secrets.token_hex(16), leaves=tuple(draft.leaves), events=draft.event_ids(),
        )  # fmt: skip
        sequencer._pending = _Pending(built.n, built.format(), draft)
        sequencer._resolve()
        sequencer._follow()


def make(at: Path, size: int) -> None:
    """A log of at least this size in ``at``: it goes on where it stopped."""
    at.mkdir(parents=True, exist_ok=True)
    home, store = Home.open(at / "home", clock=now), DirectoryStore(at / "store")
    sequencer = open_log(home, store, clock=now, retain_until=until)
    began, first = time.monotonic(), sequencer.position.size
    while (grown := sequencer.position.size) < size:
        number = grown + grown % 2
        # What one commit holds begins with a start; of the last batch no end is left out.
        commit(sequencer, list(events(home.signers.worker, number, min(_COMMIT, size - grown + size % 2))))
        rate = (sequencer.position.size - first) / (time.monotonic() - began)
        print(f"\r   {sequencer.position.size:,} leaves ({rate:,.0f} a second)", end="", flush=True)
    print(flush=True)
    sequencer.close()


def fresh(at: Path, appends: int) -> list[float]:
    """Tree size, seconds to open, to append the first and a middle one, KiB of memory: of a machine with keys alone."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        home.mkdir(mode=0o700)
        for each in ("trust.json", "home.json"):
            shutil.copy2(at / "home" / each, home / each)
        shutil.copytree(at / "home" / "keys", home / "keys")
        ran = subprocess.run(
            [sys.executable, "-c", _FRESH, str(home), str(at / "store"), str(appends)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    return [float(each) for each in ran.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", type=Path, help="keep the logs here")
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--appends", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for size in given.sizes:
            at = (given.at or Path(name)) / f"log-{size}"
            make(at, size)
            leaves, opened, first, middle, peak, before = fresh(at, given.appends)
            print(f"   a log of {leaves:,.0f} leaves, and a machine that has only its keys:", flush=True)
            tell("opened, and the first event in it and read back", opened + first, "s", at_most=5)
            tell("one more event", middle * 1000, "ms")
            tell("memory at most, with the interpreter", peak / 1024, "MiB", at_most=100)
            tell("memory before the log was opened", before / 1024, "MiB")


if __name__ == "__main__":
    main()
