"""The catalogue of a large archive: made again from packs, listed, searched and looked up with 20 requests in flight.

``BENCH_CATALOG_CAPTURES`` (50,000): how many; 1,000,000 takes some minutes. The archive is made up, and only what the
catalogue reads of it is there: packs, and the one commit that they are of. Each figure stands beside a bare loop.
``BENCH_CATALOG_KEPT``: a folder that the catalogue is made in; where it lies there already, it is only asked.
"""

import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from array import array
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from archive.catalog import Catalog
from archive.directory import DirectoryStore
from archive.index.forgetting import written
from archive.index.history import Target, history
from archive.index.listing import Wanted, listed
from archive.index.neighbours import neighbours
from archive.index.rows import artifacts_text, prefix_of
from archive.index.sqlite import SqliteDatabase
from archive.index.tables import ARTIFACT, CHUNK_LEAVES, JOB, RECORD, SCHEMA
from archive.index.tokens import folded
from archive.index.whereabouts import whereabouts
from archive.log import LogReader
from archive.packs import _CONTEXT, ROWS, Packs
from bench.measuring import tell
from custody import canonical, keyspace
from custody.digest import Digest
from custody.ids import uuid7
from custody.instant import format_utc
from custody.keys import Ed25519Signer
from custody.note import VerifierKey

LONG = True

CAPTURES = int(os.environ.get("BENCH_CATALOG_CAPTURES", "50000"))
IN_FLIGHT = 20
REQUESTS = int(os.environ.get("BENCH_CATALOG_REQUESTS", "1000"))
LOG = "bench.example/log"
CASES = 20
UNIT = 4
"""Captures of one unit: a post, a profile, a hub, a listing."""
LEAVES = 9
"""Of one unit: it is assigned to its case, and each capture begins and ends."""
OFFSET = 4096
"""The first leaf: room for a log that is there (``bench.browsing``)."""
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = ("post", "profile", "link_hub", "listing")
ROLES = ("screenshot", "viewport", "dom", "text", "headers", "body", "warc", "reading")
_SAID = """bracelet gold ring screw love quilted bag belt watch wrist stack dupe haul link bio code ship worth everyday
    jewelry summer tarnish free steel leather chain soft classic drop new number button shop price seller item"""
WORDS = tuple(_SAID.split())


def rows_of(first: int, last: int, chance: random.Random) -> Iterator[tuple[str, list[Any]]]:
    """Rows of the units of these numbers, by table."""
    for unit in range(first, last):
        leaf = OFFSET + unit * LEAVES
        at = BEGUN + timedelta(seconds=unit * 7)
        root = uuid7(at, unit.to_bytes(10, "big"))
        scope = f"scope-{unit % CASES:02d}"
        yield "members", [scope, root, leaf]
        digest = sha256(b"member%d" % unit).hexdigest()
        subjects = json.dumps([["item.json", digest, 120]])
        yield (
            "events",
            [leaf, unit + 2, "item.assigned", f"scope:{scope}", root, None, format_utc(at), root, digest, subjects],
        )
        parent = None
        for n, kind in enumerate(KINDS):
            started = leaf + 1 + 2 * n
            begun = at + timedelta(seconds=n)
            capture = root if n == 0 else uuid7(begun, (unit * 10 + n).to_bytes(10, "big"))
            own = sha256(b"%d %d" % (unit, n)).hexdigest()
            record, job = (sha256(b"%s %d %d" % (what, unit, n)).hexdigest() for what in (b"record", b"job"))
            host = ("www.glimpsegram.example", "www.glimpsegram.example", "lnkgarden.example", "www.bazaroo.example")[n]
            url = f"https://{host}/{kind}/{unit if n == 0 else unit % 5000}"
            kept = [
                (
                    role,
                    f"{role}.bin",
                    sha256(own.encode() + role.encode()).hexdigest(),
                    chance.randrange(99, 999_999),
                    "x/y",
                )
                for role in ROLES
            ]
            outcome = chance.choices(("ok", "login_wall", "removed", "private"), (90, 7, 2, 1))[0]
            shown = {"ok": "content", "removed": "absent"}.get(outcome, "wall")
            title = f"{' '.join(chance.choices(WORDS, k=6))} {unit}"
            values = {
                "started_index": started, "capture_id": capture, "unit": root, "parent": parent,
                "started_at": format_utc(begun), "started_sha256": own, "job_sha256": job, "anchor_size": None,
                "anchor_sha256": None, "look_id": None, "ended_at": format_utc(begun + timedelta(seconds=9)),
                "end_index": started + 1, "status": "complete", "outcome": outcome, "origin": "public",
                "http_status": 200, "requested_url": url, "final_url": url,
                "title": title, "url_key": url,
                "host": host,
                "record_sha256": record, "trouble": None, "disposed_at": None, "quarantine": None, "surface": "page",
                "shown": shown, "platform": None, "reader": ("glimpse", "glimpse", "hub", "bazaroo")[n], "kind": kind,
            }  # fmt: skip
            yield "captures", [values[name] for name in ROWS["captures"][1]]
            yield "kept", [started, artifacts_text(kept)]
            for what, digests in ((ARTIFACT, [each[2] for each in kept]), (RECORD, [record]), (JOB, [job])):
                for each in digests:
                    yield "digests", [prefix_of(each), what, started]
            parent = capture


def make(folder: Path) -> Packs:
    """A store with packs of so many captures, and the commit that they are of."""
    store, signer = DirectoryStore(folder), Ed25519Signer(b"\x07" * 32)
    chance = random.Random(7)  # noqa: S311  # makes pages up
    units = CAPTURES // UNIT
    size = OFFSET + units * LEAVES
    tables: dict[str, list[Any]] = {name: [] for name in (*ROWS, "digests")}
    tables["cases"] = [[f"scope-{n:02d}", f"case {n}", 0] for n in range(CASES)]
    listed_packs, chunk = [], 0

    def close() -> None:
        digests = tables.pop("digests")
        columns = [array(code, (row[at] for row in digests)) for at, code in enumerate("qbq")]
        packed = dict(
            zip(("prefix", "what", "place"), (b64encode(each.tobytes()).decode() for each in columns), strict=True)
        )
        value = {"v": 1, "schema": SCHEMA, "chunk": chunk, "tables": dict(tables), "digests": packed}
        data = zlib.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), 3)
        digest = Digest.of(data)
        store.create(keyspace.index_pack(LOG, digest), data, digest=digest, retain_until=None)
        listed_packs.append(digest.hex)
        tables.update({name: [] for name in (*ROWS, "digests")})

    for unit in range(units):
        for table, row in rows_of(unit, unit + 1, chance):
            tables[table].append(row)
        if (OFFSET + (unit + 1) * LEAVES) // CHUNK_LEAVES > chunk:
            close()
            chunk += 1
    close()
    n = units + 1
    commit = b"the commit of a bench"
    store.create(keyspace.commit(LOG, n), commit, digest=Digest.of(commit), retain_until=None)
    manifest = canonical.dumps(
        {
            "v": 1,
            "schema": SCHEMA,
            "log": LOG,
            "n": n,
            "size": size,
            "commit": Digest.of(commit).hex,
            "packs": listed_packs,
        }
    )
    signed = canonical.dumps({"sig": b64encode(signer.sign(_CONTEXT + manifest)).decode()})
    document = b"%b\n%b\n" % (manifest, signed)
    store.create(keyspace.index(LOG, n), document, digest=Digest.of(document), retain_until=None)
    return Packs(LogReader(store, LOG), vkey=VerifierKey(LOG, signer.public_key))


def bare_rebuild(folder: Path, into: Path) -> None:
    """The floor: read, hash, inflate and parse the packs, put each capture into a table without an index."""
    connection = sqlite3.connect(into)
    columns = ROWS["captures"][1]
    connection.execute(f"CREATE TABLE captures ({', '.join(columns)})")
    for path in (folder / keyspace.index_prefix(LOG) / "packs").iterdir():
        data = path.read_bytes()
        if sha256(data).hexdigest() != path.name:
            raise SystemExit(f"{path} is not what its name says")
        value = json.loads(zlib.decompress(data))
        connection.executemany(
            f"INSERT INTO captures VALUES ({', '.join('?' * len(columns))})",  # noqa: S608  # names of ours
            value["tables"]["captures"],
        )
    connection.commit()
    connection.close()


def take_in(database: SqliteDatabase) -> None:
    """Texts of all captures, as the second pass writes them; the store is not asked, since there is none."""
    chance = random.Random(8)  # noqa: S311  # makes texts up
    rows = database.rows("SELECT started_index, final_url, title, kind FROM captures ORDER BY started_index")
    for start in range(0, len(rows), 2000):
        with database.transaction() as transaction:
            for place, url, title, kind in rows[start : start + 2000]:
                handle = f"user{place % 7000}"
                texts = [url, title, handle, " ".join(chance.choices(WORDS, k=60))]
                transaction.run("INSERT INTO readings VALUES (?, ?, ?, NULL)", (place, "{}", folded(texts)))
                sort = "seller" if kind == "listing" else "account"
                transaction.run("INSERT INTO names VALUES (?, ?, ?, ?)", (sort, handle, place, handle))
                database.write_words(transaction, place, written(transaction, place, texts))
    with database.transaction() as transaction:
        transaction.run("DELETE FROM unread")
    database.settle()


def in_flight(ask: Callable[[random.Random], object]) -> list[float]:
    """Milliseconds of each of the requests, ``IN_FLIGHT`` at a time."""
    took: list[float] = []
    lock = threading.Lock()

    def work(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311  # picks requests
        for _ in range(REQUESTS // IN_FLIGHT):
            begun = time.perf_counter()
            ask(chance)
            with lock:
                took.append((time.perf_counter() - begun) * 1000)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(IN_FLIGHT)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return took


def p95(took: Sequence[float]) -> float:
    return statistics.quantiles(took, n=20)[-1]


def serve(path: Path) -> None:
    """In a process of its own, whose memory is then that of whoever browses."""
    database = SqliteDatabase.open(path)
    some = [row[0] for row in database.rows("SELECT capture_id FROM captures ORDER BY started_index LIMIT 5000")]
    top = database.rows("SELECT max(started_index) FROM captures")[0][0]
    scopes = {f"scope-{n:02d}" for n in range(3)}

    def asked(**more: Any) -> Callable[[random.Random], object]:
        def ask(chance: random.Random) -> object:
            filters = {name: value(chance) if callable(value) else value for name, value in more.items()}
            sight = filters.pop("sight", None)
            page = listed(database, Wanted(**filters), sight)
            return [each.to_json() for each in page.found]

        return ask

    def where(chance: random.Random) -> int:
        return chance.randrange(top)

    runs: dict[str, Callable[[random.Random], object]] = {
        "list, all": asked(before=where),
        "list, one case": asked(scope="scope-01", before=where),
        "list, as one who may see three cases": asked(sight=scopes, before=where),
        "list, removed listings of a case": asked(scope="scope-01", outcome="removed", kind="listing"),
        "list, one platform and a week": asked(
            platform="bazaroo", since=BEGUN + timedelta(days=3), until=BEGUN + timedelta(days=10)
        ),
        "search, a word that half of all have": asked(words="bracelet", before=where),
        "search, two words of one case": asked(words="quilted tarnish", scope="scope-02"),
        "search, a handle": asked(words=lambda chance: f"user{chance.randrange(7000)}"),
        "search, a phrase, removed pages": asked(words='"gold ring"', outcome="removed"),
        "a capture, its artifacts and events": _capture(database, some),
        "timeline of an account": lambda chance: history(
            database, Target(sort="account", value=f"user{chance.randrange(7000)}"), scopes
        ),
    }
    for name, ask in runs.items():
        ask(random.Random(0))  # noqa: S311  # picks a request
        cpu = time.process_time()
        took = in_flight(ask)
        each_ms = (time.process_time() - cpu) * 1000 / len(took)
        tell(f"{name}: p95 of {REQUESTS}, {IN_FLIGHT} in flight", p95(took), "ms", at_most=100)
        print(f"      processor time of each: {each_ms:.1f} ms")
    bare = sqlite3.connect(path, check_same_thread=False)
    digests = [sha256(sha256(b"%d 0" % n).hexdigest().encode() + b"dom").hexdigest() for n in range(1000)]
    took = []
    for each in digests:
        begun = time.perf_counter()
        found = whereabouts(database, Digest(each), None)
        took.append((time.perf_counter() - begun) * 1000)
        if len(found) != 1:
            raise SystemExit(f"{each} is found {len(found)} times")
    tell("look-up of a digest, p95", p95(took), "ms", at_most=1)
    floor = []
    for each in digests:
        begun = time.perf_counter()
        bare.execute("SELECT place FROM digests WHERE prefix = ?", (prefix_of(each),)).fetchall()
        floor.append((time.perf_counter() - begun) * 1000)
    tell("against the bare query", statistics.median(took) / statistics.median(floor), "times")
    begun = time.perf_counter()
    neighbours(database, "scope-01", None)
    tell("graph of a case, its newest 20,000 captures", (time.perf_counter() - begun) * 1000, "ms")
    tell("memory at most", _peak_mib(), "MiB", at_most=300)
    database.close()


def _peak_mib() -> float:
    """Of this process since it began its program: ``getrusage`` counts what its parent had, too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _capture(database: SqliteDatabase, some: Sequence[str]) -> Callable[[random.Random], object]:
    catalog = Catalog(database)

    def ask(chance: random.Random) -> object:
        name = chance.choice(some)
        (entry,) = catalog.find(name)
        return entry.to_json(), catalog.artifacts(name), catalog.events_of(entry.unit), catalog.scopes_of(entry.unit)

    return ask


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]))
        return
    kept = os.environ.get("BENCH_CATALOG_KEPT")
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_CATALOG_DIR")) as name:
        folder = Path(kept or name)
        folder.mkdir(exist_ok=True)
        if not (folder / "catalog.sqlite").is_file():
            build(folder)
            if kept:
                return
        subprocess.run([sys.executable, "-m", "bench.catalog", "serve", str(folder / "catalog.sqlite")], check=True)


def build(folder: Path) -> None:
    """``catalog.sqlite`` there, from packs."""
    shutil.rmtree(folder / "store", ignore_errors=True)
    (folder / "store").mkdir()
    packs = make(folder / "store")
    size = sum(each.stat().st_size for each in (folder / "store").rglob("*") if each.is_file())
    print(f"   {CAPTURES:,} captures, packed: {size / 1e6:,.0f} MB")
    begun, cpu = time.perf_counter(), time.process_time()
    bare_rebuild(folder / "store", folder / "bare.sqlite")
    bare, bare_cpu = time.perf_counter() - begun, time.process_time() - cpu
    (folder / "bare.sqlite").unlink()
    made = folder / "made.sqlite"  # it has its name when it is whole
    made.unlink(missing_ok=True)
    database = SqliteDatabase.open(made)
    begun, cpu = time.perf_counter(), time.process_time()
    loaded = packs.load(database)
    took, spent = time.perf_counter() - begun, time.process_time() - cpu
    if loaded is None or database.rows("SELECT count(*) FROM captures")[0][0] != CAPTURES // UNIT * UNIT:
        raise SystemExit("the packs were not loaded")
    tell("rebuilt from packs", CAPTURES / took, "captures/s", at_least=20_000)
    print(f"      in processor time: {CAPTURES / spent:,.0f} captures a second")
    tell("against reading, parsing and a table without an index", took / bare, "times")
    print(f"      in processor time: {spent / bare_cpu:.1f} times")
    begun = time.perf_counter()
    take_in(database)
    tell("words taken in, without the store", CAPTURES / (time.perf_counter() - begun), "captures/s")
    database.close()
    tell("memory at most, packs made and all of it rebuilt", _peak_mib(), "MiB")
    made.rename(folder / "catalog.sqlite")
    print(f"   catalog.sqlite: {(folder / 'catalog.sqlite').stat().st_size / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
