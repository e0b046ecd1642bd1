"""The process tree of ``serve``: what dies is started again with longer pauses; all of it ends together."""

import itertools
import json
import logging
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from io import StringIO

import pytest

from archive.errors import QueueDown
from archive.watching.standing import Standing
from console import logs
from console.metrics import serving
from console.standing import lines
from console.supervision import FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S, Part, Supervisor
from tests.workers import alive, until

STANDING = Standing(
    watches={"active": 3}, due=1, late=0, waiting=2, running=1, oldest_waiting_s=5, looks={"ok": 4}, captures=9,
    bytes=4000, requests=90, changed=1, kept_failures=(), failing=(), left_alone={}, spent=(), behind=(),
    on_time=2, compared=3,
    workers=({"id": "w", "looks": True, "running": 1, "concurrency": 2, "browsers": 1},), schedulers=1,
    unsealed_since=None,
)  # fmt: skip


def sleeper(_: Part, __: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def dies(_: Part, __: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    started = subprocess.Popen([sys.executable, "-c", ""])
    started.wait()
    return started


def test_what_is_killed_is_started_again() -> None:
    supervisor = Supervisor(
        parts=[Part(name="a", arguments=()), Part(name="b", arguments=())], environment={}, launch=sleeper
    )
    try:
        supervisor.step(0)
        before = supervisor.pids
        os.kill(before["a"], 9)
        until(lambda: not alive(before["a"]), 20)
        supervisor.step(1)
        supervisor.step(1 + FIRST_PAUSE_S)
        after = supervisor.pids
        assert after["b"] == before["b"]
        assert after["a"] != before["a"]
        assert alive(after["a"])
    finally:
        supervisor.end(within_s=20)
    assert not any(alive(pid) for pid in after.values())


def test_what_dies_again_and_again_is_started_ever_less_often() -> None:
    started: list[float] = []
    now = 0.0

    def launch(part: Part, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        started.append(now)
        return dies(part, environment)

    supervisor = Supervisor(parts=[Part(name="a", arguments=())], environment={}, launch=launch)
    while len(started) < 8:
        supervisor.step(now)
        now += 0.5
    pauses = [b - a for a, b in itertools.pairwise(started)]
    assert pauses == sorted(pauses)
    assert FIRST_PAUSE_S <= pauses[0] < 2
    assert LONGEST_PAUSE_S <= pauses[-1] < LONGEST_PAUSE_S + 2
    supervisor.step(now := now + STEADY_S * 2)  # as if it had run so long
    supervisor.step(now := now + FIRST_PAUSE_S)
    assert len(started) == 9


def test_a_child_does_not_outlive_a_supervisor_that_is_killed() -> None:
    script = (
        "import os, time\nfrom console.supervision import Part, Supervisor\n"
        "s = Supervisor(parts=[Part(name='a', arguments=('--help',))], environment=dict(os.environ))\n"
        "import console.supervision as c, subprocess, sys\n"
        "real = subprocess.Popen\n"
        "sleep = staticmethod(lambda a, **k: real(['/bin/sleep', '600'], **k))\n"
        "c.subprocess = type('P', (), {'Popen': sleep, 'DEVNULL': -3})\n"
        "s.step(0.0)\nprint(s.pids['a'], flush=True)\ntime.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    until(lambda: not alive(child), 20)
    parent.stdout.close()


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_metrics_health_and_readiness() -> None:
    with serving(lambda: STANDING, port=0) as port:
        status, text = get(port, "/metrics")
        assert status == 200
        assert "counterproof_looks_waiting 2.0" in text
        assert 'counterproof_watches{state="active"} 3.0' in text
        assert get(port, "/healthz")[0] == 200
        assert json.loads(get(port, "/readyz")[1]) == {"ready": True}
        assert get(port, "/else")[0] == 404


def test_without_its_database_it_is_alive_and_not_ready() -> None:
    def away() -> Standing:
        raise QueueDown("the password is hunter2")

    with serving(away, port=0) as port:
        assert get(port, "/healthz")[0] == 200
        for path in ("/readyz", "/metrics"):
            status, text = get(port, path)
            assert status == 503
            assert "hunter2" not in text


def test_the_lines_for_a_person_and_what_wants_one() -> None:
    text = "\n".join(lines(STANDING))
    assert "3 active" in text
    assert "4,000 B" in text
    assert "for 1,000 looks 1,000 kB, 22,500 requests" in text
    assert STANDING.healthy


def test_logs_are_json_with_ids_and_without_what_a_library_says() -> None:
    stream = StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        logs.configure(stream)
        logging.getLogger("counterproof.worker").info(
            "look ends", extra={"look": "0192", "url": "https://secret.example/"}
        )
        logging.getLogger("scrapy.core").warning("Error downloading https://secret.example/ %s", "for Mirabelle")
        try:
            raise ValueError("Mirabelle")  # noqa: TRY301
        except ValueError:
            logging.getLogger("counterproof.worker").exception("failed")
    finally:
        root.handlers[:], level = before
        root.setLevel(level)
    said = stream.getvalue()
    first, second, third = (json.loads(line) for line in said.splitlines())
    assert (first["event"], first["look"], first["level"]) == ("look ends", "0192", "info")
    assert second["event"] == "a library's message"
    assert third["error"] == "ValueError"
    assert "secret.example" not in said
    assert "Mirabelle" not in said


@pytest.mark.parametrize(
    "wrong", [{"late": 1}, {"schedulers": 0}, {"workers": ()}, {"kept_failures": ({"look": "x"},)}]
)
def test_a_person_is_wanted(wrong: dict[str, object]) -> None:
    from dataclasses import replace

    assert not replace(STANDING, **wrong).healthy  # type: ignore[arg-type]
