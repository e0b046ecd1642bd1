"""A real PKCS#11 module: SoftHSM, with tokens of its own for each process."""

import functools
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, Mechanism
from pkcs11.util.ec import encode_named_curve_parameters

from archive.signing.spec import TokenSpec

PIN = "271828"
_TOKENS = 24
_ED25519 = encode_named_curve_parameters("1.3.101.112")
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)


def module() -> Path:
    found = [Path(each) for each in _MODULES if Path(each).exists()]
    if not found or shutil.which("softhsm2-util") is None:
        pytest.skip("no SoftHSM: apt-get install softhsm2")
    return found[0]


@dataclass(frozen=True)
class Token:
    label: str
    folder: Path  # of all tokens

    def spec(self, label: str, key_id: bytes | None = None, pin_source: str | None = None) -> TokenSpec:
        return TokenSpec(module=module(), token=self.label, label=label, id=key_id, pin_source=pin_source)

    def uri(self, label: str) -> str:
        return self.spec(label).format()

    @contextmanager
    def opened(self) -> Iterator[pkcs11.Session]:
        token = pkcs11.lib(str(module())).get_token(token_label=self.label)
        try:
            session = token.open(rw=True, user_pin=PIN)
        except pkcs11.UserAlreadyLoggedIn:
            session = token.open(rw=True)
        try:
            yield session
        finally:
            session.close()  # and the login of all other sessions with it

    def make_key(self, label: str, key_id: bytes = b"\x01") -> bytes:
        """Its public key."""
        with self.opened() as session:
            curve = session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _ED25519}, local=True)
            public, _ = curve.generate_keypair(
                mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=label, id=key_id
            )
            return bytes(public[Attribute.EC_POINT])[-32:]

    def make_p256_key(self, label: str, key_id: bytes = b"\x05") -> None:
        with self.opened() as session:
            curve = session.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
            )
            curve.generate_keypair(store=True, label=label, id=key_id)

    def pull(self) -> None:
        """It is gone, as when somebody pulls it out."""
        (self.folder).rename(self.folder.with_name("pulled"))

    def put_back(self) -> None:
        self.folder.with_name("pulled").rename(self.folder)


@functools.cache
def _blank_tokens(folder: Path) -> Iterator[Token]:
    """Made before the module is loaded, which looks for its tokens once."""
    tokens = folder / "tokens"
    tokens.mkdir(parents=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    made = []
    for _ in range(_TOKENS):
        made.append(Token(f"test {secrets.token_hex(4)}", tokens))
        subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", made[-1].label, "--pin", PIN, "--so-pin", "314159"],
            check=True,
            capture_output=True,
        )
    return iter(made)


def make_token(factory: pytest.TempPathFactory) -> Token:
    module()
    token = next(_blank_tokens(factory.getbasetemp() / "softhsm"), None)
    assert token is not None, f"more than {_TOKENS} tokens are wanted of one process"
    return token
