"""Two people for what cannot be undone: from the trust file to the last blob, each on a machine of his own."""

from pathlib import Path

import pytest

from archive.reader import open_reader
from archive.vault import Vault
from custody import keys
from custody.keys import Ed25519Signer
from tests.archive.deployment import now
from tests.archive.runs import captured
from tests.console.test_keys import Place, holder


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A log that takes two people's word for a disposal; Jane and John have a key each, and the office has neither."""
    place = Place(tmp_path)
    made = ("--make", "1", "--threshold", "1", "--people", "2", "--into", place.folder / "holders")
    place.say("keys", "ceremony", *made, home="office")
    place.say("keys", "submit", place.home("office") / "opening.json", home="office")
    for name in ("jane", "john"):
        place.enrol(name, "--role", "person")
    place.say("keys", "introduce", *place.requests(), "--key", holder(place, 1), home="office")
    with Vault.open(place.config("office"), clock=now) as vault:
        acquisition = vault.begin("acme", {}, None)
        captured(acquisition)
        vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=())
    return place


def person(place: Place, name: str) -> str:
    (found,) = [each for each in place.document("keys", "show", home=name)["held"] if each["role"] == "person"]
    return str(found["keyid"])


def events(place: Place, *types: str) -> list[str]:
    with open_reader(place.config("office")) as reader:
        return [each.event.type for each in reader.log.events(*types)]


def blobs(place: Place) -> int:
    return sum(each.is_file() for each in (place.folder / "store" / "v1" / "blobs").rglob("*"))


def words(said: str) -> str:
    return " ".join(said.split())


DISPOSE = ("dispose", "--case", "acme", "--why", "over", "--yes")
RELEASE = ("release", "--case", "acme", "--why", "settled")


def test_a_disposal_takes_both_and_then_the_same_command_again(place: Place) -> None:
    draft = place.folder / "disposal.json"
    before = blobs(place)
    assert "--out FILE" in words(place.say(*DISPOSE, home="jane", code=8))
    assert blobs(place) == before, "what was refused leaves nothing behind"
    said = place.say(*DISPOSE, "--out", draft, home="jane")
    assert "with 1 of 2 signatures: nothing has happened yet" in words(said)
    said = place.say("keys", "submit", draft, home="office", code=6)
    assert "1 more signature of people needed: have the draft signed with `counterproof keys cosign`" in words(said)
    assert events(place, "evidence.disposed") == []
    again = place.document("keys", "cosign", draft, "--yes", home="jane")
    assert again["missing"] == 1, "one person who signs twice is one"
    said = place.say("keys", "cosign", draft, home="john", code=2)
    assert "REMOVED FOR GOOD" in said
    assert 'why: "over"' in said
    assert person(place, "jane") in said
    assert place.document("keys", "cosign", draft, "--yes", home="john")["missing"] == 0
    place.say("keys", "submit", draft, home="office")
    assert events(place, "evidence.disposed", "disposal.completed") == ["evidence.disposed"]
    said = place.say(*DISPOSE, home="office")
    assert "the log says so already" in said
    assert "blobs removed" in said
    assert events(place, "evidence.disposed", "disposal.completed") == ["evidence.disposed", "disposal.completed"]
    assert "disposed of before" in place.say(*DISPOSE, home="office", code=2)
    assert "disposed of" in place.say("verify", home="office")
    assert "VERDICT: holds" in place.say("verify", home="john"), "by another's copy of the trust file"


def test_a_release_takes_both_and_then_the_same_command_again(place: Place) -> None:
    draft = place.folder / "release.json"
    # One person's word is enough to hold. Without the log key it waits for whoever has it.
    place.say("hold", "--case", "acme", "--matter", "12 Cv. 3456", home="jane", code=3)
    place.say("sequence", "--once", home="office")
    assert len(place.document("holds", home="office")["holds"]) == 1
    assert "is held for 12 Cv. 3456" in words(place.say(*DISPOSE, "--out", place.folder / "d", home="john", code=8))
    assert "--out FILE" in words(place.say(*RELEASE, home="jane", code=8))
    place.say(*RELEASE, "--out", draft, home="jane")
    place.say("keys", "submit", draft, home="office", code=6)
    assert len(place.document("holds", home="office")["holds"]) == 1, "one signature releases nothing"
    copy = place.folder / "copy.json"
    copy.write_bytes(draft.read_bytes())
    place.say("keys", "cosign", copy, "--yes", home="john")
    place.say("keys", "submit", draft, copy, home="office")
    said = place.say(*RELEASE, home="office")
    assert "released before; the store was looked at again" in said
    assert place.document("holds", home="office")["holds"] == []
    assert place.codes() == []


def test_a_workers_signature_is_no_persons(place: Place) -> None:
    draft = place.folder / "disposal.json"
    place.say(*DISPOSE, "--out", draft, home="jane")
    (worker,) = (place.home("john") / "keys").glob("worker.key")
    place.say("keys", "cosign", draft, "--key", f"file:{worker}", "--yes", home="john")
    said = place.say("keys", "submit", draft, home="office", code=6)
    assert "1 more signature of people needed" in words(said)
    stranger = Ed25519Signer.generate()
    (place.folder / "stranger.key").touch(0o600)
    (place.folder / "stranger.key").write_bytes(stranger.private_bytes)
    place.say("keys", "cosign", draft, "--key", f"file:{place.folder / 'stranger.key'}", "--yes", home="john")
    said = place.say("keys", "submit", draft, home="office", code=6)
    assert "1 more signature of people needed" in words(said)
    assert keys.keyid(stranger.public_key) not in said
    assert events(place, "evidence.disposed") == []
