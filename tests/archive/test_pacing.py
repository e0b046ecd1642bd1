"""How often the time is asked for: by a clock that is handed in, and kept between processes where it has to be."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive import authorities
from archive.authority import Authority
from archive.memory import MemoryStore
from archive.pacing import (
    AT_LEAST_EVERY_S,
    AT_MOST_EVERY_S,
    LOOK_EVERY_S,
    Acquaintance,
    Acquaintances,
    Pace,
    Stamper,
)
from archive.sealing import Sealing
from archive.sequencing import Sequencing
from archive.timekeeping import Timekeeper
from custody import keyspace
from custody.digest import Digest
from custody.trust import Authority as Believed
from tests.archive.deployment import Deployment, audit, tomorrow
from tests.archive.workers import enrol, inbox_of
from tests.authority import LocalAuthority, Mood

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """Stands still unless it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def served(tmp_path: Path) -> Iterator[LocalAuthority]:
    with LocalAuthority(tmp_path / "authority") as authority:
        yield authority


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment.make(tmp_path, MemoryStore())


def believe(deployment: Deployment, served: LocalAuthority) -> Believed:
    added = authorities.add(deployment.home, served.url, roots_pem=served.roots_pem)
    believed = deployment.home.trust.authority(added)
    assert believed is not None
    return believed


class Run:
    """A real sealing of a real log, and a stamper whose steps are made by hand at times that are handed in."""

    def __init__(self, deployment: Deployment, served: LocalAuthority) -> None:
        believed = believe(deployment, served)
        self.deployment = deployment
        self.sequencer = deployment.open()
        asked = Authority(
            believed, store=deployment.store, log=deployment.log, retain_until=tomorrow, timeout_s=10, spacing_s=0
        )
        self.sealing = Sealing(self.sequencer, deployment.scribe(), [asked])
        self.clock = Clock()
        self.keeper = Timekeeper(self.sealing, self.sequencer)
        self.stamper = Stamper(
            pending=lambda: self.sealing.pending,
            stamp=lambda: self.sealing.seal_noted().sealed,
            monotonic=self.clock,
        )

    def record(self) -> None:
        self.keeper.append([self.deployment.event()])


def test_a_stamp_at_most_every_minute_while_new_leaves_arrive(deployment: Deployment, served: LocalAuthority) -> None:
    run = Run(deployment, served)
    run.record()
    assert run.stamper.step() is None, "the first is asked for at once, and there is nothing more to ask about"
    for _ in range(3):
        run.record()
        assert run.stamper.step() == pytest.approx(AT_MOST_EVERY_S)
        run.clock.now += AT_MOST_EVERY_S - 0.5
        assert run.stamper.step() == pytest.approx(0.5)
        run.clock.now += 0.5
        assert run.stamper.step() is None
    assert len(served.queries) == 4
    audit(deployment)


def test_sequencing_has_the_same_pace_as_captures(
    deployment: Deployment, served: LocalAuthority, tmp_path: Path
) -> None:
    worker = enrol(deployment, tmp_path / "worker")
    run = Run(deployment, served)
    run.stamper = Stamper(pending=lambda: run.sealing.pending, stamp=run.keeper._stamp, monotonic=run.clock)
    sequencing = Sequencing(run.sequencer, deployment.scribe(), taken=run.keeper.note)
    inbox = inbox_of(worker, wait_s=0)
    for _ in range(3):
        inbox.submit([worker.event(), worker.event()])
        assert sequencing.empty().taken == 2
        assert run.stamper.step() is None, "it is time to ask, and then all of it is stamped"
        inbox.submit([worker.event()])
        assert sequencing.empty().taken == 1
        assert run.stamper.step() == pytest.approx(AT_MOST_EVERY_S)
        run.clock.now += AT_MOST_EVERY_S
    assert len(served.queries) == 3
    assert run.stamper.step() is None
    deployment.store.create(f"{keyspace.INBOX}2026/03/04/x.json", b"{}", digest=Digest.of(b"{}"), retain_until=None)
    assert sequencing.empty().rejected == 1
    assert run.sealing.pending, "the word that something was refused wants its time as well"
    audit(deployment)


def test_a_token_that_came_through_the_inbox_asks_for_no_other(
    deployment: Deployment, served: LocalAuthority, tmp_path: Path
) -> None:
    """As each sequencer's own tokens: stamping what says that something was stamped would never end."""
    worker = enrol(deployment, tmp_path / "worker")
    run = Run(deployment, served)
    run.record()
    run.stamper.step()
    (logged,) = run.sequencer.events("log.timestamped")
    again = worker.scribe().event(
        "log.timestamped", chain=logged.event.chain, subject=logged.event.subjects[0], body=logged.event.body
    )
    inbox_of(worker, wait_s=0).submit([again])
    assert Sequencing(run.sequencer, deployment.scribe(), taken=run.keeper.note).empty().taken == 1
    assert not run.sealing.pending


def test_tokens_alone_never_ask_for_another(deployment: Deployment, served: LocalAuthority) -> None:
    run = Run(deployment, served)
    run.record()
    for _ in range(5):
        run.stamper.step()
        run.clock.now += 10 * AT_LEAST_EVERY_S
    assert len(served.queries) == 1


def test_an_authority_that_is_down_is_asked_ever_less_often_but_every_five_minutes(
    deployment: Deployment, served: LocalAuthority
) -> None:
    run = Run(deployment, served)
    served.mood = Mood.DOWN
    waits = []
    run.record()
    for _ in range(6):
        run.record()
        wait = run.stamper.step()
        assert wait is not None
        waits.append(wait)
        run.clock.now += wait
    assert waits == [2 * AT_MOST_EVERY_S, 4 * AT_MOST_EVERY_S] + 4 * [AT_LEAST_EVERY_S]
    served.mood = Mood.HONEST
    assert run.stamper.step() is None, "it answers again"
    run.record()
    assert run.stamper.step() == pytest.approx(AT_MOST_EVERY_S), "and is asked as often as before"


def test_the_thread_asks_when_it_hears_of_a_leaf_and_stops_when_it_is_told_to() -> None:
    clock, pending, asked = Clock(), threading.Event(), threading.Event()

    def stamp() -> bool:
        pending.clear()
        asked.set()
        return True

    stamper = Stamper(pending=pending.is_set, stamp=stamp, monotonic=clock)
    stamper.start()
    assert not asked.wait(0.2)
    pending.set()
    stamper.tell()
    assert asked.wait(5)
    stamper.stop(within_s=5)
    assert not stamper._thread.is_alive()


def test_stopping_does_not_wait_for_a_request() -> None:
    release, begun = threading.Event(), threading.Event()

    def stamp() -> bool:
        begun.set()
        return release.wait(30)

    stamper = Stamper(pending=lambda: True, stamp=stamp, monotonic=Clock())
    stamper.start()
    assert begun.wait(5)
    stamper.stop()
    release.set()
    stamper.stop(within_s=5)
    assert not stamper._thread.is_alive()


def test_pace_begins_at_once() -> None:
    assert Pace().wait(5.0) == 0


def test_who_comes_next_waits_longer_whatever_process_it_is_in(tmp_path: Path) -> None:
    path = tmp_path / "authorities.json"
    one, other = (Acquaintances(path, clock=lambda: AT) for _ in range(2))
    assert one.turn("a", 15, within_s=60) == 0
    assert other.turn("a", 15, within_s=60) == 15
    assert one.turn("a", 15, within_s=60) == 30
    assert other.turn("a", 15, within_s=40) is None, "too late for it"
    assert other.turn("a", 15, within_s=60) == 45, "and it took nobody's turn"
    assert one.turn("b", 15, within_s=60) == 0
    assert one.turn("c", 0, within_s=60) == 0
    assert Acquaintances(path, clock=lambda: AT + timedelta(minutes=5)).turn("a", 15, within_s=60) == 0


def test_another_clock_does_not_keep_us_from_asking_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "authorities.json"
    Acquaintances(path, clock=lambda: AT + timedelta(days=400)).turn("a", 15, within_s=60)
    assert Acquaintances(path, clock=lambda: AT).turn("a", 15, within_s=60) == 0


@pytest.mark.parametrize("damage", [b"", b"[1]", b"{", b'{"a": 1}', b'{"a": {"asked_at": "x", "signer_ends": null}}'])
def test_a_memory_that_cannot_be_read_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "authorities.json"
    path.write_bytes(damage)
    known = Acquaintances(path, clock=lambda: AT)
    assert known.of("a") == Acquaintance()
    known.note_signer("a", AT)
    assert known.of("a") == Acquaintance(signer_ends=AT)


def test_a_memory_that_cannot_be_kept_keeps_nobody_from_asking(tmp_path: Path) -> None:
    known = Acquaintances(tmp_path / "there is no such directory" / "authorities.json", clock=lambda: AT)
    assert known.turn("a", 15, within_s=60) == 0
    known.note_signer("a", AT)
    assert known.of("a") == Acquaintance()


def test_what_another_process_asked_for_puts_off_our_own_request(tmp_path: Path) -> None:
    at = [AT]
    path = tmp_path / "authorities.json"
    ours, theirs = (Acquaintances(path, clock=lambda: at[0]) for _ in range(2))
    assert ours.since_asked_s() is None
    theirs.turn("a", 0, within_s=60)
    at[0] += timedelta(seconds=20)
    assert ours.since_asked_s() == 20
    assert Pace().wait(1000.0, others_s=20) == pytest.approx(AT_MOST_EVERY_S - 20)
    assert Pace().wait(1000.0, others_s=AT_MOST_EVERY_S) == 0
    own = Pace()
    own.asked(1000.0, sealed=True)
    assert own.wait(1010.0, others_s=2) == pytest.approx(AT_MOST_EVERY_S - 2)
    assert own.wait(1010.0, others_s=500) == pytest.approx(AT_MOST_EVERY_S - 10)


def test_two_processes_ask_no_oftener_than_one_and_both_are_sealed(
    deployment: Deployment, served: LocalAuthority, tmp_path: Path
) -> None:
    at = [AT]
    believed = believe(deployment, served)
    clock = Clock()

    def made() -> tuple[Timekeeper, Stamper]:
        asked = Authority(
            believed, store=deployment.store, log=deployment.log, retain_until=tomorrow, timeout_s=10, spacing_s=0
        )
        known = Acquaintances(tmp_path / "authorities.json", clock=lambda: at[0])
        sequencer = deployment.open()
        sealing = Sealing(sequencer, deployment.scribe(), [asked], acquaintances=known)
        keeper = Timekeeper(sealing, sequencer, monotonic=clock)
        stamper = Stamper(pending=lambda: sealing.pending, stamp=keeper._stamp, look=keeper._look, monotonic=clock)
        return keeper, stamper

    (one, stamps_one), (other, stamps_other) = made(), made()
    for _ in range(3):
        one.append([deployment.event()])
        other.append([deployment.event()])
        assert stamps_one.step() is None
        one.append([deployment.event()])
        assert stamps_one.step() == pytest.approx(LOOK_EVERY_S), "others may ask within the minute"
        assert stamps_other.step() is None, "it is sealed by what the other has had stamped"
        clock.now += AT_MOST_EVERY_S
        at[0] += timedelta(seconds=AT_MOST_EVERY_S)
    assert len(served.queries) == 3
    audit(deployment)


def test_looking_asks_nobody(deployment: Deployment, served: LocalAuthority) -> None:
    run = Run(deployment, served)
    run.record()
    assert run.sealing.look() is None, "without a file nobody knows who asked"
    assert run.sealing.pending
    assert served.queries == []
