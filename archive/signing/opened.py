"""Signers, opened when they are first needed; nothing that one gives is used before it was checked."""

import os
import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec

from archive.errors import KeyDeviceError, SetupMissing
from archive.signing import files
from archive.signing.spec import FileSpec, KeySpec, KmsSpec
from custody import keys
from custody.errors import SignatureError
from custody.keys import Signer


class CheckedSigner:
    """Safe for threads. A device is not asked for anything before its key is needed: it may lie in a safe."""

    def __init__(self, name: str, make: Callable[[], Signer]) -> None:
        self.name = name
        """Names the key to a person and holds no secret."""
        self._make = make
        self._lock = threading.Lock()
        self._made: Signer | None = None

    def __repr__(self) -> str:
        return f"CheckedSigner({self.name})"

    @property
    def public_key(self) -> bytes:
        return self._signer().public_key

    def sign(self, message: bytes) -> bytes:
        """Raises ``KeyDeviceError`` for a signature that does not hold: a fault that would give the key away."""
        signer = self._signer()
        signature = signer.sign(message)
        try:
            keys.verify(signer.public_key, message, signature)
        except SignatureError as error:
            raise KeyDeviceError(
                f"{self.name} gave a signature that does not hold under its own public key: have it looked at; "
                "nothing was signed with it"
            ) from error
        return signature

    def _signer(self) -> Signer:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


def open_signer(spec: KeySpec, environment: Mapping[str, str] = os.environ) -> CheckedSigner:
    """A key in a file is read at once, so that one that others can read is refused at once; a device waits."""
    if isinstance(spec, FileSpec):
        signer = files.read_key(spec.path)
        return CheckedSigner(spec.format(), lambda: signer)
    if isinstance(spec, KmsSpec):
        kms = spec

        def make_kms() -> Signer:
            from archive.signing.kms import open_key  # noqa: PLC0415  # boto3 takes half a second to load

            return open_key(kms, environment)

        return CheckedSigner(spec.format(), make_kms)
    token = spec

    def make_token() -> Signer:
        if find_spec("pkcs11") is None:
            raise SetupMissing(
                "python-pkcs11 is not installed, and a pkcs11: key needs it: run `pip install python-pkcs11`"
            )
        from archive.signing.hsm import TokenKey  # noqa: PLC0415  # an extra that most do without

        return TokenKey(token, environment)

    return CheckedSigner(spec.format(), make_token)
