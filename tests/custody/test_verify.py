"""What a verification says of a good archive, of none, and of a store that does not answer."""

import base64
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from archive.errors import NotStored, StoreError
from archive.memory import MemoryStore
from custody import keyspace
from custody.digest import Digest
from custody.keys import Ed25519Signer, keyid
from custody.model import Role
from custody.verdict import CHECKS, Severity
from custody.verify import verify
from tests.authority import LocalAuthority
from tests.custody.archive_builder import LOG, ArchiveBuilder, Draft, MemorySource, MemoryStored, MemoryVersion, small
from tests.custody.tampering import AT, SHOWN, checkpoint_key, commit_key, expect, found, tell


@pytest.fixture(scope="module")
def builder() -> ArchiveBuilder:
    return small()


@pytest.fixture(scope="module")
def good(builder: ArchiveBuilder) -> MemorySource:
    return builder.build()


def test_a_good_archive_holds(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(good, builder.trust)
    assert told.verdict.holds
    assert told.verdict.findings == ()
    assert [(each.n, each.name, each.passed) for each in told.verdict.checks] == [
        (n, name, True) for n, name in CHECKS.items()
    ]
    assert (told.verdict.log, told.verdict.size) == (LOG, 17)
    assert told.verdict.root == base64.b64decode(good.objects[SHOWN].split(b"\n")[2]).hex()
    facts = told.verdict.facts
    assert (facts["captures"], facts["open"], facts["commits"], facts["leaves"]) == (3, 0, 12, 17)
    assert (facts["origins"], facts["statuses"]) == ({"not_public": 3}, {"complete": 3})
    assert (facts["time"], facts["key"], facts["lock_bypass"]) == ("none", "trusted", "yes")
    assert facts["blobs"] == len([key for key in good.objects if key.startswith(keyspace.BLOBS)])
    assert facts["bytes"] == sum(len(data) for key, data in good.objects.items() if key.startswith(keyspace.BLOBS))


def test_the_verdict_is_plain_json(builder: ArchiveBuilder, good: MemorySource) -> None:
    verdict = tell(good.without(SHOWN), builder.trust).verdict
    said = json.loads(json.dumps(verdict.to_json()))
    assert said["schema"] == 1
    assert said["verdict"] == "does not hold"
    assert said["findings"][0]["locator"] == {"key": SHOWN}
    assert said["checks"][1] == {"n": 2, "name": "checkpoint", "passed": False, "detail": "CP_MISSING"}


def test_without_a_trust_file_it_is_self_consistent_only(good: MemorySource) -> None:
    verdict = tell(good, None).verdict
    assert (verdict.word, verdict.holds, verdict.facts["key"]) == ("self-consistent only", False, "self-consistent")
    assert found(verdict, Severity.NOTE) == [("TRUST_NONE", {"log": LOG})]
    assert [each.n for each in verdict.checks if each.passed is not True] == [1]


def test_without_a_trust_file_the_recorded_one_is_used(tmp_path: Path) -> None:
    stamped = small([LocalAuthority(tmp_path)])
    verdict = tell(stamped.build(), None).verdict
    assert verdict.word == "self-consistent only"
    assert verdict.facts["leaves_covered"] == 13  # its authority's roots are in it
    key = keyspace.blob(stamped.trust.digest)
    told = tell(stamped.build().flip(key, 100), None)
    assert told.failures == [("LOG_ABSENT", {"log": ""})]


def test_another_forged_archive_is_as_self_consistent_and_is_refused_by_the_trust_file(builder: ArchiveBuilder) -> None:
    forger = small()
    forger.root, forger.log_key = Ed25519Signer(b"\x11" * 32), Ed25519Signer(b"\x12" * 32)
    other = ArchiveBuilder(root=forger.root, log_key=forger.log_key, worker=Ed25519Signer(b"\x13" * 32)).open_log()
    other.capture(other.open_run(), scope=other.open_case())
    forged = other.build()
    assert tell(forged, None).verdict.word == "self-consistent only"
    told = tell(forged, builder.trust)
    assert {"CP_KEY", "EVENT_KEY_UNKNOWN"} <= set(told.codes)


def test_an_empty_store_does_not_hold(builder: ArchiveBuilder) -> None:
    for trust in (builder.trust, None):
        told = tell(MemorySource(), trust)
        assert told.failures == [("LOG_ABSENT", {"log": LOG if trust else ""})]
        assert [each.passed for each in told.verdict.checks] == [False] + [None] * 11
        assert {each.detail for each in told.verdict.checks[1:]} == {"skipped (depends on 1 trust)"}


def test_the_log_of_another_trust_file_is_named(good: MemorySource) -> None:
    trust = ArchiveBuilder(log="other.example/log").trust
    told = tell(good, trust)
    assert told.failures == [("LOG_ABSENT", {"log": "other.example/log"})]
    assert "evidence.example_custody" in told.verdict.findings[0].message


# Scope


def test_a_scope_looks_at_its_own_blobs_and_the_whole_log(builder: ArchiveBuilder, good: MemorySource) -> None:
    first, second = (draft.chain.removeprefix("scope:") for draft in scopes(builder))
    mine, other = builder.captures[0], builder.captures[2]
    assert mine.record is not None
    assert other.record is not None
    verdict = tell(good, builder.trust, scope=first).verdict
    assert verdict.holds
    assert (verdict.facts["scope"], verdict.facts["origins"]) == (first, {"not_public": 2})
    spoiled = good.flip(other.record.artifacts[0].key, 0)
    assert tell(spoiled, builder.trust, scope=first).verdict.holds
    assert tell(spoiled, builder.trust, scope=second).codes == ["BLOB_DIGEST"]
    assert tell(spoiled, builder.trust).codes == ["BLOB_DIGEST"]
    for scope in (first, second):
        assert tell(good.flip(commit_key(9), -1), builder.trust, scope=scope).failed_checks


def scopes(builder: ArchiveBuilder) -> list[Draft]:
    return [drafts[0] for drafts in builder.commits if drafts[0].chain.startswith("scope:")]


def test_a_scope_that_is_not_there_does_not_hold(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(good, builder.trust, scope="019cb7a8-1234-7abc-8def-0123456789ab")
    assert told.failures == [("SCOPE_UNKNOWN", {"scope": "019cb7a8-1234-7abc-8def-0123456789ab"})]


# A log that is being written


def test_the_last_commit_may_wait_for_its_checkpoint(builder: ArchiveBuilder, good: MemorySource) -> None:
    """What a sequencer leaves that dies right after it has its commit."""
    waiting = good.without(checkpoint_key(17), keyspace.entries(LOG, 0, 17), keyspace.tile(LOG, 0, 0, 17)).with_object(
        SHOWN, good.objects[checkpoint_key(16)]
    )
    told = tell(waiting, builder.trust)
    assert told.verdict.holds
    assert told.notes == [("LOG_UNPUBLISHED", {"n": 12})]
    assert told.verdict.size == 16


@pytest.mark.parametrize(
    "kept", [(), (keyspace.entries(LOG, 0, 17),), (keyspace.entries(LOG, 0, 17), keyspace.tile(LOG, 0, 0, 17))]
)
def test_and_may_be_published_in_part(builder: ArchiveBuilder, good: MemorySource, kept: tuple[str, ...]) -> None:
    gone = {checkpoint_key(17), keyspace.entries(LOG, 0, 17), keyspace.tile(LOG, 0, 0, 17)} - set(kept)
    waiting = good.without(*gone).with_object(SHOWN, good.objects[checkpoint_key(16)])
    assert tell(waiting, builder.trust).notes == [("LOG_UNPUBLISHED", {"n": 12})]


class Growing(MemorySource):
    """Shows the log as it was, until its tiles have been listed: then it has grown."""

    def grow(self, later: MemorySource) -> None:
        self._later = later

    def keys(self, prefix: str) -> Iterator[str]:
        yield from list(super().keys(prefix))
        if prefix.endswith("/tile/"):
            self.objects |= self._later.objects


def test_a_log_may_grow_while_it_is_checked(builder: ArchiveBuilder, good: MemorySource) -> None:
    sizes = [1, 2, 3]
    early = [key for key in good.objects if not is_after(key, 16 - len(sizes))]
    growing = Growing({key: good.objects[key] for key in early}, good.locks)
    growing.objects[SHOWN] = good.objects[checkpoint_key(13)]
    growing.grow(good)
    assert tell(MemorySource(dict(growing.objects), good.locks), builder.trust).verdict.holds
    told = tell(growing, builder.trust)
    assert (told.verdict.holds, told.verdict.size, told.verdict.facts["leaves"]) == (True, 13, 17)
    assert told.notes == []


def is_after(key: str, size: int) -> bool:
    last = key.rpartition("/")[2]
    if "/checkpoints/" in key:
        return int(last) > size
    if "/commit/" in key:
        return int(last) > size - 4
    return "/tile/" in key and int(last) > size


# A store that does not answer


class Failing(MemorySource):
    """Raises for some keys."""

    def fail(self, part: str, error: Exception) -> None:
        self._part, self._error = part, error

    def open(self, key: str) -> BinaryIO:
        if self._part in key:
            raise self._error
        return super().open(key)


@pytest.mark.parametrize("part", ["/checkpoint", "/checkpoints/", "/commit/", "/tile/", "/blobs/", ""])
@pytest.mark.parametrize("error", [StoreError("the store is gone"), OSError("no route"), TimeoutError()])
def test_a_store_that_is_down_is_not_held_against_the_evidence(
    builder: ArchiveBuilder, good: MemorySource, part: str, error: Exception
) -> None:
    failing = Failing(dict(good.objects), good.locks)
    failing.fail(part, error)
    for trust in (builder.trust, None):
        verdict = verify(failing, trust, at=AT, unreachable=(StoreError,))
        assert (verdict.word, verdict.holds) == ("could not check", False)
        assert {each.code for each in verdict.findings} <= {"STORE_UNREACHABLE", "TRUST_NONE"}
        assert not any(each.passed is False for each in verdict.checks)


def test_nor_when_it_goes_down_between_two_reads(builder: ArchiveBuilder, good: MemorySource) -> None:
    """The checkpoint that is shown is read again at the end, if the log seems to have grown meanwhile."""

    class Later(MemorySource):
        reads = 0

        def open(self, key: str) -> BinaryIO:
            if key == SHOWN:
                self.reads += 1
                if self.reads == 2:
                    raise OSError("gone")
            return super().open(key)

    old = good.with_object(SHOWN, good.objects[checkpoint_key(16)])
    later = Later(old.objects, old.locks)
    verdict = verify(later, builder.trust, at=AT)
    assert later.reads == 2
    assert (verdict.word, [each.code for each in verdict.findings]) == ("could not check", ["STORE_UNREACHABLE"])


def test_the_log_may_have_grown_by_the_end(builder: ArchiveBuilder, good: MemorySource) -> None:
    class Grown(MemorySource):
        reads = 0

        def open(self, key: str) -> BinaryIO:
            if key == SHOWN:
                self.reads += 1
                if self.reads == 1:
                    return super().open(checkpoint_key(16))
            return super().open(key)

    assert tell(Grown(dict(good.objects), good.locks), builder.trust).verdict.holds


def test_locks_that_cannot_be_asked_for_are_not_held_against_it(builder: ArchiveBuilder, good: MemorySource) -> None:
    class Mute(MemorySource):
        def head(self, key: str) -> MemoryStored:
            raise StoreError("no answer")

    verdict = verify(Mute(dict(good.objects), good.locks), builder.trust, at=AT, unreachable=(StoreError,))
    assert verdict.word == "could not check"
    assert {each.check for each in verdict.findings} == {12}


def test_who_may_not_list_versions_may_still_check_the_bytes(builder: ArchiveBuilder, good: MemorySource) -> None:
    class Strict(MemorySource):
        def versions(self, prefix: str) -> Iterator[MemoryVersion]:
            raise StoreError("access denied")

    verdict = verify(Strict(dict(good.objects), good.locks), builder.trust, at=AT, unreachable=(StoreError,))
    assert verdict.word == "could not check"
    assert [each.n for each in verdict.checks if each.passed is not True] == [12]
    spoiled = Strict(good.flip(first_artifact(builder), 0).objects, good.locks)
    verdict = verify(spoiled, builder.trust, at=AT, unreachable=(StoreError,))
    assert verdict.word == "does not hold"


def test_locks_without_a_list_of_versions_are_looked_at(builder: ArchiveBuilder, good: MemorySource) -> None:
    class Unlisted(MemorySource):
        def versions(self, prefix: str) -> Iterator[MemoryVersion]:
            yield from ()

    assert tell(Unlisted(dict(good.objects), good.locks), builder.trust).verdict.checks[11].passed is True
    assert good.locks is not None
    loose = {key: lock for key, lock in good.locks.items() if key != first_artifact(builder)}
    assert tell(Unlisted(dict(good.objects), loose), builder.trust).codes == ["BLOB_LOCK_WEAK"]
    gone = Unlisted(good.without(first_artifact(builder)).objects, loose)
    assert tell(gone, builder.trust).verdict.checks[11].passed is True


def test_one_fault_that_was_seen_outweighs_what_was_not(builder: ArchiveBuilder, good: MemorySource) -> None:
    failing = Failing(good.flip(commit_key(12), -1).objects, good.locks)
    failing.fail("/blobs/", StoreError("the store is gone"))
    verdict = verify(failing, builder.trust, at=AT, unreachable=(StoreError,))
    assert verdict.word == "does not hold"


def test_an_error_that_nobody_announced_is_neither_passed_nor_raised(
    builder: ArchiveBuilder, good: MemorySource
) -> None:
    failing = Failing(dict(good.objects), good.locks)
    failing.fail("/commit/", RuntimeError("surprise"))
    verdict = verify(failing, builder.trust, at=AT)
    assert verdict.word == "could not check"
    assert [each.code for each in verdict.findings] == ["VERIFIER_FAULT"]


def test_a_store_that_stops_answering_is_not_asked_for_every_blob(builder: ArchiveBuilder, good: MemorySource) -> None:
    asked: list[str] = []

    class Counting(Failing):
        def open(self, key: str) -> BinaryIO:
            asked.append(key)
            return super().open(key)

    failing = Counting(dict(good.objects), good.locks)
    failing.fail("/blobs/", OSError("gone"))
    verify(failing, builder.trust, at=AT)
    assert len([key for key in asked if "/blobs/" in key]) == 8


# Sources, threads, progress


def test_threads_may_be_used(builder: ArchiveBuilder, good: MemorySource) -> None:
    spoiled = good.flip(str(first_artifact(builder)), 3)
    with ThreadPoolExecutor(4) as executor:
        told = tell(spoiled, builder.trust, map=executor.map)
    assert told.codes == ["BLOB_DIGEST"]
    assert told.verdict.findings == tell(spoiled, builder.trust).verdict.findings


def first_artifact(builder: ArchiveBuilder) -> str:
    record = builder.captures[0].record
    assert record is not None
    return next(each.key for each in record.artifacts if each.role == Role.SCREENSHOT)


def test_progress_is_told(builder: ArchiveBuilder, good: MemorySource) -> None:
    said: list[tuple[str, int, int]] = []
    tell(good, builder.trust, progress=lambda what, done, total: said.append((what, done, total)))
    assert {what for what, _, _ in said} == {"commits", "blobs", "records"}
    assert said[-1] == ("records", 3, 3)


def test_the_archives_own_stores_are_sources(builder: ArchiveBuilder, good: MemorySource) -> None:
    store = MemoryStore()
    for key, data in good.objects.items():
        store.create(key, data, digest=Digest.of(data), retain_until=None)
    verdict = verify(store, builder.trust, at=AT, absent=(NotStored,), unreachable=(StoreError,))
    assert verdict.holds
    (locks,) = (each for each in verdict.checks if each.name == "locks")
    assert locks.passed is None
    assert locks.detail == "skipped (this source keeps neither versions nor locks, as a copy on disk does not)"


def test_a_copy_on_disk_keeps_no_locks_and_says_so(builder: ArchiveBuilder, good: MemorySource) -> None:
    verdict = tell(replace(good, locks=None), builder.trust).verdict
    assert verdict.holds
    assert verdict.checks[11].passed is None


# Bundles made to mislead


class Endless(io.RawIOBase):
    """A stream without an end; counts what was taken from it."""

    taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        assert isinstance(buffer, memoryview | bytearray)
        Endless.taken += len(buffer)
        return len(buffer)


@pytest.mark.parametrize(
    "key",
    [SHOWN, checkpoint_key(17), commit_key(3), keyspace.tile(LOG, 0, 0, 17), keyspace.entries(LOG, 0, 17), "blob"],
)
def test_no_object_is_read_without_a_limit(builder: ArchiveBuilder, good: MemorySource, key: str) -> None:
    chosen = first_artifact(builder) if key == "blob" else key

    class Bottomless(MemorySource):
        def open(self, key: str) -> BinaryIO:
            return io.BufferedReader(Endless()) if key == chosen else super().open(key)

    Endless.taken = 0
    told = tell(Bottomless(dict(good.objects), good.locks), builder.trust)
    assert told.failures
    assert Endless.taken < 64 << 20


@pytest.mark.parametrize(
    "junk",
    [
        "v1/log/evidence.example_custody/commit/../../../etc/passwd",
        "v1/log/evidence.example_custody/commit/99",
        "v1/log/evidence.example_custody/commit/00000000000000000000",
        "v1/log/evidence.example_custody/checkpoints/1",
        "v1/log/evidence.example_custody/tile/0/x000/000",
        "v1/log/evidence.example_custody/tile/0/000.p/256",
        "v1/log/evidence.example_custody/tile/0/000.p/007",
        "v1/log/evidence.example_custody/tile/99/000",
        "v1/log/evidence.example_custody/tile/entries/../x",
        "v1/log/evidence.example_custody/timestamps/17/tsa.tsr",
        "v1/log/evidence.example_custody/keys/../../x.pem",
        "v1/blobs/sha256/ab/../../../../x",
        f"v1/blobs/sha256/ab/{'c' * 64}",
    ],
)
def test_a_key_that_nobody_writes_is_noted_and_not_followed(
    builder: ArchiveBuilder, good: MemorySource, junk: str
) -> None:
    class Watching(MemorySource):
        def open(self, key: str) -> BinaryIO:
            assert key != junk
            return super().open(key)

    told = tell(Watching({**good.objects, junk: b"x"}, good.locks), builder.trust)
    assert told.verdict.holds
    assert told.notes == [("KEY_UNKNOWN", {"key": junk})]


def test_a_gap_of_many_numbers_is_one_finding(builder: ArchiveBuilder, good: MemorySource) -> None:
    far = good.with_object(commit_key(10**19), b"{}\n")
    told = tell(far, builder.trust)
    assert ("COMMIT_MISSING", {"n": 13, "until": 10**19 - 1}) in told.failures


def test_a_bundle_that_is_wrong_everywhere_does_not_fill_the_memory(
    builder: ArchiveBuilder, good: MemorySource
) -> None:
    many = good.copy()
    for n in range(3000):
        many.objects[f"v1/log/evidence.example_custody/commit/x{n:05d}"] = b""
    told = tell(many, builder.trust)
    assert len(told.notes) == 1001
    assert ("KEY_UNKNOWN", {"more": 2000}) in told.notes


def test_each_object_taken_away_is_told(builder: ArchiveBuilder, good: MemorySource) -> None:
    """Deleting a file: fails, but for the copies of keys, and for old partial tiles (C2SP lets those go)."""
    may_go = {key for key in good.objects if "/keys/" in key}
    may_go |= {
        key
        for key in good.objects
        if "/tile/" in key and key not in {keyspace.tile(LOG, 0, 0, 17), keyspace.entries(LOG, 0, 17)}
    }
    for key in good.objects:
        assert tell(good.without(key), builder.trust).verdict.holds == (key in may_go), key


def test_root_events_need_as_many_roots_as_the_trust_file_says() -> None:
    two = ArchiveBuilder(second_root=Ed25519Signer(b"\x21" * 32)).open_log()
    two.capture(two.open_run(), scope=two.open_case())
    assert two.trust.root_threshold == 2
    assert tell(two.build(), two.trust).verdict.holds
    one = small()
    strict = replace(
        one.trust, root_keys=(one.root.public_key, Ed25519Signer(b"\x21" * 32).public_key), root_threshold=2
    )
    told = tell(one.build(), strict)
    assert expect(*told.failures) == expect(
        *[("AUTHORITY_MISSING", {"index": index, "needed": 2, "got": 1}) for index in range(4)]
    )


# A store that lists what it does not have


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (commit_key(6), "COMMIT_MISSING"),
        (checkpoint_key(13), "CP_MISSING"),
        (keyspace.tile(LOG, 0, 0, 17), "TILE_MISSING"),
        (keyspace.entries(LOG, 0, 17), "TILE_MISSING"),
        (keyspace.key_pem(LOG, keyid(Ed25519Signer(b"\x03" * 32).public_key)), "KEY_FILE"),
    ],
)
def test_what_is_listed_must_be_there(builder: ArchiveBuilder, good: MemorySource, key: str, code: str) -> None:
    class Lying(MemorySource):
        def open(self, key: str) -> BinaryIO:
            if key == lost:
                raise KeyError(key)
            return super().open(key)

    lost = key
    told = tell(Lying(dict(good.objects), good.locks), builder.trust)
    assert told.codes == [code]


# What a log says of itself, when nobody gives a trust file


@pytest.mark.parametrize("data", [b"", b"\xff\n", b"Jane Doe\n", b"other.example/log\n1\n", b"x" * 2_000_000])
def test_a_shown_checkpoint_that_names_no_log_is_no_log(good: MemorySource, data: bytes) -> None:
    assert tell(good.with_object(SHOWN, data), None).failures == [("LOG_ABSENT", {"log": ""})]


def test_a_log_that_does_not_say_which_key_is_its_own_is_no_log(good: MemorySource) -> None:
    assert tell(good.without(commit_key(1)), None).failures == [("LOG_ABSENT", {"log": ""})]
    closed = ArchiveBuilder()
    closed.commit(closed.introduce("worker", closed.worker))
    closed.commit(Draft(closed.commits[0][0].make, closed.log_chain, bytes=lambda leaf: b"[" + leaf[1:]))
    assert tell(closed.build(), None).failures == [("LOG_ABSENT", {"log": ""})]


def test_a_recorded_trust_file_of_another_log_is_not_believed() -> None:
    made = ArchiveBuilder()
    other = ArchiveBuilder(log="other.example/log").trust
    event = made.event("trust.changed", made.log_chain, made.blob("trust.json", other.format()), {"authorities": []})
    made.commit(made.root_draft(event))
    assert tell(made.build(), None).failures == [("LOG_ABSENT", {"log": ""})]
