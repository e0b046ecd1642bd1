"""Where leaves stand: by what they are about and by their type, as far as the log is asked for."""

from functools import partial
from pathlib import Path

import pytest

from archive.catalog import Catalog
from archive.directory import DirectoryStore
from archive.leafindex import LeafIndex
from archive.log import LoggedEvent, LogReader
from tests.console.web.shelf import Laid, Shelf, lay, opened

END = 2**40
GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden" / "0.1"


def over(laid: Laid, shelf: Shelf) -> LeafIndex:
    store = DirectoryStore(laid.store)
    catalog = Catalog.open(laid.home / "catalog.sqlite")
    return LeafIndex(catalog=catalog, advance=partial(catalog.advance, store, LogReader(store, shelf.log)))


def test_it_finds_what_is_about_a_capture_and_what_introduces_keys(tmp_path: Path) -> None:
    shelf = opened()
    run, scope = shelf.open_run(), shelf.open_case("one")
    post = shelf.page(run, scope=scope)
    link = shelf.page(run, unit=post.unit)
    index = over(lay(shelf, tmp_path), shelf)
    assert index.typed("log.opened", "key.introduced", below=END) == [0, 1, 2, 3]
    entries = {each.capture_id: each for each in index.catalog.of_unit(post.unit)}
    both = index.about(entries[link.id], below=END)
    assert len(both) == 3, "its start and end, and the case of its unit"
    whole = index.about(entries[post.id], below=END)
    assert len(whole) == 3, "start, its case, end"
    assert set(whole) & set(both) == {whole[1]}
    assert index.about(entries[post.id], below=whole[-1]) == whole[:-1]
    index.catalog.close()


def test_it_reads_on_when_the_log_grows(tmp_path: Path) -> None:
    shelf = opened()
    run, scope = shelf.open_run(), shelf.open_case("one")
    laid = lay(shelf, tmp_path)
    index = over(laid, shelf)
    before = index.typed("key.introduced", below=END)
    post = shelf.page(run, scope=scope)
    laid.lay(shelf.build())
    assert index.typed("key.introduced", below=END) == before
    entry = index.catalog.entry(post.id)
    assert entry is not None
    assert len(index.about(entry, below=END)) == 3
    index.catalog.close()


@pytest.mark.parametrize("name", sorted(each.parent.name for each in GOLDEN.glob("*/archive")))
def test_it_finds_in_golden_archives_what_a_reading_of_all_leaves_finds(tmp_path: Path, name: str) -> None:
    store = DirectoryStore(GOLDEN / name / "archive")
    key = next(each for each in store.keys("v1/log/") if each.endswith("/checkpoint"))
    reader = LogReader(store, store.read(key).split(b"\n", 1)[0].decode())
    catalog = Catalog.open(tmp_path / "catalog.sqlite")
    index = LeafIndex(catalog=catalog, advance=partial(catalog.advance, store, reader))
    leaves = list(reader.events())
    assert index.typed("log.opened", "key.introduced", below=len(leaves)) != []
    for entry in catalog.captures(limit=10_000):
        expected = [each.index for each in leaves if about(each, entry.capture_id, entry.unit)]
        assert index.about(entry, below=len(leaves)) == expected
    for type_ in {each.event.type for each in leaves} - {"capture.started", "capture.completed", "capture.failed"}:
        assert index.typed(type_, below=END) == [each.index for each in leaves if each.event.type == type_]
    catalog.close()


def about(each: LoggedEvent, capture: str, unit: str) -> bool:
    body = each.event.body
    if "capture" in body:  # a unit bears the id of its first capture: what names that one is about no other
        return body["capture"] == capture
    return (body.get("item") or each.event.chain.partition(":")[2]) in {capture, unit}
