"""The local authority does what the tests of others take it to do."""

import http.client
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from custody.errors import TimestampError
from custody.timestamp import judge, query
from custody.trust import Authority
from tests.authority import LocalAuthority, Mood

DATA = b"a checkpoint"
QUERY = query(DATA, 7)


def ask(url: str, timeout_s: float = 5.0) -> bytes:
    headers = {"Content-Type": "application/timestamp-query"}
    with urllib.request.urlopen(urllib.request.Request(url, QUERY, headers), timeout=timeout_s) as response:
        assert response.headers["Content-Type"] == "application/timestamp-reply"
        body: bytes = response.read()
    return body


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority")


@pytest.fixture
def local(directory: Path) -> Iterator[LocalAuthority]:
    with LocalAuthority(directory) as authority:
        yield authority


def trusted(local: LocalAuthority) -> Authority:
    return Authority(id="local", url=local.url, roots_pem=local.roots_pem)


def test_answers_over_http(local: LocalAuthority) -> None:
    assert judge(QUERY, ask(local.url), DATA, trusted(local)).serial
    assert local.queries == [QUERY]


def test_each_answer_has_a_serial_number_of_its_own(local: LocalAuthority) -> None:
    serials = [judge(QUERY, ask(local.url), DATA, trusted(local)).serial for _ in range(3)]
    assert len(set(serials)) == 3


@pytest.mark.parametrize(
    ("mood", "code"),
    [
        (Mood.GARBAGE, "TS_PARSE"),
        (Mood.REJECTION, "TS_STATUS"),
        (Mood.MODIFIED, "TS_STATUS"),
        (Mood.WRONG_IMPRINT, "TS_IMPRINT"),
        (Mood.WRONG_NONCE, "TS_NONCE"),
    ],
)
def test_misbehaves_as_told(local: LocalAuthority, mood: Mood, code: str) -> None:
    local.mood = mood
    with pytest.raises(TimestampError) as refusal:
        judge(QUERY, ask(local.url), DATA, trusted(local))
    assert refusal.value.code == code
    local.mood = Mood.HONEST
    assert judge(QUERY, ask(local.url), DATA, trusted(local)).serial


def test_is_down_in_error_or_slow_as_told(local: LocalAuthority) -> None:
    local.mood = Mood.DOWN
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError, urllib.error.URLError)):
        ask(local.url)
    local.mood = Mood.ERROR
    with pytest.raises(urllib.error.HTTPError, match="503") as busy:
        ask(local.url)
    busy.value.close()
    local.mood = Mood.SLOW
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        ask(local.url, timeout_s=0.3)
    assert 0.2 < time.monotonic() - began < 5
    local.delay_s = 0.1
    assert judge(QUERY, ask(local.url), DATA, trusted(local)).serial


def test_leaving_does_not_wait_for_a_slow_answer(directory: Path) -> None:
    began = time.monotonic()
    with LocalAuthority(directory, mood=Mood.SLOW, delay_s=60) as local, pytest.raises(TimeoutError):
        ask(local.url, timeout_s=0.2)
    assert time.monotonic() - began < 10


def test_nobody_listens_after_it_is_left(directory: Path) -> None:
    with LocalAuthority(directory) as local:
        url = local.url
        assert ask(url)
    with pytest.raises(urllib.error.URLError, match="refused"):
        ask(url)


def test_keeps_its_root_from_one_start_to_the_next(directory: Path) -> None:
    with LocalAuthority(directory) as first:
        roots, response = first.roots_pem, ask(first.url)
    with LocalAuthority(directory) as second:
        assert second.roots_pem == roots
        assert judge(QUERY, response, DATA, trusted(second)).serial


def test_runs_on_its_own_until_it_is_stopped(directory: Path, tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "tests.authority", str(directory), "--port-file", str(port_file)]
    with subprocess.Popen(command, cwd=Path(__file__).parent.parent) as running:
        try:
            deadline = time.monotonic() + 30
            while not port_file.exists():
                assert running.poll() is None, "it ended"
                assert time.monotonic() < deadline, "it wrote no port"
                time.sleep(0.05)
            url = f"http://127.0.0.1:{port_file.read_text().strip()}/"
            roots = (directory / "root.pem").read_text()
            assert judge(QUERY, ask(url), DATA, Authority(id="local", url=url, roots_pem=roots)).serial
        finally:
            running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
