"""``counterproof compare``: what one capture showed and another one did not."""

import os
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences
from custody.digest import Digest
from custody.leaf import Leaf

if TYPE_CHECKING:
    from archive.catalog import Entry
    from archive.changes import Told
    from findings.change import Change, Comparison, Passage

_MAX_SHOWN = 240


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def compare(
        self,
        before: Annotated[str, typer.Argument(metavar="CAPTURE", help="A capture's id, or how it begins or ends.")],
        after: Annotated[str, typer.Argument(metavar="CAPTURE", help="Another one, of the same address.")],
        *,
        record: Annotated[
            bool, typer.Option("--record", help="Put what changed into the log, as a signed event.")
        ] = False,
        case: Annotated[
            str | None,
            typer.Option("--case", metavar="NAME", help="With --record: in this case, where there are several."),
        ] = None,
        pictures: Annotated[
            bool, typer.Option("--pictures/--no-pictures", help="Compare the page's own pictures by how they look.")
        ] = True,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Hold two captures of one address against each other: what changed, with both passages.

        Compared are links, caption, bio, title, price, seller, availability, disclosures, pictures, where a redirect
        leads, and what was shown at all; with what could not be compared, and what a difference may come of besides.
        Whichever was looked at first is the earlier one. Nothing is fetched. What changed says nothing of why.

          counterproof compare 3f1c 9ab2
          counterproof compare 3f1c 9ab2 --record

        Exit codes: 0 compared (with or without a change), 2 a capture that is not there or has no record, 6 store.
        """
        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            comparison, ends = _compared(config, (before, after), self._run(), pictures=pictures)
            told = None
            if record and comparison.changes:
                told = _record(config, comparison, ends, self._run(), case)
            if as_json:
                index = None if told is None else told.index
                sha256 = None if told is None else told.detail.hex
                recorded = None if told is None else {"index": index, "sha256": sha256}
                print_json({"schema": 1, **comparison.to_json(), "recorded": recorded})
                return
            for line in _lines(comparison):
                out.print(line)
            if told is not None:
                where = "it waits in the inbox" if told.index is None else f"entry {told.index}"
                out.print(Text(f"recorded   {where}", style="bold"))


def _compared(
    config: ArchiveConfig, asked: tuple[str, str], run: ModuleType, *, pictures: bool
) -> "tuple[Comparison, dict[str, int | None]]":
    """And the leaf of each capture's end."""
    from archive.derived import Derived
    from console.browsing import entry_named
    from console.kept import open_kept

    with open_kept(config) as kept:
        entries = [entry_named(kept.catalog, each) for each in asked]
        first, second = sorted(entries, key=lambda each: each.started_index)
        if first.capture_id == second.capture_id:
            raise UsageError("name two captures: these are one")
        known = Derived.open(config.home / "cache", "prints", run.PRINTS_MAKER)
        comparison: Comparison = run.compared(
            kept.reader.store,
            _record_of(first),
            _record_of(second),
            unit=[_record_of(each) for each in kept.catalog.of_unit(second.unit) if _has_record(each)],
            prints=known if pictures else None,
        )
    return comparison, {each.capture_id: each.index for each in entries}


def _has_record(entry: "Entry") -> bool:
    return entry.record_sha256 is not None and entry.disposed_at is None


def _record_of(entry: "Entry") -> Digest:
    if entry.record_sha256 is None or entry.disposed_at is not None:
        why = "it was disposed of" if entry.disposed_at else f"it is {entry.status or 'open'}"
        raise UsageError(f"capture {entry.capture_id} has no record to compare: {why}")
    return Digest(entry.record_sha256)


def _record(
    config: ArchiveConfig,
    comparison: "Comparison",
    ends: "dict[str, int | None]",
    run: ModuleType,
    case: str | None,
) -> "Told":
    from archive import changes
    from archive.stewardship.opening import open_desk

    with open_desk(config, clock=now, notify=say, by_person=False) as opened:
        vault = opened.vault
        vault.advance_catalog()
        scope = _scope(opened.scope(case) if case else None, vault.catalog.scopes_of(comparison.after.unit))
        for each in changes.observed(vault.sequencer, scope):
            same = (each.capture, each.before) == (comparison.after.capture, comparison.before.capture)
            if same and each.kinds == tuple(kind.value for kind in comparison.kinds):
                say(f"recorded before, as entry {each.index}: nothing new")
                return each
        index = ends[comparison.after.capture]
        if index is None:
            raise UsageError(
                "the later capture's end is not in the log yet: run `counterproof sequence` where its key is"
            )
        leaf = Leaf.parse(vault.sequencer.reader.leaf(index, vault.sequencer.position.size))
        told = changes.observe(
            comparison.to_json(),
            scope=scope,
            end=leaf.event.payload_sha256,
            scribe=vault.scribe_for(scope),
            submit=opened.desk.log.append,
            by=run.code(),
        )
        opened.stamp()
        return told


def _scope(named: str | None, scopes: list[str]) -> str:
    if named is not None:
        if named not in scopes:
            raise UsageError("the later capture is not of this case: `captures --case NAME` lists a case's")
        return named
    if len(scopes) != 1:
        raise UsageError(f"the later capture is of {len(scopes)} cases: say in which by --case NAME")
    return scopes[0]


def _lines(comparison: "Comparison") -> Iterator[Text]:
    before, after = comparison.before, comparison.after
    yield Text(f"earlier    {before.capture}  {before.url}", style="bold")
    yield Text(f"later      {after.capture}  {after.url}", style="bold")
    for change in comparison.changes:
        yield from _change(change)
    if not comparison.changes:
        yield Text("nothing that was compared is another than before")
    for each in comparison.not_compared:
        yield Text(f"  not compared: {each.what}: {each.why}", style="yellow")


def _change(change: "Change") -> Iterator[Text]:
    yield Text(f"{change.kind.value:<22} {change.sentence}")
    for name, passage in (("before", change.before), ("after", change.after)):
        if passage is not None:
            yield Text(f"  {name:<8} {_passage(passage)}")
    for each in change.doubts:
        yield Text(f"  but      {each}", style="yellow")


def _passage(passage: "Passage") -> str:
    said = " ".join(passage.text.split())
    where: Any = f"  [{passage.words}: {passage.where}]" if passage.where else f"  [{passage.words}]"
    return f"“{said[:_MAX_SHOWN]}{'…' if len(said) > _MAX_SHOWN else ''}”{where}"
