"""What is in hand lies in files that were hashed as they were written; what was begun lies in a journal."""

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import disk
from archive.errors import DiskError, UsageError
from archive.journal import Journal, Journalled, SpooledBlob, read_journal
from archive.memory import MemoryStore
from archive.receipt import Receipt
from archive.scribe import Scribe
from archive.spool import JOURNAL, RunSpool, Spool
from custody.digest import Digest
from custody.event import Envelope, Ref
from custody.keys import Ed25519Signer
from custody.model import Json, Role
from tests.archive.deployment import now, tomorrow

SCRIBE = Scribe(MemoryStore(), Ed25519Signer(bytes(32)), clock=now, retain_until=tomorrow)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunSpool]:
    with Spool(tmp_path / "spool", clock=now).run(SCRIBE.new_id()) as run:
        yield run


def started() -> Envelope:
    capture = SCRIBE.new_id()
    body: dict[str, Json] = {"capture": capture, "attempt": 1, "deadline": "2030-01-01T00:00:00.000Z"}
    return SCRIBE.event("capture.started", chain=f"item:{capture}", subject=SCRIBE.blob("job.json", b"{}"), body=body)


def ended(start: Envelope) -> Envelope:
    capture = SCRIBE.new_id()
    return SCRIBE.event(
        "capture.abandoned",
        chain=f"item:{capture}",
        subject=SCRIBE.blob("detail.json", b"{}"),
        body={"capture": capture, "reason": "interrupted"},
        refs=(Ref(rel="started_by", payload_sha256=start.payload_sha256),),
    )


def receipt(envelope: Envelope) -> Receipt:
    return Receipt(
        log="a.example",
        n=2,
        index=4,
        tree_size=5,
        leaf_sha256=Digest.of(b"leaf"),
        payload_sha256=envelope.payload_sha256,
        checkpoint=b"",
    )


# Files


def test_a_file_is_named_by_what_was_written(run: RunSpool) -> None:
    visit = run.visit("capture")
    with visit.writer(Role.BODY, "body.bin", "application/octet-stream") as file:
        for chunk in (b"ab", b"", b"c" * 100_000):
            file.write(chunk)
        snapshot = file.finish()
    whole = b"ab" + b"c" * 100_000
    assert snapshot.path.read_bytes() == whole
    assert (snapshot.digest, snapshot.bytes) == (Digest.of(whole), len(whole))
    assert (snapshot.role, snapshot.name, snapshot.media_type) == (Role.BODY, "body.bin", "application/octet-stream")
    assert stat.S_IMODE(snapshot.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(visit.path.stat().st_mode) == 0o700
    assert file.finish() == snapshot


def test_a_file_that_was_not_finished_is_gone(run: RunSpool) -> None:
    visit = run.visit("capture")

    def break_off() -> None:
        with visit.writer(Role.DOM, "dom.html", "text/html") as file:
            file.write(b"half")
            assert file.path.exists()
            raise ValueError("broken off")

    with pytest.raises(ValueError, match="broken off"):
        break_off()
    assert list(visit.path.iterdir()) == []


def test_takes_over_a_file_that_somebody_else_wrote(run: RunSpool, tmp_path: Path) -> None:
    (tmp_path / "download").write_bytes(b"pdf")
    snapshot = run.visit("capture").copy(Role.BODY, "body.pdf", "application/pdf", tmp_path / "download")
    assert (snapshot.digest, snapshot.bytes) == (Digest.of(b"pdf"), 3)
    with pytest.raises(DiskError, match="cannot be used"):
        run.visit("capture").copy(Role.BODY, "other", "application/pdf", tmp_path / "nowhere")
    assert not (run.path / "capture" / "other").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", ".hidden", "a\x00b", "ü.html", "x" * 121])
def test_a_name_cannot_leave_the_visit(run: RunSpool, name: str) -> None:
    with pytest.raises(UsageError, match="is named by"):
        run.visit("capture").writer(Role.DOM, name, "text/html")
    with pytest.raises(UsageError, match="is named by"):
        run.visit(name)


def test_one_name_is_one_file(run: RunSpool) -> None:
    visit = run.visit("capture")
    first = visit.write(Role.DOM, "dom.html", "text/html", b"first")
    with pytest.raises(UsageError, match=r"dom\.html already"):
        visit.write(Role.DOM, "dom.html", "text/html", b"second")
    (visit.path / "link").symlink_to(visit.path / "target")
    with pytest.raises(UsageError, match="link already"):
        visit.write(Role.DOM, "link", "text/html", b"x")
    assert first.path.read_bytes() == b"first"
    assert not (visit.path / "target").exists()


FILL = """
import resource, sys
from pathlib import Path
from archive.errors import DiskError
from archive.spool import Spool
from custody.model import Role
from tests.archive.deployment import now
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
with Spool(Path(sys.argv[1]), clock=now).run("run") as run:
    visit = run.visit("capture")
    file = visit.writer(Role.BODY, "body", "text/plain")
    try:
        for _ in range(100):
            file.write(b"x" * 4096)
    except DiskError as error:
        print(error)
        print(len(list(visit.path.iterdir())))
"""


def fill(path: Path, how: str, *command: str) -> list[str]:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [*command, sys.executable, "-c", FILL, str(path), how], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_file_system_that_takes_no_more_is_said_in_a_sentence(tmp_path: Path) -> None:
    sentence, left = fill(tmp_path / "spool", "limit")
    assert sentence.startswith("the disk is full: free some space for ")
    assert left == "0", "half a file is of no use to anybody"


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    mount = 'mount -t tmpfs -o size=128k none "$0" && exec "$@"'
    unshare = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(tmp_path / "small")]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system of its own cannot be mounted here")
    sentence, left = fill(tmp_path / "small" / "spool", "disk", *unshare)
    assert sentence.startswith("the disk is full: free some space for ")
    assert left == "0"


# Journals


def journal(path: Path) -> tuple[Journal, Envelope, Envelope]:
    written = Journal(path, clock=now)
    start = started()
    end = ended(start)
    written.intent(start)
    written.started(start, receipt(start))
    written.end(end, [SpooledBlob(digest=Digest.of(b"x"), path=Path("capture/body"))])
    written.submitted(end, receipt(end))
    return written, start, end


def test_a_journal_says_what_was_written(tmp_path: Path) -> None:
    written, start, end = journal(tmp_path / JOURNAL)
    assert written.settled
    written.close()
    state = read_journal(tmp_path / JOURNAL)
    assert not state.torn
    assert state.settled
    assert state.case is None
    assert state.starts[start.payload_sha256].envelope == start
    assert state.starts[start.payload_sha256].durable
    (found,) = state.ends.values()
    assert (found.envelope, found.started_sha256, found.submitted) == (end, start.payload_sha256, True)
    assert [(each.digest, each.path) for each in found.blobs] == [(Digest.of(b"x"), Path("capture/body"))]
    assert stat.S_IMODE((tmp_path / JOURNAL).stat().st_mode) == 0o600


def test_an_intent_is_open_until_its_end_is_submitted(tmp_path: Path) -> None:
    def settled() -> bool:
        return written.settled

    written = Journal(tmp_path / JOURNAL, clock=now)
    assert settled()
    start = started()
    written.intent(start)
    assert not settled()
    written.withdrawn(start)
    assert settled()
    written.started(start, receipt(start))
    end = ended(start)
    written.end(end)
    assert not settled()
    written.submitted(end, receipt(end))
    assert settled()
    written.close()


def whole(state: Journalled) -> tuple[object, ...]:
    return state.starts, state.ends, state.damage


@settings(max_examples=40)
@given(data=st.data())
def test_a_journal_that_was_cut_anywhere_says_what_it_said_up_to_there(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / JOURNAL
    journal(path)[0].close()
    lines = path.read_bytes().splitlines(keepends=True)
    cut = data.draw(st.integers(0, sum(map(len, lines))))
    text = b"".join(lines)[:cut]
    path.write_bytes(text)
    state = read_journal(path)
    assert state.damage == []
    assert state.torn == (text != b"" and not text.endswith(b"\n"))
    count = text.count(b"\n")
    path.write_bytes(b"".join(lines[:count]))
    assert whole(read_journal(path)) == whole(state)
    path.write_bytes(text)
    resumed = Journal(path, clock=now, state=state)
    resumed.interrupted()
    resumed.close()
    after = read_journal(path)
    assert (after.damage, after.torn, after.interrupted) == ([], False, True)


@given(at=st.integers(0, 3), where=st.floats(0, 0.999), bit=st.integers(0, 7))
@settings(max_examples=60)
def test_damage_before_the_end_is_reported_and_the_rest_is_still_read(
    tmp_path_factory: pytest.TempPathFactory, at: int, where: float, bit: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / JOURNAL
    written, _, end = journal(path)
    written.interrupted()
    written.close()
    lines = path.read_bytes().splitlines(keepends=True)
    line = bytearray(lines[at])
    line[int(where * (len(line) - 1))] ^= 1 << bit
    path.write_bytes(b"".join([*lines[:at], bytes(line), *lines[at + 1 :]]))
    state = read_journal(path)
    assert state.damage
    assert not state.settled
    assert state.interrupted
    if at != 2:
        assert state.ends[end.payload_sha256].envelope == end


def test_a_line_removed_from_the_middle_is_damage(tmp_path: Path) -> None:
    journal(tmp_path / JOURNAL)[0].close()
    lines = (tmp_path / JOURNAL).read_bytes().splitlines(keepends=True)
    (tmp_path / JOURNAL).write_bytes(b"".join([lines[0], *lines[2:]]))
    assert read_journal(tmp_path / JOURNAL).damage == ["line 2 does not follow the line before it"]


def test_a_line_that_could_not_be_written_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written, start, _ = journal(tmp_path / JOURNAL)
    before = (tmp_path / JOURNAL).read_bytes()

    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(DiskError, match="the disk is full"):
            written.end(ended(start))
    assert (tmp_path / JOURNAL).read_bytes() == before
    assert written.settled
    written.interrupted()
    written.close()
    assert read_journal(tmp_path / JOURNAL).damage == []


def test_a_journal_says_whose_evidence_it_is_about(tmp_path: Path) -> None:
    written = Journal(tmp_path / JOURNAL, clock=now)
    written.case("019a0000-0000-7000-8000-000000000000")
    written.close()
    state = read_journal(tmp_path / JOURNAL)
    assert (state.case, state.damage) == ("019a0000-0000-7000-8000-000000000000", [])
    assert state.settled, "nothing was begun yet"


def test_a_closed_journal_takes_nothing(tmp_path: Path) -> None:
    written, start, _ = journal(tmp_path / JOURNAL)
    written.close()
    with pytest.raises(DiskError, match="is closed"):
        written.intent(start)


# Runs


def test_a_run_that_is_settled_leaves_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", clock=now)
    run = spool.run("run")
    run.visit("capture").write(Role.DOM, "dom.html", "text/html", b"x")
    assert run.close()
    assert list(spool.path.iterdir()) == []


def test_a_run_with_a_start_and_no_end_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", clock=now)
    run = spool.run("run")
    run.journal.intent(started())
    with spool.dead(run.path) as dead:
        assert not dead, "it is running"
    assert not run.close()
    with spool.dead(run.path) as dead:
        assert dead
        with spool.dead(run.path) as twice:
            assert not twice, "one recovery at a time"
    assert spool.runs() == [run.path]


def test_a_killed_process_leaves_a_dead_run(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from archive.spool import Spool\n"
        "from tests.archive.deployment import now\n"
        "run = Spool(Path(sys.argv[1]), clock=now).run('run')\n"
        "print('running', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "spool")]
    spool = Spool(tmp_path / "spool", clock=now)
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"running\n"
        (run,) = spool.runs()
        with spool.dead(run) as dead:
            assert not dead
        process.send_signal(signal.SIGKILL)
        process.wait()
        with spool.dead(run) as dead:
            assert dead


def test_what_a_death_left_half_made_or_half_removed_is_swept(tmp_path: Path) -> None:
    spool = Spool(tmp_path, clock=now)
    for name in (".making-old", ".making-new", ".removed-run-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    old = (now() - timedelta(hours=2)).timestamp()
    os.utime(tmp_path / ".making-old", (old, old))
    spool.sweep()
    assert [each.name for each in tmp_path.iterdir()] == [".making-new"]
    assert spool.runs() == []


def test_a_run_id_is_used_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, clock=now)
    with spool.run("run"), pytest.raises(DiskError):
        spool.run("run")


def test_an_exclusive_lock_is_held_by_one(tmp_path: Path) -> None:
    lock = disk.try_exclusive(tmp_path / "lock")
    assert lock is not None
    assert disk.try_exclusive(tmp_path / "lock") is None
    disk.release(lock)
    assert disk.try_exclusive(tmp_path / "none", create=False) is None
