"""When a capture happened, told without reading the whole archive: what `verify` finds, and nothing beyond it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.catalog import Catalog
from archive.dating import NOT_DATED, Dated, Dating, Range, ToldTokens
from archive.log import LogReader
from archive.memory import MemoryStore
from custody import keyspace
from custody.digest import Digest
from custody.event import Anchor
from custody.trust import Trust
from custody.verify import verify
from tests.archive.shelves import forge, stored
from tests.authority import LocalAuthority
from tests.custody.archive_builder import LOG, ArchiveBuilder, small
from tests.custody.dating import unreadable

SIZE, NAMES = 13, ("tsa-0.example", "tsa-1.example")


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> list[LocalAuthority]:
    return [LocalAuthority(tmp_path_factory.mktemp(f"authority{n}")) for n in range(2)]


@pytest.fixture(scope="module")
def made(authorities: list[LocalAuthority]) -> ArchiveBuilder:
    """Three captures before any token; a fourth between two rounds of two authorities each; a fifth after them."""
    made = small(authorities)
    token = made.build().objects[keyspace.token(LOG, SIZE, NAMES[0])]
    made.anchored = Anchor(size=SIZE, token_sha256=Digest.of(token))
    run = made.open_run()
    scope = made.open_case("Third")
    made.capture(run, scope=scope)
    made.stamp()
    made.capture(run, scope=scope)
    return made


@pytest.fixture
def store(made: ArchiveBuilder) -> MemoryStore:
    return stored(made)


@pytest.fixture
def catalog(tmp_path: Path, store: MemoryStore) -> Iterator[Catalog]:
    opened = Catalog.open(tmp_path / "catalog.sqlite")
    opened.advance(store, LogReader(store, LOG))
    yield opened
    opened.close()


def dated(catalog: Catalog, store: MemoryStore, trust: Trust) -> list[Dated]:
    """Oldest first."""
    dating = Dating(store, trust, catalog)
    return [dating.of(each.anchor, each.index) for each in reversed(catalog.captures())]


def test_it_is_what_verify_finds(catalog: Catalog, store: MemoryStore, made: ArchiveBuilder) -> None:
    verdict = verify(store, made.trust, at=datetime.now(UTC), brackets=True)
    assert verdict.facts["leaves_covered"], "there is trusted time to find"
    entries, found = catalog.captures()[::-1], dated(catalog, store, made.trust)
    for entry, each in zip(entries, found, strict=True):
        assert entry.index is not None
        assert each.bracket.not_before == verdict.brackets[entry.started_index].not_before
        assert each.bracket.not_after == verdict.brackets[entry.index].not_after
    assert [each.before for each in found] == [None, None, None, NAMES[0], NAMES[0]]
    assert [each.after for each in found] == [NAMES, NAMES, NAMES, NAMES, ()]
    assert "not before 20" in str(found[3])
    assert f"(tokens of {NAMES[0]}, {NAMES[1]})" in str(found[3])
    assert str(found[0]).startswith("no token before it, not after 20")
    assert "NO TRUSTED TIME after it" in str(found[4])
    assert "as stored" in str(found[4])


def test_by_events_as_by_the_catalogue(catalog: Catalog, store: MemoryStore, made: ArchiveBuilder) -> None:
    told = ToldTokens(LogReader(store, LOG).events("log.timestamped"))
    other = Dating(store, made.trust, told)
    found = dated(catalog, store, made.trust)
    assert [other.of(each.anchor, each.index) for each in reversed(catalog.captures())] == found
    times = Range.of(found)
    assert (times.unbegun, times.unended) == (3, 1)
    assert times.not_before == found[3].bracket.not_before
    assert times.not_after == found[3].bracket.not_after


def test_a_token_that_is_not_believed_dates_nothing(
    catalog: Catalog, store: MemoryStore, made: ArchiveBuilder, authorities: list[LocalAuthority]
) -> None:
    first, second = made.trust.authorities
    for trust in (
        replace(made.trust, authorities=(replace(first, roots_pem=""), replace(second, roots_pem=""))),
        replace(made.trust, authorities=(replace(first, roots_pem=authorities[1].roots_pem), second)),
    ):
        assert all(each.bracket.not_after is None for each in dated(catalog, store, trust)), "two have to stamp"
        assert all(each.before is None for each in dated(catalog, store, trust))
    assert str(dated(catalog, store, replace(made.trust, authorities=(), quorum=1))[0]) == str(NOT_DATED)


@pytest.mark.parametrize("ending", ["tsr", "tsq", "checkpoint"])
def test_what_was_changed_or_is_gone_dates_nothing(
    catalog: Catalog, store: MemoryStore, made: ArchiveBuilder, ending: str
) -> None:
    key = {
        "tsr": keyspace.token(LOG, SIZE, NAMES[0]),
        "tsq": keyspace.query(LOG, SIZE, NAMES[0]),
        "checkpoint": keyspace.checkpoint_at(LOG, SIZE),
    }[ending]
    before = dated(catalog, store, made.trust)
    data = store.read(key)
    for changed in (data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], None):
        forge(store, key, changed)
        after = dated(catalog, store, made.trust)
        assert after[3].before is None
        assert before[0].bracket.not_after is not None
        assert after[0].bracket.not_after is not None, "the later tokens still bound it"
        assert after[0].bracket.not_after >= before[0].bracket.not_after


def test_an_anchor_is_the_very_token(catalog: Catalog, store: MemoryStore, made: ArchiveBuilder) -> None:
    """Another token in its place may be good, and is not the one that the capture's maker saw."""
    key = keyspace.token(LOG, SIZE, NAMES[0])
    forge(store, key, unreadable(store.read(key)))
    found = dated(catalog, store, made.trust)
    assert found[0].after == NAMES, "OpenSSL reads it"
    assert found[3].before is None
