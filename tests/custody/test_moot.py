"""A check that rests on one that failed says so; it neither passes nor fails a second time."""

from collections.abc import Callable, Iterator

import pytest

from custody import keyspace
from custody.verdict import CHECKS
from custody.verify import verify
from tests.custody.archive_builder import LOG, ArchiveBuilder, MemorySource, small
from tests.custody.tampering import AT, SHOWN, Told, commit_key, flipped_payload, spoil_leaf, tell


@pytest.fixture(scope="module")
def builder() -> ArchiveBuilder:
    return small()


@pytest.fixture(scope="module")
def good(builder: ArchiveBuilder) -> MemorySource:
    return builder.build()


def states(told: Told) -> dict[int, bool | None]:
    return {each.n: each.passed for each in told.verdict.checks}


def without_a_log(good: MemorySource) -> MemorySource:
    return good.without(*good.keys(keyspace.LOGS))


def without_signed_roots(good: MemorySource) -> MemorySource:
    return good.without(SHOWN, *good.keys(f"{keyspace.log_prefix(LOG)}checkpoints/"))


def without_leaves(good: MemorySource) -> MemorySource:
    return good.without(commit_key(6), *good.keys(f"{keyspace.log_prefix(LOG)}tile/entries/"))


def without_records(good: MemorySource) -> MemorySource:
    return good.without(*(key for key in good.keys(keyspace.BLOBS) if b"capture_id" in good.objects[key]))


@pytest.mark.parametrize(
    ("spoil", "failed_and_moot", "reason"),
    [
        (without_a_log, ({1}, set(range(2, 13))), "skipped (depends on 1 trust)"),
        (without_signed_roots, ({2}, {4}), "skipped (no signed root to compare with, see checks 2 and 3)"),
        (without_leaves, ({3}, {4, *range(5, 13)}), "depends on 3 commits"),
        (without_records, ({10}, {11}), "skipped (depends on 10 blobs)"),
    ],
)
def test_what_rests_on_it_is_skipped(
    builder: ArchiveBuilder,
    good: MemorySource,
    spoil: Callable[[MemorySource], MemorySource],
    failed_and_moot: tuple[set[int], set[int]],
    reason: str,
) -> None:
    failed, moot = failed_and_moot
    told = tell(spoil(good), builder.trust)
    passed = states(told)
    assert {n for n, state in passed.items() if state is False} == failed
    assert {n for n, state in passed.items() if state is None} == moot
    for check in told.verdict.checks:
        if check.n in moot and check.n != 4:
            assert reason in check.detail, CHECKS[check.n]


def test_one_leaf_leaves_the_rest_judged(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(spoil_leaf(good, 10, flipped_payload), builder.trust)
    passed = states(told)
    assert all(passed[n] for n in (7, 8, 9, 10, 11, 12))
    assert "1 chains not judged (depends on 5 leaves, 6 signatures, 7 chains)" in told.verdict.checks[7].detail


class Listless(MemorySource):
    """It stops to list blobs when all of them were read."""

    def keys(self, prefix: str) -> Iterator[str]:
        if prefix == keyspace.BLOBS:
            raise OSError("gone")
        yield from super().keys(prefix)


def test_a_store_that_goes_down_leaves_no_check_as_passed_that_was_not_made(
    builder: ArchiveBuilder, good: MemorySource
) -> None:
    verdict = verify(Listless(good.objects, good.locks), builder.trust, at=AT)
    assert verdict.word == "could not check"
    passed = {each.n: each.passed for each in verdict.checks}
    assert [n for n, state in passed.items() if state is None] == [10, 11, 12]
