"""k of n: enough different authorities, however late some are, and whoever in the house has asked them."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from archive import authorities
from archive.authority import Authority, Refused, Stamped
from archive.errors import StoreError
from archive.home import authority_id
from archive.memory import MemoryStore
from archive.opinion import ask_openssl
from archive.pacing import Acquaintances
from archive.sealing import Sealing
from archive.sequencer import Sequencer
from archive.timekeeping import Timekeeper, told
from custody import keyspace
from custody.verify import verify
from tests.archive.deployment import Deployment, UnreliableStore, audit, now, tomorrow
from tests.authority import LocalAuthority, Mood

COUNT = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directories = [tmp_path_factory.mktemp(f"authority{n}") for n in range(COUNT)]
    for directory in directories:
        LocalAuthority(directory)
    return directories


@pytest.fixture
def served(made: list[Path]) -> Iterator[list[LocalAuthority]]:
    with ExitStack() as stack:
        yield [stack.enter_context(LocalAuthority(directory)) for directory in made]


@dataclass
class House:
    """A deployment that believes some authorities, and how many of them have to stamp."""

    deployment: Deployment
    served: list[LocalAuthority]
    quorum: int
    timeout_s: float = 10.0
    spacing_s: float = 0.0
    sequencer: Sequencer = field(init=False)

    def __post_init__(self) -> None:
        for each in self.served:
            authorities.add(self.deployment.home, each.url, roots_pem=each.roots_pem)
        authorities.set_quorum(self.deployment.home, self.quorum)
        self.sequencer = self.deployment.open()

    def ids(self) -> list[str]:
        return [authority_id(each.url) for each in self.served]

    def sealing(self, sequencer: Sequencer | None = None, **more: object) -> Sealing:
        asked = [
            Authority(
                each,
                store=self.deployment.store,
                log=self.deployment.log,
                retain_until=tomorrow,
                timeout_s=self.timeout_s,
                spacing_s=self.spacing_s,
            )
            for each in self.deployment.home.trust.authorities
        ]
        return Sealing(sequencer or self.sequencer, self.deployment.scribe(), asked, **more)  # type: ignore[arg-type]

    def stamped(self) -> list[tuple[int, str]]:
        return [
            (int(str(each.event.body["size"])), str(each.event.body["authority"]))
            for each in audit(self.deployment)
            if each.event.type == "log.timestamped"
        ]

    def covered_by_the_verifier(self) -> int:
        verdict = verify(self.deployment.store, self.deployment.home.trust, at=now())
        return int(str(verdict.facts["leaves_covered"]))


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment.make(tmp_path, MemoryStore())


def test_all_are_asked_at_once_and_enough_of_them_seal(deployment: Deployment, served: list[LocalAuthority]) -> None:
    house = House(deployment, served, quorum=2)
    sealing = house.sealing()
    receipts = house.sequencer.append([deployment.event(), deployment.event()])
    sealed = sealing.seal(receipts)
    assert sealed.sealed
    assert sealed.quorum == 2
    assert set(sealed.by) == set(house.ids())
    assert {size for size, _ in house.stamped()} == {sealed.size}, "one checkpoint"
    assert sealed.proved == sealed.size == house.covered_by_the_verifier()
    assert [len(each.queries) for each in served] == [1, 1, 1]


@pytest.mark.parametrize("mood", [Mood.DOWN, Mood.ERROR, Mood.REJECTION, Mood.GARBAGE])
def test_one_too_few_seals_nothing_and_keeps_what_came(
    deployment: Deployment, served: list[LocalAuthority], mood: Mood
) -> None:
    served[1].mood = served[2].mood = mood
    house = House(deployment, served, quorum=2)
    sealing = house.sealing()
    sealed = sealing.seal(house.sequencer.append([deployment.event()]))
    assert not sealed.sealed
    assert (sealed.by, sealed.proved) == ((house.ids()[0],), 0)
    assert [authority for _, authority in house.stamped()] == [house.ids()[0]]
    assert house.covered_by_the_verifier() == 0
    said = told(sealed)
    assert said.sealed_size == 0
    assert said.time == ("unverified" if mood is Mood.GARBAGE else "unavailable")
    assert "1 of the 2 authorities that have to stamp" in said.detail
    assert house.ids()[1] in said.detail


def test_a_later_round_asks_only_those_that_were_missing(deployment: Deployment, served: list[LocalAuthority]) -> None:
    served[1].mood = served[2].mood = Mood.DOWN
    house = House(deployment, served, quorum=3)
    sealing = house.sealing()
    receipts = house.sequencer.append([deployment.event()])
    assert not sealing.seal(receipts).sealed
    served[1].mood = Mood.HONEST
    assert not sealing.seal(receipts).sealed
    served[2].mood = Mood.HONEST
    sealed = sealing.seal(receipts)
    assert sealed.sealed
    assert [len(each.queries) for each in served] == [1, 2, 3]
    assert len({size for size, _ in house.stamped()}) == 1, "all over the one checkpoint that the first had stamped"
    assert house.covered_by_the_verifier() == sealed.size


def test_an_answer_that_does_not_hold_takes_another_checkpoint(
    deployment: Deployment, served: list[LocalAuthority]
) -> None:
    """What came is kept under its checkpoint, and nothing may come in its place."""
    served[1].mood = Mood.WRONG_NONCE
    house = House(deployment, served[:2], quorum=2)
    sealing = house.sealing()
    receipts = house.sequencer.append([deployment.event()])
    assert not sealing.seal(receipts).sealed
    served[1].mood = Mood.HONEST
    sealed = sealing.seal(receipts)
    assert sealed.sealed
    first, second = house.stamped()
    assert first[0] < second[0]
    assert len(served[0].queries) == 1, "its token is over the leaves already"
    assert house.covered_by_the_verifier() == first[0] > receipts[0].index
    assert sealed.proved == first[0]


def test_a_token_over_a_later_checkpoint_covers_earlier_leaves(
    deployment: Deployment, served: list[LocalAuthority]
) -> None:
    served[1].mood = Mood.DOWN
    house = House(deployment, served[:2], quorum=2)
    sealing = house.sealing()
    early = house.sequencer.append([deployment.event()])
    assert not sealing.seal(early).sealed
    served[1].mood = Mood.HONEST
    late = house.sequencer.append([deployment.event()])
    assert sealing.seal(late).sealed
    assert sealing.seal(early).sealed
    assert [len(each.queries) for each in served[:2]] == [2, 2]


def test_a_slow_one_does_not_hold_up_enough_others(deployment: Deployment, served: list[LocalAuthority]) -> None:
    served[2].mood, served[2].delay_s = Mood.SLOW, 4.0
    house = House(deployment, served, quorum=2)
    sealing = house.sealing()
    receipts = house.sequencer.append([deployment.event()])
    before = time.monotonic()
    sealed = sealing.seal(receipts)
    assert sealed.sealed
    assert time.monotonic() - before < 3.8, "the two others, and a moment of grace"
    assert len(house.stamped()) == 2
    time.sleep(max(0.0, before + 5 - time.monotonic()))
    served[2].mood = Mood.HONEST
    assert sealing.seal(house.sequencer.append([deployment.event()])).sealed
    told_of = [authority for _, authority in house.stamped()]
    assert told_of.count(house.ids()[2]) == 2, "its late answer was kept, and is told of by the next round"


def test_a_slow_one_that_is_needed_is_waited_for_within_the_limit(
    deployment: Deployment, served: list[LocalAuthority]
) -> None:
    served[1].mood, served[1].delay_s = Mood.SLOW, 30.0
    house = House(deployment, served[:2], quorum=2)
    sealing = house.sealing()
    before = time.monotonic()
    sealed = sealing.seal(house.sequencer.append([deployment.event()]), within_s=1.5)
    assert time.monotonic() - before < 5
    assert not sealed.sealed
    assert [type(each) for each in sealed.stamps] == [Stamped, Refused]


def test_events_do_not_wait_for_a_stamp(deployment: Deployment, served: list[LocalAuthority]) -> None:
    served[0].mood, served[0].delay_s = Mood.SLOW, 3.0
    house = House(deployment, served[:1], quorum=1)
    sealing = house.sealing()
    receipts = house.sequencer.append([deployment.event()])
    stamping = threading.Thread(target=sealing.seal, args=(receipts,))
    stamping.start()
    time.sleep(0.5)
    before = time.monotonic()
    sealing.anchor()
    house.sequencer.append([deployment.event()])
    assert time.monotonic() - before < 2
    assert stamping.is_alive(), "the stamp is still being waited for"
    stamping.join()


def test_another_process_rests_on_the_same_tokens(deployment: Deployment, served: list[LocalAuthority]) -> None:
    house = House(deployment, served[:2], quorum=2)
    one, other = house.sealing(), house.sealing(deployment.open())
    mine = house.sequencer.append([deployment.event()])
    theirs = deployment.open().append([deployment.event()])
    assert one.seal(mine + theirs).sealed
    assert other.seal(theirs).sealed
    assert [len(each.queries) for each in served[:2]] == [1, 1]


def test_tokens_of_one_authority_twice_are_no_two(deployment: Deployment, served: list[LocalAuthority]) -> None:
    served[1].mood = Mood.DOWN
    house = House(deployment, served[:2], quorum=2)
    sealing = house.sealing()
    for _ in range(2):
        assert not sealing.seal(house.sequencer.append([deployment.event()])).sealed
    assert len(house.stamped()) == 2
    assert house.covered_by_the_verifier() == 0


def test_the_same_operator_under_two_urls_needs_two_roots_of_trust_files_own_choice(
    deployment: Deployment, served: list[LocalAuthority]
) -> None:
    """A token that leads to another authority's roots does not count for this one."""
    home = deployment.home
    authorities.add(home, served[0].url, roots_pem=served[0].roots_pem)
    authorities.add(home, served[1].url, roots_pem=served[0].roots_pem)
    authorities.set_quorum(home, 2)
    sequencer = deployment.open()
    asked = [
        Authority(each, store=deployment.store, log=deployment.log, retain_until=tomorrow, timeout_s=10)
        for each in home.trust.authorities
    ]
    sealed = Sealing(sequencer, deployment.scribe(), asked).seal(sequencer.append([deployment.event()]))
    assert not sealed.sealed
    assert told(sealed).time == "unverified"


def test_fewer_authorities_than_have_to_stamp_is_said(deployment: Deployment, served: list[LocalAuthority]) -> None:
    House(deployment, served[:2], quorum=2)
    sequencer = deployment.open()
    believed = deployment.home.trust.authorities[0]
    only = Authority(believed, store=deployment.store, log=deployment.log, retain_until=tomorrow, timeout_s=10)
    sealed = Sealing(sequencer, deployment.scribe(), [only]).seal(sequencer.append([deployment.event()]))
    assert not sealed.sealed
    assert "2 have to stamp, and only 1 were to be asked" in told(sealed).detail


def test_a_pause_that_an_authority_asks_for_is_kept(
    deployment: Deployment, served: list[LocalAuthority], tmp_path: Path
) -> None:
    house = House(deployment, served[:1], quorum=1, spacing_s=2.0)
    acquaintances = Acquaintances(tmp_path / "authorities.json", clock=now)
    one, other = (house.sealing(acquaintances=acquaintances) for _ in range(2))
    assert one.seal(house.sequencer.append([deployment.event()])).sealed
    refused = other.seal(house.sequencer.append([deployment.event()]), within_s=0.5)
    assert not refused.sealed
    assert "2 s between requests" in told(refused).detail
    before = time.monotonic()
    assert other.seal(house.sequencer.append([deployment.event()])).sealed
    assert time.monotonic() - before < 4
    assert len(served[0].queries) == 2


def test_a_store_that_fails_is_not_an_authority_that_fails(
    deployment: Deployment, served: list[LocalAuthority]
) -> None:
    house = House(deployment, served[:2], quorum=2)
    receipts = house.sequencer.append([deployment.event()])
    deployment.store = UnreliableStore(deployment.store, matches=lambda key: key.endswith(".tsr"), down=True)
    with pytest.raises(StoreError):
        house.sealing().seal(receipts)


def test_sealed_is_not_said_of_a_tree_that_lost_the_leaf(deployment: Deployment, served: list[LocalAuthority]) -> None:
    """Also when another process has asked: what it told is not believed without the leaf's own proof."""
    house = House(deployment, served[:2], quorum=2)
    receipts = house.sequencer.append([deployment.event()])
    sealed = house.sealing().seal(receipts)
    assert sealed.sealed
    assert sealed.size is not None
    other = deployment.open()
    bundle = keyspace.entries(deployment.log, 0, sealed.size)
    other.reader.store = store = UnreliableStore(deployment.store, matches=lambda key: key == bundle, alters=True)
    with pytest.raises(StoreError):
        house.sealing(other).seal(receipts)
    assert store.triggered


def test_the_whole_log_is_sealed_on_demand_and_once(deployment: Deployment, served: list[LocalAuthority]) -> None:
    house = House(deployment, served[:2], quorum=2)
    house.sequencer.append([deployment.event()])
    sealed = house.sealing(deployment.open()).seal_log()
    assert sealed.sealed
    assert sealed.proved == house.covered_by_the_verifier()
    again = house.sealing(deployment.open()).seal_log()
    assert again.sealed
    assert [len(each.queries) for each in served[:2]] == [1, 1], "tokens' own leaves ask for no others"


def test_a_run_asks_in_the_background_and_says_at_its_end_what_is_sealed(
    deployment: Deployment, served: list[LocalAuthority]
) -> None:
    house = House(deployment, served[:2], quorum=2)
    keeper = Timekeeper(house.sealing(), house.sequencer)
    (opened,) = keeper.append([deployment.event()])
    keeper.begin()
    until = time.monotonic() + 20
    while keeper.sealing.covered <= opened.index and time.monotonic() < until:
        time.sleep(0.05)
    assert keeper.sealing.covered > opened.index
    (later,) = keeper.append([deployment.event()])
    assert keeper.sealing.pending
    served[0].mood = Mood.DOWN
    ended = keeper.finish(interrupted=True)
    assert ended.time == "unavailable"
    assert opened.index < ended.sealed_size <= later.index, "what was sealed before stays so"
    assert "counterproof seal" in ended.detail
    served[0].mood = Mood.HONEST
    assert house.sealing(deployment.open()).seal_log().sealed, "a later command makes it good"


def test_what_openssl_alone_can_read_seals_and_is_said(
    deployment: Deployment, served: list[LocalAuthority], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`verify` asks OpenSSL about such a token, so sealing does, too: neither says what the other does not."""
    served[1].mood = Mood.UNREADABLE
    house = House(deployment, served[:2], quorum=2)
    receipts = house.sequencer.append([deployment.event()])
    sealed = house.sealing().seal(receipts)
    assert sealed.sealed
    said = told(sealed)
    assert said.time == "trusted"
    assert said.detail.endswith(f"(the token of {house.ids()[1]} is read by OpenSSL alone)")
    assert house.covered_by_the_verifier() == 0, "the verifier alone cannot read it"
    verdict = verify(deployment.store, deployment.home.trust, at=now(), second_opinion=ask_openssl)
    assert (verdict.holds, verdict.facts["leaves_covered"]) == (True, sealed.proved)
    again = house.sealing(deployment.open())
    assert told(again.seal(receipts)) == said, "also when another process looks at what is there"
    assert len(served[1].queries) == 1
    monkeypatch.setenv("PATH", "/nonexistent")
    other = house.sealing(deployment.open())
    other.look()
    assert other.covered == 0, "without OpenSSL nobody can say that it holds"


def test_signers_and_requests_are_remembered(
    deployment: Deployment, served: list[LocalAuthority], tmp_path: Path
) -> None:
    house = House(deployment, served[:1], quorum=1)
    acquaintances = Acquaintances(tmp_path / "authorities.json", clock=now)
    house.sealing(acquaintances=acquaintances).seal(house.sequencer.append([deployment.event()]))
    known = Acquaintances(tmp_path / "authorities.json", clock=now).of(house.ids()[0])
    assert known.asked_at is not None
    assert now() - known.asked_at < timedelta(minutes=1)
    assert known.signer_ends is not None
    assert known.signer_ends - now() > timedelta(days=3000)


def test_without_authorities_nothing_is_remembered(deployment: Deployment) -> None:
    sequencer = deployment.open()
    sealing = Sealing(sequencer, deployment.scribe(), [])
    keeper = Timekeeper(sealing, sequencer)
    keeper.append([deployment.event()])
    keeper.begin()
    assert not sealing.pending
    assert keeper.finish(interrupted=False).time == "not_configured"
    assert keeper.so_far("the disk is full").time == "not_configured"
