import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from custody import keys
from custody.errors import TrustError
from custody.keys import Ed25519Signer
from custody.note import VerifierKey
from custody.trust import Authority, Trust

LOG = "evidence.example.org/custody/2026a"
PINS = st.binary(min_size=32, max_size=32).map(bytes.hex)
KEYS = st.binary(min_size=32, max_size=32).map(lambda seed: Ed25519Signer(seed).public_key)


@cache
def roots_pem(count: int = 1) -> str:
    pem = ""
    for n in range(count):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Root {n}")])
        at = datetime(2026, 1, 1, tzinfo=UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(n + 1).not_valid_before(at).not_valid_after(at + timedelta(days=1))
        certificate = builder.sign(key, hashes.SHA256())
        pem += certificate.public_bytes(Encoding.PEM).decode()
    return pem


def authority(authority_id: str = "local", **other: Any) -> Authority:
    return Authority(
        **{"id": authority_id, "url": "http://127.0.0.1:1/", "roots_pem": roots_pem(), "pins": (), **other}
    )


AUTHORITIES = st.builds(
    authority,
    st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True),
    url=st.sampled_from(["http://127.0.0.1:8080/", "https://tsa.example/tsr?x=1"]),
    roots_pem=st.sampled_from(["", roots_pem(1), roots_pem(2)]),
    pins=st.lists(PINS, max_size=3).map(tuple),
)


@st.composite
def trusts(draw: st.DrawFn) -> Trust:
    root_keys = tuple(draw(st.lists(KEYS, min_size=1, max_size=4, unique=True)))
    authorities = tuple(draw(st.lists(AUTHORITIES, max_size=3, unique_by=lambda each: each.id)))
    return Trust(
        log=VerifierKey(LOG, draw(KEYS)),
        root_keys=root_keys,
        root_threshold=draw(st.integers(1, len(root_keys))),
        people_threshold=draw(st.integers(1, 3)),
        authorities=authorities,
        quorum=draw(st.integers(1, max(1, len(authorities)))),
    )


@given(trusts())
def test_reads_what_it_writes(trust: Trust) -> None:
    data = trust.format()
    assert Trust.parse(data) == trust
    assert trust.digest.hex == hashlib.sha256(data).hexdigest()


ROOT = Ed25519Signer(b"r" * 32).public_key
TRUST = Trust(log=VerifierKey(LOG, Ed25519Signer(b"l" * 32).public_key), root_keys=(ROOT,), authorities=(authority(),))


def test_has_the_fields_that_others_write_against() -> None:
    assert json.loads(TRUST.format()) == {
        "v": 1,
        "log": {"name": LOG, "vkey": TRUST.log.format()},
        "root": {
            "keys": [{"keyid": keys.keyid(ROOT), "public_key": base64.b64encode(ROOT).decode()}],
            "threshold": 1,
        },
        "people": {"threshold": 1},
        "authorities": [{"id": "local", "url": "http://127.0.0.1:1/", "roots_pem": roots_pem(), "pins": []}],
        "time": {"quorum": 1},
    }
    assert TRUST.format().endswith(b"}\n")


def test_authorities_are_found_by_id() -> None:
    assert TRUST.authority("local") == authority()
    assert TRUST.authority("other") is None
    assert len(authority(roots_pem=roots_pem(2)).roots()) == 2
    assert authority(roots_pem="").roots() == ()


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The file with one change, in the canonical spelling: what is refused is the change, not the spelling."""
    value = json.loads(TRUST.format())
    change(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    assert text.encode() != TRUST.format()
    return text.encode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda v: v.update(v=2), "version 1, got 2"),
        (lambda v: v.update(v="1"), "version 1"),
        (lambda v: v.update(more=1), "expected the fields"),
        (lambda v: v.pop("people"), "expected the fields"),
        (lambda v: v["root"].update(more=1), "expected the fields"),
        (lambda v: v["root"]["keys"][0].update(valid_until="never"), "expected the fields"),
        (lambda v: v["authorities"][0].update(qualified=True), "expected the fields"),
        (lambda v: v["time"].update(quorum="1"), "expected int, got str"),
        (lambda v: v["time"].update(quorum=True), "expected int, got bool"),
        (lambda v: v["time"].update(quorum=0), "quorum of 0"),
        (lambda v: v["time"].update(quorum=2), "quorum of 2 of 1"),
        (lambda v: v["people"].update(threshold=0), "1 or more"),
        (lambda v: v["root"].update(threshold=0), "0 of 1 root keys"),
        (lambda v: v["root"].update(threshold=2), "2 of 1 root keys"),
        (lambda v: v["root"].update(keys=[]), "1 of 0 root keys"),
        (lambda v: v["root"].update(keys=v["root"]["keys"] * 2), "named twice"),
        (lambda v: v["root"]["keys"][0].update(keyid="0" * 64), "not the id of the key"),
        (lambda v: v["root"]["keys"][0].update(public_key="AAAA"), "32 bytes, got 3"),
        (lambda v: v["root"]["keys"][0].update(public_key="!"), "base64"),
        (lambda v: v["log"].update(name="another/log"), "has a key of"),
        (lambda v: v["log"].update(vkey=v["log"]["vkey"][:-1]), "base64"),
        (lambda v: v["log"].update(vkey=VerifierKey("../up", ROOT).format(), name="../up"), "log's name"),
        (lambda v: v.update(authorities=v["authorities"] * 2), "named twice"),
        (lambda v: v.update(authorities={}), "expected list, got dict"),
        (lambda v: v["authorities"][0].update(id="../x"), "id is lower-case"),
        (lambda v: v["authorities"][0].update(id=""), "id is lower-case"),
        (lambda v: v["authorities"][0].update(url="file:///etc/passwd"), "http"),
        (lambda v: v["authorities"][0].update(url="http://a b/"), "http"),
        (lambda v: v["authorities"][0].update(roots_pem="not PEM"), "not PEM certificates"),
        (lambda v: v["authorities"][0].update(roots_pem=None), "expected str, got NoneType"),
        (lambda v: v["authorities"][0].update(pins=["A" * 64]), "a pin is"),
        (lambda v: v["authorities"][0].update(pins=[1]), "expected str, got int"),
    ],
)
def test_refuses_what_it_does_not_understand(change: Callable[[dict[str, Any]], object], reason: str) -> None:
    with pytest.raises(TrustError, match=reason):
        Trust.parse(changed(change))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]\n", b"null\n", TRUST.format()[:-1], TRUST.format() + b"\n", b" " + TRUST.format(),
        json.dumps(json.loads(TRUST.format()), indent=2).encode() + b"\n",
        TRUST.format().replace(b'"v":1', b'"v":1,"v":1'),
    ],
)  # fmt: skip
def test_refuses_other_spellings(data: bytes) -> None:
    with pytest.raises(TrustError):
        Trust.parse(data)


def test_another_spelling_is_named_as_such() -> None:
    with pytest.raises(TrustError, match="use the file as it was given out"):
        Trust.parse(json.dumps(json.loads(TRUST.format()), indent=2).encode())


def test_no_authority_is_no_trusted_time_not_an_error() -> None:
    trust = Trust(log=TRUST.log, root_keys=(ROOT,))
    assert Trust.parse(trust.format()).authorities == ()
    with pytest.raises(TrustError, match="quorum of 2 of 0"):
        Trust(log=TRUST.log, root_keys=(ROOT,), quorum=2)
