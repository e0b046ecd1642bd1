"""Describing a case: kept like evidence, never handed over with it, and disposed of by its own."""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from archive.brief import Brief, Picture, Term
from archive.briefs import Briefs, Version
from archive.catalog import Catalog
from archive.draft import EventRefused
from archive.errors import Refused, UsageError
from archive.exporting.exporter import Asked, Exporter
from archive.mirror import mirror
from archive.stewardship import disposal, fixity, holds, retention
from archive.stewardship.describing import describe, refuse_disposed
from custody import keyspace
from custody.digest import Digest
from custody.keys import keyid
from tests.archive.deployment import now
from tests.archive.stewardship.office import Office, failures
from tests.archive.stewardship.test_disposal import dispose

FRONT, BACK = b"the front of it", b"the back of it"


def picture(data: bytes, name: str = "front.png") -> Picture:
    return Picture(digest=Digest.of(data), bytes=len(data), media_type="image/png", name=name)


BRIEF = Brief(title="Copies", terms=(Term(text="Amulette"),), pictures=(picture(FRONT),))


def briefs_of(office: Office) -> Briefs:
    return Briefs(office.sequencer, office.store)


def say(office: Office, scope: str, brief: Brief = BRIEF, *, pictures: Mapping[Digest, bytes] | None = None) -> Version:
    """The next version."""
    told = briefs_of(office)
    versions = told.versions(scope)
    return describe(
        office.desk,
        told,
        scope,
        brief,
        previous=versions[-1] if versions else None,
        scribe=office.desk.acting,
        pictures={Digest.of(FRONT): FRONT, Digest.of(BACK): BACK} if pictures is None else pictures,
    )


def examined(office: Office, scope: str | None) -> fixity.Report:
    return fixity.examine(office.desk, office.survey, scope=scope, sample=None, seed=b"", purpose="asked", clock=now)


def test_each_change_is_a_version_signed_by_a_person(office: Office) -> None:
    scope = office.case("Love v. Screw")
    first = say(office, scope)
    second = say(office, scope, replace(BRIEF, title="Copies of it"))
    assert (first.version, second.version) == (1, 2)
    current = briefs_of(office).current(scope)
    assert current is not None
    assert current.brief.title == "Copies of it"
    events = list(office.reader.events("case.described"))
    person = keyid(office.deployment.home.signers.need_person().public_key)
    assert [each.leaf.event.keyid for each in events] == [person, person]
    assert [dict(each.event.body) for each in events] == [{"version": 1}, {"version": 2}]
    assert not any(b"Amulette" in each.data or b"front" in each.data for each in events)
    assert office.desk.detail(second.digest)["previous"] == first.digest.hex
    assert office.has(FRONT)
    verdict = office.verdict()
    assert failures(verdict) == {}
    assert "BLOB_ORPHAN" not in {each.code for each in verdict.findings}


def test_only_a_person_describes_a_case(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    desk = shed.desk
    told = briefs_of(shed)
    with pytest.raises(EventRefused, match="needs 1 signatures by people"):
        describe(desk, told, scope, Brief(title="Copies"), previous=None, scribe=desk.worker, pictures={})
    assert told.versions(scope) == []


def test_of_two_who_describe_at_once_the_second_is_told(shed: Office, tmp_path: Path) -> None:
    scope = shed.case("Love v. Screw")
    first = say(shed, scope)
    twin = shed.deployment.twin(tmp_path / "twin")
    with closing(twin.open()) as theirs:
        stale = Briefs(theirs, shed.store)
        seen = stale.versions(scope)[-1]
        mine = say(shed, scope, replace(BRIEF, title="Mine"))
        desk = replace(shed.desk, log=theirs)
        with pytest.raises(Refused, match=r"their version 2 came first: yours is kept in leaf \d+.*try again"):
            describe(
                desk,
                stale,
                scope,
                replace(BRIEF, title="Theirs"),
                previous=seen,
                scribe=desk.acting,
                pictures={},
            )
    assert len(list(shed.reader.events("case.described"))) == 3, "both are in the log"
    told = Briefs(shed.reader, shed.store)
    assert told.versions(scope) == [first, mine]
    assert told.version(scope, 2).brief.title == "Mine"
    assert failures(shed.verdict()) == {}


@pytest.mark.parametrize("size", [0, 20 * 1024 * 1024 + 1])
def test_a_picture_has_a_limit(shed: Office, size: int) -> None:
    scope, data = shed.case("Love v. Screw"), bytes(size)
    brief = replace(BRIEF, pictures=(replace(picture(data), bytes=1),))
    with pytest.raises(UsageError, match=f"front.png has {size} bytes"):
        say(shed, scope, brief, pictures={Digest.of(data): data})
    assert briefs_of(shed).versions(scope) == []


@pytest.mark.parametrize("scoped", [False, True])
def test_a_missing_or_changed_brief_or_picture_is_named(shed: Office, tmp_path: Path, *, scoped: bool) -> None:
    scope = shed.case("Love v. Screw")
    version = say(shed, scope)
    of = scope if scoped else None
    assert examined(shed, of).faults == []
    for digest, name in ((version.digest, "brief.json"), (Digest.of(FRONT), "picture")):
        path = tmp_path / "archive" / keyspace.blob(digest)
        data = path.read_bytes()
        path.chmod(0o600)
        for spoiled, code, kind in (
            (data.replace(b"t", b"T", 1), "BLOB_DIGEST", "bytes"),
            (None, "BLOB_MISSING", "missing"),
        ):
            path.unlink() if spoiled is None else path.write_bytes(spoiled)
            found = failures(shed.verdict(of))
            assert {code: [each["name"] for each in them] for code, them in found.items()} == {code: [name]}
            (fault,) = examined(shed, of).faults
            assert (fault.kind, fault.named_by[0].name) == (kind, name)
        path.write_bytes(data)
    assert failures(shed.verdict(of)) == {}


def test_a_copy_has_it_all(shed: Office, tmp_path: Path) -> None:
    from archive.directory import DirectoryStore

    scope = shed.case("Love v. Screw")
    version = say(shed, scope)
    copy = DirectoryStore(tmp_path / "copy")
    mirror(shed.store, copy, progress=lambda _: None)
    assert Briefs(shed.reader, copy).read(version).brief == BRIEF
    assert copy.read(keyspace.blob(Digest.of(FRONT))) == FRONT


def test_an_export_of_the_case_carries_none_of_it(shed: Office, tmp_path: Path) -> None:
    scope = shed.case("Love v. Screw")
    unit = shed.capture(scope=scope)
    version = say(shed, scope)
    exporter = Exporter(shed.sequencer, shed.store, shed.scribe)
    made = exporter.export(Asked(scope=scope, items=(unit,)), tmp_path / "bag")
    files = [each for each in made.path.rglob("*") if each.is_file()]
    assert len(files) > 10
    for each in files:
        data = each.read_bytes()
        for secret in (b"Amulette", FRONT, b"brief.json", version.digest.hex.encode(), Digest.of(FRONT).hex.encode()):
            assert secret not in data, each
        assert Digest.of(FRONT).hex not in each.name
    assert not (made.path / f"data/custody/entry-{version.index}.json").exists()


def test_it_is_locked_for_as_long_as_the_case(vault: Office) -> None:
    vault.lock_for = timedelta(days=1)
    scope = vault.case("Love v. Screw")
    version = say(vault, scope)
    kept = retention.retain(vault.desk, vault.survey, scope, 800, why="limitation")
    assert kept.blobs == 3, "the case's name, the brief, the picture"
    for digest in (version.digest, Digest.of(FRONT)):
        lock = vault.store.head(keyspace.blob(digest)).lock
        assert lock is not None
        assert lock.retain_until > now() + timedelta(days=799)


def test_all_versions_and_pictures_of_a_case_are_disposed_of_together(office: Office) -> None:
    office.lock_for = timedelta(seconds=2)
    scope, other = office.case("Love v. Screw"), office.case("Screw v. Love")
    unit = office.capture(scope=scope)
    versions = [say(office, scope), say(office, scope, replace(BRIEF, pictures=(picture(BACK), picture(FRONT))))]
    theirs = say(office, other, replace(BRIEF, terms=(), pictures=(picture(BACK, "back.png"),)))
    time.sleep(3)
    (plan,) = disposal.plans(office.desk, office.survey, [scope])
    assert set(plan.goes) == {Digest.of(FRONT), *(each.digest for each in versions)}
    assert set(plan.spared) == {Digest.of(BACK)}, "the other case needs it"
    (done,) = dispose(office, scope)
    assert (done.removed, done.refused) == (3, 0)
    assert not office.has(FRONT)
    assert office.has(BACK)
    survey = office.survey
    assert survey.is_live(unit)
    for of in (None, scope, other):
        verdict = office.verdict(of)
        assert failures(verdict) == {}
        assert verdict.facts["disposed"] == 0
    assert examined(office, None).faults == []
    assert examined(office, scope).faults == []
    assert briefs_of(office).read(theirs).brief.title == "Copies"
    with pytest.raises(Refused, match="was disposed of"):
        refuse_disposed(survey, scope)
    refuse_disposed(survey, other)
    assert disposal.plans(office.desk, survey, [scope]) == []


def test_it_stays_while_anything_of_the_case_is_held(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    unit = shed.capture(scope=scope)
    say(shed, scope)
    holds.hold(shed.desk, shed.survey, [unit], matter="12 Cv. 3456", why="w")
    with pytest.raises(Refused, match=f"{unit} is held for 12 Cv. 3456"):
        disposal.plans(shed.desk, shed.survey, [scope])
    assert shed.has(FRONT)


def test_a_reference_picture_that_a_page_showed_is_spared(shed: Office) -> None:
    scope = shed.case("Love v. Screw")
    unit = shed.capture(scope=scope, files={"media": FRONT})
    say(shed, scope)
    dispose(shed, unit)
    assert shed.has(FRONT), "the brief names it"
    assert failures(shed.verdict()) == {}


def test_a_brief_that_cannot_be_read_stops_every_disposal(shed: Office, tmp_path: Path) -> None:
    scope = shed.case("Love v. Screw")
    unit = shed.capture(scope=scope)
    version = say(shed, scope)
    path = tmp_path / "archive" / keyspace.blob(version.digest)
    path.chmod(0o600)
    path.unlink()
    with pytest.raises(Refused, match=r"brief.json of leaf \d+ .* cannot be read"):
        disposal.plans(shed.desk, shed.survey, [unit])


def test_a_picture_that_stays_is_locked_for_as_long_as_the_version_that_names_it(vault: Office) -> None:
    vault.lock_for = timedelta(days=1)
    scope = vault.case("Love v. Screw")
    say(vault, scope)
    vault.lock_for = timedelta(days=30)
    say(vault, scope, replace(BRIEF, title="Later"), pictures={})
    lock = vault.store.head(keyspace.blob(Digest.of(FRONT))).lock
    assert lock is not None
    assert lock.retain_until > now() + timedelta(days=29)


def test_a_picture_that_is_gone_is_named_by_no_new_version(shed: Office, tmp_path: Path) -> None:
    scope = shed.case("Love v. Screw")
    say(shed, scope)
    path = tmp_path / "archive" / keyspace.blob(Digest.of(FRONT))
    path.chmod(0o600)
    path.unlink()
    with pytest.raises(UsageError, match=r"the picture front\.png is not in the archive.*--remove-picture"):
        say(shed, scope, replace(BRIEF, title="Later"), pictures={})
    assert len(briefs_of(shed).versions(scope)) == 1
    say(shed, scope, replace(BRIEF, title="Later"))
    assert failures(shed.verdict()) == {}, "given again, it is there again"


def test_the_catalogue_knows_the_newest_brief_and_that_it_was_disposed_of(shed: Office, tmp_path: Path) -> None:
    office = shed
    scope = office.case("Love v. Screw")
    with closing(Catalog.open(tmp_path / "catalog.sqlite")) as catalog:
        assert catalog.brief_of(scope) is None
        first = say(office, scope)
        second = say(office, scope, replace(BRIEF, title="Copies of it"))
        catalog.advance(office.store, office.reader)
        found = catalog.brief_of(scope)
        assert found is not None
        assert (found.version, found.digest, found.index) == (2, second.digest, second.index)
        assert first.digest != second.digest
        assert not catalog.brief_disposed(scope)
        dispose(office, scope)
        catalog.advance(office.store, office.reader)
        assert catalog.brief_disposed(scope)
