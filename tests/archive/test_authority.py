"""Trusted time: asked once, kept before it is judged, and never waited for beyond the limit."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive import authorities
from archive.authority import Authority, Refused, Stamped
from archive.errors import StoreError
from archive.memory import MemoryStore
from archive.sealing import Sealing
from archive.sequencer import Sequencer
from custody import keyspace, timestamp
from custody.checkpoint import open_checkpoint
from custody.digest import Digest
from custody.event import Anchor
from tests.archive.deployment import Deployment, UnreliableStore, audit, tomorrow
from tests.authority import LocalAuthority, Mood

NOBODY = "http://127.0.0.1:9/"  # discard: nothing listens there


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("authority")
    LocalAuthority(directory)
    return directory


@pytest.fixture
def served(made: Path) -> Iterator[LocalAuthority]:
    with LocalAuthority(made) as authority:
        yield authority


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment.make(tmp_path, MemoryStore())


def authority(deployment: Deployment, url: str, roots: str, *, timeout_s: float = 10.0) -> Authority:
    added = authorities.add(deployment.home, url, roots_pem=roots)
    believed = deployment.home.trust.authority(added)
    assert believed is not None
    return Authority(believed, store=deployment.store, log=deployment.log, retain_until=tomorrow, timeout_s=timeout_s)


def stamp(deployment: Deployment, asked: Authority) -> Stamped | Refused:
    size, checkpoint = deployment.open().checkpoint()
    return asked.stamp(checkpoint, size)


def kept(deployment: Deployment, asked: Authority) -> set[str]:
    prefix = f"{keyspace.log_prefix(deployment.log)}timestamps/"
    return {key.rpartition(".")[2] for key in deployment.store.keys(prefix) if asked.id in key}


def test_a_token_is_kept_with_its_query_and_holds(deployment: Deployment, served: LocalAuthority) -> None:
    asked = authority(deployment, served.url, served.roots_pem)
    size, checkpoint = deployment.open().checkpoint()
    stamped = asked.stamp(checkpoint, size)
    assert isinstance(stamped, Stamped)
    assert (stamped.trusted, stamped.state, stamped.reason, stamped.size) == (True, "trusted", "", size)
    query = deployment.store.read(keyspace.query(deployment.log, size, asked.id))
    response = deployment.store.read(keyspace.token(deployment.log, size, asked.id))
    assert served.queries == [query]
    assert Digest.of(response) == stamped.token_sha256
    believed = deployment.home.trust.authorities[0]
    assert timestamp.judge(query, response, checkpoint, believed) == stamped.token


def test_a_checkpoint_that_has_its_token_is_not_stamped_again(deployment: Deployment, served: LocalAuthority) -> None:
    asked = authority(deployment, served.url, served.roots_pem)
    assert stamp(deployment, asked) == stamp(deployment, asked)
    assert len(served.queries) == 1


def test_a_query_whose_sender_died_is_sent_again(deployment: Deployment, served: LocalAuthority) -> None:
    asked = authority(deployment, served.url, served.roots_pem)
    served.mood = Mood.DOWN
    assert isinstance(stamp(deployment, asked), Refused)
    assert kept(deployment, asked) == {"tsq"}, "the query is kept before it is sent"
    served.mood = Mood.HONEST
    stamped = stamp(deployment, asked)
    assert isinstance(stamped, Stamped)
    assert stamped.trusted
    assert len(set(served.queries)) == 1


def test_without_its_roots_a_token_is_kept_and_unverified(deployment: Deployment, served: LocalAuthority) -> None:
    size, checkpoint = deployment.open().checkpoint()
    stamped = authority(deployment, served.url, "").stamp(checkpoint, size)
    assert isinstance(stamped, Stamped)
    assert stamped.state == "unverified"
    assert stamped.reason.startswith("TS_TRUST: ")
    assert stamped.token is not None
    again = authority(deployment, served.url, served.roots_pem).stamp(checkpoint, size)
    assert isinstance(again, Stamped)
    assert again.trusted, "who holds the roots believes the same bytes"
    assert again.response == stamped.response


@pytest.mark.parametrize(
    ("mood", "code"),
    [(Mood.GARBAGE, "TS_PARSE"), (Mood.WRONG_IMPRINT, "TS_IMPRINT"), (Mood.WRONG_NONCE, "TS_NONCE")],
)
def test_an_answer_that_does_not_hold_is_kept_and_unverified(
    deployment: Deployment, served: LocalAuthority, mood: Mood, code: str
) -> None:
    asked = authority(deployment, served.url, served.roots_pem)
    served.mood = mood
    stamped = stamp(deployment, asked)
    assert isinstance(stamped, Stamped)
    assert not stamped.trusted
    assert stamped.token is None
    assert stamped.reason.startswith(f"{code}: ")
    assert kept(deployment, asked) == {"tsq", "tsr"}


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        (Mood.DOWN, "could not be asked"),
        (Mood.ERROR, "answered HTTP 503"),
        (Mood.REJECTION, "did not grant a token"),
        (Mood.MODIFIED, "did not grant a token"),
    ],
)
def test_no_token_is_said_and_leaves_room_for_a_later_one(
    deployment: Deployment, served: LocalAuthority, mood: Mood, reason: str
) -> None:
    asked = authority(deployment, served.url, served.roots_pem)
    served.mood = mood
    refused = stamp(deployment, asked)
    assert isinstance(refused, Refused)
    assert reason in refused.reason
    assert kept(deployment, asked) == {"tsq"}
    served.mood = Mood.HONEST
    assert isinstance(stamp(deployment, asked), Stamped)


def test_an_authority_that_is_not_there_is_said(deployment: Deployment) -> None:
    refused = stamp(deployment, authority(deployment, NOBODY, ""))
    assert isinstance(refused, Refused)
    assert "could not be asked" in refused.reason


def test_a_slow_authority_is_not_waited_for(deployment: Deployment, served: LocalAuthority) -> None:
    asked = authority(deployment, served.url, served.roots_pem, timeout_s=0.5)
    size, checkpoint = deployment.open().checkpoint()
    served.mood, served.delay_s = Mood.SLOW, 30.0
    before = time.monotonic()
    refused = asked.stamp(checkpoint, size)
    assert time.monotonic() - before < 5
    assert isinstance(refused, Refused)
    assert "within 0.5 s" in refused.reason or "timed out" in refused.reason


def test_a_store_that_cannot_keep_the_query_means_that_nothing_is_sent(
    deployment: Deployment, served: LocalAuthority
) -> None:
    size, checkpoint = deployment.open().checkpoint()
    deployment.store = UnreliableStore(deployment.store, matches=lambda key: key.endswith(".tsq"), down=True)
    with pytest.raises(StoreError):
        authority(deployment, served.url, served.roots_pem).stamp(checkpoint, size)
    assert served.queries == []


def test_of_two_answers_the_first_that_was_kept_counts(deployment: Deployment, served: LocalAuthority) -> None:
    asked = authority(deployment, served.url, served.roots_pem)
    size, checkpoint = deployment.open().checkpoint()
    query = timestamp.query(checkpoint, 7)
    first = served.answer(query)
    for key, data in (
        (keyspace.query(deployment.log, size, asked.id), query),
        (keyspace.token(deployment.log, size, asked.id), first),
    ):
        deployment.store.create(key, data, digest=Digest.of(data), retain_until=None)
    stamped = asked.stamp(checkpoint, size)
    assert isinstance(stamped, Stamped)
    assert (stamped.response, stamped.trusted) == (first, True)


# Sealing


def sealing(deployment: Deployment, sequencer: Sequencer, *authorities: Authority) -> Sealing:
    return Sealing(sequencer, deployment.scribe(), authorities)


def test_sealed_means_a_token_over_a_checkpoint_that_holds_the_leaf(
    deployment: Deployment, served: LocalAuthority
) -> None:
    asked = authority(deployment, served.url, served.roots_pem)
    sequencer = deployment.open()
    receipts = sequencer.append([deployment.event(), deployment.event()])
    seal = sealing(deployment, sequencer, asked)
    assert seal.anchor() is None
    sealed = seal.seal(receipts)
    assert sealed.sealed
    assert sealed.size is not None
    assert sealed.size > max(each.index for each in receipts)
    (logged,) = [each for each in audit(deployment) if each.event.type == "log.timestamped"]
    (stamped,) = sealed.stamps
    assert isinstance(stamped, Stamped)
    assert stamped.token is not None
    assert logged.event.body["size"] == sealed.size
    assert logged.event.body["serial"] == str(stamped.token.serial)
    blob = deployment.store.read(keyspace.blob(logged.event.subjects[0].digest))
    assert blob == deployment.store.read(keyspace.token(deployment.log, sealed.size, asked.id))
    assert seal.anchor() == Anchor(size=sealed.size, token_sha256=stamped.token_sha256)


def test_what_the_last_token_holds_already_is_not_stamped_again(deployment: Deployment, served: LocalAuthority) -> None:
    sequencer = deployment.open()
    seal = sealing(deployment, sequencer, authority(deployment, served.url, served.roots_pem))
    first, second = sequencer.append([deployment.event(), deployment.event()])
    assert seal.seal([first]).sealed
    assert seal.seal([second]).sealed
    assert seal.seal([first, second]).sealed
    assert len(served.queries) == 1, "a token's own leaf asks for no other token"
    assert seal.seal(sequencer.append([deployment.event()])).sealed
    assert len(served.queries) == 2


def test_without_an_authority_nothing_is_sealed(deployment: Deployment) -> None:
    sequencer = deployment.open()
    sealed = sealing(deployment, sequencer).seal(sequencer.append([deployment.event()]))
    assert (sealed.sealed, sealed.size, sealed.stamps) == (False, None, ())


@pytest.mark.parametrize("mood", [Mood.DOWN, Mood.GARBAGE, Mood.WRONG_NONCE, Mood.REJECTION])
def test_without_a_token_that_holds_nothing_is_sealed_and_the_next_try_may(
    deployment: Deployment, served: LocalAuthority, mood: Mood
) -> None:
    sequencer = deployment.open()
    seal = sealing(deployment, sequencer, authority(deployment, served.url, served.roots_pem))
    receipts = sequencer.append([deployment.event()])
    served.mood = mood
    assert not seal.seal(receipts).sealed
    assert seal.anchor() is None
    served.mood = Mood.HONEST
    sequencer.append([deployment.event()])
    assert seal.seal(receipts).sealed
    audit(deployment)


def test_an_unverified_token_is_logged_and_seals_nothing(deployment: Deployment, served: LocalAuthority) -> None:
    sequencer = deployment.open()
    seal = sealing(deployment, sequencer, authority(deployment, served.url, ""))
    sealed = seal.seal(sequencer.append([deployment.event()]))
    assert not sealed.sealed
    assert [each.state for each in sealed.stamps if isinstance(each, Stamped)] == ["unverified"]
    assert [each.event.type for each in audit(deployment)][-1] == "log.timestamped"
    assert seal.anchor() is None


def test_a_new_process_finds_the_newest_anchor_that_holds(deployment: Deployment, served: LocalAuthority) -> None:
    asked = authority(deployment, served.url, served.roots_pem)
    sequencer = deployment.open()
    seal = sealing(deployment, sequencer, asked)
    seal.seal(sequencer.append([deployment.event()]))
    seal.seal(sequencer.append([deployment.event()]))
    anchor = seal.anchor()
    assert anchor is not None
    assert sealing(deployment, deployment.open(), asked).anchor() == anchor
    rootless = authority(deployment, served.url + "other", "")
    assert sealing(deployment, deployment.open(), rootless).anchor() is None


def test_a_checkpoint_that_was_altered_is_not_stamped(deployment: Deployment, served: LocalAuthority) -> None:
    asked = authority(deployment, served.url, served.roots_pem)
    sequencer = deployment.open()
    receipts = sequencer.append([deployment.event()])
    checkpoint = keyspace.checkpoint_at(deployment.log, receipts[0].tree_size)
    store = UnreliableStore(deployment.store, matches=lambda key: key == checkpoint, alters=True)
    sequencer.reader.store = store
    with pytest.raises(StoreError):
        sealing(deployment, sequencer, asked).seal(receipts)
    assert store.triggered
    assert served.queries == []


def test_one_of_two_authorities_is_enough_where_the_trust_file_says_so(
    deployment: Deployment, served: LocalAuthority
) -> None:
    asked = [authority(deployment, NOBODY, ""), authority(deployment, served.url, served.roots_pem)]
    sequencer = deployment.open()
    sealed = sealing(deployment, sequencer, *asked).seal(sequencer.append([deployment.event()]))
    assert sealed.sealed
    assert [type(each) for each in sealed.stamps] == [Refused, Stamped]


def test_sealed_is_not_said_when_the_leaf_is_not_in_the_stored_tree(
    deployment: Deployment, served: LocalAuthority
) -> None:
    asked = authority(deployment, served.url, served.roots_pem)
    sequencer = deployment.open()
    (receipt,) = sequencer.append([deployment.event()])
    seal = sealing(deployment, sequencer, asked)
    bundle = keyspace.entries(deployment.log, 0, receipt.tree_size)
    store = UnreliableStore(deployment.store, matches=lambda key: key == bundle, alters=True)
    sequencer.reader.store = store
    with pytest.raises(StoreError):
        seal.seal([receipt])
    assert store.triggered


def test_the_checkpoint_that_was_stamped_is_the_stored_one(deployment: Deployment, served: LocalAuthority) -> None:
    asked = authority(deployment, served.url, served.roots_pem)
    sequencer = deployment.open()
    sealed = sealing(deployment, sequencer, asked).seal(sequencer.append([deployment.event()]))
    assert sealed.size is not None
    checkpoint = deployment.store.read(keyspace.checkpoint_at(deployment.log, sealed.size))
    assert open_checkpoint(checkpoint, deployment.home.trust.log).size == sealed.size
    assert asked.kept(checkpoint, sealed.size) == sealed.stamps[0]
