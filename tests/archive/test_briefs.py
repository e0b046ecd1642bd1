"""Versions of a brief: which of them count, and what is said when one cannot be read."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.brief import Brief, Term
from archive.briefs import DESCRIBED, Briefs, Written
from archive.directory import DirectoryStore
from archive.errors import StoreError, UsageError
from archive.sequencer import Sequencer
from custody import canonical, keyspace
from custody.digest import Digest
from custody.errors import FormatError
from custody.ids import uuid7
from custody.model import Json
from tests.archive.deployment import Deployment, audit, now
from tests.archive.test_brief import FULL, briefs

NONCE = "0" * 32
BRIEF = replace(FULL, pictures=())
SCOPE = uuid7(now(), b"\0" * 10)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    (tmp_path / "store").mkdir()
    return Deployment.make(tmp_path, DirectoryStore(tmp_path / "store"))


@pytest.fixture
def sequencer(deployment: Deployment) -> Sequencer:
    return deployment.open()


def say(deployment: Deployment, sequencer: Sequencer, version: int, brief: Brief, *, scope: str = SCOPE) -> Digest:
    """A version as anybody may write one; the digest of its blob."""
    scribe = deployment.scribe(deployment.home.signers.need_person())
    written = Written(scope=scope, version=version, previous=None, brief=brief)
    subject = scribe.blob("brief.json", written.format(scribe.random(16).hex()))
    body = {"version": version}
    sequencer.append([scribe.event(DESCRIBED, chain=f"work:{scope}", subject=subject, body=body)])
    return subject.digest


@given(briefs(), st.integers(1, 2**53 - 1), st.none() | st.binary(max_size=3).map(Digest.of))
def test_a_version_is_read_as_it_was_written(brief: Brief, version: int, previous: Digest | None) -> None:
    written = Written(scope=SCOPE, version=version, previous=previous, brief=brief)
    data = written.format(NONCE)
    assert Written.parse(data) == written
    assert data == canonical.dumps(canonical.loads(data)), "canonical"


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"nonce": "0"},
        {"version": 0},
        {"version": True},
        {"scope": "Bracelets"},
        {"previous": "x"},
        {"more": 1},
        {"title": None},
    ],
    ids=str,
)
def test_what_is_no_version_is_refused(change: dict[str, Json]) -> None:
    value = canonical.loads(Written(scope=SCOPE, version=1, previous=None, brief=FULL).format(NONCE))
    assert isinstance(value, dict)
    with pytest.raises(FormatError):
        Written.parse(canonical.dumps({**value, **change}))
    (name,) = change
    with pytest.raises(FormatError):
        Written.parse(canonical.dumps({key: each for key, each in value.items() if key != name} | {"x": 1}))


@pytest.mark.parametrize("data", [b"[]", b"null", b"\xff", b'"text"', b"{}"])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        Written.parse(data)


def test_the_newest_version_is_current_and_the_others_stay(deployment: Deployment, sequencer: Sequencer) -> None:
    found = Briefs(sequencer, deployment.store)
    assert found.current(SCOPE) is None
    assert found.versions(SCOPE) == []
    first = say(deployment, sequencer, 1, Brief(title="Love"))
    second = say(deployment, sequencer, 2, BRIEF)
    current = found.current(SCOPE)
    assert current is not None
    assert (current.brief, current.version, current.digest) == (BRIEF, 2, second)
    before = found.version(SCOPE, 1)
    assert (before.brief, before.digest) == (Brief(title="Love"), first)
    assert before.index < current.index
    assert current.to_json() == {"scope": SCOPE, "version": 2, "sha256": second.hex, "index": current.index}
    assert found.current(uuid7(now(), b"\1" * 10)) is None
    with pytest.raises(UsageError, match=r"no version 3 .* there are 1 to 2"):
        found.version(SCOPE, 3)
    with pytest.raises(UsageError, match="no version 0"):
        found.version(SCOPE, 0)
    audit(deployment)


def test_who_holds_no_memory_reads_the_same(deployment: Deployment, sequencer: Sequencer, tmp_path: Path) -> None:
    say(deployment, sequencer, 1, FULL)
    twin = deployment.twin(tmp_path / "twin").open()
    for log in (sequencer.reader, twin):
        assert Briefs(log, deployment.store).versions(SCOPE) == Briefs(sequencer, deployment.store).versions(SCOPE)


def test_of_two_with_one_number_the_first_counts(deployment: Deployment, sequencer: Sequencer) -> None:
    first = say(deployment, sequencer, 1, Brief(title="First"))
    for number, title in ((1, "Second"), (3, "Too far"), (1, "Third")):
        say(deployment, sequencer, number, Brief(title=title))
    found = Briefs(sequencer, deployment.store)
    assert [each.digest for each in found.versions(SCOPE)] == [first]
    second = say(deployment, sequencer, 2, Brief(title="Next"))
    assert [(each.version, each.digest) for each in found.versions(SCOPE)] == [(1, first), (2, second)]


def test_no_term_is_in_the_log(deployment: Deployment, sequencer: Sequencer, tmp_path: Path) -> None:
    say(deployment, sequencer, 1, Brief(terms=(Term(text="Amulette"),), purpose="Amulette"))
    found = [path for path in (tmp_path / "store").rglob("*") if path.is_file() and b"Amulette" in path.read_bytes()]
    assert len(found) == 1, "its blob"
    assert keyspace.BLOBS in str(found[0])


@pytest.mark.parametrize("how", ["gone", "changed", "no brief", "of another case", "another version"])
def test_what_cannot_be_read_is_said_and_no_other_version_takes_its_place(
    deployment: Deployment, sequencer: Sequencer, how: str, tmp_path: Path
) -> None:
    say(deployment, sequencer, 1, Brief(title="Before"))
    found = Briefs(sequencer, deployment.store)
    if how in {"of another case", "another version"}:
        scribe = deployment.scribe(deployment.home.signers.need_person())
        other = uuid7(now(), b"\1" * 10) if how == "of another case" else SCOPE
        data = Written(scope=other, version=3, previous=None, brief=FULL).format(NONCE)
        event = scribe.event(
            DESCRIBED, chain=f"work:{SCOPE}", subject=scribe.blob("brief.json", data), body={"version": 2}
        )
        sequencer.append([event])
    else:
        path = tmp_path / "store" / keyspace.blob(say(deployment, sequencer, 2, FULL))
        path.chmod(0o600)
        if how == "gone":
            path.unlink()
        else:
            data = path.read_bytes()
            path.write_bytes(b"{}" if how == "no brief" else data.replace(b"bracelet", b"necklace"))
    says = "disposed of, or `counterproof verify` misses it" if how == "gone" else "run `counterproof verify`"
    with pytest.raises(StoreError, match=re.escape(says)):
        found.current(SCOPE)
    assert found.version(SCOPE, 1).brief.title == "Before"
