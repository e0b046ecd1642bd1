"""Packages of an office's units: whole, the same every time, named in their item's chain, and of nothing else."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from archive.errors import ArchiveError, Refused, StoreError
from archive.packaging import packer
from archive.packaging.packer import Made, NoTraffic
from archive.stewardship import holds, retention
from archive.stewardship.survey import Claim
from custody import keyspace
from custody.digest import Digest
from custody.event import Ref
from tests.archive.conftest import MakeS3
from tests.archive.packaging.traffic import PAGE, page, unzipped, warc
from tests.archive.stewardship.office import Office, failures

CASE = "Love v. Screw"


def made(office: Office, unit: str, folder: Path) -> Made:
    folder.mkdir(parents=True, exist_ok=True)
    packed = packer.pack(office.desk, office.survey, unit, folder)
    return packer.record(office.desk, office.survey, packed)


def promoted(office: Office, scope: str) -> str:
    """A post, its hop, and a listing that has another page's bytes."""
    unit = office.capture(scope=scope, files={"warc": page(), "text": "a page ü".encode() * 2000})
    hop = warc(("GET", PAGE, "302 Found", b""), ("GET", f"{PAGE}/", "200 OK", b"there"))
    office.capture(scope=scope, unit=unit, files={"warc": hop})
    return unit


def test_it_holds_what_the_format_asks_for_and_the_very_bytes_that_were_stored(office: Office, tmp_path: Path) -> None:
    unit = promoted(office, office.case(CASE))
    done = made(office, unit, tmp_path / "out")
    opened = unzipped(done.packed.path)
    opened.check()
    captures = sorted(done.packed.captures)
    assert opened.names == [
        *(f"archive/{each}.warc.gz" for each in captures),
        "datapackage-digest.json",
        "datapackage.json",
        "indexes/index.cdx",
        "pages/pages.jsonl",
    ]
    assert opened.data[f"archive/{unit}.warc.gz"] == page_of(office, unit)
    assert opened.description["wacz_version"] == "1.1.1"
    assert opened.description["mainPageUrl"] == PAGE
    told = {each["id"]: each["traffic_sha256"] for each in opened.description["captures"]}
    assert told == {each: hashlib.sha256(opened.data[f"archive/{each}.warc.gz"]).hexdigest() for each in captures}
    header, *pages = opened.pages
    assert header["format"] == "json-pages-1.0"
    assert [(each["id"], each["url"], each["title"]) for each in pages] == [
        (each, PAGE, "Jane's shop") for each in captures
    ]
    assert [len(each.get("text", "")) for each in pages] == [4096, 0]
    assert len(opened.index) == 3
    assert CASE.encode() not in done.packed.path.read_bytes()


def page_of(office: Office, capture: str) -> bytes:
    """The one artifact of a capture with the role warc, as the catalogue's survey finds it."""
    unread: list[Claim] = []
    claims = office.survey.items[capture].claims
    (found,) = [
        each for each in office.desk.artifacts(claims, unread=unread) if each.role == "warc" and each.capture == capture
    ]
    return office.store.read(keyspace.blob(found.digest))


def test_the_log_names_it_in_the_units_own_chain(office: Office, tmp_path: Path) -> None:
    unit = promoted(office, office.case(CASE))
    done = made(office, unit, tmp_path / "out")
    (told,) = office.reader.events("package.made")
    *_, newest = office.reader.events("capture.completed")
    assert (told.index, told.event.chain) == (done.index, f"item:{unit}")
    assert told.event.refs[0].payload_sha256 == newest.leaf.event.payload_sha256
    opened = unzipped(done.packed.path)
    assert told.event.body == {
        "format": "wacz-1.1.1",
        "members": len(opened.names),
        "members_sha256": opened.list_sha256,
    }
    (subject,) = told.event.subjects
    assert subject.digest == Digest.of(done.packed.path.read_bytes())
    assert office.store.read(keyspace.blob(subject.digest)) == done.packed.path.read_bytes()
    assert failures(office.verdict()) == {}


def test_again_it_is_the_same_and_nothing_new_is_recorded(office: Office, tmp_path: Path) -> None:
    scope = office.case(CASE)
    unit = promoted(office, scope)
    first, second = (made(office, unit, tmp_path / name) for name in ("one", "two"))
    assert first.packed.path.read_bytes() == second.packed.path.read_bytes()
    assert second.index is None
    office.capture(scope=scope, unit=unit, files={"warc": page(b"later")})
    third = made(office, unit, tmp_path / "three")
    assert third.index is not None
    assert third.packed.digest != first.packed.digest
    assert len(list(office.reader.events("package.made"))) == 2
    assert failures(office.verdict()) == {}


def test_nothing_of_another_unit_is_in_it(office: Office, tmp_path: Path) -> None:
    scope = office.case(CASE)
    unit, other = promoted(office, scope), promoted(office, scope)
    data = made(office, unit, tmp_path / "out").packed.path.read_bytes()
    assert unit.encode() in data
    assert other.encode() not in data
    assert scope.encode() not in data


def test_a_unit_without_traffic_is_told_of(office: Office, tmp_path: Path) -> None:
    scope = office.case(CASE)
    unit = office.capture(scope=scope)
    with pytest.raises(NoTraffic, match="capture the page again"):
        made(office, unit, tmp_path)
    later = office.capture(scope=scope, unit=unit, files={"warc": page()})
    done = made(office, unit, tmp_path)
    assert (done.packed.captures, done.packed.without) == ((later,), (unit,))


def test_traffic_that_was_altered_or_is_gone_is_not_packed(office: Office, tmp_path: Path) -> None:
    unit = office.capture(scope=office.case(CASE), files={"warc": page()})
    path = tmp_path / "store" / keyspace.blob(Digest.of(page_of(office, unit)))
    path.chmod(0o600)
    path.write_bytes(page(b"another"))
    with pytest.raises(StoreError, match=f"the traffic of capture {unit} is not what was recorded"):
        made(office, unit, tmp_path / "out")
    path.unlink()
    with pytest.raises(StoreError, match="is gone"):
        made(office, unit, tmp_path / "again")
    assert list(office.reader.events("package.made")) == []


@pytest.mark.parametrize("row", [59, 60])
def test_a_package_that_was_changed_is_found(office: Office, tmp_path: Path, row: int) -> None:
    """59: a member altered, and the digests beside it made again; 60: one more member, without an ending."""
    import zipfile

    done = made(office, promoted(office, office.case(CASE)), tmp_path / "out")
    stored = tmp_path / "store" / keyspace.blob(done.packed.digest)
    stored.chmod(0o600)
    if row == 60:
        with zipfile.ZipFile(stored, "a") as file:
            file.writestr("archive/extra", b"what nobody captured")
    else:
        opened = unzipped(stored)
        pages = opened.data["pages/pages.jsonl"]
        altered = pages.replace(b"Jane's shop", b"John's shop")
        described = opened.data["datapackage.json"].replace(
            hashlib.sha256(pages).hexdigest().encode(), hashlib.sha256(altered).hexdigest().encode()
        )
        digest = f'{{"path": "datapackage.json", "hash": "sha256:{hashlib.sha256(described).hexdigest()}"}}'
        changed = {
            "pages/pages.jsonl": altered, "datapackage.json": described, "datapackage-digest.json": digest.encode()
        }  # fmt: skip
        stored.unlink()
        with zipfile.ZipFile(stored, "w") as file:
            for name in opened.names:
                file.writestr(name, changed.get(name, opened.data[name]))
        unzipped(stored)
    found = failures(office.verdict())
    assert found.keys() <= {"BLOB_DIGEST", "BLOB_SIZE"}
    (digested,) = found["BLOB_DIGEST"]
    assert (digested["name"], digested["index"]) == ("package.wacz", done.index)


def test_a_record_of_a_warc_that_was_changed_is_found(office: Office, tmp_path: Path) -> None:
    """Row 61: the file is whole in itself, with its own digests made again for another body."""
    unit = office.capture(scope=office.case(CASE), files={"warc": page()})
    assert failures(office.verdict()) == {}
    digest = Digest.of(page_of(office, unit))
    stored = tmp_path / "store" / keyspace.blob(digest)
    stored.chmod(0o600)
    stored.write_bytes(page(b"another"))
    found = failures(office.verdict())
    assert found.keys() <= {"BLOB_DIGEST", "BLOB_SIZE"}
    (named,) = found["BLOB_DIGEST"]
    assert (named["name"], named["key"]) == ("warc.bin", keyspace.blob(digest))


def test_a_package_of_nothing_is_not_taken_into_the_log(office: Office) -> None:
    scribe = office.scribe
    envelope = scribe.event(
        "package.made",
        chain=f"item:{scribe.new_id()}",
        subject=scribe.blob("package.wacz", b"PK"),
        body={"format": "wacz-1.1.1", "members": 0, "members_sha256": "0" * 64},
        refs=(Ref(rel="derived_from", payload_sha256=Digest.of(b"nothing")),),
    )
    with pytest.raises(ArchiveError, match="nothing to pack"):
        office.sequencer.append([envelope])


@pytest.mark.s3
def test_it_is_held_kept_and_disposed_of_with_its_unit(make_s3: MakeS3, tmp_path: Path) -> None:
    office = Office.open(tmp_path, make_s3())
    scope = office.case(CASE)
    unit = promoted(office, scope)
    retention.retain(office.desk, office.survey, scope, 3000, why="the court asked")
    holds.hold(office.desk, office.survey, [unit], matter="12 Cv. 3456", why="litigation")
    key = keyspace.blob(made(office, unit, tmp_path / "out").packed.digest)
    head = office.store.head(key)
    assert head.held
    assert head.lock is not None
    assert head.lock.retain_until - office.retain_until() > timedelta(days=2000)
    assert key in {each.key for each in office.survey.claims_of(unit)}
    office.sequencer.close()


def test_what_was_disposed_of_is_not_packed(office: Office, tmp_path: Path) -> None:
    from tests.archive.stewardship.test_disposal import dispose

    office.lock_for = timedelta(seconds=0)
    unit = office.capture(scope=office.case(CASE), files={"warc": page()})
    key = keyspace.blob(made(office, unit, tmp_path / "out").packed.digest)
    dispose(office, unit)
    assert key not in set(office.store.keys(keyspace.BLOBS))
    with pytest.raises(Refused, match="disposed of"):
        made(office, unit, tmp_path / "again")
    assert failures(office.verdict()) == {}
