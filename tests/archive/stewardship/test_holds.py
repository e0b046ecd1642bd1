"""Holds in the log and in the store, and their release."""

from datetime import timedelta

import pytest

from archive.errors import Refused, StoreError
from archive.stewardship import holds
from archive.stewardship.holds import Outcome
from custody import keyspace
from custody.digest import Digest
from tests.archive.stewardship.office import Office, failures


def hold(office: Office, *units: str, matter: str = "12 Cv. 3456") -> Outcome:
    return holds.hold(office.desk, office.survey, units, matter=matter, why="litigation")


def release(office: Office, *units: str, matter: str | None = None) -> Outcome:
    office.sequencer.append(holds.releases(office.desk, office.survey, units, matter=matter, why="settled"))
    return holds.let_go(office.desk, office.survey, units)


def test_a_hold_names_its_item_in_the_log_and_the_matter_in_a_blob(office: Office) -> None:
    scope = office.case("Love v. Screw")
    units = [office.capture(scope=scope, files={"dom": b"page %d" % n}) for n in range(2)]
    outcome = hold(office, *units)
    told = list(office.reader.events("evidence.held"))
    assert [each.event.body["item"] for each in told] == units
    assert len({each.event.chain for each in told}) == 1, "one hold, one chain"
    assert told[0].event.chain.startswith("work:")
    assert list(outcome.items.values()) == [each.index for each in told]
    assert b"3456" not in b"".join(each.data for each in told)
    detail = office.desk.detail(told[0].event.subjects[0].digest)
    assert (detail["item"], detail["matter"], detail["why"]) == (units[0], "12 Cv. 3456", "litigation")
    assert {each["sha256"] for each in detail["blobs"]} >= {Digest.of(b"page 0").hex}
    assert len(detail["blobs"]) == 3
    assert failures(office.verdict()) == {}
    assert [each.item for each in office.survey.holds.values()] == units


@pytest.mark.s3
def test_the_store_holds_every_blob_even_against_its_own_bypass(vault: Office) -> None:
    vault.lock_for = timedelta(seconds=1)
    unit = vault.capture(scope=vault.case("Love v. Screw"), files={"dom": b"page"})
    outcome = hold(vault, unit)
    assert outcome.counted == {"on": 3}
    for digest in outcome.answers:
        key = keyspace.blob(digest)
        assert vault.store.head(key).held
        assert [each.removed for each in vault.store.remove(key)] == [False]
    assert release(vault, unit).counted == {"off": 3}
    assert not any(vault.store.head(keyspace.blob(digest)).held for digest in outcome.answers)


@pytest.mark.s3
def test_a_blob_stays_held_while_any_hold_needs_it(vault: Office) -> None:
    scope = vault.case("Love v. Screw")
    first, second = (vault.capture(scope=scope, files={"body": b"shared", "dom": b"%d" % n}) for n in range(2))
    hold(vault, first, second)
    hold(vault, first, matter="another")
    assert release(vault, first, matter="another").counted == {}
    assert vault.store.head(keyspace.blob(Digest.of(b"0"))).held
    release(vault, first)
    assert not vault.store.head(keyspace.blob(Digest.of(b"0"))).held
    assert vault.store.head(keyspace.blob(Digest.of(b"shared"))).held
    assert vault.store.head(keyspace.blob(Digest.of(b"1"))).held
    release(vault, second)
    assert not vault.store.head(keyspace.blob(Digest.of(b"shared"))).held
    assert failures(vault.verdict()) == {}


@pytest.mark.s3
def test_a_delete_marker_takes_no_hold_off(vault: Office) -> None:
    unit = vault.capture(scope=vault.case("Love v. Screw"), files={"dom": b"page"})
    key = keyspace.blob(Digest.of(b"page"))
    hold(vault, unit)
    objects = vault.store._objects  # type: ignore[attr-defined]
    objects.client.delete_object(**objects.at(key))
    assert [each.is_delete_marker for each in vault.store.versions(key)].count(True) == 1
    assert vault.store.set_hold(key, on=True) == "on"
    removals = vault.store.remove(key)
    assert [each.removed for each in removals] == [False, True], "the marker goes, the bytes stay"
    assert vault.has(b"page")


def test_a_store_that_refuses_the_hold_leaves_no_word_of_it_in_the_log(shed: Office) -> None:
    unit = shed.capture(scope=shed.case("Love v. Screw"))

    class Denying:
        def set_hold(self, key: str, *, on: bool) -> str:
            raise StoreError(f"said 403 to a legal hold of {key} ({on})")

    desk = shed.desk
    object.__setattr__(desk, "keeper", Denying())
    with pytest.raises(StoreError, match="403"):
        holds.hold(desk, shed.survey, [unit], matter="m", why="")
    assert list(shed.reader.events("evidence.held")) == []


@pytest.mark.s3
def test_a_bucket_without_holds_is_locked_for_longer_instead(vault: Office) -> None:
    vault.lock_for = timedelta(seconds=30)
    unit = vault.capture(scope=vault.case("Love v. Screw"), files={"dom": b"page"})
    vault.lock_for = timedelta(days=30)

    class Lacking:
        """The same store, as one that knows no legal holds answers."""

        def __getattr__(self, name: str) -> object:
            return getattr(vault.store, name)

        def set_hold(self, key: str, *, on: bool) -> str:
            return "unsupported"

    desk = vault.desk
    object.__setattr__(desk, "keeper", Lacking())
    outcome = holds.hold(desk, vault.survey, [unit], matter="m", why="")
    assert outcome.counted == {"unsupported": 3}
    lock = vault.store.head(keyspace.blob(Digest.of(b"page"))).lock
    assert lock is not None
    assert {each.until for each in outcome.answers.values()} >= {lock.retain_until}
    (told,) = vault.reader.events("evidence.held")
    (page,) = (
        each
        for each in vault.desk.detail(told.event.subjects[0].digest)["blobs"]
        if each["sha256"] == Digest.of(b"page").hex
    )
    assert page["hold"] == "unsupported"
    assert page["retain_until"] > "2026"


def test_what_was_disposed_of_cannot_be_held(shed: Office) -> None:
    from tests.archive.stewardship.test_disposal import dispose

    unit = shed.capture(scope=shed.case("Love v. Screw"))
    dispose(shed, unit)
    with pytest.raises(Refused, match="there is nothing left to hold"):
        hold(shed, unit)


def test_two_holds_are_released_one_by_one(shed: Office) -> None:
    unit = shed.capture(scope=shed.case("Love v. Screw"))
    hold(shed, unit, matter="one")
    hold(shed, unit, matter="two")
    release(shed, unit, matter="one")
    (left,) = shed.survey.held(unit)
    assert shed.desk.detail(left.detail)["matter"] == "two"
    release(shed, unit)
    assert shed.survey.held(unit) == []
    assert len(list(shed.reader.events("evidence.released"))) == 2
    assert failures(shed.verdict()) == {}
