"""Locks lengthened by case, never shortened, and read back."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from archive.config import ArchiveConfig
from archive.directory import DirectoryStore
from archive.errors import Refused
from archive.stewardship import retention
from archive.stewardship.opening import open_desk
from archive.stewardship.retention import Kept
from archive.store import Stored
from archive.vault import Vault
from custody import keyspace
from custody.digest import Digest
from custody.model import Role
from tests.archive.deployment import now
from tests.archive.stewardship.office import Office, failures


def retain(office: Office, scope: str, days: int, *, setting: int = 1) -> Kept:
    survey = office.survey
    retention.refuse_shorter(survey, scope, days, setting=setting)
    return retention.retain(office.desk, survey, scope, days, why="the court asked for it")


def test_it_stands_in_the_chain_of_the_case_with_its_reason_in_a_blob(office: Office) -> None:
    scope = office.case("Love v. Screw")
    office.capture(scope=scope, files={"dom": b"page"})
    kept = retain(office, scope, 900)
    (told,) = office.reader.events("retention.set")
    assert (told.event.chain, told.event.body, told.index) == (f"scope:{scope}", {"days": 900}, kept.index)
    detail = office.desk.detail(told.event.subjects[0].digest)
    assert (detail["scope"], detail["days"], detail["why"]) == (scope, 900, "the court asked for it")
    assert (kept.blobs, kept.missing, kept.unread) == (5, 0, 0), "case, item, job, record and page"
    assert office.survey.days == {scope: 900}
    assert failures(office.verdict()) == {}


@pytest.mark.s3
def test_every_lock_of_the_case_is_longer_and_no_other(vault: Office) -> None:
    mine, other = vault.case("Mine"), vault.case("Other")
    vault.capture(scope=mine, files={"dom": b"mine", "body": b"shared"})
    vault.capture(scope=other, files={"dom": b"other", "body": b"shared"})

    def left(data: bytes) -> timedelta:
        lock = vault.store.head(keyspace.blob(Digest.of(data))).lock
        assert lock is not None
        return lock.retain_until - now()

    kept = retain(vault, mine, 900)
    assert kept.unlocked == 0
    assert kept.lengthened_to is not None
    assert left(b"mine") > timedelta(days=899)
    assert left(b"shared") > timedelta(days=899)
    assert left(b"other") < timedelta(days=401)
    before = left(b"mine")
    retain(vault, mine, 900)
    assert abs(left(b"mine") - before) < timedelta(minutes=5)
    assert len(list(vault.reader.events("retention.set"))) == 1, "what the log says already is not said again"


@pytest.mark.parametrize(
    ("set_to", "days", "setting", "reason"), [(900, 899, 1, "900 days already"), (0, 90, 365, "setting already keeps")]
)
def test_a_shorter_one_is_refused_with_the_reason(
    shed: Office, set_to: int, days: int, setting: int, reason: str
) -> None:
    scope = shed.case("Love v. Screw")
    if set_to:
        retain(shed, scope, set_to)
    with pytest.raises(Refused, match=reason):
        retain(shed, scope, days, setting=setting)


def test_a_directory_keeps_no_locks_and_it_is_said(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    shed.capture(scope=scope)
    kept = retain(shed, scope, 900)
    assert (kept.unlocked, kept.lengthened_to) == (kept.blobs, None)


def test_what_was_disposed_of_is_not_asked_for(shed: Office) -> None:
    from tests.archive.stewardship.test_disposal import dispose

    scope = shed.case("Love v. Screw")
    dispose(shed, shed.capture(scope=scope))
    kept = retain(shed, scope, 900)
    assert (kept.missing, kept.unread) == (0, 0)


def test_what_is_captured_for_the_case_later_starts_with_as_much(tmp_path: Path) -> None:
    config = ArchiveConfig(home=tmp_path / "home", store_url=f"file:{tmp_path / 'archive'}", retention_days=365)

    def locked_for(case: str) -> int:
        with Vault.open(config, clock=now) as vault:
            acquisition = vault.begin(case, {}, None)
            until = acquisition._scribe.retain_until()
            acquisition.close_run()
        return (until - now()) // timedelta(days=1)

    assert [locked_for("kept longer"), locked_for("another")] == [365, 365]
    with open_desk(config, clock=now, notify=lambda _: None, by_person=False) as opened:
        retention.retain(opened.desk, opened.desk.survey(), opened.scope("kept longer"), 900, why="the court asked")
    assert [locked_for("kept longer"), locked_for("another")] == [900, 365]


def test_what_a_dead_run_left_is_kept_as_long_as_its_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = ArchiveConfig(home=tmp_path / "home", store_url=f"file:{tmp_path / 'archive'}", retention_days=365)
    in_hand = {case: f"pixels of {case}".encode() for case in ("kept longer", "another")}
    with Vault.open(config, clock=now) as vault:
        for case in in_hand:
            vault.cases.open(case, vault.sequencer, vault.scribe)
    with open_desk(config, clock=now, notify=lambda _: None, by_person=False) as opened:
        retention.retain(opened.desk, opened.desk.survey(), opened.scope("kept longer"), 900, why="the court asked")
    with Vault.open(config, clock=now) as vault:
        for case, pixels in in_hand.items():
            acquisition = vault.begin(case, {}, None)
            capture = acquisition.new_id()
            acquisition.start(capture_id=capture, unit=capture, url="u", parent=None, timeout_s=45, facts={})
            acquisition.visit_spool(capture).write(Role.VIEWPORT, "viewport.png", "image/png", pixels)
            acquisition.spool.journal.close()
            os.close(acquisition.spool._lock)  # what is left when a process is killed
    until: dict[str, datetime | None] = {}
    create = DirectoryStore.create

    def watched(
        store: DirectoryStore, key: str, data: bytes | Path, *, digest: Digest, retain_until: datetime | None
    ) -> Stored:
        until[key] = retain_until
        return create(store, key, data, digest=digest, retain_until=retain_until)

    monkeypatch.setattr(DirectoryStore, "create", watched)
    said: list[str] = []
    with Vault.open(config, clock=now, notify=said.append) as vault:
        (first, second) = vault.sequencer.reader.events("capture.abandoned")
    assert sum("recorded as abandoned" in each for each in said) == 1

    def days(digest: Digest) -> int:
        found = until[keyspace.blob(digest)]
        assert found is not None
        return (found - now()) // timedelta(days=1)

    assert [days(Digest.of(each)) for each in in_hand.values()] == [900, 365]
    assert {days(each.event.subjects[0].digest) for each in (first, second)} == {900, 365}
