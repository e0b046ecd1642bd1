"""``export``, ``proof`` and ``verify --export``, each as a command of its own, on a store in a directory."""

import json
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive import cases
from archive.config import ArchiveConfig
from archive.lookid import look_id
from archive.vault import Vault
from archive.watching import looks
from archive.watching.database import open_database
from custody import keyspace
from custody.checkpoint import open_checkpoint
from custody.digest import Digest
from custody.event import Envelope, Event, Subject
from custody.model import Json
from custody.proof import ConsistencyProof, InclusionProof
from custody.trust import Trust
from tests.archive.watching.databases import watched
from tests.command import Ran, run
from tests.custody.archive_builder import FILES, ArchiveBuilder, Captured, Draft


@dataclass(frozen=True)
class Place:
    home: Path
    store: str
    item: str
    end: int

    def run(self, *arguments: str) -> Ran:
        return run(*arguments, home=self.home, env={"COUNTERPROOF_STORE_URL": self.store})

    @property
    def trust(self) -> Trust:
        return Trust.parse((self.home / "trust.json").read_bytes())


def clock() -> datetime:
    return datetime.now(UTC)


def captured(vault: Vault, scope: str, *, look: str | None = None) -> tuple[str, int]:
    """One capture without a browser, of a look that a schedule asked for. Its id, and the index of its end."""
    builder, scribe = ArchiveBuilder(locked=False), vault.scribe
    run_id, item = scribe.new_id(), scribe.new_id()
    chain = f"item:{item}"
    job = scribe.detail("job.json", {"capture_id": item, "url": "https://site.example/"})
    opened = scribe.event(
        "run.opened", chain=f"run:{run_id}", run=run_id, subject=scribe.detail("run.json", {"run": run_id}),
        body={"purpose": "case"},
    )  # fmt: skip
    asked: dict[str, Json] = {} if look is None else {"look_id": look}
    started = scribe.event(
        "capture.started", chain=chain, run=run_id, subject=job,
        body={"capture": item, "attempt": 1, "deadline": "2030-01-01T00:00:00.000Z", **asked},
    )  # fmt: skip
    begun = Captured(
        id=item, unit=item, started=Draft(lambda: started, chain), ended=None, record=None, record_digest=None
    )
    record = builder.record(run_id, begun, FILES)
    for data in builder.blobs.values():
        scribe.blob("artifact", data)
    ended = _end(vault, builder, run_id, begun, scribe.blob("record.json", record.format()))
    receipts = vault.sequencer.append([opened, started, cases.assign(item, scope, scribe), ended])
    return item, receipts[-1].index


def _end(vault: Vault, builder: ArchiveBuilder, run_id: str, begun: Captured, subject: Subject) -> Envelope:
    record = builder.record(run_id, begun, FILES)
    event: Event = builder.end(run_id, begun, record, subject)
    return vault.scribe.event(
        event.type, chain=event.chain, run=run_id, subject=subject, body=event.body, refs=event.refs
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    path = tmp_path_factory.mktemp("handing-over")
    store = f"file:{path / 'store'}"
    config = ArchiveConfig.load({"COUNTERPROOF_STORE_URL": store}, home=path / "home")
    with Vault.open(config, clock=clock) as vault:
        scope = vault.cases.open("Ours", vault.sequencer, vault.scribe)
        item, end = captured(vault, scope)
    return Place(path / "home", store, item, end)


def test_a_case_is_exported_and_verified_by_its_recipient(place: Place, tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    told = place.run("export", "--case", "Ours", "-o", str(bag), "--for", "the other side", "--json")
    assert told.code == 0, told.err
    document = told.document
    assert document["verdict"] == "holds"
    assert document["trust_sha256"] == place.trust.digest.hex
    assert document["missing"] == []
    elsewhere = tmp_path / "elsewhere"
    trust = str(place.home / "trust.json")
    verified = run("verify", "--export", str(bag), "--trust", trust, "--json", home=elsewhere)
    assert verified.code == 0, verified.out
    assert verified.document["verdict"] == "holds"
    assert not elsewhere.exists()
    alone = run("verify", "--export", str(bag), home=elsewhere)
    assert alone.code == 1
    assert "self-consistent only" in alone.out


def test_a_spoiled_export_does_not_hold(place: Place, tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    assert place.run("export", "--unit", place.item[-12:], "-o", str(bag)).code == 0
    artifact = next(iter((bag / "data/artifacts/item-001").rglob("screenshot*")))
    artifact.write_bytes(artifact.read_bytes() + b"!")
    done = place.run("verify", "--export", str(bag), "--trust", str(place.home / "trust.json"), "--json")
    assert done.code == 1
    failed = {each["code"] for each in done.document["findings"] if each["severity"] == "fail"}
    assert failed == {"BLOB_SIZE", "BLOB_DIGEST"}


@pytest.mark.slow
def test_as_a_zip(place: Place, tmp_path: Path) -> None:
    told = place.run("export", "--case", "Ours", "-o", str(tmp_path / "bag.zip"), "--zip")
    assert told.code == 0, told.err
    assert "checked as its recipient will: holds" in told.out
    assert "NO TRUSTED TIME" in told.out
    assert (
        place.run("verify", "--export", str(tmp_path / "bag.zip"), "--trust", str(place.home / "trust.json")).code == 0
    )


@pytest.mark.slow
def test_the_name_makes_a_zip_and_a_digest_is_as_good_as_the_file(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    told = place.run("export", "--case", "Ours", "-o", str(path), "--json")
    assert told.code == 0, told.err
    assert zipfile.is_zipfile(path)
    digest, elsewhere = place.trust.digest, tmp_path / "elsewhere"
    for given in (str(digest), digest.hex):
        held = run("verify", str(path), "--trust-digest", given, "--json", home=elsewhere)
        assert (held.code, held.document["verdict"]) == (0, "holds"), held.out
    other = run("verify", str(path), "--trust-digest", "0" * 64, "--json", home=elsewhere)
    assert other.code == 1
    assert [each["code"] for each in other.document["findings"]] == ["TRUST_DIGEST"]
    assert run("verify", str(path), home=elsewhere).code == 1
    kept = tmp_path / "kept"
    with zipfile.ZipFile(path) as archive:
        kept.write_bytes(archive.read("case/data/custody/checkpoint"))
    same = run("verify", str(path), "--trust-digest", digest.hex, "--checkpoint", str(kept), home=elsewhere)
    assert same.code == 0, same.out + same.err
    for wrong in ("sha256:12", "md5:1"):
        assert run("verify", str(path), "--trust-digest", wrong, home=elsewhere).code == 2


@pytest.mark.slow
def test_the_same_again_at_its_size(place: Place, tmp_path: Path) -> None:
    first = place.run("export", "--case", "Ours", "-o", str(tmp_path / "case.zip"), "--json").document
    (tmp_path / "again").mkdir()
    again = place.run(
        "export", "--case", "Ours", "-o", str(tmp_path / "again/case.zip"), "--at", str(first["at"]), "--json"
    )
    assert again.code == 0, again.err
    assert (first["again"], again.document["again"]) == (False, True)
    assert (tmp_path / "case.zip").read_bytes() == (tmp_path / "again/case.zip").read_bytes()
    assert first["population"]["captures"] == 1


@pytest.mark.slow
def test_one_that_a_later_version_made_could_not_be_checked(place: Place, tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    assert place.run("export", "--case", "Ours", "-o", str(bag)).code == 0
    path = bag / "data/custody/scopes.json"
    path.write_bytes(path.read_bytes().replace(b'"v":2', b'"v":3'))
    done = place.run("verify", str(bag), "--trust", str(place.home / "trust.json"), "--json")
    assert done.code == 6
    (found,) = done.document["findings"]
    assert found["code"] == "EXPORT_VERSION"
    assert "get a newer one" in found["message"]


def test_what_is_missing_makes_it_partial(place: Place, tmp_path: Path) -> None:
    digest = Digest.of(FILES[next(iter(FILES))])
    path = Path(place.store.removeprefix("file:")) / keyspace.blob(digest)
    aside = tmp_path / "aside"
    path.rename(aside)
    try:
        told = place.run("export", "--case", "Ours", "-o", str(tmp_path / "bag"), "--json")
    finally:
        aside.rename(path)
    assert told.code == 3
    assert [each["reason"] for each in told.document["missing"]] == ["absent"]
    assert told.document["verdict"] == "does not hold"


@pytest.mark.slow
def test_the_log_goes_on_from_what_the_recipient_kept(place: Place, tmp_path: Path) -> None:
    trust = str(place.home / "trust.json")
    assert place.run("export", "--case", "Ours", "-o", str(tmp_path / "first")).code == 0
    kept = str(tmp_path / "first/data/custody/checkpoint")
    assert place.run("export", "--case", "Ours", "-o", str(tmp_path / "second"), "--since", kept).code == 0
    done = place.run("verify", "--export", str(tmp_path / "second"), "--trust", trust, "--checkpoint", kept, "--json")
    assert done.code == 0, done.out
    (told,) = done.document["facts"]["kept"]
    assert told["extended"] is True
    old = place.run("verify", "--export", str(tmp_path / "first"), "--trust", trust, "--checkpoint", kept)
    assert old.code == 0
    other = str(tmp_path / "second/data/custody/checkpoint")
    assert place.run("verify", "--export", str(tmp_path / "first"), "--trust", trust, "--checkpoint", other).code == 6


def test_a_proof_by_index_and_by_capture(place: Place, tmp_path: Path) -> None:
    by_index, by_id = tmp_path / "a.tlog-proof", tmp_path / "b.tlog-proof"
    assert place.run("proof", str(place.end), "-o", str(by_index)).code == 0
    assert place.run("proof", place.item, "-o", str(by_id)).code == 0
    assert by_index.read_bytes() == by_id.read_bytes()
    assert InclusionProof.parse(by_index.read_bytes()).index == place.end
    assert place.run("proof", str(place.end), "-o", str(by_index)).code == 2
    assert place.run("proof", "99999", "-o", str(tmp_path / "c")).code == 2


def test_a_proof_of_consistency(place: Place, tmp_path: Path) -> None:
    log = place.trust.log
    store = Path(place.store.removeprefix("file:"))
    first = min((store / keyspace.log_prefix(log.name) / "checkpoints").iterdir())
    told = place.run("proof", "--consistency", str(first), "-o", str(tmp_path / "proof.txt"))
    assert told.code == 0, told.err
    old = open_checkpoint(first.read_bytes(), log)
    assert ConsistencyProof.parse((tmp_path / "proof.txt").read_bytes()).check(old, log).size > old.size


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "-o", "x"),
        ("export", "--case", "Ours", "--unit", "abcd", "-o", "x"),
        ("export", "--case", "No such case", "-o", "x"),
        ("export", "--unit", "ffffffff", "-o", "x"),
        ("export", "--case", "Ours", "--from-checkpoint", "no-such-file", "-o", "x"),
        ("export", "--case", "Ours", "--at", "7", "-o", "x"),
        ("proof", "-o", "x"),
        ("verify", "--export", "no-such-folder"),
        ("verify", "--export", ".", "--case", "Ours"),
        ("verify", "a", "--export", "b"),
        ("verify", "--trust-digest", "0" * 64),
    ],
)
def test_what_makes_no_sense_is_a_sentence(place: Place, arguments: tuple[str, ...]) -> None:
    done = place.run(*arguments)
    assert done.code == 2, done.err
    assert len(done.err.strip().splitlines()[-1]) > 20
    assert not (place.home.parent / "x").exists()


def test_the_document_of_an_error(place: Place) -> None:
    done = place.run("export", "--case", "No such case", "-o", "x", "--json")
    assert json.loads(done.out)["kind"] == "UsageError"


@pytest.mark.s3
@pytest.mark.slow
def test_an_export_counts_the_looks_that_the_homes_own_watches_asked_for(tmp_path: Path) -> None:
    """Beside a real database of watches: two looks were due, one was begun; another case's are not counted."""
    env = {"COUNTERPROOF_STORE_URL": f"file:{tmp_path / 'store'}"}
    home, at = tmp_path / "home", clock() - timedelta(hours=1)
    config = ArchiveConfig.load(env, home=home)
    with Vault.open(config, clock=clock) as vault:
        scope = vault.cases.open("Ours", vault.sequencer, vault.scribe)
        with open_database(config) as database, database.transaction() as connection:
            first = watched(connection, "https://a.example/1", case="Ours", now=at)
            watched(connection, "https://b.example/1", case="Ours", now=at)
            watched(connection, "https://c.example/1", case="Theirs", now=at)
            assert looks.release(connection, database.queue, now=at) == 3
        captured(vault, scope, look=look_id(first.id, first.slot))

    def export(name: str, **more: str) -> Ran:
        return run("export", "--case", "Ours", "-o", str(tmp_path / name), "--json", home=home, env={**env, **more})

    told = export("bag")
    assert told.code == 0, told.err
    assert told.document["verdict"] == "holds"
    assert (told.document["population"]["looks_due"], told.document["population"]["looks_due_begun"]) == (2, 1)
    kept = json.loads((tmp_path / "bag/data/tables/population.json").read_bytes())
    assert (kept["looks_due"], kept["looks_due_begun"]) == (2, 1)
    assert "database of watches says: 2." in " ".join((tmp_path / "bag/README.txt").read_text().split())
    away = export("without", COUNTERPROOF_DSN="host=/nowhere dbname=none")
    assert away.code == 6
    assert "look at COUNTERPROOF_DSN" in away.err
    assert not (tmp_path / "without").exists()
