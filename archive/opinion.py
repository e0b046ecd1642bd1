"""A second opinion on time-stamp tokens that our own verifier cannot read: what OpenSSL says of them.

By the same rules: the roots and pins of the trust file alone, the token's own time, the imprint and the nonce that were
asked with, the status ``granted``. Where there is no ``openssl``, there is no opinion.
"""

import hashlib
import os
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from custody import cms, timestamp
from custody.cms import Element
from custody.errors import FormatError, TimestampError
from custody.timestamp import Token
from custody.trust import Authority

_TIMEOUT_S = 30
_BOOLEAN, _GENERALIZED_TIME, _ACCURACY_MILLIS, _ACCURACY_MICROS = 0x01, 0x18, 0x80, 0x81
_GEN_TIME = re.compile(rb"([0-9]{14})(?:\.([0-9]{1,6})[0-9]*)?Z")  # RFC 3161 §2.4.2
_GRANTED = re.compile(rb"^Status: Granted\.\r?$", re.MULTILINE)
_SHA256 = "2.16.840.1.101.3.4.2.1"


@dataclass(frozen=True, slots=True)
class _Info:
    """What a token says (RFC 3161 §2.4.2, TSTInfo)."""

    policy: str
    algorithm: str
    imprint: bytes
    serial: int
    gen_time: datetime
    accuracy: timedelta
    nonce: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What can be said of an answer, by our own verifier and, where that cannot read it, by OpenSSL."""

    token: Token | None
    """None: it cannot be read, or is about something else."""
    reason: str = ""
    """Why it is not believed; empty when it is."""
    second_opinion: bool = False
    """OpenSSL has read it, and we could not."""


def judged(query: bytes, response: bytes, data: bytes, authority: Authority) -> Judgement:
    """As ``verify`` judges it, so that what is called sealed today is what a verifier finds under trusted time."""
    token: Token | None = None
    try:
        token = timestamp.read(query, response, data, authority)
        timestamp.judge(query, response, data, authority)
    except TimestampError as error:
        opinion = ask_openssl(query, response, data, authority) if isinstance(error, timestamp.Unreadable) else None
        if opinion is not None:
            return Judgement(token=opinion, second_opinion=True)
        return Judgement(token=token, reason=f"{error.code}: {error}")
    return Judgement(token=token)


def ask_openssl(query: bytes, response: bytes, data: bytes, authority: Authority) -> Token | None:
    """What the token says, if OpenSSL finds that it holds; else None. For ``custody.verify``'s ``second_opinion``."""
    if not authority.roots_pem:
        return None
    try:
        digest, nonce = timestamp.parse_query(query)
        if digest != hashlib.sha256(data).digest():
            return None
        with TemporaryDirectory(prefix="counterproof-token-") as folder:
            info = _Bench(Path(folder), query, response, authority).judged()
    except (FormatError, TimestampError, ValueError, OSError, subprocess.SubprocessError):
        return None
    if info is None or (info.algorithm, info.imprint, info.nonce) != (_SHA256, digest, nonce):
        return None
    return Token(
        gen_time=info.gen_time,
        serial=info.serial,
        policy=info.policy,
        authority=authority.id,
        accuracy=info.accuracy,
    )


class _Bench:
    """A folder with a token in it, and OpenSSL beside it."""

    def __init__(self, folder: Path, query: bytes, response: bytes, authority: Authority) -> None:
        self._folder = folder
        self._pins = authority.pins
        (folder / "query.tsq").write_bytes(query)
        (folder / "response.tsr").write_bytes(response)
        (folder / "roots.pem").write_text(authority.roots_pem)

    def judged(self) -> _Info | None:
        told = self._run("ts", "-reply", "-in", "response.tsr", "-text")
        if told is None or not _GRANTED.search(told):
            return None
        if self._run("ts", "-reply", "-in", "response.tsr", "-token_out", "-out", "token.der") is None:
            return None
        # By whom it is signed and what it says; whether the signer is to be believed is the next question.
        taken = self._run(
            "cms", "-verify", "-noverify", "-inform", "DER", "-in", "token.der",
            "-signer", "signer.pem", "-out", "info.der",
        )  # fmt: skip
        if taken is None or not self._is_pinned():
            return None
        info = _read((self._folder / "info.der").read_bytes())
        at = str(int(info.gen_time.timestamp()))
        held = self._run(
            "ts", "-verify", "-queryfile", "query.tsq", "-in", "response.tsr", "-CAfile", "roots.pem", "-attime", at
        )
        return None if held is None else info

    def _is_pinned(self) -> bool:
        signers = x509.load_pem_x509_certificates((self._folder / "signer.pem").read_bytes())
        prints = [each.fingerprint(hashes.SHA256()).hex() for each in signers]
        return len(prints) == 1 and (not self._pins or prints[0] in self._pins)

    def _run(self, *arguments: str) -> bytes | None:
        """Its standard output; None when it says no."""
        # No configuration and no roots of the system's own.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "OPENSSL_CONF": os.devnull, "LC_ALL": "C"}
        done = subprocess.run(
            ["openssl", *arguments],
            cwd=self._folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        return done.stdout if done.returncode == 0 else None


def _read(der: bytes) -> _Info:
    """TSTInfo { version, policy, messageImprint, serialNumber, genTime, accuracy?, ordering?, nonce?, ... }."""
    fields = cms.parse(der).sequence(at_least=5)
    imprint = fields[2].sequence(at_least=2)
    match = _GEN_TIME.fullmatch(fields[4].body)
    if fields[4].tag != _GENERALIZED_TIME or match is None:
        raise FormatError("the token's time is not as RFC 3161 writes it", code="TS_PARSE")
    moment = datetime.strptime(match[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    fraction = (match[2] or b"").decode().ljust(6, "0")
    rest = list(fields[5:])
    accuracy = _accuracy(rest.pop(0)) if rest and rest[0].tag == cms.SEQUENCE else timedelta(0)
    if rest and rest[0].tag == _BOOLEAN:
        rest.pop(0)
    nonce = _integer(rest[0]) if rest and rest[0].tag == cms.INTEGER else None
    return _Info(
        policy=fields[1].oid(),
        algorithm=imprint[0].sequence(at_least=1)[0].oid(),
        imprint=imprint[1].octets(),
        serial=_integer(fields[3]),
        gen_time=moment + timedelta(microseconds=int(fraction)),
        accuracy=accuracy,
        nonce=nonce,
    )


def _accuracy(element: Element) -> timedelta:
    """Accuracy { seconds INTEGER?, millis [0]?, micros [1]? }."""
    found = timedelta(0)
    for each in element.children():
        if each.tag == cms.INTEGER:
            found += timedelta(seconds=_integer(each))
        elif each.tag == _ACCURACY_MILLIS:
            found += timedelta(milliseconds=_integer(each))
        elif each.tag == _ACCURACY_MICROS:
            found += timedelta(microseconds=_integer(each))
    return found


def _integer(element: Element) -> int:
    return int.from_bytes(element.body, "big", signed=True)
