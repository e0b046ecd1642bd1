"""Keys in a token, against SoftHSM: a real PKCS#11 module."""

import logging
import threading
from pathlib import Path

import pkcs11
import pytest

from archive import signing
from archive.errors import KeyDeviceError, KeyFileError
from archive.signing.hsm import PIN as PIN_VARIABLE
from archive.signing.hsm import TokenKey
from archive.signing.spec import TokenSpec
from custody import keys
from tests.archive.signing.softhsm import PIN, Token, make_token, module

pytestmark = pytest.mark.hsm

ENVIRONMENT = {PIN_VARIABLE: PIN}


@pytest.fixture
def token(tmp_path_factory: pytest.TempPathFactory) -> Token:
    return make_token(tmp_path_factory)


def test_signs_as_the_key_in_the_token(token: Token) -> None:
    public_key = token.make_key("worker")
    signer = signing.open_signer(token.spec("worker"), ENVIRONMENT)
    assert signer.public_key == public_key
    first, second = signer.sign(b"message"), signer.sign(b"message")
    assert first == second
    keys.verify(public_key, b"message", first)
    keys.verify(public_key, bytes(4096), signer.sign(bytes(4096)))


def test_the_text_of_a_spec_finds_it_too(token: Token) -> None:
    public_key = token.make_key("worker & sons; 50%", b"\x00\xff")
    assert signing.open_signer(signing.parse(token.uri("worker & sons; 50%")), ENVIRONMENT).public_key == public_key
    by_id = TokenSpec(module=module(), token=token.label, id=b"\x00\xff")
    assert signing.open_signer(by_id, ENVIRONMENT).public_key == public_key


def test_two_keys_of_one_token_at_once_and_many_threads(token: Token) -> None:
    wanted = {label: token.make_key(label, bytes([n])) for n, label in enumerate(("log", "worker"), 1)}
    signers = {label: TokenKey(token.spec(label), ENVIRONMENT) for label in wanted}
    failed: list[BaseException] = []

    def sign(label: str) -> None:
        try:
            for n in range(20):
                message = f"{label} {n}".encode()
                keys.verify(wanted[label], message, signers[label].sign(message))
        except BaseException as error:  # noqa: BLE001  # a thread's failure is the test's
            failed.append(error)

    threads = [threading.Thread(target=sign, args=(label,)) for label in wanted for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []


def test_a_device_is_not_asked_before_its_key_is_needed() -> None:
    signer = signing.open_signer(TokenSpec(module=Path("/nowhere/p11.so"), label="root"), {})
    assert "root" in repr(signer)
    with pytest.raises(KeyDeviceError, match=r"no PKCS#11 module /nowhere/p11\.so"):
        signer.sign(b"message")


def test_a_library_that_is_no_module_is_named(tmp_path: Path) -> None:
    (tmp_path / "p11.so").write_bytes(b"no library")
    with pytest.raises(KeyDeviceError, match="cannot be used"):
        TokenKey(TokenSpec(module=tmp_path / "p11.so", label="root"), {})


def test_a_wrong_pin_is_tried_once_and_shown_nowhere(token: Token, caplog: pytest.LogCaptureFixture) -> None:
    token.make_key("worker")
    caplog.set_level(logging.DEBUG)
    with pytest.raises(KeyDeviceError, match=r"PIN .* is wrong") as refused:
        TokenKey(token.spec("worker"), {PIN_VARIABLE: "999999"})
    error: BaseException | None = refused.value
    assert error is not None
    assert error.__cause__ is None
    assert "999999" not in f"{error!r} {caplog.text}"
    with pytest.raises(KeyDeviceError, match=PIN_VARIABLE):
        TokenKey(token.spec("worker"), {})
    TokenKey(token.spec("worker"), ENVIRONMENT)


def test_the_pin_comes_from_a_file_or_a_variable_that_the_spec_names(token: Token, tmp_path: Path) -> None:
    public_key = token.make_key("worker")
    pin = tmp_path / "pin"
    pin.touch(0o600)
    pin.write_text(f"{PIN}\n")
    assert TokenKey(token.spec("worker", pin_source=f"file:{pin}"), {}).public_key == public_key
    assert TokenKey(token.spec("worker", pin_source="env:MY_PIN"), {"MY_PIN": PIN}).public_key == public_key
    with pytest.raises(KeyFileError, match="MY_PIN"):
        TokenKey(token.spec("worker", pin_source="env:MY_PIN"), {})
    pin.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        TokenKey(token.spec("worker", pin_source=f"file:{pin}"), {})


def test_no_key_of_that_name_no_such_token_and_two_keys_with_one_label(token: Token) -> None:
    first, second = (token.make_key("worker", key_id) for key_id in (b"\x01", b"\x02"))
    with pytest.raises(KeyDeviceError, match="no private key of that name"):
        TokenKey(token.spec("nobody"), ENVIRONMENT)
    with pytest.raises(KeyDeviceError, match="is not there"):
        TokenKey(TokenSpec(module=module(), token="elsewhere", label="worker"), ENVIRONMENT)
    with pytest.raises(
        KeyDeviceError, match=r"2 private keys of that name: add one of (id=%01, id=%02|id=%02, id=%01)"
    ):
        TokenKey(token.spec("worker"), ENVIRONMENT)
    assert TokenKey(token.spec("worker", b"\x01"), ENVIRONMENT).public_key == first
    assert TokenKey(token.spec("worker", b"\x02"), ENVIRONMENT).public_key == second


def test_two_public_keys_beside_one_private_key_are_one_too_many(token: Token) -> None:
    token.make_key("worker", b"\x07")
    token.make_key("another", b"\x07")
    with pytest.raises(KeyDeviceError, match="2 public keys"):
        TokenKey(token.spec("worker", b"\x07"), ENVIRONMENT)


def test_a_key_of_another_kind_is_refused(token: Token) -> None:
    token.make_p256_key("p256")
    with pytest.raises(KeyDeviceError, match="no Ed25519 key"):
        TokenKey(token.spec("p256"), ENVIRONMENT)


@pytest.mark.usefixtures("token")
def test_two_tokens_of_one_name_are_told_apart_by_serial() -> None:
    with pytest.raises(KeyDeviceError, match=r"[0-9]+ tokens are called like that"):
        TokenKey(TokenSpec(module=module(), manufacturer="SoftHSM project", label="worker"), ENVIRONMENT)


def test_a_token_that_is_pulled_midway_gives_no_signature_and_one_sentence(token: Token) -> None:
    public_key = token.make_key("worker")
    signer = signing.open_signer(token.spec("worker"), ENVIRONMENT)
    keys.verify(public_key, b"before", signer.sign(b"before"))
    token.pull()
    try:
        with pytest.raises(KeyDeviceError, match="token"):
            signer.sign(b"while it is gone")
    finally:
        token.put_back()
    pkcs11.lib(str(module())).reinitialize()  # SoftHSM never asks again for a token that was gone
    keys.verify(public_key, b"after", signer.sign(b"after"))
