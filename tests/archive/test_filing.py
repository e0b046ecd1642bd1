"""Findings in the log: what is new is written, what changed stands beside what it was, what is the same is named."""

from dataclasses import replace
from pathlib import Path

import pytest

from archive import filing
from archive.directory import DirectoryStore
from archive.errors import StoreError
from archive.filing import Basis, File, Made, Outcome
from archive.sequencer import Sequencer
from custody import canonical, keyspace
from custody.digest import Digest
from custody.ids import uuid7
from custody.model import Json
from tests.archive.deployment import Deployment, audit, now

SCOPE = uuid7(now(), b"\0" * 10)
OTHER = uuid7(now(), b"\1" * 10)
BASIS = Basis(code_sha256="aa" * 32, version="0.1.0", brief=None, captures_sha256="bb" * 32, pictures=True)
DESCRIBED = Basis(
    code_sha256="aa" * 32,
    version="0.1.0",
    brief={"version": 1, "sha256": "cc" * 32},
    captures_sha256="bb" * 32,
    pictures=True,
)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    (tmp_path / "store").mkdir()
    return Deployment.make(tmp_path, DirectoryStore(tmp_path / "store"))


@pytest.fixture
def sequencer(deployment: Deployment) -> Sequencer:
    return deployment.open()


def made(name: str, says: str) -> Made:
    record: dict[str, Json] = {"id": name, "says": says}
    return Made(id=name, record=record, under={"version": 0})


def file(
    deployment: Deployment, sequencer: Sequencer, *found: Made, basis: Basis = BASIS, scope: str = SCOPE
) -> Outcome:
    return filing.file(
        found,
        3,
        basis,
        before=newest(deployment, sequencer, scope),
        scope=scope,
        scribe=deployment.scribe(),
        log=sequencer,
    )


def newest(deployment: Deployment, sequencer: Sequencer, scope: str = SCOPE) -> File | None:
    return filing.newest(sequencer, deployment.store, scope)


def test_what_is_filed_is_found_again(deployment: Deployment, sequencer: Sequencer) -> None:
    outcome = file(deployment, sequencer, made("a", "one"), made("b", "two"))
    assert (outcome.new, outcome.changed, outcome.gone) == (2, 0, 0)
    found = newest(deployment, sequencer)
    assert found is not None
    assert found.digest == outcome.digest
    assert {name: each.record["says"] for name, each in found.records.items()} == {"a": "one", "b": "two"}
    assert found.records == outcome.records
    assert all(each.digest == Digest.of(canonical.dumps(each.record)) for each in found.records.values())
    assert found.head["candidates"] == 3
    audit(deployment)


def test_the_same_again_writes_nothing(deployment: Deployment, sequencer: Sequencer) -> None:
    first = file(deployment, sequencer, made("a", "one"))
    again = file(deployment, sequencer, made("a", "one"), basis=DESCRIBED)
    assert not again.is_new
    assert (again.index, again.digest, again.records) == (first.index, first.digest, first.records)
    assert len(filing.files(sequencer, SCOPE)) == 1


def test_a_changed_result_stands_beside_the_old_with_the_reason(deployment: Deployment, sequencer: Sequencer) -> None:
    first = file(deployment, sequencer, made("a", "one"), made("b", "two"))
    second = file(deployment, sequencer, made("a", "one"), made("b", "three"), basis=DESCRIBED)
    assert (second.new, second.changed, second.gone) == (0, 1, 0)
    changed = second.records["b"]
    assert changed.why == ("case",)
    assert changed.replaces == first.records["b"].digest
    assert changed.made_in == second.digest
    assert second.records["a"].made_in == first.digest, "unchanged: named, not written again"
    third = newest(deployment, sequencer)
    assert third is not None
    assert third.records == second.records
    old = deployment.store.read(keyspace.blob(first.digest))
    assert b'"says":"two"' in old


@pytest.mark.parametrize(
    ("basis", "why"),
    [
        (
            Basis(code_sha256="dd" * 32, version="0.2.0", brief=None, captures_sha256="bb" * 32, pictures=True),
            ("code",),
        ),
        (
            Basis(code_sha256="aa" * 32, version="0.1.0", brief=None, captures_sha256="dd" * 32, pictures=True),
            ("captures",),
        ),
        (
            Basis(
                code_sha256="dd" * 32, version="0.1.0", brief={"version": 2}, captures_sha256="bb" * 32, pictures=True
            ),
            ("code", "case"),
        ),
    ],
)
def test_the_reason_is_what_differs(
    deployment: Deployment, sequencer: Sequencer, basis: Basis, why: tuple[str, ...]
) -> None:
    file(deployment, sequencer, made("a", "one"))
    assert file(deployment, sequencer, made("a", "two"), basis=basis).records["a"].why == why


def test_what_is_found_no_more_is_said_to_be_gone(deployment: Deployment, sequencer: Sequencer) -> None:
    first = file(deployment, sequencer, made("a", "one"), made("b", "two"))
    second = file(deployment, sequencer, made("a", "one"))
    assert second.gone == 1
    found = newest(deployment, sequencer)
    assert found is not None
    assert list(found.records) == ["a"]
    assert found.head["gone"] == [{"id": "b", "sha256": first.records["b"].digest.hex, "why": ["unknown"]}]


def test_cases_do_not_see_each_other(deployment: Deployment, sequencer: Sequencer) -> None:
    file(deployment, sequencer, made("a", "one"))
    assert newest(deployment, sequencer, OTHER) is None
    file(deployment, sequencer, made("a", "other"), scope=OTHER)
    found = newest(deployment, sequencer)
    assert found is not None
    assert found.records["a"].record["says"] == "one"


def test_a_file_that_is_gone_is_made_again_and_a_changed_one_is_refused(
    deployment: Deployment, sequencer: Sequencer, tmp_path: Path
) -> None:
    first = file(deployment, sequencer, made("a", "one"))
    second = file(deployment, sequencer, made("a", "one"), made("b", "two"))
    place = tmp_path / "store" / keyspace.blob(first.digest)
    place.chmod(0o600)
    place.unlink()
    found = newest(deployment, sequencer)
    assert found is not None
    assert list(found.records) == ["b"]
    place = tmp_path / "store" / keyspace.blob(second.digest)
    place.chmod(0o600)
    place.write_bytes(place.read_bytes().replace(b"two", b"owt"))
    with pytest.raises(StoreError, match="is not what was recorded"):
        newest(deployment, sequencer)


def test_nothing_of_what_was_found_stands_in_the_leaf(deployment: Deployment, sequencer: Sequencer) -> None:
    file(deployment, sequencer, made("a", "Cartier"))
    (event,) = filing.files(sequencer, SCOPE)
    assert b"Cartier" not in event.data
    assert event.event.body == {"promotions": 1, "candidates": 3}


def test_the_reason_is_never_one_that_was_not_seen(deployment: Deployment, sequencer: Sequencer) -> None:
    file(deployment, sequencer, made("a", "one"))
    without = replace(BASIS, pictures=False)
    assert file(deployment, sequencer, made("a", "two"), basis=without).records["a"].why == ("pictures",)
    assert file(deployment, sequencer, made("a", "three"), basis=without).records["a"].why == ("unknown",)


def test_a_head_that_names_ten_thousand_that_are_gone_is_read_again(
    deployment: Deployment, sequencer: Sequencer
) -> None:
    file(deployment, sequencer, *(made(f"{n:032d}", "x") for n in range(10_000)))
    assert file(deployment, sequencer, made("a", "one")).gone == 10_000
    found = newest(deployment, sequencer)
    assert found is not None
    assert list(found.records) == ["a"]
