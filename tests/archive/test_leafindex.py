"""Where leaves stand: by what they are about and by their type, as far as the log is asked for."""

from pathlib import Path

from archive.directory import DirectoryStore
from archive.leafindex import LeafIndex
from archive.log import LogReader
from tests.console.web.shelf import lay, opened


def test_it_finds_what_is_about_a_capture_and_what_introduces_keys(tmp_path: Path) -> None:
    shelf = opened()
    run, scope = shelf.open_run(), shelf.open_case("one")
    post = shelf.page(run, scope=scope)
    link = shelf.page(run, unit=post.unit)
    laid = lay(shelf, tmp_path)
    index = LeafIndex(LogReader(DirectoryStore(laid.store), shelf.log))
    size = 2**40
    assert index.typed("log.opened", "key.introduced", below=size) == [0, 1, 2, 3]
    mine = index.about(link.id, below=size)
    assert len(mine) == 2
    whole = index.about(post.id, below=size)
    assert len(whole) == 3, "start, its case, end"
    assert index.about(post.id, below=whole[-1]) == whole[:-1]
    assert index.about("nothing", below=size) == []


def test_it_reads_on_when_the_log_grows(tmp_path: Path) -> None:
    shelf = opened()
    run, scope = shelf.open_run(), shelf.open_case("one")
    laid = lay(shelf, tmp_path)
    index = LeafIndex(LogReader(DirectoryStore(laid.store), shelf.log))
    before = index.typed("key.introduced", below=2**40)
    post = shelf.page(run, scope=scope)
    laid.lay(shelf.build())
    assert len(index.about(post.id, below=2**40)) == 3
    assert index.typed("key.introduced", below=2**40) == before
