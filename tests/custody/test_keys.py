import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Signature, SSlibKey  # type: ignore[attr-defined]  # re-exported, unmarked

from custody import keys
from custody.errors import FormatError, SignatureError
from custody.keys import Ed25519Signer

# RFC 8032 §7.1: TEST 1, TEST 2, TEST 3
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("private", "public", "message", "signature"), VECTORS)
def test_agrees_with_rfc_8032(private: str, public: str, message: str, signature: str) -> None:
    signer = Ed25519Signer(bytes.fromhex(private))
    assert signer.public_key.hex() == public
    assert signer.private_bytes.hex() == private
    assert signer.sign(bytes.fromhex(message)).hex() == signature
    keys.verify(bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_one_bit_of_a_signature_matters(private: bytes, message: bytes, bit: int) -> None:
    signer = Ed25519Signer(private)
    signature = signer.sign(message)
    keys.verify(signer.public_key, message, signature)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureError, match="does not hold"):
        keys.verify(signer.public_key, message, bytes(flipped))


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=1, max_size=200))
def test_other_messages_and_keys_do_not_fit(private: bytes, message: bytes) -> None:
    signer = Ed25519Signer(private)
    signature = signer.sign(message)
    with pytest.raises(SignatureError, match="does not hold"):
        keys.verify(signer.public_key, message + b"\n", signature)
    other = Ed25519Signer(bytes(b ^ 1 for b in private))
    with pytest.raises(SignatureError, match="does not hold"):
        keys.verify(other.public_key, message, signature)


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_a_signature_has_64_bytes(length: int) -> None:
    with pytest.raises(SignatureError, match=f"64 bytes, got {length}"):
        keys.verify(bytes.fromhex(VECTORS[0][1]), b"", bytes(length))


def test_no_second_spelling_of_a_signature() -> None:
    # RFC 8032 §5.1.7: S is below the group's order; S plus the order would hold in a careless verifier
    order = 2**252 + 27742317777372353535851937790883648493
    _, public, message, signature = VECTORS[1]
    raw = bytes.fromhex(signature)
    shifted = int.from_bytes(raw[32:], "little") + order
    assert shifted < 2**256
    with pytest.raises(SignatureError, match="does not hold"):
        keys.verify(bytes.fromhex(public), bytes.fromhex(message), raw[:32] + shifted.to_bytes(32, "little"))


def test_generate_draws_what_it_is_given() -> None:
    assert Ed25519Signer.generate(bytes).private_bytes == bytes(32)
    assert Ed25519Signer.generate().private_bytes != Ed25519Signer.generate().private_bytes


def test_a_private_key_is_not_in_its_repr() -> None:
    signer = Ed25519Signer(bytes.fromhex(VECTORS[0][0]))
    assert VECTORS[0][0] not in repr(signer)
    assert keys.keyid(signer.public_key) in repr(signer)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_keys_have_32_bytes(length: int) -> None:
    with pytest.raises(FormatError, match=f"32 bytes, got {length}"):
        Ed25519Signer(bytes(length))
    for use in (keys.keyid, keys.pem, lambda key: keys.verify(key, b"", bytes(64))):
        with pytest.raises(FormatError, match=f"32 bytes, got {length}"):
            use(bytes(length))


@given(st.binary(min_size=32, max_size=32))
def test_pem_reads_what_it_writes(private: bytes) -> None:
    public = Ed25519Signer(private).public_key
    assert keys.parse_pem(keys.pem(public)) == public


def test_pem_of_other_keys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="not the PEM"):
        keys.parse_pem(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", tmp_path / "ec.key"],
        check=True, capture_output=True,
    )  # fmt: skip
    ec = subprocess.run(["openssl", "pkey", "-in", tmp_path / "ec.key", "-pubout"], check=True, capture_output=True)
    with pytest.raises(FormatError, match="another kind"):
        keys.parse_pem(ec.stdout)


def test_openssl_agrees(tmp_path: Path) -> None:
    signer = Ed25519Signer.generate()
    (tmp_path / "key.pem").write_bytes(keys.pem(signer.public_key))
    (tmp_path / "message").write_bytes(b"what was seen")
    command: list[str | Path] = [
        "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "key.pem", "-rawin",
        "-in", tmp_path / "message", "-sigfile", tmp_path / "signature",
    ]  # fmt: skip
    (tmp_path / "signature").write_bytes(signer.sign(b"what was seen"))
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    (tmp_path / "signature").write_bytes(signer.sign(b"what was not"))
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0


def test_securesystemslib_agrees() -> None:
    signer = Ed25519Signer.generate()
    key = SSlibKey("id", "ed25519", "ed25519", {"public": signer.public_key.hex()})
    key.verify_signature(Signature("id", signer.sign(b"seen").hex()), b"seen")
    with pytest.raises(UnverifiedSignatureError):
        key.verify_signature(Signature("id", signer.sign(b"seen").hex()), b"unseen")
