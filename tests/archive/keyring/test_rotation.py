"""Another key for a worker: whenever the process dies, the home works; run again, the change is finished."""

import multiprocessing
import os
import signal
from contextlib import closing
from pathlib import Path

import pytest

from archive.config import ArchiveConfig
from archive.errors import LogForeign, UsageError
from archive.home import Home
from archive.keyring.acts import revocation
from archive.keyring.desk import open_desk
from archive.keyring.rotation import Rotation, rotate
from archive.keyring.standing import read_standing
from archive.signing import files
from archive.spool import Spool
from archive.vault import Vault
from custody import keys
from tests.archive.deployment import now

STEPS = ("planned", "introduced", "changed over", "revoked")


def configuration(folder: Path) -> ArchiveConfig:
    return ArchiveConfig.load({}, home=folder / "home", store_url=f"file:{folder / 'store'}", retention_days=1)


def begin(folder: Path) -> ArchiveConfig:
    config = configuration(folder)
    Vault.open(config, clock=now).close()
    return config


def turn(config: ArchiveConfig, *, to: str | None = None, dies_at: str | None = None) -> Rotation:
    def hook(step: str) -> None:
        if step == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    with open_desk(config, clock=now) as desk:
        return rotate(desk, "worker", to=to, roots=desk.roots(), random=os.urandom, hook=hook)


def die(folder: Path, step: str, to: str | None) -> None:
    turn(configuration(folder), to=to, dies_at=step)


def killed(folder: Path, step: str, *, to: str | None = None) -> None:
    """A real process, killed for good."""
    process = multiprocessing.get_context("spawn").Process(target=die, args=(folder, step, to))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL


def worker_of(config: ArchiveConfig) -> str:
    with open_desk(config, clock=now) as desk:
        return keys.keyid(desk.home.signers.worker.public_key)


def test_the_old_key_is_revoked_the_new_one_signs_and_nothing_is_left_lying_about(tmp_path: Path) -> None:
    config = begin(tmp_path)
    old = worker_of(config)
    seed = (config.home / "keys" / "worker.key").read_bytes()
    came = turn(config)
    assert (came.old, came.draft) == (old, None)
    assert worker_of(config) == came.new != old
    with open_desk(config, clock=now) as desk:
        standing = read_standing(desk.ledger)
    assert standing[came.new].revocation is None
    revocation = standing[old].revocation
    assert revocation is not None
    assert revocation.reason == "rotated"
    assert sorted(each.name for each in (config.home / "keys").iterdir()) == ["log.key", "root.key", "worker.key"]
    assert seed not in b"".join(path.read_bytes() for path in config.home.rglob("*") if path.is_file())
    with Vault.open(config, clock=now) as vault:
        assert vault.cases.open("case", vault.sequencer, vault.scribe)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_home_works_and_the_next_run_finishes(tmp_path: Path, step: str) -> None:
    config = begin(tmp_path)
    old = worker_of(config)
    killed(tmp_path, step)
    with Vault.open(config, clock=now) as vault:
        vault.cases.open(f"after {step}", vault.sequencer, vault.scribe)
    came = turn(config)
    assert (came.old, came.draft) == (old, None)
    assert worker_of(config) == came.new
    with open_desk(config, clock=now) as desk:
        standing = read_standing(desk.ledger)
    assert [each.revocation is not None for each in (standing[old], standing[came.new])] == [True, False]
    assert len([each for each in standing.values() if each.role == "worker"]) == 2, "no third key was made on the way"
    assert sorted(each.name for each in (config.home / "keys").iterdir()) == ["log.key", "root.key", "worker.key"]


def test_a_key_elsewhere_takes_the_place_of_the_file_and_a_file_that_of_the_key_elsewhere(tmp_path: Path) -> None:
    """Each way the process dies between the two halves of the change-over."""
    config = begin(tmp_path)
    elsewhere = files.make_key(tmp_path / "elsewhere.key")
    spec = f"file:{tmp_path / 'elsewhere.key'}"
    killed(tmp_path, "half over", to=spec)
    assert worker_of(config) == keys.keyid(elsewhere.public_key)
    assert (config.home / "keys" / "worker.key").exists()
    assert turn(config).draft is None
    assert sorted(each.name for each in (config.home / "keys").iterdir()) == ["log.key", "root.key", "worker.spec"]

    killed(tmp_path, "half over")
    assert worker_of(config) == keys.keyid(elsewhere.public_key), "the old key signs still"
    Vault.open(config, clock=now).close()
    came = turn(config)
    assert worker_of(config) == came.new
    assert sorted(each.name for each in (config.home / "keys").iterdir()) == ["log.key", "root.key", "worker.key"]


def test_a_worker_that_was_revoked_gets_a_new_key_even_after_a_run_that_died(tmp_path: Path) -> None:
    config = begin(tmp_path)
    old = worker_of(config)
    Spool(config.home / "spool", clock=now).run("01900000-0000-7000-8000-000000000000").journal.close()
    with open_desk(config, clock=now) as desk:
        draft, notices = revocation(desk, old, reason="lost", since=None, why="", signers=desk.roots())
        assert draft is not None
        desk.record(draft)
    assert any("this is the worker key of this home" in each for each in notices)
    with pytest.raises(LogForeign, match="was revoked"):
        Vault.open(config, clock=now)
    assert turn(config).draft is None
    Vault.open(config, clock=now).close()


def test_waits_for_a_run_that_signs_with_the_old_key(tmp_path: Path) -> None:
    config = begin(tmp_path)
    old = worker_of(config)
    spool = Spool(config.home / "spool", clock=now)
    with closing(spool.run("01900000-0000-7000-8000-000000000000")), pytest.raises(UsageError, match="running"):
        turn(config)
    assert worker_of(config) == old
    assert turn(config).draft is None


def test_without_the_root_key_a_draft_is_signed_elsewhere_and_the_old_key_goes_on(tmp_path: Path) -> None:
    config = begin(tmp_path)
    old = worker_of(config)
    root = config.home / "keys" / "root.key"
    away = tmp_path / "root.key"
    root.rename(away)
    came = turn(config)
    assert came.draft is not None
    assert [each.event.type for each in came.draft.events] == ["key.introduced"]
    assert worker_of(config) == old
    Vault.open(config, clock=now).close()
    away.rename(root)
    assert turn(config).new == came.new, "the key that was asked for is the key that is taken"


def test_refuses_what_cannot_be_changed(tmp_path: Path) -> None:
    config = begin(tmp_path)
    with open_desk(config, clock=now) as desk:
        for role in ("log", "root"):
            with pytest.raises(UsageError, match="stays as long as its log"):
                rotate(desk, role, to=None, roots=(), random=os.urandom)
        with pytest.raises(UsageError, match="no person's key"):
            rotate(desk, "person", to=None, roots=(), random=os.urandom)
        with pytest.raises(UsageError, match="the key that the home has"):
            rotate(desk, "worker", to=f"file:{desk.home.keys / 'worker.key'}", roots=(), random=os.urandom)


def test_a_log_that_is_not_begun_has_no_keys_to_look_after(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    with pytest.raises(UsageError, match="no home in"), open_desk(config, clock=now):
        pass
    assert not config.home.exists(), "looking makes no home"
    Home.open(config.home, clock=now)
    (tmp_path / "store").mkdir()
    with pytest.raises(LogForeign, match="not begun"), open_desk(config, clock=now):
        pass
