"""Locks by what came of a look: declared by settings and case, said with the start, and kept by a real store."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from archive.acquisition import Acquisition
from archive.brief import Brief
from archive.config import ArchiveConfig
from archive.keeping import Class, class_of, days_of
from archive.stewardship import retention
from archive.stewardship.describing import describe
from archive.stewardship.opening import open_desk
from archive.vault import Vault
from custody import keyspace
from custody.digest import Digest
from custody.model import Outcome, Role, Status
from tests.archive.deployment import now

DAYS = {Class.FULL: 300, Class.UNCHANGED: 30, Class.SHOWN_NOTHING: 90}


def config(home: Path) -> ArchiveConfig:
    return ArchiveConfig(home=home, retention_days=300, look_retention_days=30, wall_retention_days=90)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.OK, Class.FULL),
        (Outcome.PRIVATE, Class.FULL),
        (Outcome.REMOVED, Class.FULL),
        (Outcome.UNAVAILABLE, Class.FULL),
        (Outcome.LOGIN_WALL, Class.SHOWN_NOTHING),
        (Outcome.TIMEOUT, Class.SHOWN_NOTHING),
        (Outcome.REFUSED_BY_POLICY, Class.SHOWN_NOTHING),
    ],
)
def test_what_says_something_of_the_page_is_kept_as_everything_is(outcome: Outcome, expected: Class) -> None:
    assert class_of(outcome) is expected


def test_a_case_goes_before_the_settings_and_these_before_what_holds_for_everything(tmp_path: Path) -> None:
    assert days_of(config(tmp_path), {}) == DAYS
    assert days_of(config(tmp_path), {"unchanged_days": Decimal(7)}) == {**DAYS, Class.UNCHANGED: 7}
    plain = replace(config(tmp_path), look_retention_days=None, wall_retention_days=None)
    assert set(days_of(plain, {}).values()) == {300}


def days_left(vault: Vault, digest: Digest) -> int:
    lock = vault.store.head(keyspace.blob(digest)).lock
    assert lock is not None
    return (lock.retain_until - now()) // timedelta(days=1)


def kept_for(vault: Vault, acquisition: Acquisition, outcome: Outcome, *, look: str | None) -> tuple[int, int]:
    """Days for which a file of a capture and its record are locked."""
    unit = acquisition.new_id()
    started = acquisition.start(
        capture_id=unit, unit=unit, url="https://a.example/", parent=None, timeout_s=9, facts={}, look_id=look
    )
    spool = acquisition.visit_spool(unit)
    file, record = (
        spool.write(role, name, "text/plain", unit.encode() + name.encode())
        for role, name in ((Role.DOM, "dom.html"), (Role.RECORD, "record.json"))
    )
    acquisition.store_file(file, class_=acquisition.class_of(unit, outcome))
    acquisition.end(
        capture_id=unit, unit=unit, started=started, record=record, files=[file], status=Status.COMPLETE,
        outcome=outcome, http_status=200, started_at=now(), ended_at=now(), stage="visit",
    )  # fmt: skip
    return days_left(vault, file.digest), days_left(vault, record.digest)


@pytest.mark.s3
def test_a_scheduled_wall_is_locked_for_its_class_and_a_page_or_what_a_person_asked_for_as_everything(
    tmp_path: Path,
) -> None:
    with Vault.open(config(tmp_path / "home"), clock=now) as vault:
        acquisition = vault.begin("walls", {}, None)
        look = acquisition.new_id()
        assert kept_for(vault, acquisition, Outcome.LOGIN_WALL, look=look) == (90, 90)
        assert kept_for(vault, acquisition, Outcome.OK, look=look) == (300, 300)
        assert kept_for(vault, acquisition, Outcome.REMOVED, look=look) == (300, 300)
        assert kept_for(vault, acquisition, Outcome.LOGIN_WALL, look=None) == (300, 300)
        (first, *_) = vault.sequencer.reader.events("capture.started")
        job = json.loads(vault.store.read(keyspace.blob(first.event.subjects[0].digest)))
        ends = {name: datetime.fromisoformat(at) - now() for name, at in job["locked_until"].items()}
        assert {name: each // timedelta(days=1) for name, each in ends.items()} == DAYS
        acquisition.close_run()


@pytest.mark.s3
def test_a_case_says_for_itself_and_one_that_is_kept_longer_is_so_in_all_classes(tmp_path: Path) -> None:
    asked = config(tmp_path / "home")
    with open_desk(asked, clock=now, notify=lambda _: None, by_person=False, first=True) as opened:
        described, longer = (opened.vault.open_case(each) for each in ("described", "kept longer"))
        brief = Brief(thresholds={"shown_nothing_days": Decimal(14)})
        describe(
            opened.desk,
            opened.briefs,
            described,
            brief,
            previous=None,
            scribe=opened.person_for(described),
            pictures={},
        )
        retention.retain(opened.desk, opened.desk.survey(), longer, 900, why="the court asked")
    with Vault.open(asked, clock=now) as vault:
        for case, days in (("described", 14), ("kept longer", 900)):
            acquisition = vault.begin(case, {}, None)
            assert kept_for(vault, acquisition, Outcome.CAPTCHA, look=acquisition.new_id()) == (days, days)
            acquisition.close_run()
