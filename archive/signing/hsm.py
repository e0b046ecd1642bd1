"""Keys in devices that speak PKCS#11: smart cards, tokens, HSMs, SoftHSM."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, TokenFlag
from pkcs11.exceptions import (
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
)

from archive.errors import KeyDeviceError, KeyFileError
from archive.signing import files
from archive.signing.spec import TokenSpec
from custody.keys import KEY_BYTES

PIN = "COUNTERPROOF_PKCS11_PIN"

# PKCS#11 v3.0 section 2.3.5: CKA_EC_PARAMS is the curve's name or its OID (RFC 8410); both are met.
_ED25519 = {bytes.fromhex("06032b6570"), b"\x13\x0cedwards25519"}
# CKA_EC_POINT: raw, or DER as OCTET STRING or BIT STRING; all three are met.
_POINT_PREFIXES = (b"", b"\x04\x20", b"\x03\x21\x00")
_WRONG_PIN = (PinIncorrect, PinInvalid, PinLenRange)

# One turn for all keys: python-pkcs11 initialises a module with no arguments, which promises it one thread at a time
# (PKCS#11 v3.0 section 5.4.1), and lets go of the interpreter's lock in each call. Two keys at once in SoftHSM end the
# process.
_turn = threading.Lock()


class TokenKey:
    """One private key in one token. Safe for threads: all keys in devices take turns."""

    def __init__(self, spec: TokenSpec, environment: Mapping[str, str]) -> None:
        self._spec = spec
        self._environment = environment
        # Kept for good: a session that is closed takes the login of all others with it (PKCS#11 v3.0 section 5.6.8).
        with _turn:
            self._session, self._key, self.public_key = self._find()

    def __repr__(self) -> str:
        return f"TokenKey({self._spec.format()})"

    def sign(self, message: bytes) -> bytes:
        with _turn:
            try:
                return self._sign(message)
            except PKCS11Error:
                pass  # the token was pulled, or its session ended: once more from the beginning
            session, key, public_key = self._find()
            if public_key != self.public_key:
                raise KeyDeviceError(
                    f"{self._where} shows another key than before under the same name: nothing was signed"
                )
            self._session, self._key = session, key
            try:
                return self._sign(message)
            except PKCS11Error as error:
                raise self._failed("does not sign", error) from error

    def _sign(self, message: bytes) -> bytes:
        return bytes(self._key.sign(message, mechanism=Mechanism.EDDSA))

    def _find(self) -> tuple[Any, Any, bytes]:
        token = self._token()
        try:
            session = self._login(token)
            private = self._private_key(session)
            return session, private, self._public_key(session, private)
        except PKCS11Error as error:
            raise self._failed("cannot be used", error) from error

    def _token(self) -> Any:
        spec = self._spec
        if not spec.module.is_file():
            raise KeyDeviceError(
                f"there is no PKCS#11 module {spec.module}: install the device's software, or name another"
            )
        try:
            library = pkcs11.lib(str(spec.module))
            found = [each for each in library.get_tokens() if _is_meant(each, spec)]
        except (PKCS11Error, OSError) as error:
            raise KeyDeviceError(
                f"the PKCS#11 module {spec.module} cannot be used ({_kind(error)}): see that the device "
                "and its token are there, and that this is its library"
            ) from error
        if not found:
            raise KeyDeviceError(f"{self._where} is not there: plug the device in, or look at the token's name")
        if len(found) > 1:
            raise KeyDeviceError(
                f"{len(found)} tokens are called like that: add serial= to the key's name ({self._where})"
            )
        return found[0]

    def _login(self, token: Any) -> Any:
        pin: Any = self._pin()
        if pin is None and TokenFlag.PROTECTED_AUTHENTICATION_PATH in token.flags:
            pin = pkcs11.PROTECTED_AUTH  # the device has its own pad for it
        if pin is None and TokenFlag.LOGIN_REQUIRED in token.flags:
            raise KeyDeviceError(f"{self._where} wants a PIN: give it by pin-source=file:PATH (0600) or in {PIN}")
        try:
            return token.open(user_pin=pin)
        except UserAlreadyLoggedIn:
            return token.open()  # another key of ours is in the same token
        except PinLocked:
            raise KeyDeviceError(
                f"{self._where} is locked after too many wrong PINs: unlock it with its SO PIN"
            ) from None
        except PinExpired:
            raise KeyDeviceError(f"the PIN of {self._where} has expired: set a new one") from None
        except _WRONG_PIN:
            raise KeyDeviceError(
                f"the PIN for {self._where} is wrong: it was tried once and no more, as a device locks itself soon"
            ) from None

    def _pin(self) -> str | None:
        source = self._spec.pin_source
        if source is None:
            return self._environment.get(PIN) or None
        kind, _, name = source.partition(":")
        if kind == "file":
            return files.read_pin(Path(name.removeprefix("//")).expanduser())
        pin = self._environment.get(name)
        if not pin:
            raise KeyFileError(f"the variable {name[:60]} is to hold the PIN of {self._where}, and is not set")
        return pin

    def _private_key(self, session: Any) -> Any:
        found = list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, **self._name()}))
        if not found:
            raise KeyDeviceError(f"{self._where} holds no private key of that name: look at object= and id=")
        if len(found) > 1:
            ids = ", ".join(f"id={''.join(f'%{byte:02X}' for byte in each.id)}" for each in found if each.id)
            raise KeyDeviceError(
                f"{self._where} holds {len(found)} private keys of that name: add one of {ids or 'their ids'}"
            )
        if found[0].key_type != KeyType.EC_EDWARDS:
            raise self._no_ed25519()
        return found[0]

    def _public_key(self, session: Any, private: Any) -> bytes:
        by = {Attribute.ID: private.id} if private.id else {Attribute.LABEL: private.label}
        found = list(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, **by}))
        if len(found) != 1:
            raise KeyDeviceError(
                f"{self._where} holds {len(found) or 'no'} public keys beside that private key: put its own one there, "
                "with the same id, and no other"
            )
        if bytes(found[0][Attribute.EC_PARAMS]) not in _ED25519:
            raise self._no_ed25519()
        point = bytes(found[0][Attribute.EC_POINT])
        for prefix in _POINT_PREFIXES:
            if len(point) == len(prefix) + KEY_BYTES and point.startswith(prefix):
                return point[len(prefix) :]
        raise self._no_ed25519()

    def _name(self) -> dict[Attribute, object]:
        named: dict[Attribute, object] = {}
        if self._spec.label is not None:
            named[Attribute.LABEL] = self._spec.label
        if self._spec.id is not None:
            named[Attribute.ID] = self._spec.id
        return named

    @property
    def _where(self) -> str:
        return f"the token {self._spec.token or self._spec.serial or self._spec.slot or 'in ' + str(self._spec.module)}"

    def _no_ed25519(self) -> KeyDeviceError:
        return KeyDeviceError(f"the key of that name in {self._where} is no Ed25519 key: make one (CKK_EC_EDWARDS)")

    def _failed(self, what: str, error: Exception) -> KeyDeviceError:
        return KeyDeviceError(f"{self._where} {what} ({_kind(error)}): see that the device is there and well")


def _is_meant(token: Any, spec: TokenSpec) -> bool:
    if TokenFlag.TOKEN_INITIALIZED not in token.flags:
        return False
    wanted = (spec.token, spec.manufacturer, spec.model, spec.serial, spec.slot)
    serial = token.serial.decode("utf-8", "replace").rstrip()
    is_ = (token.label, token.manufacturer_id, token.model, serial, token.slot.slot_id)
    return all(want is None or want == found for want, found in zip(wanted, is_, strict=True))


def _kind(error: Exception) -> str:
    """The return code's name. A message may quote paths and more, and is written by the module."""
    return type(error).__name__
