"""``counterproof sequence``: one pass with a document, forever with a clean end, and nothing without the key."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archive import authorities
from archive.directory import DirectoryStore
from custody import keyspace
from custody.digest import Digest
from custody.verify import verify
from tests.archive.deployment import Deployment, audit, now
from tests.archive.workers import enrol, inbox_of, waiting
from tests.authority import LocalAuthority
from tests.command import begin

WAIT_S = 90


@pytest.fixture
def office(tmp_path: Path) -> Deployment:
    deployment = Deployment.make(tmp_path, DirectoryStore(tmp_path / "store"))
    deployment.open()
    return deployment


@pytest.fixture
def worker(office: Deployment, tmp_path: Path) -> Deployment:
    return enrol(office, tmp_path / "worker")


def sequence(deployment: Deployment, *arguments: str) -> "subprocess.Popen[str]":
    store = deployment.store
    assert isinstance(store, DirectoryStore)
    return begin("sequence", "--store", f"file:{store.root}", *arguments, home=deployment.home.path)


def test_one_pass_says_what_it_took_and_what_it_refused(office: Deployment, worker: Deployment) -> None:
    inbox_of(worker, wait_s=0).submit([worker.event() for _ in range(3)])
    office.store.create(f"{keyspace.INBOX}2026/03/04/x.json", b"{}", digest=Digest.of(b"{}"), retain_until=None)
    process = sequence(office, "--once", "--json")
    out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err
    document = json.loads(out)
    assert document == {
        "schema": 1, "log": office.log, "size": document["size"], "taken": 3, "rejected": 1, "waiting": 0,
        "time": "not_configured", "time_detail": document["time_detail"], "notices": [], "exit_code": 0,
    }  # fmt: skip
    assert document["size"] == len(audit(office))
    assert waiting(office) == []


def test_one_pass_has_what_it_took_stamped(office: Deployment, worker: Deployment, tmp_path: Path) -> None:
    with LocalAuthority(tmp_path / "authority") as authority:
        authorities.add(office.home, authority.url, roots_pem=authority.roots_pem)
        inbox_of(worker, wait_s=0).submit([worker.event()])
        out, err = sequence(office, "--once", "--json").communicate(timeout=WAIT_S)
        assert json.loads(out)["time"] == "trusted", err
        out, _ = sequence(office, "--once", "--json").communicate(timeout=WAIT_S)
        assert (json.loads(out)["time"], len(authority.queries)) == (None, 1), "nothing new, nobody asked"


def test_it_has_the_log_stamped_at_once_then_seldom_and_once_more_as_it_leaves(
    office: Deployment, worker: Deployment, tmp_path: Path
) -> None:
    inbox = inbox_of(worker, wait_s=WAIT_S)
    with LocalAuthority(tmp_path / "authority") as authority:
        authorities.add(office.home, authority.url, roots_pem=authority.roots_pem)
        process = sequence(office, "--poll", "0.1")
        try:
            when(lambda: len(authority.queries) == 1)
            for _ in range(3):
                inbox.append([worker.event()])
            assert len(authority.queries) == 1, "within the minute"
        finally:
            process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0, err
        assert len(authority.queries) == 2
        audit(office)
    assert verify(office.store, office.home.trust, at=now()).facts["leaves_covered"] == len(audit(office)) - 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_goes_on_until_it_is_told_to_stop(office: Deployment, worker: Deployment, number: signal.Signals) -> None:
    inbox = inbox_of(worker, wait_s=WAIT_S)
    process = sequence(office, "--poll", "0.1")
    try:
        for _ in range(2):
            inbox.append([worker.event()])
    finally:
        process.send_signal(number)
    _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err
    assert "1 taken, 0 rejected, 0 waiting" in err
    assert waiting(office) == []


def test_without_the_log_key_it_says_where_to_go(worker: Deployment) -> None:
    process = sequence(worker, "--once")
    _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 6
    assert "this home holds no log key" in err


def test_json_is_for_one_pass(office: Deployment) -> None:
    process = sequence(office, "--json")
    out, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == 2
    assert "give --once with it" in json.loads(out)["error"]


def test_a_log_that_goes_backwards_ends_it(office: Deployment, worker: Deployment, tmp_path: Path) -> None:
    first = office.store.read(keyspace.checkpoint(office.log))
    process = sequence(office, "--poll", "0.1")
    inbox = inbox_of(worker, wait_s=WAIT_S)
    try:
        inbox.append([worker.event()])
        when(lambda: waiting(office) == [])
        (tmp_path / "store" / keyspace.commit(office.log, inbox.position.n)).unlink()
        office.store.replace(keyspace.checkpoint(office.log), first)
        _, err = process.communicate(timeout=WAIT_S)
    finally:
        process.kill()
    assert process.returncode == 6
    assert "run `counterproof verify`" in err


def when(true: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)
