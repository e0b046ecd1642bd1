"""Keys in AWS KMS: key spec ECC_NIST_EDWARDS25519, which signs messages of up to 4,096 bytes."""

import os
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from archive.errors import KeyDeviceError
from archive.s3.client import connect_kms
from archive.s3.trouble import FOREIGN, said
from archive.signing.spec import KmsSpec

KEY_SPEC = "ECC_NIST_EDWARDS25519"
ALGORITHM = "ED25519_SHA_512"
MAX_MESSAGE_BYTES = 4096  # AWS KMS API Reference, Sign: Message, with MessageType RAW


class KmsKey:
    """Safe for threads, as botocore's clients are."""

    def __init__(self, client: Any, spec: KmsSpec) -> None:
        self._client = client
        self._spec = spec
        answer = self._ask("get_public_key", KeyId=spec.key)
        try:
            if answer["KeySpec"] != KEY_SPEC or ALGORITHM not in answer["SigningAlgorithms"]:
                raise KeyDeviceError(
                    f"{spec.format()} is no Ed25519 key that signs: make one with the key spec {KEY_SPEC}"
                )
            key = load_der_public_key(answer["PublicKey"])
            # An alias may be pointed elsewhere while we work; the ARN stays the key's.
            self._key_id = str(answer["KeyId"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable() from error
        if not isinstance(key, Ed25519PublicKey):
            raise self._unreadable()
        self.public_key = key.public_bytes_raw()

    def __repr__(self) -> str:
        return f"KmsKey({self._spec.format()})"

    def sign(self, message: bytes) -> bytes:
        if len(message) > MAX_MESSAGE_BYTES:
            raise KeyDeviceError(
                f"AWS KMS signs at most {MAX_MESSAGE_BYTES} bytes, and this has {len(message)}: use a key elsewhere"
            )
        answer = self._ask("sign", KeyId=self._key_id, Message=message, MessageType="RAW", SigningAlgorithm=ALGORITHM)
        if answer.get("KeyId") != self._key_id or not isinstance(signature := answer.get("Signature"), bytes):
            raise self._unreadable()
        return signature

    def _ask(self, what: str, **arguments: object) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = getattr(self._client, what)(**arguments)
        except FOREIGN as error:
            raise KeyDeviceError(_sentence(error, self._spec)) from error
        return answer

    def _unreadable(self) -> KeyDeviceError:
        return KeyDeviceError(
            f"AWS KMS gave an answer for {self._spec.format()} that cannot be used: nothing was signed"
        )


def open_key(spec: KmsSpec, environment: Mapping[str, str] = os.environ) -> KmsKey:
    region = spec.region or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if not region:
        raise KeyDeviceError(f"no region is named for {spec.format()}: add @REGION, or set AWS_REGION")
    return KmsKey(connect_kms(region=region, env=environment), spec)


def _sentence(error: Exception, spec: KmsSpec) -> str:
    status, code = said(error) if hasattr(error, "response") else (0, "")  # type: ignore[arg-type]  # a ClientError then
    what = f"AWS KMS does not give {spec.format()}"
    if code in {"NotFoundException", "InvalidArnException"}:
        return f"{what}: there is no such key in that region; look at its id and region"
    if code in {"DisabledException", "KMSInvalidStateException", "KeyUnavailableException", "InvalidKeyUsageException"}:
        return f"{what} ({code}): the key is disabled, being deleted, or not for signing; look at its state"
    if status in {400, 401, 403} and (code.startswith("AccessDenied") or "Token" in code or "Signature" in code):
        return f"{what} ({code}): these credentials need kms:GetPublicKey and kms:Sign for it"
    if code:
        return f"{what} ({status} {code}): try again, and look at the key's state if that does not help"
    return f"{what} ({type(error).__name__}): see that AWS can be reached, and that AWS credentials are set"
