"""The real command: it answers where it says, lets in by its link or by name, over TLS, and ends when it is told to."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from archive.accounts import EVERYWHERE, Accounts, Right
from console.screen import now
from console.web.listener import LOOPBACK, listening
from tests.command import ROOT, environment
from tests.console.web.shelf import Laid

WORD = "a long enough word"


@contextmanager
def browsing(
    laid: Laid, home: Path, *options: str, store: Path | None = None
) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """And the address that it has printed. ``store``: another one than that of the archive."""
    home.mkdir(exist_ok=True)
    if store is not None:
        store.mkdir()
    shutil.copy(laid.home / "trust.json", home)
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "browse", "--no-open", "--home", str(home), *options],
        cwd=home.parent,
        env=environment({"COUNTERPROOF_STORE_URL": f"file:{store or laid.store}"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in err, err
        assert out == "", "nothing but the address is for programs"


def test_it_is_there_until_it_is_told_to_end(laid: Laid, tmp_path: Path) -> None:
    with browsing(laid, tmp_path / "home") as (process, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/enter\?token=[\w-]{43}", address)
        with httpx.Client(trust_env=False, follow_redirects=True, timeout=60) as client:
            assert "first" in client.get(address).text
            assert json.loads(client.get(f"{address.partition('/enter')[0]}/health").text)["ok"] is True
    assert process.returncode == 0


def test_where_nothing_was_captured_yet_it_says_the_next_command_and_then_shows_what_came(
    laid: Laid, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    with browsing(laid, tmp_path / "home", store=store) as (process, address):
        base = address.partition("/enter")[0]
        with httpx.Client(base_url=base, trust_env=False, follow_redirects=True, timeout=60) as client:
            assert "You are not signed in" in client.get("/").text
            page = client.get(address).text
            assert "Nothing was captured yet" in page
            assert "counterproof capture https://… --case NAME" in page
            assert str(store) in page
            assert client.get("/api/v1/cases").json()["kind"] == "NoArchive"
            assert client.get("/search").url.path == "/"
            shutil.copytree(laid.store, store, dirs_exist_ok=True)
            assert "first" in client.get("/").text
            assert client.get("/api/v1/cases").json()["cases"] != []
    assert process.returncode == 0


@pytest.mark.slow
def test_others_come_over_tls_and_sign_in(laid: Laid, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=evidence.example", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    home = tmp_path / "home"
    accounts = Accounts(home, now)
    accounts.add("ada", WORD)
    accounts.grant("ada", EVERYWHERE, Right.VIEWER)
    options = (
        "--host",
        "127.0.0.1",
        "--name",
        "localhost",
        "--tls-certificate",
        str(certificate),
        "--tls-key",
        str(key),
    )
    with browsing(laid, home, *options) as (_, address):
        assert re.fullmatch(r"https://localhost:\d+/", address)
        trusting = ssl.create_default_context(cafile=str(certificate))
        with httpx.Client(base_url=address, verify=trusting, trust_env=False, timeout=60) as client:
            assert client.get("/").headers["location"] == "/sign-in"
            assert client.get("/enter", params={"token": "x" * 43}).status_code == 403
            answer = client.post("/sign-in", data={"name": "ada", "password": WORD})
            assert answer.status_code == 303
            assert answer.headers["set-cookie"].startswith("__Host-counterproof=")
            assert "Secure" in answer.headers["set-cookie"]
            assert "max-age" in answer.headers["strict-transport-security"]
            assert "first" in client.get("/").text
            assert client.get("/capture-now").status_code == 403


@pytest.mark.slow
def test_a_port_that_is_taken_is_told(laid: Laid, tmp_path: Path) -> None:
    with browsing(laid, tmp_path / "home") as (_, address):
        port = address.split(":")[2].partition("/")[0]
        again = subprocess.run(
            [sys.executable, "-m", "console", "browse", "--no-open", "--port", port, "--home", str(tmp_path / "home")],
            env=environment({"COUNTERPROOF_STORE_URL": f"file:{laid.store}"}),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert again.returncode == 2
    assert "name another" in again.stderr


@pytest.mark.parametrize("path", [["browse"], ["users"], ["users", "grant"]])
def test_help_teaches(path: list[str]) -> None:
    line = [sys.executable, "-m", "console", *path, "--help"]
    done = subprocess.run(line, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
    assert "counterproof" in done.stdout.lower()


def test_answers_go_out_at_once() -> None:
    """A head and a body are written one after the other: with Nagle's algorithm the second waits for an ACK."""

    async def nodelay(listener: socket.socket) -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted: socket.socket = writer.get_extra_info("socket")
            told.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(answer, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            found = await told
            writer.close()
            return found

    with listening(LOOPBACK, 0) as listener:
        assert asyncio.run(nodelay(listener))
