"""What is done with evidence later, by the real command on a real store: held, corrected, kept longer, disposed of."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from archive.directory import DirectoryStore
from archive.drafts import read_draft
from archive.s3 import S3Store
from console.cli import app
from custody import keyspace
from custody.digest import Digest
from custody.keys import Ed25519Signer
from tests.archive.conftest import MakeS3, make_s3, seaweed
from tests.archive.stewardship.office import Office
from tests.command import Ran, run

__all__ = ["make_s3", "seaweed"]  # fixtures


@dataclass
class Story:
    """A home with a case in it, and the command."""

    office: Office
    url: str
    env: Mapping[str, str]
    unit: str

    @property
    def home(self) -> Path:
        return self.office.deployment.home.path

    def __call__(self, *arguments: str) -> Ran:
        """In this very process: a new one for each of so many commands would take minutes."""
        where = ["--store", self.url, "--home", str(self.home)]
        told = CliRunner().invoke(app, [*arguments, *where], env=dict(self.env))
        assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
        return Ran(code=told.exit_code, out=told.stdout, err=told.stderr)

    def path(self, data: bytes) -> Path:
        assert isinstance(self.office.store, DirectoryStore)
        path = self.office.store.root / keyspace.blob(Digest.of(data))
        assert path.read_bytes() == data
        path.chmod(0o644)
        return path


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    office = Office.open(tmp_path, DirectoryStore(tmp_path / "archive"))
    with closing(office.sequencer):
        unit = office.capture(scope=office.case("acme"), files={"dom": b"the page", "text": b"the words"})
        yield Story(office, f"file:{tmp_path / 'archive'}", {}, unit)


@pytest.fixture
def locked(tmp_path: Path, make_s3: MakeS3) -> Iterator[Story]:
    """On a real S3 server, with locks that end after some seconds."""
    store: S3Store = make_s3()
    office = Office.open(tmp_path, store)
    objects = store._objects
    office.lock_for = timedelta(seconds=25)
    with closing(office.sequencer):
        unit = office.capture(scope=office.case("acme"), files={"dom": b"the page"})
        credentials = objects.client._request_signer._credentials
        env = {"AWS_ACCESS_KEY_ID": credentials.access_key, "AWS_SECRET_ACCESS_KEY": credentials.secret_key}
        endpoint = objects.client.meta.endpoint_url
        url = f"s3://{objects.bucket}/{objects.prefix.strip('/')}?endpoint={endpoint}"
        yield Story(office, url, env, unit)


def test_fixity_reads_all_and_names_what_changed(story: Story) -> None:
    told = story("fixity", "--record")
    assert told.code == 0, told.err
    assert "AS RECORDED: recorded in leaf" in told.out
    story.path(b"the words").write_bytes(b"The words")
    story.path(b"the page").unlink()
    told = story("fixity", "--case", "acme", "--purpose", "scheduled", "--record", "--json")
    assert told.code == 1
    document = told.document
    assert (document["failed"], document["purpose"], document["exit_code"]) == (2, "scheduled", 1)
    assert {(each["kind"], each["sha256"]) for each in document["faults"]} == {
        ("bytes", Digest.of(b"the words").hex),
        ("missing", Digest.of(b"the page").hex),
    }
    assert {claim["capture"] for each in document["faults"] for claim in each["named_by"]} == {story.unit}
    events = [each.event.body for each in story.office.reader.events("fixity.verified")]
    assert [each["failed"] for each in events] == [0, 2]
    words = story("fixity", "--sample", "100%", "--no-record")
    assert words.code == 1
    assert "BYTES" in words.out
    assert f"named by capture {story.unit} as text.bin" in words.out
    assert "not recorded" in words.out
    assert len(list(story.office.reader.events("fixity.verified"))) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("fixity", "--sample", "many"),
        ("fixity", "--purpose", "fun"),
        ("fixity", "--case", "nobody"),
        ("hold", "--matter", "m"),
        ("hold", "--case", "acme", "--unit", "abcd", "--matter", "m"),
        ("hold", "--unit", "abc", "--matter", "m"),
        ("hold", "--unit", "ffff-ffff", "--matter", "m"),
        ("hold", "--case", "acme", "--matter", " "),
        ("release", "--case", "acme", "--why", "w"),
        ("dispose", "--case", "acme", "--why", "w"),
        ("correct", "ffff-ffff", "--field", "title", "--is", "x", "--why", "w"),
        ("retain", "--case", "nobody", "--days", "900", "--why", "w"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence_and_nothing_is_written(
    story: Story, arguments: tuple[str, ...]
) -> None:
    before = [each.event.type for each in story.office.reader.events() if each.event.type != "storage.probed"]
    told = story(*arguments, "--json")
    assert told.code == 2, told.err
    assert told.document["kind"] == "UsageError"
    after = [each.event.type for each in story.office.reader.events() if each.event.type != "storage.probed"]
    assert after == before


def test_held_then_released_then_disposed_of(story: Story) -> None:
    told = story("hold", "--case", "acme", "--matter", "12 Cv. 3456", "--json")
    assert told.code == 0, told.err
    assert told.document["blobs"] == {"none": 4}
    assert [each["unit"] for each in told.document["units"]] == [story.unit]
    listed = story("holds", "--json").document["holds"]
    assert [(each["unit"], each["matter"]) for each in listed] == [(story.unit, "12 Cv. 3456")]
    assert f"held      since {listed[0]['since']} for 12 Cv. 3456" in story("show", story.unit).out
    refused = story("dispose", "--unit", story.unit, "--why", "over", "--yes", "--json")
    assert refused.code == 8
    assert "is held for 12 Cv. 3456" in refused.document["error"]
    assert story.office.has(b"the page")
    assert story("release", "--unit", story.unit[-8:], "--why", "settled").code == 0
    assert story("holds").out == ""
    looked = story("dispose", "--unit", story.unit, "--why", "over", "--dry-run", "--json")
    assert looked.code == 0
    assert (looked.document["units"][0]["blobs"], looked.document["done"]) == (4, [])
    assert story.office.has(b"the page")
    asked = story("dispose", "--unit", story.unit, "--why", "over")
    assert asked.code == 2
    assert "add --yes" in asked.err
    done = story("dispose", "--unit", story.unit, "--why", "the retention is over", "--yes")
    assert done.code == 0, done.err
    assert "4 blobs removed" in done.out
    assert not story.office.has(b"the page")
    assert story("dispose", "--unit", story.unit, "--why", "again", "--yes").code == 2
    assert story("fixity").code == 0
    assert story("verify").code == 0


def test_what_was_disposed_of_is_shown_as_that(story: Story) -> None:
    before = story("show", story.unit, "--json").document
    assert before["record"]["target"]["title"] == "Jane's shop"
    assert story("dispose", "--case", "acme", "--why", "the retention is over", "--yes").code == 0
    told = story("show", story.unit)
    assert told.code == 0
    assert "disposed  of on 20" in told.out
    assert "the retention is over" in told.out
    assert "log index" in told.out
    document = story("show", story.unit, "--json").document
    assert document["record"] is None
    assert document["disposal"]["why"] == "the retention is over"
    assert document["capture"]["disposed_at"] == document["disposal"]["at"]
    (line,) = story("captures").out.splitlines()
    assert "disposed of on" in line
    got = story("get", story.unit, "dom", "-o", "-")
    assert got.code == 8
    assert "was disposed of on" in got.err
    assert "shop.example" not in json.dumps(document)
    for catalogue in story.home.glob("catalog*.sqlite*"):
        catalogue_bytes = catalogue.read_bytes()
        assert b"Jane" not in catalogue_bytes or catalogue.name.endswith("-wal")
    for catalogue in story.home.glob("catalog*.sqlite*"):
        catalogue.unlink()
    assert "disposed  of on 20" in story("show", story.unit).out, "made again from the log alone"


def test_a_correction_is_printed_beside_the_field(story: Story) -> None:
    told = story("correct", story.unit, "--field", "title", "--is", "Joan's shop", "--why", "misread", "--json")
    assert told.code == 0, told.err
    assert (told.document["field"], told.document["was"]) == ("target.title", "Jane's shop")
    lines = story("show", story.unit).out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("title"))
    assert lines[at] == "title     Jane's shop"
    assert lines[at + 1].strip().startswith("corrected on 20")
    assert lines[at + 1].endswith('is "Joan\'s shop" (misread)')
    assert any(each.startswith("time      NO TRUSTED TIME") for each in lines)
    document = story("show", story.unit, "--json").document
    assert document["capture"]["time"] == {
        "not_before": None, "not_after": None, "not_before_by": None, "not_after_by": [],
    }  # fmt: skip
    assert [each["is"] for each in document["corrections"]] == ["Joan's shop"]
    assert document["record"]["target"]["title"] == "Jane's shop"
    assert story("verify").code == 0


def test_a_case_is_kept_longer_and_never_shorter(story: Story) -> None:
    told = story("retain", "--case", "acme", "--days", "900", "--why", "the court asked", "--json")
    assert told.code == 0, told.err
    assert (told.document["blobs"], told.document["unlocked"]) == (6, 6)
    refused = story("retain", "--case", "acme", "--days", "800", "--why", "no")
    assert refused.code == 8
    assert "kept for 900 days already" in refused.err
    assert story("verify").code == 0


def test_a_release_that_needs_two_people_goes_through_a_draft(story: Story, tmp_path: Path) -> None:
    assert story("hold", "--case", "acme", "--matter", "12 Cv. 3456").code == 0
    trust = story.home / "trust.json"
    second = Ed25519Signer(bytes(range(32)))
    believed = story.office.deployment.home.trust
    root_keys = (*believed.root_keys, second.public_key)
    trust.write_bytes(replace(believed, root_keys=root_keys, people_threshold=2).format())
    refused = story("release", "--case", "acme", "--why", "settled")
    assert refused.code == 8
    assert "--out FILE" in refused.err
    draft = tmp_path / "release.json"
    told = story("release", "--case", "acme", "--why", "settled", "--out", str(draft))
    assert told.code == 0, told.err
    assert "keys cosign" in told.out
    assert len(story("holds").out.splitlines()) == 1, "nothing has happened yet"
    signed = read_draft(draft).signed_by(second)
    assert [each.event.type for each in signed.events] == ["evidence.released"]
    other = Office.open(tmp_path, story.office.store)
    with closing(other.sequencer):
        other.sequencer.append([each.envelope() for each in signed.events])
    assert story("holds").out == ""
    again = story("release", "--case", "acme", "--why", "settled")
    assert again.code == 0, again.err
    assert "released before" in again.out
    disposal = tmp_path / "disposal.json"
    assert story("dispose", "--case", "acme", "--why", "over", "--yes", "--out", str(disposal)).code == 0
    assert story.office.has(b"the page")
    signed = read_draft(disposal).signed_by(second)
    other = Office.open(tmp_path, story.office.store)
    with closing(other.sequencer):
        other.sequencer.append([each.envelope() for each in signed.events])
    done = story("dispose", "--case", "acme", "--why", "over", "--yes")
    assert done.code == 0, done.err
    assert "the log says so already" in done.out
    assert not story.office.has(b"the page")
    assert story("verify").code == 0


@pytest.mark.slow
@pytest.mark.s3
def test_locks_of_a_real_store_are_waited_for(locked: Story) -> None:
    told = locked("hold", "--case", "acme", "--matter", "12 Cv. 3456", "--json")
    assert told.code == 0, told.err
    assert told.document["blobs"] == {"on": 3}
    assert locked("release", "--case", "acme", "--why", "settled", "--json").document["blobs"] == {"off": 3}
    refused = locked("dispose", "--case", "acme", "--why", "over", "--yes", "--json")
    if refused.code != 0:  # on a slow machine the locks have run out by now
        assert refused.code == 8
        assert "locked in the store, the last until" in refused.document["error"]
        assert locked.office.has(b"the page")
    time.sleep(26)
    done = locked("dispose", "--case", "acme", "--why", "over", "--yes", "--json")
    assert done.code in {0, 2}, done.err
    assert not locked.office.has(b"the page")
    assert locked("fixity").code == 0
    assert locked("verify").code == 0


def test_a_copy_is_recorded_where_that_is_asked_for(story: Story, tmp_path: Path) -> None:
    told = story("mirror", str(tmp_path / "copy"))
    assert told.code == 0, told.err
    assert "a directory may be a copy itself" in told.err
    assert list(story.office.reader.events("artifact.archived")) == []
    told = story("mirror", f"file:{tmp_path / 'copy'}", "--record", "--json")
    assert told.code == 0, told.err
    (archived,) = story.office.reader.events("artifact.archived")
    document = told.document
    assert document["index"] == archived.index
    detail = story.office.desk.detail(archived.event.subjects[0].digest)
    assert detail["target"] == f"file:{tmp_path / 'copy'}"
    assert (detail["keys_sha256"], detail["objects"]) == (document["keys_sha256"], document["objects"])
    lines = "".join(f"{key}\n" for key in DirectoryStore(tmp_path / "copy").keys("v1/"))
    assert document["keys_sha256"] == Digest.of(lines.encode()).hex
    assert story("verify").code == 0
    assert run("verify", "--store", f"file:{tmp_path / 'copy'}", home=story.home).code == 0


def test_a_copy_into_itself_is_refused(story: Story) -> None:
    for target in (story.url, story.url.removeprefix("file:"), str(story.home), str(story.home / "x")):
        assert story("mirror", target).code == 2


@pytest.mark.s3
def test_a_copy_in_a_bucket_is_locked_and_recorded(locked: Story) -> None:
    bucket, _, query = locked.url.partition("?")
    target = f"{bucket.replace('/test/', '/copy/')}?{query}"
    told = locked("mirror", target, "--json")
    assert told.code == 0, told.err
    document = told.document
    assert document["problems"] == []
    assert document["locked"] > 10
    (archived,) = locked.office.reader.events("artifact.archived")
    assert document["index"] == archived.index
    blobs = list(locked.office.store.keys(keyspace.BLOBS))
    assert archived.event.body["blobs"] == len(blobs) - 1, "all but the one that tells of the copy"
    checked = CliRunner().invoke(app, ["verify", "--store", target, "--home", str(locked.home)], env=dict(locked.env))
    assert checked.exit_code == 0, checked.output
    assert locked("mirror", locked.url).code == 2
    others = {f"COUNTERPROOF_MIRROR_{name}": value for name, value in locked.env.items()}
    assert run("mirror", target, "--store", locked.url, home=locked.home, env={**locked.env, **others}).code == 0
    wrong = {**others, "COUNTERPROOF_MIRROR_AWS_SECRET_ACCESS_KEY": "wrong"}
    assert run("mirror", target, "--store", locked.url, home=locked.home, env={**locked.env, **wrong}).code == 6
