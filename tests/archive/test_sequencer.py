"""One line of commits whatever happens; a receipt only for what was read back."""

import base64
import gc
import shutil
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from archive import authorities
from archive.directory import DirectoryStore
from archive.draft import EventRefused
from archive.errors import ArchiveError, KeyFileError, LogError, LogForeign, LogRollback, StoreDown, StoreError
from archive.genesis import open_log
from archive.home import Home
from archive.log import LogReader, Position
from archive.memory import MemoryStore
from archive.sequencer import Sequencer
from custody import canonical, keys, keyspace
from custody.checkpoint import Checkpoint, open_checkpoint
from custody.commit import Commit
from custody.digest import Digest
from custody.event import Envelope, Signature, cosign, event_id_of
from custody.keys import Ed25519Signer, Signer
from custody.leaf import Chain, Leaf
from custody.model import Json
from tests.archive.deployment import Deployment, UnreliableStore, audit, ids, now, tomorrow


@pytest.fixture(params=["memory", "directory"])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Deployment:
    return Deployment.make(tmp_path, MemoryStore() if request.param == "memory" else directory(tmp_path))


@pytest.fixture
def quick(tmp_path: Path) -> Deployment:
    return Deployment.make(tmp_path, MemoryStore())


def directory(path: Path) -> DirectoryStore:
    (path / "store").mkdir()
    return DirectoryStore(path / "store")


def put(deployment: Deployment, key: str, data: bytes) -> None:
    """As somebody who can write to the store and has no key."""
    deployment.store.create(key, data, digest=Digest.of(data), retain_until=None)


def test_the_first_commit_opens_the_log_and_introduces_its_keys(deployment: Deployment) -> None:
    sequencer = deployment.open()
    events = audit(deployment)
    assert [each.event.type for each in events] == ["log.opened", *["key.introduced"] * 3]
    assert [each.event.body.get("role") for each in events] == [None, "root", "log", "worker"]
    root = keys.keyid(deployment.home.signers.need_root().public_key)
    assert {each.leaf.event.keyid for each in events} == {root}
    for each in events:
        blob = each.event.subjects[0].digest
        assert Digest.of(deployment.store.read(keyspace.blob(blob))) == blob
    vkey = deployment.home.trust.log
    log_key = keys.keyid(vkey.public_key)
    assert deployment.store.read(keyspace.key_vkey(deployment.log, log_key)).decode() == vkey.format() + "\n"
    assert keys.parse_pem(deployment.store.read(keyspace.key_pem(deployment.log, log_key))) == vkey.public_key
    assert sequencer.position.n == 1


def test_gives_each_event_its_index_in_the_order_it_came(deployment: Deployment) -> None:
    sequencer = deployment.open()
    envelopes = [deployment.event() for _ in range(5)]
    receipts = sequencer.append(envelopes)
    assert [each.index for each in receipts] == [4, 5, 6, 7, 8]
    assert {each.n for each in receipts} == {2}
    assert [each.payload_sha256 for each in receipts] == [each.payload_sha256 for each in envelopes]
    signed = open_checkpoint(receipts[0].checkpoint, deployment.home.trust.log)
    assert signed.size == receipts[0].tree_size == 9
    assert ids(audit(deployment))[4:] == [event_id_of(each.payload) for each in envelopes]


def test_links_the_leaves_of_a_chain_without_a_gap(deployment: Deployment) -> None:
    sequencer = deployment.open()
    unit = deployment.scribe().new_id()
    sequencer.append([deployment.event(unit=unit), deployment.event(), deployment.event(unit=unit)])
    sequencer.append([deployment.event(unit=unit)])
    chain = [each.leaf.chains[0] for each in audit(deployment) if each.event.chain == f"item:{unit}"]
    assert [each.seq for each in chain] == [0, 1, 2]


def test_an_event_that_is_there_already_gets_the_receipt_it_had(deployment: Deployment) -> None:
    sequencer = deployment.open()
    envelope, other = deployment.event(), deployment.event()
    (first,) = sequencer.append([envelope])
    again, new, twice = sequencer.append([envelope, other, other])
    assert again == first
    assert new == twice
    assert new.n == first.n + 1
    assert sequencer.find(event_id_of(envelope.payload)) == first
    assert sequencer.find(deployment.scribe().new_id()) is None
    assert len(audit(deployment)) == 6


def test_another_process_gives_the_same_receipt(deployment: Deployment, tmp_path: Path) -> None:
    envelope = deployment.event()
    (first,) = deployment.open().append([envelope])
    assert deployment.open().append([envelope]) == (first,)
    assert deployment.twin(tmp_path / "elsewhere").open().append([envelope]) == (first,)


def test_crosses_the_edges_of_tiles_and_bundles(deployment: Deployment) -> None:
    sequencer = deployment.open()
    for count in (250, 1, 1, 1, 260):
        sequencer.append([deployment.event() for _ in range(count)])
    assert len(audit(deployment)) == 4 + 513
    found = set(deployment.store.keys(keyspace.log_prefix(deployment.log)))
    assert {keyspace.tile(deployment.log, 0, n) for n in range(2)} <= found
    assert keyspace.tile(deployment.log, 1, 0, 2) in found


def test_a_request_that_no_commit_can_hold_is_spread_over_several(
    quick: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.sequencer._MAX_EVENTS", 8)
    receipts = quick.open().append([quick.event() for _ in range(20)])
    assert [each.index for each in receipts] == list(range(4, 24))
    assert [each.n for each in receipts] == [2] * 8 + [3] * 8 + [4] * 4


def test_threads_that_wait_are_served_together(quick: Deployment) -> None:
    gate = threading.Event()
    gate.set()

    def hold(step: str) -> None:
        if step == "built":
            gate.wait(10)

    sequencer = quick.open(hook=hold)
    sequencer.append([quick.event()])
    gate.clear()
    envelopes = [quick.event() for _ in range(12)]
    with ThreadPoolExecutor(12) as threads:
        answers = [threads.submit(sequencer.append, [each]) for each in envelopes]
        while sum(each.running() for each in answers) < 12:
            pass
        gate.set()
        receipts = [each.result()[0] for each in answers]
    assert sorted(each.index for each in receipts) == list(range(5, 17))
    assert [each.payload_sha256 for each in receipts] == [each.payload_sha256 for each in envelopes]
    assert len({each.n for each in receipts}) < 12
    assert len(audit(quick)) == 17


def test_a_bad_event_fails_its_own_request_alone(quick: Deployment) -> None:
    sequencer = quick.open()
    stranger = quick.scribe(Ed25519Signer.generate())
    good, bad = quick.event(), stranger.event("case.opened", chain=f"scope:{stranger.new_id()}",
                                              subject=stranger.detail("case.json", {}), body={})  # fmt: skip
    with ThreadPoolExecutor(2) as threads:
        refused, kept = threads.submit(sequencer.append, [bad]), threads.submit(sequencer.append, [good])
        with pytest.raises(EventRefused, match="has introduced"):
            refused.result()
        assert kept.result()[0].payload_sha256 == good.payload_sha256
    with pytest.raises(EventRefused, match="has introduced"):
        sequencer.append([quick.event(), bad])
    assert len(audit(quick)) == 5


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda e: replace(e, payload=e.payload.replace(b'"attempt":1', b'"attempt":2')), "does not hold"),
        (lambda e: replace(e, sig=bytes(64)), "does not hold"),
        (lambda e: replace(e, keyid="0" * 64), "has introduced"),
        (lambda e: replace(e, payload=b"{}"), "cannot be recorded"),
        (lambda e: replace(e, payload=b"\xff"), "cannot be recorded"),
    ],
)
def test_refuses_an_event_that_is_not_what_was_signed(
    quick: Deployment, spoil: Callable[[Envelope], Envelope], reason: str
) -> None:
    sequencer = quick.open()
    with pytest.raises(EventRefused, match=reason):
        sequencer.append([spoil(quick.event())])
    assert len(audit(quick)) == 4


def test_refuses_the_same_id_with_other_bytes(quick: Deployment) -> None:
    sequencer = quick.open()
    scribe = quick.scribe()
    envelope = quick.event()
    sequencer.append([envelope])
    scribe.new_id = lambda: event_id_of(envelope.payload)  # type: ignore[method-assign]
    scope = quick.scribe().new_id()
    other = scribe.event("case.opened", chain=f"scope:{scope}", subject=scribe.detail("case.json", {}), body={})
    assert event_id_of(other.payload) == event_id_of(envelope.payload)
    with pytest.raises(EventRefused, match="with other bytes"):
        sequencer.append([other])


@pytest.mark.parametrize("type_", ["log.opened", "key.introduced", "trust.changed"])
def test_what_changes_trust_needs_the_root_key(quick: Deployment, type_: str) -> None:
    sequencer = quick.open()
    original = next(each for each in audit(quick) if each.event.type in {type_, "key.introduced"})
    worker = quick.scribe()
    body = {"authorities": []} if type_ == "trust.changed" else original.event.body
    name = {"log.opened": "policy.json", "key.introduced": "key.pem", "trust.changed": "trust.json"}[type_]
    forged = worker.event(type_, chain=original.event.chain, subject=worker.detail(name, {}), body=body)
    with pytest.raises(EventRefused, match="signatures by root keys"):
        sequencer.append([forged])


def test_a_log_is_opened_once(quick: Deployment) -> None:
    sequencer = quick.open()
    opened = audit(quick)[0].event
    root = quick.scribe(quick.home.signers.need_root())
    again = root.event("log.opened", chain=opened.chain, subject=root.detail("policy.json", {}), body=opened.body)
    with pytest.raises(EventRefused, match="open already"):
        sequencer.append([again])


def test_a_revoked_key_signs_no_more(quick: Deployment) -> None:
    sequencer = quick.open()
    before = quick.event()
    sequencer.append([before])
    root = quick.scribe(quick.home.signers.need_root())
    worker = keys.keyid(quick.home.signers.worker.public_key)
    body = {"keyid": worker, "reason": "lost", "since": "2026-01-01T00:00:00.000Z"}
    chain = f"log:{keyspace.slug(quick.log)}"
    revoked = root.event("key.revoked", chain=chain, subject=root.detail("revocation.json", {}), body=body)
    sequencer.append([revoked])
    with pytest.raises(EventRefused, match="was revoked"):
        sequencer.append([quick.event()])
    with pytest.raises(LogForeign, match=r"was revoked .* `counterproof keys rotate worker`"):
        quick.open()


def introduce(deployment: Deployment, signer: Signer, role: str) -> Envelope:
    root = deployment.scribe(deployment.home.signers.need_root())
    body: dict[str, Json] = {
        "keyid": keys.keyid(signer.public_key),
        "role": role,
        "public_key": base64.b64encode(signer.public_key).decode(),
        "valid_from": "2026-01-01T00:00:00.000Z",
    }
    chain = f"log:{keyspace.slug(deployment.log)}"
    return root.event(
        "key.introduced", chain=chain, subject=root.blob("key.pem", keys.pem(signer.public_key)), body=body
    )


def opened_by(deployment: Deployment, signer: Signer) -> Envelope:
    scribe = deployment.scribe(signer)
    subject = scribe.detail("case.json", {})
    return scribe.event("case.opened", chain=f"scope:{scribe.new_id()}", subject=subject, body={})


def test_a_second_worker_may_sign_once_it_was_introduced(quick: Deployment) -> None:
    sequencer, second = quick.open(), Ed25519Signer.generate()
    with pytest.raises(EventRefused, match="has introduced"):
        sequencer.append([opened_by(quick, second)])
    sequencer.append([introduce(quick, second, "worker")])
    (receipt,) = sequencer.append([opened_by(quick, second)])
    assert receipt.index == 5


def test_no_event_makes_a_root_key(quick: Deployment) -> None:
    sequencer, usurper = quick.open(), Ed25519Signer.generate()
    sequencer.append([introduce(quick, usurper, "root")])
    with pytest.raises(EventRefused, match="has introduced"):
        sequencer.append([opened_by(quick, usurper)])
    assert len(audit(quick)) == 5


def test_a_second_introduction_takes_no_revocation_back(quick: Deployment) -> None:
    sequencer, second = quick.open(), Ed25519Signer.generate()
    sequencer.append([introduce(quick, second, "worker")])
    root = quick.scribe(quick.home.signers.need_root())
    body: dict[str, Json] = {
        "keyid": keys.keyid(second.public_key), "reason": "compromised", "since": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    chain = f"log:{keyspace.slug(quick.log)}"
    sequencer.append([
        root.event("key.revoked", chain=chain, subject=root.detail("revocation.json", {}), body=body),
        introduce(quick, second, "worker"),
    ])  # fmt: skip
    with pytest.raises(EventRefused, match="was revoked"):
        sequencer.append([opened_by(quick, second)])
    assert len(audit(quick)) == 7


def test_a_bad_signature_beside_a_good_one_is_refused(quick: Deployment) -> None:
    sequencer = quick.open()
    log_key = keys.keyid(quick.home.signers.need_log().public_key)
    spoiled = replace(quick.event(), cosignatures=(Signature(log_key, bytes(64)),))
    with pytest.raises(EventRefused, match="does not hold"):
        sequencer.append([spoiled])
    sequencer.append([cosign(quick.event(), quick.home.signers.need_log())])
    assert len(audit(quick)) == 5


def test_an_event_for_another_logs_chain_is_refused(quick: Deployment) -> None:
    sequencer, scribe = quick.open(), quick.scribe()
    body: dict[str, Json] = {"passed": True, "bypass": "no"}
    stray = scribe.event(
        "storage.probed", chain="log:other.example_1", subject=scribe.detail("probe.json", {}), body=body
    )
    with pytest.raises(EventRefused, match="is not the chain of"):
        sequencer.append([stray])


# A home and a store that do not belong together


def test_a_new_home_is_refused_where_another_log_is(deployment: Deployment, tmp_path: Path) -> None:
    deployment.open()
    before = list(deployment.store.keys("v1/"))
    stranger = Deployment.make(tmp_path / "stranger", deployment.store)
    with pytest.raises(LogForeign, match="holds the log"):
        stranger.open()
    assert list(deployment.store.keys("v1/")) == before


def test_a_worker_key_that_was_never_introduced_is_refused(quick: Deployment, tmp_path: Path) -> None:
    quick.open()
    twin = quick.twin(tmp_path / "twin")
    (twin.home.keys / "worker.key").write_bytes(bytes(range(32)))
    twin.home = Home.open(twin.home.path, clock=now)
    with pytest.raises(LogForeign, match="never introduced"):
        twin.open()


def test_a_log_key_that_is_not_the_logs_is_refused(quick: Deployment) -> None:
    quick.open()
    (quick.home.keys / "log.key").write_bytes(bytes(range(32)))
    quick.home = Home.open(quick.home.path, clock=now)
    with pytest.raises(KeyFileError, match="not the one that the trust file names"):
        quick.open()


def test_a_home_whose_log_lies_elsewhere_does_not_begin_it_anew(quick: Deployment) -> None:
    quick.open()
    quick.store = MemoryStore()
    with pytest.raises(LogRollback, match="this is not the store that this home's log lies in"):
        quick.open()
    assert list(quick.store.keys("v1/")) == []


# A log that went backwards, or holds what no sequencer has written


def forget(deployment: Deployment) -> None:
    """The cache, not the memory of how far the log had come."""
    state = deployment.home.state_dir(deployment.log)
    for each in state.glob("heads.sqlite*"):
        each.unlink()


@pytest.mark.parametrize("cached", [True, False], ids=["cache kept", "cache lost"])
def test_a_store_put_back_from_an_old_copy_is_refused(tmp_path: Path, *, cached: bool) -> None:
    deployment = Deployment.make(tmp_path, directory(tmp_path))
    sequencer = deployment.open()
    sequencer.append([deployment.event()])
    shutil.copytree(tmp_path / "store", tmp_path / "old")
    sequencer.append([deployment.event()])
    deployment.store = DirectoryStore(tmp_path / "old")
    assert len(audit(deployment)) == 5, "the old copy is whole in itself"
    if not cached:
        forget(deployment)
    with pytest.raises(LogRollback):
        deployment.open()
    assert len(audit(deployment)) == 5


@pytest.mark.parametrize("cached", [True, False], ids=["cache kept", "cache lost"])
def test_the_last_commit_removed_is_refused(tmp_path: Path, *, cached: bool) -> None:
    deployment = Deployment.make(tmp_path, directory(tmp_path))
    sequencer = deployment.open()
    sequencer.append([deployment.event()])
    (tmp_path / "store" / keyspace.commit(deployment.log, 2)).unlink()
    with pytest.raises(LogRollback):
        sequencer.append([deployment.event()])
    if not cached:
        forget(deployment)
    with pytest.raises(LogRollback):
        deployment.open()


def test_a_machine_without_memory_still_sees_a_removed_commit_by_the_signed_checkpoint(tmp_path: Path) -> None:
    deployment = Deployment.make(tmp_path, directory(tmp_path))
    deployment.open().append([deployment.event()])
    (tmp_path / "store" / keyspace.commit(deployment.log, 2)).unlink()
    with pytest.raises(LogRollback, match="signed checkpoint of 5 leaves"):
        deployment.twin(tmp_path / "twin").open()


def test_a_commit_missing_in_the_middle_is_refused(tmp_path: Path) -> None:
    deployment = Deployment.make(tmp_path, directory(tmp_path))
    sequencer = deployment.open()
    for _ in range(6):
        sequencer.append([deployment.event()])
    (tmp_path / "store" / keyspace.commit(deployment.log, 5)).unlink()
    with pytest.raises(LogRollback, match=r"commit 5 .* is missing|signed checkpoint"):
        deployment.twin(tmp_path / "twin").open()


def test_two_histories_under_one_key_are_seen_as_a_fork(tmp_path: Path) -> None:
    deployment = Deployment.make(tmp_path, directory(tmp_path))
    deployment.open()
    shutil.copytree(tmp_path / "store", tmp_path / "other")
    twin = deployment.twin(tmp_path / "twin")
    twin.store = DirectoryStore(tmp_path / "other")
    for each in (deployment, twin):
        each.open().append([each.event()])
        each.open().append([each.event()])
    deployment.store = twin.store
    with pytest.raises(LogRollback):
        deployment.open()


def forged_commit(deployment: Deployment, **changes: object) -> bytes:
    """What somebody with the store's credentials and no key could write as the next commit."""
    (last,) = list(LogReader(deployment.store, deployment.log).commits())[-1:]
    mallory = deployment.scribe(Ed25519Signer.generate())
    envelope = mallory.event(
        "case.opened", chain=f"scope:{mallory.new_id()}", subject=mallory.detail("case.json", {}), body={}
    )
    leaf = Leaf(deployment.log, last.commit.new, now(), (Chain(_chain(envelope), 0, None),), envelope).format()
    edge = deployment.open()._follower.edge
    fields = {
        "n": last.commit.n + 1,
        "prev": last.sha256,
        "old": last.commit.new,
        "new": last.commit.new + 1,
        "root": edge.grow([leaf]).root,
        "key": last.commit.key,
        "by": last.commit.by,
        "nonce": "0" * 32,
        "leaves": (leaf,),
        **changes,
    }
    return Commit(**fields).format()  # type: ignore[arg-type]


def _chain(envelope: Envelope) -> str:
    value = canonical.loads(envelope.payload)
    assert isinstance(value, dict)
    predicate = value["predicate"]
    assert isinstance(predicate, dict)
    return str(predicate["chain"])


def test_no_checkpoint_is_signed_over_a_leaf_that_nobody_with_a_key_has_signed(quick: Deployment) -> None:
    sequencer = quick.open()
    put(quick, keyspace.commit(quick.log, 2), forged_commit(quick))
    for refuse in (lambda: sequencer.append([quick.event()]), quick.open):
        with pytest.raises(LogError, match=r"holds what it should not .*has introduced"):
            refuse()
    checkpoints = list(quick.store.keys(f"{keyspace.log_prefix(quick.log)}checkpoints/"))
    assert checkpoints == [keyspace.checkpoint_at(quick.log, 4)]


def replayed(deployment: Deployment) -> bytes:
    """A real event a second time, in a place of its own."""
    last = audit(deployment)[-1]
    chain = Chain(last.event.chain, last.leaf.chains[0].seq + 1, last.leaf_sha256.hex)
    leaf = Leaf(deployment.log, last.index + 1, now(), (chain,), last.leaf.event).format()
    root = deployment.open()._follower.edge.grow([leaf]).root
    return forged_commit(deployment, leaves=(leaf,), root=root)


def moved(deployment: Deployment) -> bytes:
    """A new and rightly signed event, put at the beginning of a chain that has begun."""
    last = audit(deployment)[-1]
    envelope = deployment.event(unit=last.event.chain.removeprefix("item:"))
    leaf = Leaf(deployment.log, last.index + 1, now(), (Chain(last.event.chain, 0, None),), envelope).format()
    root = deployment.open()._follower.edge.grow([leaf]).root
    return forged_commit(deployment, leaves=(leaf,), root=root)


def other_root(deployment: Deployment) -> bytes:
    leaf = good_leaf(deployment)
    return forged_commit(deployment, leaves=(leaf,), root=bytes(32))


def other_key(deployment: Deployment) -> bytes:
    leaf = good_leaf(deployment)
    root = deployment.open()._follower.edge.grow([leaf]).root
    return forged_commit(deployment, leaves=(leaf,), root=root, key="0" * 64)


def good_leaf(deployment: Deployment) -> bytes:
    last = audit(deployment)[-1]
    envelope = deployment.event()
    return Leaf(deployment.log, last.index + 1, now(), (Chain(_chain(envelope), 0, None),), envelope).format()


def unchained(deployment: Deployment) -> bytes:
    return forged_commit(deployment, prev=Digest("0" * 64))


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (replayed, "is in the log already"),
        (moved, "expected its place"),
        (other_root, "does not say what its leaves say"),
        (other_key, "does not say what its leaves say"),
        (unchained, "does not follow"),
        (lambda _: b"garbage", "is damaged"),
    ],
)
def test_a_commit_that_no_sequencer_would_have_made_stops_the_log(
    quick: Deployment, forge: Callable[[Deployment], bytes], reason: str
) -> None:
    sequencer = quick.open()
    sequencer.append([quick.event()])
    put(quick, keyspace.commit(quick.log, 3), forge(quick))
    with pytest.raises(LogError, match=reason):
        sequencer.append([quick.event()])
    assert keyspace.checkpoint_at(quick.log, 6) not in set(quick.store.keys(keyspace.log_prefix(quick.log)))


def test_a_forked_checkpoint_stops_the_log(quick: Deployment) -> None:
    sequencer = quick.open()
    fork = Checkpoint(quick.log, 5, bytes(32)).sign(quick.home.signers.need_log())
    quick.store.replace(keyspace.checkpoint(quick.log), fork)
    with pytest.raises(LogError):
        sequencer.append([quick.event()])


# A store that fails


PARTS = {
    "commit": lambda log: keyspace.commit(log, 3),
    "bundle": lambda log: keyspace.entries(log, 0, 6),
    "tile": lambda log: keyspace.tile(log, 0, 0, 6),
    "checkpoint": lambda log: keyspace.checkpoint_at(log, 6),
    "pointer": keyspace.checkpoint,
}


def unreliable(tmp_path: Path, part: str) -> tuple[Deployment, UnreliableStore, Sequencer]:
    store = UnreliableStore(MemoryStore())
    deployment = Deployment.make(tmp_path, store)
    sequencer = deployment.open()
    sequencer.append([deployment.event()])
    key = PARTS[part](deployment.log)
    store.matches = lambda asked: asked == key
    return deployment, store, sequencer


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("fault", ["loses", "alters", "hides", "swallows_answers", "down"])
def test_no_receipt_for_what_was_not_read_back_and_one_event_when_it_is_tried_again(
    tmp_path: Path, part: str, fault: str
) -> None:
    deployment, store, sequencer = unreliable(tmp_path, part)
    envelope = deployment.event()
    setattr(store, fault, True)
    with pytest.raises((StoreError, LogError)) as refused:
        sequencer.append([envelope])
    assert isinstance(refused.value, ArchiveError)
    assert store.triggered, "the fault was there"
    store.heal()
    (receipt,) = sequencer.append([envelope])
    assert receipt.index == 5
    assert len(audit(deployment)) == 6
    assert deployment.open().append([envelope]) == (receipt,)


@pytest.mark.parametrize("part", ["bundle", "tile", "checkpoint"])
def test_an_old_event_gets_no_receipt_when_its_proof_is_gone(tmp_path: Path, part: str) -> None:
    deployment, store, sequencer = unreliable(tmp_path, part)
    envelope = deployment.event()
    sequencer.append([envelope])
    for store.hides, store.alters in ((True, False), (False, True)):
        before = store.triggered
        with pytest.raises(StoreError):
            sequencer.append([envelope])
        assert store.triggered > before


def test_a_slot_that_was_tried_for_is_tried_with_the_same_bytes(tmp_path: Path) -> None:
    deployment, store, sequencer = unreliable(tmp_path, "commit")
    first, second = deployment.event(), deployment.event()
    store.swallows_answers = True
    with pytest.raises(StoreDown):
        sequencer.append([first])
    store.heal()
    (receipt,) = sequencer.append([second])
    assert receipt.n == 4
    assert ids(audit(deployment))[5:] == [event_id_of(first.payload), event_id_of(second.payload)]


def test_a_damaged_cache_is_made_again(quick: Deployment) -> None:
    sequencer = quick.open()
    envelope = quick.event()
    (receipt,) = sequencer.append([envelope])
    sequencer.close()
    cache = quick.home.state_dir(quick.log) / "heads.sqlite"
    for each in cache.parent.glob("heads.sqlite-*"):
        each.unlink()
    cache.write_bytes(b"this is no database, and has been one" * 100)
    assert quick.open().append([envelope]) == (receipt,)


def test_a_damaged_memory_of_the_head_stops(quick: Deployment) -> None:
    quick.open()
    (quick.home.state_dir(quick.log) / "head.json").write_bytes(b"{}")
    with pytest.raises(LogRollback, match="is damaged"):
        quick.open()


@pytest.mark.slow
def test_a_log_three_times_as_long_takes_no_more_memory(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    deployment = Deployment.make(tmp_path, DirectoryStore(tmp_path / "store"))
    job = deployment.scribe().detail("job.json", {})

    def grow() -> None:
        sequencer = deployment.open()
        for _ in range(25):
            sequencer.append([deployment.event(subject=job) for _ in range(40)])
        sequencer.close()

    def peak() -> int:
        """Of a machine that knows nothing, reads the whole log, and appends."""
        twin = deployment.twin(tmp_path / "twin")
        gc.collect()
        tracemalloc.start()
        twin.open().append([twin.event(subject=job)])
        measured = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        shutil.rmtree(tmp_path / "twin")
        return measured

    def least() -> int:
        """What others in this process do meanwhile can only add to it."""
        return min(peak() for _ in range(3))

    for _ in range(2):  # in one alone the log is not yet read as far ahead as it ever is
        grow()
    peak()  # imports and caches that are filled once
    short = least()
    for _ in range(4):
        grow()
    assert deployment.open().position.size > 6000
    assert least() < 1.3 * short


def test_finds_events_by_type_and_reads_them_from_the_store(quick: Deployment) -> None:
    sequencer = quick.open()
    scribe = quick.scribe()
    scopes = [scribe.new_id() for _ in range(3)]
    for scope in scopes:
        opened = scribe.event("case.opened", chain=f"scope:{scope}", subject=scribe.detail("case.json", {}), body={})
        sequencer.append([quick.event(), opened])
    found = [each.event.chain for each in sequencer.events("case.opened")]
    assert found == [f"scope:{scope}" for scope in scopes]
    assert [each.event.chain for each in sequencer.events("case.opened", newest_first=True)] == found[::-1]
    assert [each.event.chain for each in sequencer.reader.events("case.opened")] == found


def test_says_in_the_log_when_the_trust_file_has_changed(quick: Deployment) -> None:
    quick.open()
    authority = authorities.add(quick.home, "http://time.example/")
    quick.open()
    quick.open()
    changed = [each for each in audit(quick) if each.event.type == "trust.changed"]
    assert [each.event.body["authorities"] for each in changed] == [[authority]]
    assert quick.store.read(keyspace.blob(changed[0].event.subjects[0].digest)) == quick.home.trust.format()


def test_finds_events_that_another_process_of_the_home_has_read_already(quick: Deployment) -> None:
    """Both look into one index; whoever is behind must not trip over what is ahead of it."""
    behind, ahead = quick.open(), quick.open()
    for _ in range(3):
        scribe = quick.scribe()
        case = scribe.detail("case.json", {"scope": scribe.new_id(), "name": "x"})
        ahead.append([scribe.event("case.opened", chain=f"scope:{scribe.new_id()}", subject=case, body={})])
    assert len(list(behind.events("case.opened"))) == 3
    assert len(list(behind.events("case.opened", newest_first=True))) == 3


def test_a_log_that_is_not_begun_takes_no_events(quick: Deployment) -> None:
    sequencer = Sequencer(
        quick.store,
        trust=quick.home.trust,
        log_signer=quick.home.signers.need_log(),
        worker=keys.keyid(quick.home.signers.worker.public_key),
        state_dir=quick.home.state_dir(quick.log),
        clock=now,
        retain_until=tomorrow,
    )
    sequencer.open()
    assert sequencer.position == Position()
    with pytest.raises(LogError, match="not begun"):
        sequencer.append([quick.event()])
    assert open_log(quick.home, quick.store, clock=now, retain_until=tomorrow).position.n == 1


def test_a_commit_of_somebody_else_that_was_removed_stops_a_writer_that_never_saw_it(tmp_path: Path) -> None:
    deployment = Deployment.make(tmp_path, directory(tmp_path))
    sequencer = deployment.open()
    sequencer.append([deployment.event()])
    deployment.twin(tmp_path / "twin").open().append([deployment.event()])
    (tmp_path / "store" / keyspace.commit(deployment.log, 3)).unlink()
    with pytest.raises(LogRollback, match="signed checkpoint of 6 leaves"):
        sequencer.append([deployment.event()])
    assert not (tmp_path / "store" / keyspace.commit(deployment.log, 3)).exists()


def test_a_commit_that_nobody_has_published_is_met_when_its_place_is_wanted(tmp_path: Path) -> None:
    deployment = Deployment.make(tmp_path, directory(tmp_path))
    sequencer = deployment.open()
    sequencer.append([deployment.event()])

    class Died(Exception):
        pass

    def dies(step: str) -> None:
        if step == "committed":
            raise Died

    dying = deployment.twin(tmp_path / "twin").open(hook=dies)
    with pytest.raises(Died):
        dying.append([deployment.event()])
    (receipt,) = sequencer.append([deployment.event()])
    assert (receipt.n, receipt.index) == (4, 6)
    assert len(audit(deployment)) == 7


def test_one_append_asks_the_store_for_little(tmp_path: Path) -> None:
    """Each question is a turn to a store that may be far away: this is what a receipt rests on, and no more."""
    inner = Deployment.make(tmp_path, MemoryStore())
    sequencer = inner.open()
    sequencer.append([inner.event()])
    asked: list[str] = []
    real = inner.store.read

    def read(key: str) -> bytes:
        asked.append(key.removeprefix(keyspace.log_prefix(inner.log)))
        return real(key)

    inner.store.read = read  # type: ignore[method-assign]
    sequencer.append([inner.event()])
    names = sorted(each.split("/")[0] for each in asked)
    # The newest commit as it lies there, and ours once it is made.
    assert names == ["checkpoint"] * 3 + ["checkpoints", "commit", "commit", "tile", "tile"], asked
