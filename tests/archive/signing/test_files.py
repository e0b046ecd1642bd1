"""Keys and PINs in files: made once, read only by their owner."""

import os
import stat
from pathlib import Path

import pytest

from archive import signing
from archive.errors import KeyDeviceError, KeyFileError, SetupMissing
from archive.signing import FileSpec, files, opened
from archive.signing.opened import CheckedSigner
from custody import keys
from custody.keys import Ed25519Signer


def test_makes_a_key_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.key"
    made = files.make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert files.read_key(path).public_key == made.public_key
    seed = path.read_bytes()
    with pytest.raises(KeyFileError, match="no key is ever overwritten"):
        files.make_key(path)
    (tmp_path / "link.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError, match="no key is ever overwritten"):
        files.make_key(tmp_path / "link.key")
    assert path.read_bytes() == seed
    assert not (tmp_path / "elsewhere").exists()


def test_is_private_whatever_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        files.make_key(tmp_path / "a.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600


def test_refuses_a_fifo_and_a_directory_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    for name in ("fifo", "folder"):
        with pytest.raises(KeyFileError, match="no regular file"):
            files.read_key(tmp_path / name)


def test_reads_a_pin_and_shows_none(tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.touch(0o600)
    pin.write_text("1234\nand a comment\n")
    assert files.read_pin(pin) == "1234"
    pin.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600") as refused:
        files.read_pin(pin)
    assert "1234" not in str(refused.value)
    pin.chmod(0o600)
    pin.write_bytes(b"\xff1234")
    with pytest.raises(KeyFileError, match="no PIN in UTF-8") as refused:
        files.read_pin(pin)
    assert refused.value.__cause__ is None


def test_a_signature_that_does_not_hold_is_never_used(tmp_path: Path) -> None:
    class Faulty(Ed25519Signer):
        def sign(self, message: bytes) -> bytes:
            signature = super().sign(message)
            return signature[:40] + bytes([signature[40] ^ 1]) + signature[41:]

    faulty = Faulty.generate()
    with pytest.raises(KeyDeviceError, match="does not hold under its own public key"):
        CheckedSigner("the key", lambda: faulty).sign(b"message")
    signer = signing.open_signer(FileSpec(tmp_path / "a.key")) if files.make_key(tmp_path / "a.key") else None
    assert signer is not None
    keys.verify(signer.public_key, b"message", signer.sign(b"message"))
    assert (tmp_path / "a.key").read_bytes().hex() not in repr(signer)


def test_says_what_to_install_for_a_key_in_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "find_spec", lambda _: None)
    signer = signing.open_signer(signing.parse("pkcs11:object=a?module-path=/p11.so"), {})
    with pytest.raises(SetupMissing, match="pip install python-pkcs11"):
        signer.sign(b"message")
