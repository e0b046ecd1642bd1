"""Keys in AWS KMS, against botocore's Stubber: it holds requests and answers to AWS's own model, and is no KMS."""

import boto3
import pytest
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from archive.errors import KeyDeviceError
from archive.s3.client import connect_kms
from archive.signing import opened
from archive.signing.kms import KmsKey, open_key
from archive.signing.spec import KmsSpec
from custody import keys
from custody.keys import Ed25519Signer

ARN = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SPEC = KmsSpec("alias/counterproof-log", "us-east-2")
LOCAL = Ed25519Signer(bytes(range(32)))


def der(public_key: bytes) -> bytes:
    key = load_pem_public_key(keys.pem(public_key))
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def answer(**changed: object) -> dict[str, object]:
    return {
        "KeyId": ARN,
        "PublicKey": der(LOCAL.public_key),
        "KeySpec": "ECC_NIST_EDWARDS25519",
        "KeyUsage": "SIGN_VERIFY",
        "SigningAlgorithms": ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
        **changed,
    }


@pytest.fixture
def stub() -> Stubber:
    session = boto3.Session("AKIAEXAMPLE", "s3cr3t", region_name="us-east-2")
    stub = Stubber(session.client("kms"))
    stub.activate()
    return stub


def test_signs_the_message_itself_with_the_key_that_the_alias_named_first(stub: Stubber) -> None:
    stub.add_response("get_public_key", answer(), {"KeyId": SPEC.key})
    signer = opened.CheckedSigner("kms", lambda: KmsKey(stub.client, SPEC))
    assert signer.public_key == LOCAL.public_key
    message = bytes(4096)
    stub.add_response(
        "sign",
        {"KeyId": ARN, "Signature": LOCAL.sign(message), "SigningAlgorithm": "ED25519_SHA_512"},
        {"KeyId": ARN, "Message": message, "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"},
    )
    keys.verify(LOCAL.public_key, message, signer.sign(message))
    stub.assert_no_pending_responses()


def test_refuses_a_longer_message_without_asking(stub: Stubber) -> None:
    stub.add_response("get_public_key", answer())
    with pytest.raises(KeyDeviceError, match="at most 4096 bytes"):
        KmsKey(stub.client, SPEC).sign(bytes(4097))


@pytest.mark.parametrize(
    "changed",
    [
        {"KeySpec": "ECC_NIST_P256", "SigningAlgorithms": ["ECDSA_SHA_256"]},
        {"SigningAlgorithms": ["ED25519_PH_SHA_512"]},
    ],
)
def test_refuses_a_key_of_another_kind(stub: Stubber, changed: dict[str, object]) -> None:
    stub.add_response("get_public_key", answer(**changed))
    with pytest.raises(KeyDeviceError, match="no Ed25519 key that signs"):
        KmsKey(stub.client, SPEC)


def test_refuses_what_is_no_public_key(stub: Stubber) -> None:
    p256 = ec.generate_private_key(ec.SECP256R1()).public_key()
    for data in (b"no DER", p256.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)):
        stub.add_response("get_public_key", answer(PublicKey=data))
        with pytest.raises(KeyDeviceError, match="cannot be used"):
            KmsKey(stub.client, SPEC)


def test_never_uses_a_signature_that_does_not_hold_or_is_by_another_key(stub: Stubber) -> None:
    stub.add_response("get_public_key", answer())
    signer = opened.CheckedSigner("kms", lambda: KmsKey(stub.client, SPEC))
    stub.add_response("sign", {"KeyId": ARN, "Signature": LOCAL.sign(b"another message")})
    with pytest.raises(KeyDeviceError, match="does not hold"):
        signer.sign(b"message")
    stub.add_response("sign", {"KeyId": ARN.replace("1234abcd", "00000000"), "Signature": LOCAL.sign(b"message")})
    with pytest.raises(KeyDeviceError, match="cannot be used"):
        signer.sign(b"message")


@pytest.mark.parametrize(
    ("code", "status", "why"),
    [
        ("NotFoundException", 400, "no such key in that region"),
        ("DisabledException", 409, "disabled"),
        ("KMSInvalidStateException", 409, "being deleted"),
        ("AccessDeniedException", 400, "kms:Sign"),
        ("ExpiredTokenException", 400, "kms:Sign"),
        ("ThrottlingException", 400, "try again"),
        ("KMSInternalException", 500, "try again"),
    ],
)
def test_says_in_one_sentence_what_kms_would_not_do(stub: Stubber, code: str, status: int, why: str) -> None:
    stub.add_client_error("get_public_key", code, "user s3cr3t may not", http_status_code=status)
    with pytest.raises(KeyDeviceError, match=why) as refused:
        KmsKey(stub.client, SPEC)
    assert "s3cr3t" not in str(refused.value)


def test_needs_a_region_and_says_when_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyDeviceError, match="AWS_REGION"):
        open_key(KmsSpec("alias/a", None), {})
    client = connect_kms(region="us-east-2", env={"AWS_SHARED_CREDENTIALS_FILE": "/dev/null"})
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(KeyDeviceError, match="credentials are set"):
        KmsKey(client, SPEC)
