"""Draft files: what several people sign one after the other, and can read before they do."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive import drafts
from archive.drafts import DraftFile, Proposed, read_draft, write_draft
from archive.errors import UsageError
from archive.keyring.changes import Composer
from archive.memory import MemoryStore
from archive.scribe import Scribe
from custody import canonical
from custody.event import Event, Ref, Signature
from custody.keys import Ed25519Signer, keyid
from custody.note import VerifierKey
from custody.trust import Trust

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
HOLDERS = [Ed25519Signer(bytes([n]) * 32) for n in (1, 2, 3)]
PERSON = Ed25519Signer(b"p" * 32)
LOG = VerifierKey("counterproof.example/a", Ed25519Signer(b"l" * 32).public_key)
TRUST = Trust(log=LOG, root_keys=tuple(each.public_key for each in HOLDERS), root_threshold=2, people_threshold=2)


def introduction() -> DraftFile:
    composer = Composer(TRUST, clock=lambda: AT, random=bytes)
    composer.introduce("worker", PERSON.public_key)
    composer.revoke(keyid(PERSON.public_key), reason="lost", since=AT, why="left in a train; see ticket 7")
    return composer.draft()


def release() -> tuple[Event, bytes]:
    store = MemoryStore()
    scribe = Scribe(store, PERSON, clock=lambda: AT, retain_until=lambda: AT)
    subject = scribe.detail("release.json", {"item": scribe.new_id(), "why": "the matter is closed"})
    event = scribe.compose(
        "evidence.released",
        chain=f"work:{scribe.new_id()}",
        subject=subject,
        body={"item": scribe.new_id()},
        refs=(Ref(rel="releases", payload_sha256=subject.digest),),
    )
    (key,) = store.keys("v1/blobs/")
    return event, store.read(key)


def test_reads_what_it_writes_and_keeps_it_private(tmp_path: Path) -> None:
    draft = introduction().signed_by(HOLDERS[0])
    path = tmp_path / "draft.json"
    write_draft(path, list(draft.events), draft.blobs.values(), log=draft.log)
    assert read_draft(path) == draft
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(UsageError, match="there already"):
        write_draft(path, list(draft.events), draft.blobs.values(), log=draft.log)


def test_counts_only_signatures_that_hold_of_those_whose_word_counts() -> None:
    draft = introduction()
    first = draft.events[0]
    assert drafts.needs_more(first, TRUST) == 2
    one = first.signed_by(HOLDERS[0])
    assert drafts.needs_more(one, TRUST) == 1
    assert one.signed_by(HOLDERS[0]) == one, "twice is once"
    assert drafts.needs_more(one.signed_by(PERSON), TRUST) == 1, "a stranger's does not count"
    forged = replace(one, signatures=(*one.signatures, Signature(keyid(HOLDERS[1].public_key), bytes(64))))
    assert drafts.needs_more(forged, TRUST) == 1, "a signature that does not hold does not count"
    both = one.signed_by(HOLDERS[2])
    assert drafts.needs_more(both, TRUST) == 0
    assert drafts.needs_more(both.envelope(), TRUST) == 0


def test_people_sign_what_needs_people() -> None:
    event, _ = release()
    proposed = Proposed.of(event).signed_by(PERSON)
    assert drafts.needs_more(proposed, TRUST) == 2, "nobody has said that this key is a person's"
    people = {keyid(PERSON.public_key): PERSON.public_key}
    assert drafts.needs_more(proposed, TRUST, people=people) == 1
    assert drafts.needs_more(proposed.signed_by(HOLDERS[0]), TRUST, people=people) == 0


def test_two_copies_that_were_signed_apart_are_one(tmp_path: Path) -> None:
    draft = introduction()
    merged = draft.signed_by(HOLDERS[0]).merged(draft.signed_by(HOLDERS[1])).merged(draft.signed_by(HOLDERS[0]))
    assert [drafts.needs_more(each, TRUST) for each in merged.events] == [0, 0]
    event, blob = release()
    other = write_draft(tmp_path / "other", event, [blob], log=LOG.name)
    with pytest.raises(UsageError, match="different drafts"):
        draft.merged(other)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda top: top["blobs"].pop(), "lacks"),
        (lambda top: top.update(kind="other"), "no file of the kind"),
        (lambda top: top.update(more=1), "no file of the kind"),
        (lambda top: top.update(events=[]), "at least one event"),
        (lambda top: top["events"][0].update(payload="AAAA"), "cannot be used"),
        (lambda top: top["events"][0]["signatures"].append(top["events"][0]["signatures"][0]), "different keys"),
        (lambda top: top["events"][0]["signatures"][0].update(keyid="x"), "cannot be used"),
        (lambda top: top["events"][0]["signatures"][0].update(sig=5), "expected text"),
    ],
)
def test_what_cannot_be_shown_or_logged_is_refused(
    tmp_path: Path, change: Callable[[dict[str, object]], object], why: str
) -> None:
    top = json.loads(introduction().signed_by(HOLDERS[0]).format())
    change(top)
    (tmp_path / "draft").write_bytes(canonical.dumps(top))
    with pytest.raises(UsageError, match=why):
        read_draft(tmp_path / "draft")


def test_a_draft_cannot_show_one_key_and_introduce_another(tmp_path: Path) -> None:
    """A holder reads the PEM; what is signed is the event."""
    composer = Composer(TRUST, clock=lambda: AT, random=bytes)
    composer.introduce("worker", PERSON.public_key)
    honest = composer.draft()
    stolen = Ed25519Signer(b"s" * 32)
    body = {**honest.events[0].event.body, "public_key": json.loads(json.dumps("c" * 43 + "="))}
    body["keyid"] = keyid(stolen.public_key)
    event = replace(honest.events[0].event, body=body)
    draft = replace(honest, events=(Proposed.of(event),))
    (tmp_path / "draft").write_bytes(draft.format())
    with pytest.raises(UsageError, match="another key"):
        read_draft(tmp_path / "draft")
