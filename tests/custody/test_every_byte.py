"""One bit of each byte of each object of a small archive: no change passes, but in what is named here."""

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

import pytest

from custody import keyspace
from custody.model import Role
from custody.verdict import Severity
from custody.verify import verify
from tests.authority import LocalAuthority
from tests.custody.archive_builder import LOG, ArchiveBuilder, MemorySource
from tests.custody.hostile import without_a_line
from tests.custody.tampering import AT, commit_key

_PROCESSES = 2


def smallest(authority: LocalAuthority) -> ArchiveBuilder:
    """Every kind of object there is, in as few bytes as it takes: 9 leaves in 2 commits, one token."""
    builder = ArchiveBuilder([authority]).open_log()
    builder.capture(builder.new_id(), files={Role.DOM: b"<p>"})
    builder.commits = [[draft for drafts in builder.commits for draft in drafts]]
    builder.stamp()
    return builder


@lru_cache(maxsize=1)
def archive(directory: str) -> tuple[ArchiveBuilder, MemorySource]:
    """Built once for each process; the tokens in ``directory`` make it the same in all of them."""
    builder = smallest(LocalAuthority(Path(directory)))
    return builder, builder.build()


def parts(source: MemorySource) -> Iterator[tuple[str, range]]:
    for key, data in source.objects.items():
        for at in range(0, len(data), 512):
            yield key, range(at, min(at + 512, len(data)))


def passing(directory: str, objects: dict[str, bytes], key: str, where: range) -> list[int]:
    """The offsets at which a flipped bit goes unseen."""
    builder, source = archive(directory)
    unseen = []
    for at in where:
        spoiled = MemorySource(objects, source.locks).flip(key, at, bit=at % 8)
        verdict = verify(spoiled, builder.trust, at=AT)
        assert not any(each.severity is Severity.UNCHECKED for each in verdict.findings), (key, at)
        if verdict.holds:
            unseen.append(at)
    return unseen


def test_the_archive_of_the_slow_test_holds(tmp_path: Path) -> None:
    builder, source = archive(str(tmp_path))
    verdict = verify(source, builder.trust, at=AT)
    assert verdict.findings == ()
    assert verdict.holds
    assert len(source.objects) > 20


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_flipped_bit_passes(tmp_path: Path) -> None:
    builder, source = archive(str(tmp_path))
    newest = commit_key(len(builder.commits))
    # The newest commit's nonce is bound by the next commit alone: nothing but chance is in it, and nothing rests on it.
    header = source.objects[newest].split(b"\n")[0]
    begin = header.index(json.loads(header)["nonce"].encode())
    allowed = {(newest, at) for at in range(begin, begin + 32)}
    unseen: set[tuple[str, int]] = set()
    with ProcessPoolExecutor(_PROCESSES) as executor:
        work = list(parts(source))
        keys, wheres = [key for key, _ in work], [where for _, where in work]
        same = [str(tmp_path)] * len(work), [source.objects] * len(work)
        results = executor.map(passing, *same, keys, wheres)
        for (key, _), found in zip(work, results, strict=True):
            unseen |= {(key, at) for at in found}
    assert unseen <= allowed
    assert unseen, "the nonce of the newest commit is bound by nothing: a flip there must pass, or nothing was tried"


def may_go(key: str, newest: str) -> bool:
    """What docs/manifest.md, 2, calls a copy for other tools, or a tile that a wider one has superseded."""
    return "/keys/" in key or ("/tile/" in key and not key.endswith(f".p/{newest}"))


@pytest.mark.slow
def test_no_missing_object_passes(tmp_path: Path) -> None:
    builder, source = archive(str(tmp_path))
    newest = builder.build().objects[keyspace.checkpoint(LOG)].split(b"\n")[1].decode()
    for key in source.objects:
        verdict = verify(source.without(key), builder.trust, at=AT)
        assert verdict.holds == may_go(key, newest), key
        assert not any(each.severity is Severity.UNCHECKED for each in verdict.findings), key


@pytest.mark.slow
def test_no_missing_line_passes(tmp_path: Path) -> None:
    """Of whatever is written in lines: commits, checkpoints, keys, JSON. A file of one line is emptied."""
    builder, source = archive(str(tmp_path))
    tried = 0
    for key, data in source.objects.items():
        for shorter in without_a_line(data):
            verdict = verify(source.with_object(key, shorter), builder.trust, at=AT)
            assert not verdict.holds, (key, shorter)
            assert not any(each.severity is Severity.UNCHECKED for each in verdict.findings), key
            tried += 1
    assert tried > 2 * len(source.objects)
