"""A time-stamp authority on this machine: ``openssl ts -reply`` behind HTTP. For tests and the demo; trusted by nobody.

``python -m tests.authority DIR --port-file FILE`` serves until it is stopped, and writes its port when it is ready.
"""

import argparse
import contextlib
import re
import signal
import subprocess
import tempfile
import threading
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

MAX_QUERY_BYTES = 64 * 1024

POLICY = "1.2.3.4.1"

# In a TimeStampReq over SHA-256: the last byte of the digest, and the last byte of the nonce before `certReq TRUE`.
_DIGEST = re.compile(rb"\x04\x20.{31}(.)", re.DOTALL)
_NONCE = re.compile(rb"(.)\x01\x01\xff\Z", re.DOTALL)

_CONFIG = """\
[ req ]
distinguished_name = name
[ name ]
[ root ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ signer ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ tsa ]
default_tsa = tsa_config
[ tsa_config ]
dir = .
serial = ./serial
crypto_device = builtin
signer_cert = ./signer.pem
signer_key = ./signer.key
signer_digest = sha256
default_policy = {policy}
digests = {digests}
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
# No `certs`: OpenSSL writes a chain unsorted, which strict readers refuse. The signer's certificate is always sent.


class Mood(StrEnum):
    """How it answers from now on."""

    HONEST = "honest"
    DOWN = "down"
    """Takes the connection and closes it."""
    SLOW = "slow"
    """Answers honestly after ``delay_s``."""
    ERROR = "error"
    """HTTP 503."""
    GARBAGE = "garbage"
    """HTTP 200 with the right media type, and bytes that are no answer."""
    REJECTION = "rejection"
    """A real answer that grants nothing."""
    MODIFIED = "modified"
    """A real token with the status ``grantedWithMods``."""
    UNREADABLE = "unreadable"
    """A real token in BER: the outermost length in one byte more than DER allows (X.690 10.1), which OpenSSL reads."""
    WRONG_IMPRINT = "wrong imprint"
    """A real token over other data."""
    WRONG_NONCE = "wrong nonce"
    """A real token that does not answer this query."""


class LocalAuthority:
    """Makes a root and a signer in ``directory`` unless they are there; serves between ``with`` and its end."""

    def __init__(self, directory: Path, *, mood: Mood = Mood.HONEST, delay_s: float = 10.0) -> None:
        self.directory = directory
        self.mood = mood
        self.delay_s = delay_s
        self.queries: list[bytes] = []
        """What was asked, in order."""
        self._one_at_a_time = threading.Lock()  # `openssl ts` keeps its serial numbers in a file
        self._closing = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        make_authority(directory)

    @property
    def port(self) -> int:
        assert self._server is not None, "not serving"
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def roots_pem(self) -> str:
        return (self.directory / "root.pem").read_text()

    def answer(self, query: bytes, mood: Mood = Mood.HONEST) -> bytes:
        """The response to a query, without a server in between."""
        if mood is Mood.GARBAGE:
            return b"this is not DER"
        if mood is Mood.WRONG_IMPRINT:
            query = _flip(query, _DIGEST)
        if mood is Mood.WRONG_NONCE:
            query = _flip(query, _NONCE)
        with self._one_at_a_time:
            config = "strict.cnf" if mood is Mood.REJECTION else "openssl.cnf"
            response = reply(self.directory, query, config=config)
        if mood is Mood.UNREADABLE:
            assert response[:2] == b"\x30\x82"
            response = b"\x30\x83\x00" + response[2:]
        if mood is Mood.MODIFIED:
            # TimeStampResp { PKIStatusInfo { INTEGER granted } ... }: the status is not signed.
            granted = b"\x30\x03\x02\x01\x00"
            at = response.index(granted)
            response = response[:at] + b"\x30\x03\x02\x01\x01" + response[at + len(granted) :]
        return response

    def __enter__(self) -> Self:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(min(int(self.headers.get("Content-Length", "0")), MAX_QUERY_BYTES))
                authority.queries.append(query)
                mood = authority.mood
                if mood is Mood.SLOW:
                    authority._closing.wait(authority.delay_s)
                if mood is Mood.DOWN or authority._closing.is_set():
                    self.close_connection = True
                    return
                if mood is Mood.ERROR:
                    self.send_error(503)
                    return
                body = authority.answer(query, mood)
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who asked has stopped waiting
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._closing.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def make_authority(directory: Path) -> None:
    """root.pem, root.key, signer.pem, signer.key, openssl.cnf; what is there already is kept."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "openssl.cnf").write_text(_CONFIG.format(policy=POLICY, digests="sha256, sha384, sha512"))
    (directory / "strict.cnf").write_text(_CONFIG.format(policy=POLICY, digests="sha512"))
    if not (directory / "serial").exists():
        (directory / "serial").write_text("01\n")
    if not (directory / "root.pem").exists():
        make_root(directory, "root")
    if not (directory / "signer.pem").exists():
        make_signer(directory, "signer")


def make_root(directory: Path, name: str, *, days: int = 3650) -> None:
    openssl(
        directory, "req", "-x509", "-config", "openssl.cnf", "-extensions", "root", "-newkey", "rsa:2048", "-noenc",
        "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", str(days), "-subj", f"/O=Nobody/CN=Test {name}",
    )  # fmt: skip


def make_signer(
    directory: Path,
    name: str,
    *,
    root: str = "root",
    extensions: str = "signer",
    days: int = 3650,
    key: str | None = None,
) -> None:
    """A certificate by ``root``; ``extensions`` names a section of openssl.cnf."""
    request = ["req", "-new", "-config", "openssl.cnf", "-subj", f"/O=Nobody/CN=Test {name}", "-out", f"{name}.csr"]
    if key is None:
        openssl(directory, *request, "-newkey", "rsa:2048", "-noenc", "-keyout", f"{name}.key")
    else:
        openssl(directory, *request, "-key", key)
    openssl(
        directory, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{root}.pem", "-CAkey", f"{root}.key",
        "-extfile", "openssl.cnf", "-extensions", extensions, "-days", str(days), "-out", f"{name}.pem",
    )  # fmt: skip


def reply(directory: Path, query: bytes, *, config: str = "openssl.cnf") -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        asked, answered = Path(scratch) / "query.tsq", Path(scratch) / "response.tsr"
        asked.write_bytes(query)
        openssl(directory, "ts", "-reply", "-config", config, "-queryfile", str(asked), "-out", str(answered))
        return answered.read_bytes()


def openssl(directory: Path, *arguments: str) -> bytes:
    """Its standard output; raises with what it said when it fails."""
    done = subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def _flip(query: bytes, field: re.Pattern[bytes]) -> bytes:
    found = field.search(query)
    assert found is not None, "the query has no such field"
    at = found.start(1)
    return query[:at] + bytes([query[at] ^ 1]) + query[at + 1 :]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.authority", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--port-file", type=Path, required=True)
    options = parser.parse_args()
    stop = threading.Event()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with LocalAuthority(options.directory) as authority:
        # Renamed into place, so that whoever waits for the file never reads half a number.
        unfinished = options.port_file.with_name(options.port_file.name + ".part")
        unfinished.write_text(f"{authority.port}\n")
        unfinished.replace(options.port_file)
        stop.wait()


if __name__ == "__main__":
    main()
