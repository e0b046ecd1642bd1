"""What goes, what stays, and what stands in the way."""

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from archive.catalog import Catalog
from archive.directory import DirectoryStore
from archive.errors import Refused, StoreDown
from archive.sequencing import Sequencing
from archive.stewardship import disposal, fixity, holds
from archive.stewardship.disposal import Done, Plan
from archive.store import Keeper
from custody import keyspace
from custody.digest import Digest
from tests.archive.deployment import now
from tests.archive.stewardship.office import Office, failures

SOON = timedelta(seconds=2)


def plan(office: Office, *units: str) -> list[Plan]:
    made = disposal.plans(office.desk, office.survey, units)
    disposal.refuse_locked(made, now())
    return made


def say(office: Office, made: Sequence[Plan]) -> None:
    office.sequencer.append(disposal.disposals(office.desk, made, why="the retention period is over"))


def dispose(office: Office, *units: str) -> list[Done]:
    say(office, plan(office, *units))
    return disposal.carry_out(office.desk, office.survey, units)


def types(office: Office) -> list[str]:
    return [each.event.type for each in office.reader.events()]


def test_all_of_an_item_goes_and_the_log_stays(office: Office) -> None:
    office.lock_for = SOON
    scope = office.case("Love v. Screw")
    unit = office.capture(scope=scope, files={"dom": b"page", "text": b"words"})
    office.capture(scope=scope, unit=unit, files={"dom": b"listing"})
    other = office.capture(scope=scope, files={"dom": b"another item"})
    of_item = {each.key for each in office.survey.claims_of(unit)}
    before = set(office.store.keys(keyspace.BLOBS))
    logged = {key: office.store.read(key) for key in office.store.keys(keyspace.LOGS) if "/commit/" in key}
    time.sleep(3)
    (done,) = dispose(office, unit)
    of_item |= {keyspace.blob(Digest.of(each)) for each in (b"page", b"words", b"listing")}
    assert len(of_item) == 7, "two jobs, two records, three files"
    assert (done.removed, done.refused) == (7, 0)
    assert before - set(office.store.keys(keyspace.BLOBS)) == of_item
    assert list(office.store.versions(keyspace.blob(Digest.of(b"page")))) == []
    assert all(office.store.read(key) == data for key, data in logged.items())
    assert types(office)[-2:] == ["evidence.disposed", "disposal.completed"]
    assert failures(office.verdict()) == {}
    report = fixity.examine(office.desk, office.survey, scope=None, sample=None, seed=b"", purpose="asked", clock=now)
    assert (report.faults, report.disposed) == ([], 7)
    assert office.survey.is_live(other)
    assert not office.survey.is_live(unit)


def test_a_disposal_that_is_done_is_not_done_again(shed: Office) -> None:
    unit = shed.capture(scope=shed.case("Love v. Screw"))
    dispose(shed, unit)
    assert disposal.plans(shed.desk, shed.survey, [unit]) == []


def test_what_a_live_item_names_is_spared_until_that_goes_too(office: Office) -> None:
    office.lock_for = SOON
    scope = office.case("Love v. Screw")
    first = office.capture(scope=scope, files={"dom": b"mine", "body": b"a shared logo"})
    second = office.capture(scope=scope, files={"dom": b"yours", "body": b"a shared logo"})
    time.sleep(3)
    (made,) = plan(office, first)
    assert list(made.spared) == [Digest.of(b"a shared logo")]
    assert made.named_by[Digest.of(b"a shared logo")].capture == second
    dispose(office, first)
    assert not office.has(b"mine")
    assert office.has(b"a shared logo")
    assert failures(office.verdict()) == {}
    dispose(office, second)
    assert not office.has(b"a shared logo")
    assert failures(office.verdict()) == {}


def test_two_items_that_go_together_do_not_spare_each_other(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    units = [shed.capture(scope=scope, files={"body": b"a shared logo"}) for _ in range(2)]
    dispose(shed, *units)
    assert not shed.has(b"a shared logo")
    assert failures(shed.verdict()) == {}


def test_a_page_with_the_bytes_of_a_key_takes_no_key_away(shed: Office) -> None:
    """What the log's own chain names is public; a hostile page can serve it and be captured."""
    key = next(each for each in shed.survey.claims if each.name == "key.pem")
    data = shed.store.read(key.key)
    unit = shed.capture(scope=shed.case("Love v. Screw"), files={"body": data})
    (made,) = plan(shed, unit)
    assert key.digest in made.spared
    dispose(shed, unit)
    assert shed.store.read(key.key) == data
    assert failures(shed.verdict()) == {}


def test_what_was_corrected_names_people_too_and_goes(shed: Office) -> None:
    from archive.stewardship.corrections import correct

    unit = shed.capture(scope=shed.case("Love v. Screw"))
    correct(shed.desk, shed.survey, unit, field="title", value="Joan's shop", why="misread")
    (told,) = shed.reader.events("record.corrected")
    correction = told.event.subjects[0].digest
    assert b"Jane's shop" in shed.store.read(keyspace.blob(correction))
    dispose(shed, unit)
    assert keyspace.blob(correction) not in set(shed.store.keys(keyspace.BLOBS))
    assert failures(shed.verdict()) == {}


@pytest.mark.slow
@pytest.mark.s3
def test_a_lock_is_waited_for_and_never_got_round(vault: Office) -> None:
    vault.lock_for = timedelta(seconds=8)
    unit = vault.capture(scope=vault.case("Love v. Screw"), files={"dom": b"page"})
    with pytest.raises(Refused, match=r"locked in the store, the last until 20\d\d-.*Z: nothing was disposed of"):
        plan(vault, unit)
    assert "evidence.disposed" not in types(vault)
    say(vault, disposal.plans(vault.desk, vault.survey, [unit]))  # as if the clocks differed
    (done,) = disposal.carry_out(vault.desk, vault.survey, [unit])
    assert (done.removed, done.refused) == (0, 3)
    assert done.answers == ("403 AccessDenied",)
    assert vault.has(b"page")
    time.sleep(9)
    (again,) = disposal.plans(vault.desk, vault.survey, [unit])
    assert again.told is not None
    assert disposal.disposals(vault.desk, [again], why="") == [], "the log says it already"
    (done,) = disposal.carry_out(vault.desk, vault.survey, [unit])
    assert (done.removed, done.refused) == (3, 0)
    assert failures(vault.verdict()) == {}


def test_what_is_held_is_not_disposed_of(office: Office) -> None:
    office.lock_for = SOON
    unit = office.capture(scope=office.case("Love v. Screw"), files={"dom": b"page"})
    holds.hold(office.desk, office.survey, [unit], matter="12 Cv. 3456", why="litigation")
    time.sleep(3)
    with pytest.raises(Refused, match=r"is held for 12 Cv. 3456 \(leaf \d+\): release it first"):
        plan(office, unit)
    office.sequencer.append(holds.releases(office.desk, office.survey, [unit], matter=None, why="settled"))
    holds.let_go(office.desk, office.survey, [unit])
    dispose(office, unit)
    assert not office.has(b"page")
    assert failures(office.verdict()) == {}


def test_a_hold_that_gets_in_first_stops_what_was_planned(shed: Office, tmp_path: Path) -> None:
    unit = shed.capture(scope=shed.case("Love v. Screw"), files={"dom": b"page"})
    made = plan(shed, unit)
    holds.hold(shed.desk, shed.survey, [unit], matter="12 Cv. 3456", why="litigation")
    say(shed, made)
    assert types(shed)[-2:] == ["evidence.held", "evidence.disposed"]
    with pytest.raises(Refused, match="is held for"):
        disposal.carry_out(shed.desk, shed.survey, [unit])
    assert shed.has(b"page")
    with closing(Catalog.open(tmp_path / "catalog.sqlite")) as catalog:
        catalog.advance(shed.store, shed.reader)
        (entry,) = catalog.captures()
        assert (entry.disposed_at, entry.title) == (None, "Jane's shop")
        assert len(catalog.holds(unit)) == 1
        assert catalog.disposal(unit) is None
    shed.sequencer.append(holds.releases(shed.desk, shed.survey, [unit], matter=None, why="settled"))
    with pytest.raises(Refused, match="the log does not say"):
        disposal.carry_out(shed.desk, shed.survey, [unit])
    dispose(shed, unit)
    assert not shed.has(b"page")
    assert failures(shed.verdict()) == {}, "the first was too early, and nothing was done about it"


def test_what_waits_in_the_inbox_of_a_store_without_locks_is_waited_for(shed: Office) -> None:
    """A worker without the log key finds the page's bytes there already; only the log's order says that they go."""
    scope = shed.case("Love v. Screw")
    unit = shed.capture(scope=scope, files={"dom": b"page"})
    event = shed.submitted(scope=scope, files={"dom": b"page"})
    with pytest.raises(Refused, match=r"2 events of captures wait in the inbox and may name what is to go"):
        plan(shed, unit)
    assert shed.has(b"page")
    Sequencing(shed.sequencer, shed.scribe).empty()
    assert shed.sequencer.holds(event)
    dispose(shed, unit)
    assert shed.has(b"page")
    assert failures(shed.verdict()) == {}


def test_what_comes_into_the_inbox_after_the_log_was_told_is_waited_for(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    unit = shed.capture(scope=scope, files={"dom": b"page", "text": b"words"})
    say(shed, plan(shed, unit))
    shed.submitted(scope=scope, files={"dom": b"page"})
    with pytest.raises(Refused, match="wait in the inbox"):
        disposal.carry_out(shed.desk, shed.survey, [unit])
    Sequencing(shed.sequencer, shed.scribe).empty()
    disposal.carry_out(shed.desk, shed.survey, [unit])
    assert shed.has(b"page")
    assert not shed.has(b"words")
    assert failures(shed.verdict()) == {}


def test_another_capture_that_is_going_on_is_waited_for_where_there_are_no_locks(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    unit = shed.capture(scope=scope, files={"dom": b"page"})
    capture, *_ = shed.start(scope=scope, run=shed.scribe.new_id(), deadline_s=1.5)
    with pytest.raises(Refused, match=f"capture {capture} is going on and may name what is to go"):
        plan(shed, unit)
    time.sleep(2)
    dispose(shed, unit)
    assert not shed.has(b"page")


def test_a_name_that_comes_in_between_spares_the_blob(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    unit = shed.capture(scope=scope, files={"dom": b"page", "body": b"logo"})
    say(shed, plan(shed, unit))
    shed.capture(scope=scope, files={"body": b"logo"})
    (done,) = disposal.carry_out(shed.desk, shed.survey, [unit])
    assert done.removed == 3
    assert shed.has(b"logo")
    assert not shed.has(b"page")
    assert failures(shed.verdict()) == {}


def test_a_capture_that_is_going_on_is_waited_for(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    unit = shed.capture(scope=scope, files={"dom": b"page"})
    capture, *_ = shed.start(scope=scope, run=shed.scribe.new_id(), unit=unit, deadline_s=1.5)
    with pytest.raises(Refused, match=f"capture {capture} of {unit} is still going on"):
        plan(shed, unit)
    time.sleep(2)
    dispose(shed, unit)
    assert not shed.has(b"page")


def test_a_record_that_cannot_be_read_stops_it(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    unit, other = shed.capture(scope=scope), shed.capture(scope=scope)
    (record,) = (each for each in shed.survey.claims_of(other) if each.is_record)
    shed.store.remove(record.key)
    with pytest.raises(Refused, match="nobody knows what else is theirs"):
        plan(shed, other)
    with pytest.raises(Refused, match="nobody knows whether it shares a blob"):
        plan(shed, unit)


class Dying:
    """A store that dies after so many removals."""

    def __init__(self, inner: Keeper, after: int) -> None:
        self.inner = inner
        self.left = after

    def remove(self, key: str) -> object:
        if not self.left:
            raise StoreDown("the store does not answer")
        self.left -= 1
        return self.inner.remove(key)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


def remove_and_die(path: Path, unit: str, after: int) -> None:
    """In a process of its own."""
    office = Office.open(path, DirectoryStore(path / "archive"))
    with closing(office.sequencer):
        desk, left = office.desk, [after]

        class Killed:
            def remove(self, key: str) -> object:
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return office.store.remove(key)

            def __getattr__(self, name: str) -> object:
                return getattr(office.store, name)

        object.__setattr__(desk, "keeper", Killed())
        disposal.carry_out(desk, office.survey, [unit])


@pytest.mark.parametrize("after", [0, 2])
def test_a_process_that_was_killed_while_it_removed_is_followed_by_one_that_goes_on(
    shed: Office, tmp_path: Path, after: int
) -> None:
    unit = shed.capture(scope=shed.case("Love v. Screw"), files={"dom": b"page", "text": b"words"})
    say(shed, plan(shed, unit))
    before = len(set(shed.store.keys(keyspace.BLOBS)))
    child = multiprocessing.get_context("spawn").Process(target=remove_and_die, args=(tmp_path, unit, after))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    assert len(set(shed.store.keys(keyspace.BLOBS))) == before - after
    assert failures(shed.verdict()) == {}
    (done,) = disposal.carry_out(shed.desk, shed.survey, [unit])
    assert (done.removed, done.refused) == (4, 0)
    assert not shed.has(b"page")
    assert types(shed)[-2:] == ["evidence.disposed", "disposal.completed"]
    assert failures(shed.verdict()) == {}


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_disposal_that_was_cut_short_is_gone_on_with(shed: Office, after: int) -> None:
    unit = shed.capture(scope=shed.case("Love v. Screw"), files={"dom": b"page", "text": b"words"})
    say(shed, plan(shed, unit))
    desk = shed.desk
    object.__setattr__(desk, "keeper", Dying(shed.store, after))
    with pytest.raises(StoreDown):
        disposal.carry_out(desk, shed.survey, [unit])
    assert types(shed)[-1] == "evidence.disposed"
    assert failures(shed.verdict()) == {}, "the log has said so: what is gone is gone by its word"
    (again,) = plan(shed, unit)
    assert again.told is not None
    (done,) = disposal.carry_out(shed.desk, shed.survey, [unit])
    assert (done.removed, done.refused) == (4, 0)
    assert not shed.has(b"page")
    assert not shed.has(b"words")
    assert types(shed).count("evidence.disposed") == 1
    assert failures(shed.verdict()) == {}
