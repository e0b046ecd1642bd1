"""What others handed over, and what people state: kept, verified, handed over, and silent elsewhere."""

import csv
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive import receiving
from archive.errors import Refused, UsageError
from archive.receiving import Handed, media_type_of
from archive.stewardship import holds, witnessing
from archive.stewardship.desk import Desk, keeper_of
from archive.stewardship.witnessing import Statement
from custody.digest import Digest
from custody.event import Event, Ref, Subject
from custody.keys import Ed25519Signer
from custody.received import Received
from custody.verify import verify
from tests.archive.exporting.conftest import HandedOver
from tests.archive.exporting.office import Office, judged, shared_item
from tests.archive.exporting.spoiling import artifact_in, flip, repair
from tests.archive.exporting.test_export import everything
from tests.archive.exporting.test_script import agree
from tests.custody.archive_builder import ArchiveBuilder

PNG = b"\x89PNG\r\n\x1a\n and a parcel"


def desk_of(office: Office) -> Desk:
    return Desk(
        store=office.store,
        reader=office.ledger.reader,
        keeper=keeper_of(office.store),
        log=office.ledger,
        worker=office.scribe,
        person=office.scribe_of(office.made.root),
        clock=office.now,
    )


def hand_in(office: Office, folder: Path, *, about: str | None = None, scope: int = 0) -> receiving.Kept:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "IMG 1234.PNG").write_bytes(PNG)
    (folder / "..\u202egpj.order=.eml").write_bytes(b"From: a\r\n\r\nan order")
    desk = desk_of(office)
    handed = Handed(
        files=tuple(sorted(folder.iterdir())), from_whom="R. Roe", how="by hand", note="=1+1", about=about, kind="order"
    )
    return receiving.receive(desk, desk.acting, desk.survey(), handed, scope=office.cases[scope])


def given(tmp_path: Path, office: Office) -> HandedOver:
    trust = tmp_path / "trust.json"
    trust.write_bytes(office.trust.format())
    return HandedOver(office, tmp_path / "bag", office.export(), trust)


def test_it_is_an_item_of_its_own_kept_as_it_came(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    capture = office.made.captures[0]
    kept = hand_in(office, tmp_path / "in", about=capture.id)
    assert kept.received.about == (capture.unit, capture.id)
    assert {each.artifact.name for each in kept.received.files} == {"img-1234.png", "gpj.order.eml"}
    assert {each.given_name for each in kept.received.files} == {"IMG 1234.PNG", "..\u202egpj.order=.eml"}
    verdict = verify(office.store, office.trust, at=office.now())
    assert verdict.holds, [each.to_json() for each in verdict.failures]
    assert verdict.facts["received"] == 2
    good = given(tmp_path, office)
    assert agree(good.bag, good) == set()
    assert good.made.received == 2
    assert "RECEIVED: 2 files came from others" in (good.bag / "README.txt").read_text()
    with (good.bag / "data/tables/received.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["from"] for row in rows} == {"R. Roe"}
    assert {row["note"] for row in rows} == {"'=1+1"}
    assert {row["about_capture"] for row in rows} == {capture.id}
    for row in rows:
        assert (good.bag / row["path"]).read_bytes() in {PNG, b"From: a\r\n\r\nan order"}


def test_another_case_with_the_same_promotion_does_not_show_it(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    kept = hand_in(office, tmp_path / "in", about=office.made.captures[0].id)
    office.export(case=1)
    found = everything(tmp_path / "bag")
    for secret in (kept.received.item, "R. Roe", PNG.decode("latin-1")):
        assert secret.encode("latin-1") not in found


SPOILS: dict[str, tuple[Callable[[Path, Received], object], set[str]]] = {
    "a file altered": (lambda bag, said: flip(artifact_in(bag, said.files[0].artifact.digest.hex), 3), {"BLOB_DIGEST"}),
    "a file gone": (lambda bag, said: artifact_in(bag, said.files[0].artifact.digest.hex).unlink(), {"BLOB_MISSING"}),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_what_is_changed_is_named_by_both(tmp_path: Path, spoil: str) -> None:
    office = Office(tmp_path, shared_item())
    kept = hand_in(office, tmp_path / "in")
    good = given(tmp_path, office)
    change, expected = SPOILS[spoil]
    change(good.bag, kept.received)
    repair(good.bag)
    assert agree(good.bag, good) == expected


class Liar(ArchiveBuilder):
    """Says that something was received."""

    def __init__(self) -> None:
        super().__init__(locked=False)
        self.open_log()
        self.scope, self.run = self.open_case(), self.open_run()
        self.one = self.capture(self.run, scope=self.scope)
        self.close_run(self.run, 1)

    def receipt(self, item: str, **other: Any) -> tuple[Subject, dict[str, Any]]:
        artifact = replace(self.record(self.run, self.one, {}), artifacts=()).artifacts
        assert artifact == ()
        file = self.blob("file", b"a parcel")
        value = {
            "item": item, "about": None, "received_at": "2026-03-04T05:06:07.000Z", "from": "x", "how": "y",
            "note": None, "custody": "from_receipt",
            "files": [{
                "role": "received", "name": "parcel.jpg", "media_type": "image/jpeg", "bytes": file.bytes,
                "sha256": file.digest.hex, "key": f"v1/blobs/sha256/{file.digest.hex[:2]}/{file.digest.hex}",
                "version_id": None, "lock": None, "made_at": "2026-03-04T05:06:07.000Z", "given_name": "p",
                "kind": "parcel",
            }],
        }  # fmt: skip
        return self.detail("received.json", {**value, **other}), {"files": 1, "bytes": file.bytes}

    def say(self, chain: str, subject: Subject, body: dict[str, Any], *, by_worker: bool = False) -> None:
        event: Event = self.event("evidence.received", chain, subject, body)
        self.commit(self.draft(event) if by_worker else self.root_draft(event))

    def assign(self, item: str) -> None:
        member = self.detail("item.json", {"item": item, "scope": self.scope})
        self.commit(self.draft(self.event("item.assigned", f"scope:{self.scope}", member, {"item": item})))


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ("none", None),
        ("another number", "RECORD_MISMATCH"),
        ("another item", "RECORD_MISMATCH"),
        ("no receipt", "RECORD_FORMAT"),
        ("in an item of captures", "STATE_ORDER"),
    ],
)
def test_both_name_what_cannot_be(tmp_path: Path, lie: str, code: str | None) -> None:
    made = Liar()
    item = made.one.unit if lie == "in an item of captures" else made.new_id()
    subject, body = made.receipt(made.new_id() if lie == "another item" else item)
    if lie == "no receipt":
        subject = made.detail("received.json", {"item": item})
    if lie == "another number":
        body["bytes"] += 1
    made.say(f"item:{item}", subject, body)
    if item != made.one.unit:
        made.assign(item)
    office = Office(tmp_path, made)
    good = given(tmp_path, office)
    assert agree(good.bag, good) == ({code} if code else set())


def test_a_hold_takes_the_files_too(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    kept = hand_in(office, tmp_path / "in")
    desk = desk_of(office)
    blobs = holds.blobs_of(desk, desk.survey(), [kept.received.item], unread=[])
    assert set(kept.received.digests) < set(blobs[kept.received.item])


def test_what_cannot_be_received_is_a_sentence_and_keeps_nothing(tmp_path: Path) -> None:
    office = Office(tmp_path, shared_item())
    desk, survey = desk_of(office), desk_of(office).survey()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")
    before = set(office.store.keys(""))
    good = Handed(files=(tmp_path / "file",), from_whom="a", how="b")
    for bad, words in (
        (replace(good, files=(tmp_path / "no-such",)), "there is no file"),
        (replace(good, files=(tmp_path / "pipe",)), "is no file"),
        (replace(good, files=(tmp_path,)), "is no file"),
        (replace(good, from_whom=" "), "--from says something"),
        (replace(good, kind="gift"), "--kind is one of"),
        (replace(good, about="019cb73d-4405-7000-8000-0000000000ff"), "there is no capture"),
        (replace(good, files=()), "1 to 1000 files"),
    ):
        with pytest.raises((UsageError, Refused), match=words):
            receiving.receive(desk, desk.acting, survey, bad, scope=office.cases[0])
    other = next(each for each in office.made.captures if each.unit not in office.items(office.cases[0]))
    with pytest.raises(UsageError, match="does not belong"):
        receiving.receive(desk, desk.acting, survey, replace(good, about=other.id), scope=office.cases[0])
    assert set(office.store.keys("")) == before


@pytest.mark.parametrize(
    ("name", "head", "found"),
    [
        ("x.exe", PNG, "image/png"),
        ("a.warc.gz", b"\x1f\x8b", "application/warc+gzip"),
        ("a.WACZ", b"PK", "application/wacz"),
        ("a.eml", b"From", "message/rfc822"),
        ("a", b"\0\0\0\x18ftypmp42", "video/mp4"),
        ("a", b"", "application/octet-stream"),
    ],
)
def test_what_a_file_looks_like(name: str, head: bytes, found: str) -> None:
    assert media_type_of(name, head) == found


# Witnesses


def state(
    office: Office, *differences: str, signer: Ed25519Signer | None = None, scope: int = 0
) -> witnessing.Witnessed:
    desk = desk_of(office)
    survey = desk.survey()
    capture = office.made.captures[0].id
    record = witnessing.subject_of(desk, survey, capture)
    said = Statement(
        name="Jane Roe",
        differences=differences,
        opened_at=office.now(),
        stated_at=office.now(),
        browser=None,
        way="options",
    )
    return witnessing.witness(desk, office.scribe, survey, record, said, scope=office.cases[scope], signer=signer)


def test_a_statement_goes_with_its_case_and_says_whether_it_is_signed(tmp_path: Path) -> None:
    made = shared_item()
    jane = Ed25519Signer(b"\x77" * 32)
    made.commit(made.introduce("person", jane))
    office = Office(tmp_path, made)
    plain, signed = state(office), state(office, "the price is another", signer=jane)
    assert (plain.statement, plain.keyid) == ("fair_and_accurate", None)
    assert signed.statement == "differs"
    assert re.search(r"differs from what I saw in this: the price is another\.$", signed.words)
    verdict = verify(office.store, office.trust, at=office.now())
    assert verdict.holds, [each.to_json() for each in verdict.failures]
    assert verdict.facts["witnessed"] == 1
    good = given(tmp_path, office)
    assert agree(good.bag, good) == set()
    said = [json.loads(each.read_bytes()) for each in (good.bag / "data/artifacts/later").glob("*-statement.json")]
    assert [each["keyid"] for each in sorted(said, key=lambda one: one["statement"])] == [signed.keyid, None]
    office.export("theirs", case=1)
    assert b"Jane Roe" not in everything(tmp_path / "theirs")
    office.export("item", case=None, items=office.items(office.cases[0])[:1])
    assert b"Jane Roe" not in everything(tmp_path / "item")


@pytest.mark.parametrize("lie", ["by nobody of that key", "another statement"])
def test_a_statement_that_is_not_what_it_says(tmp_path: Path, lie: str) -> None:
    made = Liar()
    jane = Ed25519Signer(b"\x77" * 32)
    made.commit(made.introduce("person", jane))
    keyid = Digest.of(jane.public_key).hex
    assert made.one.ended is not None
    said = {"capture": made.one.id, "scope": made.scope, "statement": "differs", "keyid": keyid}
    body = {"capture": made.one.id, "statement": "differs", "keyid": keyid}
    if lie == "another statement":
        said["statement"] = "fair_and_accurate"
    about = Ref(rel="about", payload_sha256=made.one.ended.make().payload_sha256)
    detail = made.detail("statement.json", said)
    event = made.event("capture.witnessed", f"work:{made.new_id()}", detail, body, refs=(about,))
    made.commit(made.draft(event, *((jane,) if lie == "another statement" else (made.worker,))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("archive.draft.Draft._authority", lambda *_: (0, 0))  # the liar's own writer takes anything
        office = Office(tmp_path, made)
        good = given(tmp_path, office)
    expected = {"another statement": "RECORD_MISMATCH", "by nobody of that key": "AUTHORITY_MISSING"}[lie]
    verdict = judged(good.bag, office.trust)
    assert {each.code for each in verdict.failures} == {expected}
    if lie == "by nobody of that key":
        assert agree(good.bag, good) == {expected}
