"""The embedded PostgreSQL: as private as the home, shared, alive as long as its users, and no longer."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from archive.config import ArchiveConfig
from archive.errors import KeyFileError, QueueDown, UsageError
from archive.postgres import embedded_postgres
from archive.postmaster import State
from archive.watching.database import down, opened

pytestmark = pytest.mark.s3
ROOT = Path(__file__).parents[2]
USE = """
import sys, time
from pathlib import Path
from archive.postgres import embedded_postgres
with embedded_postgres(Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("home") / "postgres"
    with embedded_postgres(made) as conninfo, psycopg.connect(conninfo) as connection:
        connection.execute("CREATE TABLE kept (n integer)")
        connection.execute("INSERT INTO kept VALUES (1)")
    return made


def until(what: Callable[[], object], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def is_running(pid: int | None) -> bool:
    try:
        return pid is not None and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def ask(conninfo: str) -> int:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def test_it_keeps_what_it_was_given_and_stops_with_its_last_user(directory: Path) -> None:
    with embedded_postgres(directory) as conninfo, embedded_postgres(directory) as same:
        assert conninfo == same
        state = State.read(directory)
        assert state is not None
    until(lambda: not is_running(state.server) and not is_running(state.watchdog))
    with embedded_postgres(directory) as conninfo:
        assert ask(conninfo) == 1


def test_nobody_else_gets_in_and_no_folder_is_opened_to_others(directory: Path) -> None:
    with embedded_postgres(directory) as conninfo:
        for path in (directory, directory / "data", directory / "password"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(conninfo.replace("password=", "password=x"))
        ports = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=False).stdout
        assert "postgres" not in ports


def test_a_server_that_is_killed_is_started_again_with_all_that_was_committed(directory: Path) -> None:
    with embedded_postgres(directory) as conninfo:
        before = State.read(directory)
        assert before is not None
        assert before.server is not None
        os.kill(before.server, signal.SIGKILL)

        def answers() -> bool:
            try:
                return ask(conninfo) == 1
            except psycopg.OperationalError:
                return False

        def is_another() -> bool:  # a kill takes a while, and so does telling of the next one
            after = State.read(directory)
            return after is not None and after.server not in {None, before.server} and answers()

        until(is_another)


@pytest.mark.parametrize("victim", ["user", "watchdog"])
def test_whoever_is_killed_nothing_is_left_running(directory: Path, victim: str) -> None:
    user = subprocess.Popen(
        [sys.executable, "-c", USE, directory],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert user.stdout is not None
        assert user.stdout.readline() == "up\n"
        state = State.read(directory)
        assert state is not None
        os.kill(user.pid if victim == "user" else state.watchdog, signal.SIGKILL)
        until(lambda: not is_running(state.server))
        with embedded_postgres(directory) as conninfo:
            assert ask(conninfo) == 1
    finally:
        user.kill()
        user.communicate()


def test_a_password_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "password").chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"), embedded_postgres(tmp_path):
        pass


def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("initdb", "postgres"):
        (programs / name).write_text("#!/bin/sh\necho 'no room left' >&2\nexit 1\n")
        (programs / name).chmod(0o755)
    with pytest.raises(QueueDown, match="no room left"), embedded_postgres(tmp_path / "home", programs=programs):
        pass


def test_a_database_that_does_not_answer_is_told_of_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(QueueDown) as refused, opened(f"host={tmp_path} user=me password=hunter2 connect_timeout=2"):
        pass
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in str(down(psycopg.OperationalError("cannot reach postgresql://me:hunter2@db.example/x")))


def test_a_newer_database_is_refused(directory: Path) -> None:
    with embedded_postgres(directory) as conninfo:
        with opened(conninfo) as database, database.transaction() as connection:
            connection.execute("INSERT INTO counterproof.migrations VALUES (999, now())")
        with pytest.raises(QueueDown, match="newer version"), opened(conninfo):
            pass
        with psycopg.connect(conninfo) as connection:
            connection.execute("DELETE FROM counterproof.migrations WHERE n = 999")


def test_a_dsn_that_is_none_is_refused_and_never_shown() -> None:
    with pytest.raises(UsageError, match="postgresql://"):
        ArchiveConfig.load({"COUNTERPROOF_DSN": "hunter2"}, settings={})
    config = ArchiveConfig.load({"COUNTERPROOF_DSN": "postgresql://me:hunter2@db.example/x"}, settings={})
    assert "hunter2" not in repr(config)
