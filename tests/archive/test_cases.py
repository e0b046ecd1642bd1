"""A case is a random id in the log; its name lies in a blob, and the first that took a name has it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.cases import Case, Cases, assign, case_name
from archive.directory import DirectoryStore
from archive.errors import UsageError
from archive.log import LogReader
from archive.memory import MemoryStore
from archive.sequencer import Sequencer
from custody import canonical, keyspace
from custody.digest import Digest
from tests.archive.deployment import Deployment, audit


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment.make(tmp_path, MemoryStore())


@pytest.fixture
def sequencer(deployment: Deployment) -> Sequencer:
    return deployment.open()


def cases_of(deployment: Deployment, sequencer: Sequencer) -> Cases:
    return Cases(sequencer, deployment.store)


def test_a_case_is_opened_once_and_found_by_its_name(deployment: Deployment, sequencer: Sequencer) -> None:
    cases = cases_of(deployment, sequencer)
    assert cases.find("Bracelets") is None
    scope = cases.open("Bracelets", sequencer, deployment.scribe())
    assert cases.open("Bracelets", sequencer, deployment.scribe()) == scope
    assert cases.resolve("Bracelets") == scope
    assert cases.name_of(scope) == "Bracelets"
    other = cases.open("Rings", sequencer, deployment.scribe())
    assert cases.all() == [Case(scope, "Bracelets"), Case(other, "Rings")]
    assert [each.event.type for each in audit(deployment)][4:] == ["case.opened", "case.opened"]


def test_a_stranger_with_a_copy_alone_reads_the_same(deployment: Deployment, sequencer: Sequencer) -> None:
    scope = cases_of(deployment, sequencer).open("Bracelets", sequencer, deployment.scribe())
    cases = Cases(LogReader(deployment.store, deployment.log), deployment.store)
    assert cases.all() == [Case(scope, "Bracelets")]
    assert Cases(deployment.open(), deployment.store).resolve("Bracelets") == scope


def test_no_name_of_a_case_is_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    deployment = Deployment.make(tmp_path, DirectoryStore(tmp_path / "store"))
    sequencer = deployment.open()
    cases_of(deployment, sequencer).open("Bracelets of Ada", sequencer, deployment.scribe())
    found = [path for path in (tmp_path / "store").rglob("*") if path.is_file() and b"Ada" in path.read_bytes()]
    assert len(found) == 1, "its blob"
    assert keyspace.BLOBS in str(found[0])


def test_of_two_that_open_one_name_at_once_both_get_the_first(deployment: Deployment, tmp_path: Path) -> None:
    deployment.open()
    machines = [deployment, deployment.twin(tmp_path / "twin")]
    sequencers = [each.open() for each in machines]
    stale = [cases_of(each, sequencer) for each, sequencer in zip(machines, sequencers, strict=True)]
    with ThreadPoolExecutor(2) as threads:
        scopes = list(
            threads.map(
                lambda at: stale[at].open("Bracelets", sequencers[at], machines[at].scribe()), range(len(machines))
            )
        )
    later = Cases(deployment.open(), deployment.store)
    assert {later.resolve("Bracelets")} == set(scopes)


def test_the_first_in_the_log_has_the_name(deployment: Deployment, sequencer: Sequencer) -> None:
    scribe = deployment.scribe()
    scopes = [scribe.new_id() for _ in range(2)]
    for scope in scopes:
        subject = scribe.detail("case.json", {"scope": scope, "name": "Bracelets"})
        sequencer.append([scribe.event("case.opened", chain=f"scope:{scope}", subject=subject, body={})])
    cases = cases_of(deployment, sequencer)
    assert cases.resolve("Bracelets") == scopes[0]
    assert cases.all() == [Case(scopes[0], "Bracelets")]


def test_an_item_is_in_the_cases_that_it_was_assigned_to(deployment: Deployment, sequencer: Sequencer) -> None:
    cases, scribe = cases_of(deployment, sequencer), deployment.scribe()
    first, second = (cases.open(name, sequencer, scribe) for name in ("first", "second"))
    items = [scribe.new_id() for _ in range(3)]
    sequencer.append([
        assign(items[0], first, scribe), assign(items[1], second, scribe), assign(items[0], second, scribe),
        assign(items[2], first, scribe), assign(items[0], first, scribe),
    ])  # fmt: skip
    assert cases.items(first) == [items[0], items[2]]
    assert cases.items(second) == [items[1], items[0]]
    assert cases.items(scribe.new_id()) == []
    assigned = next(each for each in audit(deployment) if each.event.type == "item.assigned")
    assert assigned.event.chain == f"scope:{first}"
    blob = canonical.loads(deployment.store.read(keyspace.blob(assigned.event.subjects[0].digest)))
    assert isinstance(blob, dict)
    assert {key: blob[key] for key in ("schema", "item", "scope")} == {"schema": 1, "item": items[0], "scope": first}


def test_the_leaves_of_an_item_name_no_case(deployment: Deployment, sequencer: Sequencer) -> None:
    cases, scribe = cases_of(deployment, sequencer), deployment.scribe()
    scope = cases.open("first", sequencer, scribe)
    unit = scribe.new_id()
    sequencer.append([deployment.event(unit=unit), assign(unit, scope, scribe)])
    acquisition = [each.data for each in audit(deployment) if each.event.chain == f"item:{unit}"]
    assert acquisition
    assert all(scope.encode() not in data for data in acquisition)


def test_an_unknown_case_is_said_with_those_there_are(deployment: Deployment, sequencer: Sequencer) -> None:
    cases = cases_of(deployment, sequencer)
    with pytest.raises(UsageError, match="there is none yet"):
        cases.resolve("Rings")
    cases.open("Bracelets", sequencer, deployment.scribe())
    with pytest.raises(UsageError, match="there are 'Bracelets'"):
        cases.resolve("Rings")


@pytest.mark.parametrize("harm", ["disposed of", "of another case", "other bytes", "no JSON"])
def test_a_blob_that_is_gone_or_wrong_gives_no_name(tmp_path: Path, harm: str) -> None:
    (tmp_path / "store").mkdir()
    deployment = Deployment.make(tmp_path, DirectoryStore(tmp_path / "store"))
    sequencer, scribe = deployment.open(), deployment.scribe()
    scope, other = scribe.new_id(), scribe.new_id()
    named = other if harm == "of another case" else scope
    subject = scribe.detail("case.json", {"scope": named, "name": "Bracelets"})
    if harm == "no JSON":
        subject = scribe.blob("case.json", b"Bracelets")
    sequencer.append([scribe.event("case.opened", chain=f"scope:{scope}", subject=subject, body={})])
    path = tmp_path / "store" / keyspace.blob(subject.digest)
    if harm in {"disposed of", "other bytes"}:
        data = path.read_bytes()
        path.unlink()
        if harm == "other bytes":
            path.write_bytes(data.replace(b"Bracelets", b"Braceless"))
            assert Digest.of(path.read_bytes()) != subject.digest
    cases = cases_of(deployment, sequencer)
    assert cases.find("Bracelets") is None
    assert cases.name_of(scope) is None
    assert cases.open("Bracelets", sequencer, scribe) != scope


@pytest.mark.parametrize("text", ["", "   ", "x" * 201, "a\x00b", "a\x1b[2J"])
def test_a_name_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="a case's name"):
        case_name(text)


def test_what_looks_alike_is_one_name() -> None:
    assert case_name("  Caf\u0065\u0301 \t 7 ") == case_name("Caf\u00e9 7") == "Café 7"
    assert case_name("مجوهرات 手链") == "مجوهرات 手链"
