"""A store that stops to answer midway: what cannot be looked at has a number, and what rests on it is skipped."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pytest

from custody import keyspace
from custody.trust import Trust
from custody.verdict import Severity
from custody.verify import verify
from tests.custody.archive_builder import LOG, ArchiveBuilder, MemorySource, small
from tests.custody.tampering import AT, SHOWN, checkpoint_key, tell


@pytest.fixture(scope="module")
def builder() -> ArchiveBuilder:
    return small()


@pytest.fixture(scope="module")
def good(builder: ArchiveBuilder) -> MemorySource:
    return builder.build()


class Failing(MemorySource):
    """Answers until it is asked for a key, or for a list, the n-th time."""

    at: str = ""
    left: int = 1

    def _ask(self, what: str) -> None:
        self.left -= what == self.at
        if what == self.at and self.left <= 0:
            raise OSError("the line is dead")

    def open(self, key: str) -> BinaryIO:
        self._ask(key)
        return super().open(key)

    def keys(self, prefix: str) -> Iterator[str]:
        self._ask(prefix)
        yield from super().keys(prefix)


def failing(good: MemorySource, at: str, times: int = 1) -> Failing:
    source = Failing(dict(good.objects), good.locks)
    source.at, source.left = at, times
    return source


STAGES: list[tuple[int, Callable[[Trust], Trust | None], str, str]] = [
    (1, lambda _: None, keyspace.LOGS, "skipped (depends on 1 trust)"),
    (2, lambda trust: trust, SHOWN, "skipped (depends on 2 checkpoint)"),
    (3, lambda trust: trust, f"{keyspace.log_prefix(LOG)}commit/", "skipped (depends on 3 commits)"),
    (10, lambda trust: trust, keyspace.BLOBS, "skipped (depends on 10 blobs)"),
]


@pytest.mark.parametrize("where", STAGES, ids=lambda where: f"check {where[0]}")
def test_the_check_that_could_not_be_made_is_named(
    builder: ArchiveBuilder, good: MemorySource, where: tuple[int, Callable[[Trust], Trust | None], str, str]
) -> None:
    stage, believed, at, reason = where
    source = failing(good, at)
    verdict = verify(source, believed(builder.trust), at=AT)
    assert source.left == 0, "it was asked"
    assert verdict.word == "could not check"
    (found,) = [each for each in verdict.findings if each.severity is Severity.UNCHECKED]
    assert (found.check, found.code, found.locator["key"]) == (stage, "STORE_UNREACHABLE", at)
    details = {each.n: each.detail for each in verdict.checks}
    assert {n for n, detail in details.items() if detail.startswith(reason)} == set(range(stage + 1, 13))
    assert "skipped" not in details[stage]
    assert not any(each.passed for each in verdict.checks if each.n >= stage)


def test_the_second_look_at_what_is_shown_belongs_to_check_2(builder: ArchiveBuilder, good: MemorySource) -> None:
    older = good.with_object(SHOWN, good.objects[checkpoint_key(4)])
    assert tell(older, builder.trust).codes == ["LOG_TRUNCATED"]
    verdict = verify(failing(older, SHOWN, 2), builder.trust, at=AT)
    assert [(each.check, each.code) for each in verdict.findings] == [(2, "STORE_UNREACHABLE")]


def test_a_verifier_that_fails_itself_says_where(builder: ArchiveBuilder, good: MemorySource) -> None:
    class Broken(Failing):
        def _ask(self, what: str) -> None:
            if what == self.at:
                raise RuntimeError("x" * 2000)

    for stage, believed, at, _ in STAGES:
        source = Broken(dict(good.objects), good.locks)
        source.at = at
        verdict = verify(source, believed(builder.trust), at=AT)
        (found,) = [each for each in verdict.findings if each.severity is Severity.UNCHECKED]
        assert (found.check, found.code, found.locator) == (stage, "VERIFIER_FAULT", {"stage": stage})
        assert "RuntimeError: xxx" in found.message
        assert len(found.message) == 1000


def test_nothing_is_said_of_a_log_that_nobody_signed(builder: ArchiveBuilder, good: MemorySource) -> None:
    unsigned = good.without(SHOWN, *good.keys(f"{keyspace.log_prefix(LOG)}checkpoints/"))
    verdict = tell(unsigned, builder.trust).verdict
    assert (verdict.log, verdict.size, verdict.root) == (LOG, 0, "")
    verdict = tell(MemorySource(), None).verdict
    assert (verdict.log, verdict.size, verdict.root) == ("", 0, "")


def test_facts_that_nobody_asked_for_are_not_there(builder: ArchiveBuilder, good: MemorySource) -> None:
    verdict = tell(good, builder.trust).verdict
    assert "kept" not in verdict.facts
    assert verdict.brackets == {}


def test_events_are_counted_by_type(builder: ArchiveBuilder, good: MemorySource) -> None:
    verdict = tell(good, builder.trust).verdict
    assert verdict.facts["events"] == dict(
        Counter({
            "capture.completed": 3, "capture.started": 3, "case.opened": 2, "item.assigned": 2, "key.introduced": 3,
            "log.opened": 1, "run.closed": 1, "run.opened": 1, "storage.probed": 1,
        })
    )  # fmt: skip


def test_leaves_that_are_not_to_be_had_are_no_ones_fault_but_the_commits(
    builder: ArchiveBuilder, good: MemorySource
) -> None:
    """From the lost commit on, no check has seen all: 5 to 12 say how far they came."""
    lost = good.without(keyspace.commit(LOG, 6), *good.keys(f"{keyspace.log_prefix(LOG)}tile/entries/"))
    verdict = tell(lost, builder.trust).verdict
    only = f"skipped (only the first {verdict.facts['leaves']} leaves are to be had, depends on 3 commits)"
    assert [each.n for each in verdict.checks if each.detail.startswith(only)] == list(range(5, 13))
