"""A request proves that whoever asks holds the key, for this role and this log alone."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import UsageError
from archive.keyring.request import KeyRequest, read_request
from custody import canonical
from custody.errors import CustodyError
from custody.keys import Ed25519Signer

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SIGNER = Ed25519Signer(bytes(range(32)))


def made(role: str = "worker", log: str | None = "counterproof.example/a") -> KeyRequest:
    return KeyRequest.make(SIGNER, role=role, log=log, now=AT)


@given(seed=st.binary(min_size=32, max_size=32), role=st.sampled_from(["worker", "person"]))
def test_reads_what_it_writes(seed: bytes, role: str) -> None:
    request = KeyRequest.make(Ed25519Signer(seed), role=role, log="counterproof.example/a", now=AT)
    assert KeyRequest.parse(request.format()) == request


def test_holds_no_private_key() -> None:
    data = made().format()
    assert SIGNER.private_bytes not in data
    assert SIGNER.private_bytes.hex().encode() not in data


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role", "person"),
        ("role", "root"),
        ("role", "log"),
        ("log", "counterproof.example/b"),
        ("log", None),
        ("made_at", "2026-03-04T05:06:08.000Z"),
        ("keyid", "0" * 64),
        ("public_key", "A" * 43 + "="),
        ("signature", "A" * 86 + "=="),
        ("schema", 2),
        ("kind", "another"),
        ("more", "field"),
    ],
)
def test_whatever_is_changed_it_is_refused(tmp_path: Path, field: str, value: str | int | None) -> None:
    fields = json.loads(made().format())
    assert fields.get(field) != value
    changed = canonical.dumps({**fields, field: value})
    with pytest.raises(CustodyError):
        KeyRequest.parse(changed)
    (tmp_path / "request").write_bytes(changed)
    with pytest.raises(UsageError, match="made again"):
        read_request(tmp_path / "request")


def test_somebody_elses_public_key_cannot_be_asked_for() -> None:
    """Who copies a public key into a request of her own has no signature for it."""
    theirs, mine = json.loads(made().format()), Ed25519Signer.generate()
    forged = json.loads(KeyRequest.make(mine, role="worker", log="counterproof.example/a", now=AT).format())
    forged |= {"public_key": theirs["public_key"], "keyid": theirs["keyid"]}
    with pytest.raises(CustodyError, match="does not hold"):
        KeyRequest.parse(canonical.dumps(forged))


def test_what_is_no_request_is_named(tmp_path: Path) -> None:
    for data in (b"", b"{}", b"[]", b"x" * 20_000):
        (tmp_path / "request").write_bytes(data)
        with pytest.raises(UsageError, match="cannot be used"):
            read_request(tmp_path / "request")
    with pytest.raises(UsageError, match="cannot be read"):
        read_request(tmp_path / "nothing")
