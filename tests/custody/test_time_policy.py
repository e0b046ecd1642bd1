"""Time as policy: tokens in an order that cannot be, captures that nobody stamped, brackets, and a second opinion."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from archive.opinion import ask_openssl
from custody import keyspace, timestamp
from custody.bracket import Bracket, Brackets, Stamp
from custody.digest import Digest
from custody.event import Anchor
from custody.timestamp import Token
from custody.verify import Verdict, verify
from tests.authority import LocalAuthority
from tests.custody.archive_builder import LOG, START, ArchiveBuilder, MemorySource, small
from tests.custody.dating import dated, unreadable
from tests.custody.tampering import Told, tell

TSA = "tsa-0.example"
SIZE = 13
STAMPED = 9
"""The number of the commit that ``small`` has stamped."""
AGAIN = 14
"""Of its last one, of 19 leaves."""
AHEAD = datetime.now(UTC).replace(microsecond=0) + timedelta(days=10)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    return LocalAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    return LocalAuthority(tmp_path_factory.mktemp("other"))


def at_times(authority: LocalAuthority, times: dict[int, datetime]) -> ArchiveBuilder:
    """``small``, whose commit 9 is stamped, with the time of its token, and of those to come."""
    made = small([authority])
    made.answered = dated(authority.directory, times)
    return made


def later(source: MemorySource, made: ArchiveBuilder, hours: float) -> Told:
    verdict = verify(source, made.trust, at=START + timedelta(hours=hours))
    return Told(verdict)


# TS_ORDER


def test_52_a_token_older_than_one_that_its_tree_holds(authority: LocalAuthority) -> None:
    made = at_times(authority, {STAMPED: AHEAD, AGAIN: AHEAD - timedelta(hours=1)})
    made.stamp()
    source = made.build()
    assert keyspace.token(LOG, 19, TSA) in source.objects
    told = tell(source, made.trust)
    assert told.failures == [("TS_ORDER", {"size": 19, "authority": TSA, "before": SIZE})]
    assert told.failed_checks == [9]


def test_52_one_that_is_far_ahead_is_named_once(authority: LocalAuthority) -> None:
    made = at_times(authority, {STAMPED: AHEAD})
    made.stamp()
    made.stamp()
    told = tell(made.build(), made.trust)
    assert told.failures == [("TS_ORDER", {"size": 19, "authority": TSA, "before": SIZE})]


def test_52_by_two_authorities(authority: LocalAuthority, other: LocalAuthority) -> None:
    made = small([authority, other])
    ahead = dated(authority.directory, {STAMPED: AHEAD})
    made.answered = lambda n, response: ahead(n, response) if signed_by(authority, response) else response
    made.stamp()
    told = tell(made.build(), made.trust)
    assert {code for code, _ in told.failures} == {"TS_ORDER"}
    assert told.failures[0][1]["before"] == SIZE


def signed_by(authority: LocalAuthority, response: bytes) -> bool:
    """Whether its certificate is in the answer."""
    body = (authority.directory / "signer.pem").read_text().split("-----")[2]
    return base64.b64decode("".join(body.split())) in response


def test_52_within_the_accuracies_nothing_is_said(authority: LocalAuthority) -> None:
    made = at_times(authority, {STAMPED: AHEAD, AGAIN: AHEAD - timedelta(seconds=2)})
    made.stamp()
    assert tell(made.build(), made.trust).verdict.holds


def test_52_a_later_token_over_a_smaller_tree_is_no_contradiction(authority: LocalAuthority) -> None:
    """Two processes stamp at once, and the slower one has the smaller tree: the larger tree holds no word of it."""
    made = small([authority])
    del made.stamped[STAMPED]
    del made.commits[STAMPED]  # the leaf that would have told of the token
    n = len(made.commits)
    made.stamped = {STAMPED: [0], n: [0]}
    made.answered = dated(authority.directory, {STAMPED: AHEAD, n: AHEAD - timedelta(hours=1)})
    told = tell(made.build(), made.trust)
    assert told.verdict.facts["tokens"] == 2
    assert told.failures == []


def test_52_an_anchor_in_the_tree_tells_of_the_token_as_well(authority: LocalAuthority) -> None:
    made = small([authority])
    del made.commits[STAMPED]  # nothing but the anchor says that the token was there
    made.answered = dated(authority.directory, {STAMPED: AHEAD})
    made.anchored = Anchor(size=SIZE, token_sha256=Digest.of(made.build().objects[keyspace.token(LOG, SIZE, TSA)]))
    made.jump(AHEAD + timedelta(seconds=1))
    made.open_case("Afterwards")
    made.anchored = None
    made.answered = dated(authority.directory, {STAMPED: AHEAD, len(made.commits): AHEAD - timedelta(hours=1)})
    made.stamp(log_it=False)
    told = tell(made.build(), made.trust)
    assert told.failures == [("TS_ORDER", {"size": 19, "authority": TSA, "before": SIZE})]
    # One of the authority's clocks was wrong, so nobody's else is judged by it.
    assert "1 clocks not judged" in told.verdict.checks[8].detail


# TS_OVERDUE and TS_QUORUM


def test_54_a_capture_that_nobody_stamped(authority: LocalAuthority) -> None:
    made = small([authority])
    source = made.build()
    told = later(source, made, 20)
    assert told.verdict.holds
    assert told.notes == [("TS_OVERDUE", {"size": 18, "hours": 19})]
    told = later(source, made, 25)
    assert told.failures == [("TS_OVERDUE", {"size": 18, "hours": 24})]
    assert told.failed_checks == [9]
    made.stamp()
    assert later(made.build(), made, 25).verdict.holds


def test_54_without_an_authority_nothing_is_overdue() -> None:
    made = small()
    assert later(made.build(), made, 24 * 365 * 15).verdict.findings == ()


def test_54_a_log_without_captures_owes_nothing(authority: LocalAuthority) -> None:
    made = ArchiveBuilder([authority]).open_log()
    assert later(made.build(), made, 10_000).verdict.findings == ()


def test_53_one_of_two_required_tokens(authority: LocalAuthority, other: LocalAuthority) -> None:
    made = small([authority, other])
    made.stamp()
    made.stamped[len(made.commits) - 1] = [0]
    made.commits[-1].pop()
    source = made.build()
    assert keyspace.token(LOG, 20, TSA) in source.objects
    assert keyspace.token(LOG, 20, "tsa-1.example") not in source.objects
    told = later(source, made, 25)
    assert told.failures == [("TS_QUORUM", {"size": 19, "hours": 24})]
    assert told.failed_checks == [9]
    assert later(source, made, 10).notes == [("TS_QUORUM", {"size": 19, "hours": 9})]
    assert told.verdict.facts["captures_covered"] == 2


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data[:-1] + bytes([data[-1] ^ 1])])
def test_a_token_that_is_named_for_a_fault_makes_nothing_overdue(
    authority: LocalAuthority, change: Callable[[bytes], bytes]
) -> None:
    made = small([authority])
    made.stamp()
    source = made.build()
    key = keyspace.token(LOG, 19, TSA)
    told = later(source.with_object(key, change(source.objects[key])), made, 100)
    assert len(told.failures) == 1
    assert told.failures[0][1] == {"size": 19, "authority": TSA}
    told = later(source.without(key), made, 100)
    assert [code for code, _ in told.failures] == ["TS_MISSING"]


# Brackets


def bracketed(made: ArchiveBuilder) -> Verdict:
    return verify(made.build(), made.trust, at=START + timedelta(hours=1), brackets=True)


def anchor(made: ArchiveBuilder) -> Anchor:
    return Anchor(size=SIZE, token_sha256=Digest.of(made.build().objects[keyspace.token(LOG, SIZE, TSA)]))


def held_back(authority: LocalAuthority, apart: timedelta) -> ArchiveBuilder:
    """A capture by a clock that is right, anchored in the first token, in a log that is stamped so much later."""
    made = at_times(authority, {STAMPED: AHEAD, AGAIN + 1: AHEAD + apart})
    made.anchored = Anchor(size=SIZE, token_sha256=Digest.of(made.build().objects[keyspace.token(LOG, SIZE, TSA)]))
    made.jump(AHEAD + timedelta(minutes=1))
    made.start(run_of(made))
    made.anchored = None
    made.stamp()
    return made


def run_of(made: ArchiveBuilder) -> str:
    return next(each.chain for drafts in made.commits for each in drafts if each.chain.startswith("run:"))[4:]


def test_57_an_event_that_was_held_back(authority: LocalAuthority) -> None:
    made = held_back(authority, timedelta(days=7))
    told = tell(made.build(), made.trust)
    assert told.failures == []
    assert ("TIME_ANCHOR_STALE", {"index": 19, "minutes": 7 * 24 * 60}) in told.notes
    made = held_back(authority, timedelta(minutes=10))
    assert "TIME_ANCHOR_STALE" not in {code for code, _ in tell(made.build(), made.trust).notes}


def test_every_leaf_of_an_item_has_its_bracket(authority: LocalAuthority) -> None:
    made = held_back(authority, timedelta(minutes=10))
    verdict = verify(made.build(), made.trust, at=START, brackets=True)
    second = timedelta(seconds=1)  # of accuracy
    assert verdict.brackets[19] == Bracket(not_before=AHEAD - second, not_after=AHEAD + timedelta(minutes=10) + second)
    assert verdict.brackets[10] == Bracket(not_before=None, not_after=AHEAD + second)
    assert set(verdict.brackets) == {8, 10, 11, 12, 15, 17, 19}
    assert verify(made.build(), made.trust, at=START).brackets == {}
    assert verdict.brackets[10].to_json()["not_before"] is None


def test_a_bracket_ends_when_as_many_authorities_agree_as_the_trust_file_asks() -> None:
    def stamp(size: int, authority: str, minutes: int, *, trusted: bool = True) -> Stamp:
        token = Token(gen_time=AHEAD + timedelta(minutes=minutes), serial=1, policy="", authority=authority)
        return Stamp(size=size, authority=authority, token=token, trusted=trusted)

    stamps = [stamp(10, "a", 1), stamp(20, "b", 5), stamp(20, "a", 7), stamp(30, "c", 2, trusted=False)]
    one, two, three = (Brackets(stamps, quorum) for quorum in (1, 2, 3))
    assert [one.not_after(index) for index in (0, 9, 10, 19, 20)] == [
        *[AHEAD + timedelta(minutes=1)] * 2, *[AHEAD + timedelta(minutes=5)] * 2, None,
    ]  # fmt: skip
    assert [two.not_after(index) for index in (0, 9, 10, 19, 20)] == [
        *[AHEAD + timedelta(minutes=5)] * 2, *[AHEAD + timedelta(minutes=7)] * 2, None,
    ]  # fmt: skip
    assert three.not_after(0) is None
    assert (one.covered, two.covered, three.covered) == (20, 20, 0)
    assert two.stamped_by(0) == AHEAD + timedelta(minutes=1)


# A second opinion


@pytest.fixture(scope="module")
def foreign(authority: LocalAuthority) -> ArchiveBuilder:
    """One whose last token is in a form that our reader does not read."""
    made = small([authority])
    made.stamp()
    made.answered = lambda n, response: unreadable(response) if n == AGAIN else response
    return made


def test_a_token_that_cannot_be_read_is_unverified(foreign: ArchiveBuilder) -> None:
    source = foreign.build()
    where = {"size": 19, "authority": TSA}
    data, query = source.objects[keyspace.checkpoint_at(LOG, 19)], source.objects[keyspace.query(LOG, 19, TSA)]
    with pytest.raises(timestamp.Unreadable):
        timestamp.judge(query, source.objects[keyspace.token(LOG, 19, TSA)], data, foreign.trust.authorities[0])
    told = tell(source, foreign.trust)
    assert told.verdict.holds
    assert told.notes == [("TS_UNVERIFIED", where)]
    assert told.verdict.facts["time"] == "unverified"


def test_openssl_reads_it_and_the_verdict_says_so(foreign: ArchiveBuilder) -> None:
    told = tell(foreign.build(), foreign.trust, second_opinion=ask_openssl)
    assert told.verdict.holds
    assert told.notes == [("TS_SECOND_OPINION", {"size": 19, "authority": TSA})]
    facts = told.verdict.facts
    assert (facts["time"], facts["second_opinions"], facts["leaves_covered"]) == ("trusted", 1, 19)


def test_openssl_is_not_asked_of_what_we_can_read(authority: LocalAuthority) -> None:
    made = small([authority])
    asked: list[bytes] = []
    tell(made.build(), made.trust, second_opinion=lambda query, *_: asked.append(query))
    assert asked == []


def test_what_openssl_refuses_stays_unverified(foreign: ArchiveBuilder, other: LocalAuthority) -> None:
    source, (believed,) = foreign.build(), foreign.trust.authorities
    for changed in (
        replace(believed, pins=("0" * 64,)),
        replace(believed, roots_pem=other.roots_pem),
        replace(believed, roots_pem=""),
    ):
        trust = replace(foreign.trust, authorities=(changed,))
        told = tell(source.without(keyspace.token(LOG, SIZE, TSA)), trust, second_opinion=ask_openssl)
        assert ("TS_UNVERIFIED", {"size": 19, "authority": TSA}) in told.notes
        assert told.verdict.facts["second_opinions"] == 0


def test_a_byte_of_it_flipped_is_not_what_the_log_tells_of(foreign: ArchiveBuilder) -> None:
    source = foreign.build()
    spoiled = source.flip(keyspace.token(LOG, 19, TSA), -1)
    told = tell(spoiled, foreign.trust, second_opinion=ask_openssl)
    assert told.failures == [("TS_PARSE", {"size": 19, "authority": TSA})]


def test_openssl_is_held_to_imprint_nonce_and_status(foreign: ArchiveBuilder, authority: LocalAuthority) -> None:
    source, (believed,) = foreign.build(), foreign.trust.authorities
    data, query = source.objects[keyspace.checkpoint_at(LOG, 19)], source.objects[keyspace.query(LOG, 19, TSA)]
    response = source.objects[keyspace.token(LOG, 19, TSA)]
    token = ask_openssl(query, response, data, believed)
    assert token is not None
    assert token == timestamp.judge(query, b"\x30\x82" + response[3:], data, believed)
    assert ask_openssl(query, response, data + b"x", believed) is None
    assert ask_openssl(timestamp.query(data, 1), response, data, believed) is None
    granted = b"\x30\x03\x02\x01\x00"
    modified = response.replace(granted, b"\x30\x03\x02\x01\x01", 1)
    assert modified != response
    assert ask_openssl(query, modified, data, believed) is None
    assert ask_openssl(query, b"\x30\x83\x00", data, believed) is None
    assert authority.roots_pem == believed.roots_pem


def test_without_openssl_there_is_no_opinion(foreign: ArchiveBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    source, (believed,) = foreign.build(), foreign.trust.authorities
    data, query = source.objects[keyspace.checkpoint_at(LOG, 19)], source.objects[keyspace.query(LOG, 19, TSA)]
    assert ask_openssl(query, source.objects[keyspace.token(LOG, 19, TSA)], data, believed) is None
