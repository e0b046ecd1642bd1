"""Checkpoints that a reader kept: today's log goes on from them, or the verdict says how it does not."""

from dataclasses import replace

import pytest

from custody.checkpoint import Checkpoint, open_checkpoint
from tests.custody.archive_builder import LOG, ArchiveBuilder, MemorySource, small
from tests.custody.tampering import SHOWN, checkpoint_key, commit_key, flipped_payload, spoil_leaf, tell


@pytest.fixture(scope="module")
def builder() -> ArchiveBuilder:
    return small()


@pytest.fixture(scope="module")
def good(builder: ArchiveBuilder) -> MemorySource:
    return builder.build()


def kept(good: MemorySource, builder: ArchiveBuilder, size: int) -> Checkpoint:
    return open_checkpoint(good.objects[checkpoint_key(size)], builder.trust.log)


@pytest.mark.parametrize("size", [4, 13, 17])
def test_todays_log_extends_it(builder: ArchiveBuilder, good: MemorySource, size: int) -> None:
    one = kept(good, builder, size)
    verdict = tell(good, builder.trust, kept=[one]).verdict
    assert verdict.findings == ()
    assert verdict.facts["kept"] == [{"size": size, "root": one.root.hex(), "extended": True}]


def test_even_where_the_log_has_no_such_checkpoint_any_more(builder: ArchiveBuilder, good: MemorySource) -> None:
    told = tell(good.without(checkpoint_key(13)), builder.trust, kept=[kept(good, builder, 13)])
    assert told.codes == ["CP_MISSING"]
    assert told.verdict.facts["kept"][0]["extended"] is True  # type: ignore[index,call-overload]


def test_the_empty_tree_is_extended_by_every_log(builder: ArchiveBuilder, good: MemorySource) -> None:
    empty = Checkpoint(LOG, 0, bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
    assert tell(good, builder.trust, kept=[empty]).verdict.holds
    assert tell(good, builder.trust, kept=[replace(empty, root=b"\1" * 32)]).codes == ["LOG_INCONSISTENT"]


def test_40_a_log_that_was_cut_off(builder: ArchiveBuilder, good: MemorySource) -> None:
    """With everything of its newest commits taken away it is a good log of its own; only the reader knows better."""
    shorter = small()
    del shorter.commits[10:]
    back = shorter.build()
    assert tell(back, builder.trust).verdict.holds
    told = tell(back, builder.trust, kept=[kept(good, builder, 17)])
    assert told.failures == [("LOG_TRUNCATED", {"kept": 17, "signed": 15})]
    assert told.failed_checks == [2]


def forked() -> ArchiveBuilder:
    """The same log, but for one event of another day, signed and numbered as it should be."""
    made = small()
    before = made.commits[11][0].make().payload
    made.commits.pop()
    made.close_run(made.commits[2][0].chain.removeprefix("run:"), 2)
    assert made.commits[11][0].make().payload != before
    return made


def test_41_another_tree_of_the_same_size(builder: ArchiveBuilder, good: MemorySource) -> None:
    fork = forked().build()
    assert tell(fork, builder.trust).verdict.holds
    told = tell(fork, builder.trust, kept=[kept(good, builder, 17)])
    roots = sorted((told.verdict.root, kept(good, builder, 17).root.hex()))
    assert told.failures == [("LOG_FORK", {"size": 17, "roots": roots})]
    assert told.failed_checks == [2]


@pytest.mark.parametrize("together", [False, True])
def test_42_a_log_that_was_made_again(builder: ArchiveBuilder, good: MemorySource, together: bool) -> None:
    fork = forked()
    fork.open_case("later")
    if together:  # so that it has no checkpoint of 17 leaves at all
        fork.commits[11] += fork.commits.pop()
    source = fork.build()
    assert (checkpoint_key(17) in source.objects) != together
    assert tell(source, builder.trust).verdict.holds
    told = tell(source, builder.trust, kept=[kept(good, builder, 17), kept(good, builder, 16)])
    assert told.failures == [("LOG_INCONSISTENT", {"kept": 17, "signed": 18})]
    assert [each["extended"] for each in told.verdict.facts["kept"]] == [True, False]  # type: ignore[index,union-attr,call-overload]


def test_a_fault_that_is_named_is_not_named_again(builder: ArchiveBuilder, good: MemorySource) -> None:
    one = kept(good, builder, 13)
    for index in (5, 16):
        plain = tell(spoil_leaf(good, index, flipped_payload), builder.trust)
        told = tell(spoil_leaf(good, index, flipped_payload), builder.trust, kept=[one])
        assert told.failures == plain.failures
        assert told.verdict.facts["kept"][0]["extended"] is True  # type: ignore[index,call-overload]


def test_where_the_leaves_are_not_to_be_had_nothing_is_said(builder: ArchiveBuilder, good: MemorySource) -> None:
    bundles = [key for key in good.objects if "/entries/" in key]
    told = tell(good.without(commit_key(6), *bundles), builder.trust, kept=[kept(good, builder, 13)])
    assert told.verdict.facts["kept"][0]["extended"] is None  # type: ignore[index,call-overload]
    assert "kept checkpoint of 13 leaves not judged (depends on 3 commits, 4 tree)" in told.verdict.checks[1].detail
    assert "LOG_INCONSISTENT" not in told.codes


def test_a_log_without_a_signed_checkpoint_is_not_compared(builder: ArchiveBuilder, good: MemorySource) -> None:
    unsigned = good.with_object(SHOWN, b"")
    for key in good.objects:
        if "/checkpoints/" in key:
            unsigned = unsigned.with_object(key, b"")
    told = tell(unsigned, builder.trust, kept=[kept(good, builder, 13)])
    assert told.verdict.facts["kept"][0]["extended"] is None  # type: ignore[index,call-overload]
