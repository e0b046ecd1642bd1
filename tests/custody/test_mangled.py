"""Bundles mangled at random: the verifier neither fails itself nor lets one pass."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custody import keyspace
from tests.custody.archive_builder import LOG, ArchiveBuilder, MemorySource, small
from tests.custody.tampering import tell

NEWEST = {keyspace.tile(LOG, 0, 0, 17), keyspace.entries(LOG, 0, 17)}
Mangle = Callable[[MemorySource], MemorySource]


@pytest.fixture(scope="module")
def builder() -> ArchiveBuilder:
    return small()


@pytest.fixture(scope="module")
def good(builder: ArchiveBuilder) -> MemorySource:
    return builder.build()


def may_go(key: str) -> bool:
    return "/keys/" in key or ("/tile/" in key and key not in NEWEST)


@settings(max_examples=80)
@given(data=st.data())
def test_whatever_is_done_to_the_objects(builder: ArchiveBuilder, good: MemorySource, data: st.DataObject) -> None:
    mangled = good.copy()
    names = sorted(good.objects)
    for _ in range(data.draw(st.integers(1, 3))):
        key = data.draw(st.sampled_from(names))
        before = mangled.objects.get(key, b"")
        how = data.draw(st.sampled_from(["random", "cut", "grow", "insert", "copy", "delete", "move"]))
        at = data.draw(st.integers(0, len(before)))
        if how == "random":
            mangled.objects[key] = data.draw(st.binary(max_size=200))
        elif how == "cut":
            mangled.objects[key] = before[:at]
        elif how == "grow":
            mangled.objects[key] = before + data.draw(st.binary(min_size=1, max_size=40))
        elif how == "insert":
            mangled.objects[key] = before[:at] + data.draw(st.binary(min_size=1, max_size=40)) + before[at:]
        elif how == "copy":
            mangled.objects[key] = good.objects[data.draw(st.sampled_from(names))]
        elif how == "move":
            mangled.objects[data.draw(st.sampled_from(names))] = mangled.objects.pop(key, b"")
        else:
            mangled.objects.pop(key, None)
    told = tell(mangled, builder.trust)
    harmless = all(
        mangled.objects.get(key) == good.objects[key] or (key not in mangled.objects and may_go(key)) for key in names
    )
    assert told.verdict.holds == harmless
    tell(mangled, None)


@settings(max_examples=40)
@given(
    junk=st.dictionaries(st.text(max_size=30) | st.sampled_from(["commit/", "tile/0/", "checkpoints/"]), st.binary())
)
def test_whatever_lies_beside_them(builder: ArchiveBuilder, good: MemorySource, junk: dict[str, bytes]) -> None:
    more = {f"v1/{name}": data for name, data in junk.items()}
    more |= {f"{keyspace.log_prefix(LOG)}{name}": data for name, data in junk.items()}
    told = tell(MemorySource({**more, **good.objects}, good.locks), builder.trust)
    assert told.verdict.holds
