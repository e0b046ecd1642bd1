"""Keys are made once, kept private, and refused when they are not."""

import multiprocessing
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive import disk
from archive.errors import DiskError, KeyFileError
from archive.home import Home, authority_id
from custody.keys import Ed25519Signer, keyid
from custody.trust import Trust

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def open_home(path: Path) -> Home:
    return Home.open(path, clock=lambda: AT)


def identity(home: Home) -> tuple[str, ...]:
    signers = home.signers
    held = (signers.need_root(), signers.need_log(), signers.worker)
    return (home.trust.log.name, *(keyid(each.public_key) for each in held))


def test_first_use_makes_three_private_keys_and_a_trust_file(tmp_path: Path) -> None:
    home = open_home(tmp_path / "deep" / "home")
    assert home.first_use
    assert home.made_at == AT
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.keys.stat().st_mode) == 0o700
    for role in ("root", "log", "worker"):
        key = home.keys / f"{role}.key"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert key.stat().st_size == 32
    assert Trust.parse(home.trust_file.read_bytes()) == home.trust
    assert home.trust.log.public_key == home.signers.need_log().public_key
    assert home.trust.root_keys == (home.signers.need_root().public_key,)
    assert (home.trust.root_threshold, home.trust.authorities) == (1, ())
    assert len(set(identity(home))) == 4


def test_a_second_opening_finds_the_same(tmp_path: Path) -> None:
    first = open_home(tmp_path)
    second = Home.open(tmp_path, clock=lambda: datetime(2030, 1, 1, tzinfo=UTC))
    assert not second.first_use
    assert identity(second) == identity(first)
    assert second.made_at == AT


def test_two_homes_are_two_logs(tmp_path: Path) -> None:
    assert not set(identity(open_home(tmp_path / "a"))) & set(identity(open_home(tmp_path / "b")))


def report(path: Path, start: float, answers: "multiprocessing.Queue[tuple[str, ...]]") -> None:
    while datetime.now(UTC).timestamp() < start:
        pass
    answers.put((*identity(open_home(path)),))


def test_two_first_uses_at_once_agree(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    start = datetime.now(UTC).timestamp() + 2
    processes = [context.Process(target=report, args=(tmp_path / "home", start, answers)) for _ in range(3)]
    for each in processes:
        each.start()
    found = {answers.get(timeout=60) for _ in processes}
    for each in processes:
        each.join()
    assert len(found) == 1
    assert identity(open_home(tmp_path / "home")) in found


def test_a_first_use_that_was_cut_short_is_made_good(tmp_path: Path) -> None:
    first = open_home(tmp_path)
    log_key = (first.keys / "log.key").read_bytes()
    first.trust_file.unlink()
    (first.keys / "worker.key").unlink()
    (first.keys / "worker.key.new").write_bytes(b"half")
    second = open_home(tmp_path)
    assert second.first_use
    assert (second.keys / "log.key").read_bytes() == log_key
    assert second.trust.log.public_key == second.signers.need_log().public_key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_refuses_a_key_that_others_can_use_and_says_what_to_run(tmp_path: Path, mode: int) -> None:
    key = open_home(tmp_path).keys / "worker.key"
    key.chmod(mode)
    with pytest.raises(KeyFileError, match=f"chmod 600 {key}"):
        open_home(tmp_path)


def test_refuses_a_directory_of_keys_that_others_can_look_into(tmp_path: Path) -> None:
    keys = open_home(tmp_path).keys
    keys.chmod(0o750)
    with pytest.raises(KeyFileError, match=f"chmod 700 {keys}"):
        open_home(tmp_path)


def test_refuses_keys_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_home(tmp_path)
    someone = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: someone)
    with pytest.raises(KeyFileError, match="another user"):
        open_home(tmp_path)


def test_refuses_a_missing_a_short_and_a_linked_key(tmp_path: Path) -> None:
    key = open_home(tmp_path).keys / "worker.key"
    seed = key.read_bytes()
    key.unlink()
    with pytest.raises(KeyFileError, match="put it back from your backup"):
        open_home(tmp_path)
    key.touch(0o600)
    key.write_bytes(seed[:-1])
    with pytest.raises(KeyFileError, match="31 bytes, a key has 32"):
        open_home(tmp_path)
    key.unlink()
    (tmp_path / "elsewhere").write_bytes(seed)
    key.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError, match=r"worker\.key cannot be read"):
        open_home(tmp_path)


def test_a_home_may_lack_root_and_log_key_and_says_so_only_when_they_are_needed(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    (home.keys / "root.key").unlink()
    kept_offline = open_home(tmp_path)
    assert (kept_offline.first_use, kept_offline.signers.root) == (False, None)
    assert kept_offline.signers.need_log().public_key == home.trust.log.public_key
    (home.keys / "log.key").unlink()
    signers = open_home(tmp_path).signers
    assert (signers.root, signers.log, signers.person) == (None, None, None)
    for need, what in [
        (signers.need_root, r"no root key.*keys/root\.key"),
        (signers.need_log, r"no log key.*keys/log\.key"),
        (signers.need_person, "neither a person's key nor the root key.*keys enrol"),
    ]:
        with pytest.raises(KeyFileError, match=what):
            need()


def test_a_person_signs_with_her_own_key_or_else_with_the_root_key(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    assert home.signers.need_person().public_key == home.signers.need_root().public_key
    disk.replace_file(home.keys / "person.key", bytes(range(32)))
    again = open_home(tmp_path).signers
    assert again.need_person().public_key == Ed25519Signer(bytes(range(32))).public_key


def test_refuses_a_trust_file_that_cannot_be_believed(tmp_path: Path) -> None:
    trust = open_home(tmp_path).trust_file
    trust.write_bytes(trust.read_bytes()[:-10])
    with pytest.raises(KeyFileError, match="cannot be believed"):
        open_home(tmp_path)


def test_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match="cannot be used"):
        open_home(tmp_path / "file" / "home")


def test_two_authorities_on_one_host_have_two_ids() -> None:
    assert authority_id("http://a.example/1") != authority_id("http://a.example/2")
    assert authority_id("http://[::1]:9/").startswith("1-")


def test_shows_no_private_key_in_its_repr(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    assert (home.keys / "log.key").read_bytes().hex() not in repr(home.signers)
