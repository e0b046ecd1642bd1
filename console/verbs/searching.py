"""``counterproof search``, ``whereis`` and ``timeline``: what is in the archive, by its words, its bytes, its days."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.exits import Exit
from console.options import CaseOption, HomeOption, JsonOption, StoreOption
from console.screen import out, print_json, say, sentences, span

if TYPE_CHECKING:
    from archive.catalog import Catalog
    from archive.index.history import Life, Told
    from archive.index.whereabouts import Whereabouts
    from archive.reader import Reader
    from archive.recorded import Recorded

_TOLD_EVERY = 1_000
_SHOWN = 120

PlatformOption = Annotated[
    str | None, typer.Option("--platform", metavar="NAME", help="Whose page, as its reader says: instagram, amazon, …")
]
OutcomeOption = Annotated[
    str | None, typer.Option("--outcome", metavar="WORD", help="What was shown: ok, login_wall, removed, …")
]
OriginOption = Annotated[
    str | None, typer.Option("--origin", metavar="WORD", help="Where pages came from: public, unverified, not_public.")
]
KindOption = Annotated[
    str | None, typer.Option("--kind", metavar="WORD", help="What sort of page: post, profile, link_hub, listing, …")
]
HostOption = Annotated[str | None, typer.Option("--host", metavar="NAME", help="Where the browser ended up.")]
SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="DAY|TIME", help="Begun then or later, in UTC: 2026-11-03.")
]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="DAY|TIME", help="Begun before that, in UTC.")]


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import: it knows spellings of addresses."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def search(
        self,
        words: Annotated[
            list[str] | None,
            typer.Argument(metavar="[WORDS]...", help="All of them; one in quotation marks is a phrase."),
        ] = None,
        *,
        case: CaseOption = None,
        platform: PlatformOption = None,
        outcome: OutcomeOption = None,
        origin: OriginOption = None,
        kind: KindOption = None,
        host: HostOption = None,
        since: SinceOption = None,
        until: UntilOption = None,
        limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="So many at most.")] = 50,
        before: Annotated[
            int | None, typer.Option("--before", metavar="N", help="The next page: what this one says at its end.")
        ] = None,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Find captures by what their pages say: words, handles, shops, sellers, domains, ids; newest first.

        Searched are the visible text, the title, the address, and who and what the reader named in the visit. Case
        and accents do not count, and a word may go on: "bracelet" finds "bracelets". Without words, filters alone list.
        New captures are taken in first, which is told where it takes long.

          counterproof search love bracelet --case acme
          counterproof search '"link in bio"' --platform instagram --since 2026-11-01
          counterproof search --kind listing --outcome removed --json
        """
        from archive.index.listing import Wanted, listed

        with sentences(as_json=as_json):
            wanted = Wanted(
                words=" ".join(words or ()),
                platform=platform,
                outcome=outcome,
                origin=origin,
                kind=kind,
                host=host,
                since=_moment(since),
                until=_moment(until),
                before=before,
                limit=limit,
            )
            with _taken_in(home, store, words=bool(words)) as (_, catalog):
                if case is not None:
                    from dataclasses import replace

                    wanted = replace(wanted, scope=catalog.scope_of(case))
                page = listed(catalog.database, wanted, None)
            if as_json:
                print_json(
                    {
                        "schema": 1,
                        "captures": [each.to_json() for each in page.found],
                        "next": page.next,
                        "unread": page.unread,
                    }
                )
                return
        for each in page.found:
            entry = each.entry
            about = entry.title or entry.final_url or entry.requested_url
            head = f"{entry.capture_id}  {entry.started_at:%Y-%m-%d %H:%M}  {entry.outcome or 'open':<12}"
            what = " ".join(part for part in (each.platform, each.kind) if part)
            out.print(Text(f"{head}  {what or each.host or '':<20}  {' '.join(about.split())[:_SHOWN]}"))
            if each.passage:
                out.print(Text(f"    {each.passage}", style="dim"))
        if not page.found:
            say("nothing was found; fewer words or filters find more, and `counterproof captures` lists all")
        if page.next is not None:
            say(f"there are more: add --before {page.next}")
        if page.unread:
            say(f"{page.unread} captures are not taken in yet: words of theirs are not found")

    def whereis(
        self,
        what: Annotated[
            str, typer.Argument(metavar="FILE|SHA-256", help="A file, which is hashed here; 64 hex digits; - is stdin.")
        ],
        *,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Say whether these very bytes are in the archive, and of what they are: artifact, record, job, other blob.

        One byte that differs makes another file: a screenshot that was sent through a messenger is not found. What the
        catalogue says is no proof: `counterproof verify` and `counterproof proof` give that. Exit code 4: not here.

          counterproof whereis screenshot.png
          counterproof whereis 44f57f8b54dcba004a68bc0ce8b774cc5b0ed8751d9da51aec09369a9aebeb97
        """
        from archive.index.whereabouts import whereabouts

        with sentences(as_json=as_json):
            digest = _digest(what)
            with _taken_in(home, store, words=False) as (_, catalog):
                found = whereabouts(catalog.database, digest, None)
        if as_json:
            print_json({"schema": 1, "sha256": digest.hex, "found": [each.to_json() for each in found]})
        for each in () if as_json else found:
            out.print(Text(_place(each)))
        if not found:
            say(f"{digest} is not in this archive, as far as its catalogue goes")
        raise typer.Exit(Exit.OK if found else Exit.TARGET_FAILED)

    def timeline(
        self,
        target: Annotated[
            str, typer.Argument(metavar="TARGET", help="A handle, an address, an item's id, or a capture's id.")
        ],
        *,
        sort: Annotated[
            str | None,
            typer.Option(
                "--as", metavar="SORT", help="address, account, seller, item or post, where it may be several."
            ),
        ] = None,
        all_: Annotated[bool, typer.Option("--all", help="Also captures in which nothing was another.")] = False,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Tell what captures show of an account, a listing or an address: first seen, changed, private, gone, back.

        Told of captures alone, each against the last one that showed the page: what was between them, nobody saw.
        "Gone" is what a site said in one look; `counterproof show` tells what two looks came to.

          counterproof timeline @mirabelle.finds
          counterproof timeline https://www.bazaroo.example/item/4410087712-screw-bracelet-for-women --all
        """
        from archive.index.history import Moment, Target, history, lives, targets
        from archive.recorded import documents, recorded
        from console.intervals import interval_lines, intervals_of

        with sentences(as_json=as_json), _taken_in(home, store, words=True) as (reader, catalog):
            key = _key(self._run, target)
            known = catalog.find(target) if len(target) >= 8 else []
            if len(known) == 1:
                key = catalog.url_key(known[0].capture_id) or key
            found = targets(catalog.database, target, key, None)
            chosen = [each for each, _ in found if sort is None or each.sort == sort]
            if not chosen:
                wanted = f" as {sort}" if sort else ""
                raise UsageError(f"nothing captured is called {target!r}{wanted}: `counterproof search` finds what is")
            if len(chosen) > 1:
                others = ", ".join(f"--as {each.sort}" for each in chosen)
                say(f"{target} names several things ({others}); told is the first")
            meant: Target = chosen[0]
            told = history(catalog.database, meant, None)
            watched = intervals_of(home, store, {life.url: self._run().dedupe_key(life.url) for life in lives(told)})
            if as_json:
                print_json(
                    {
                        "schema": 1,
                        "target": {"sort": meant.sort, "value": meant.value},
                        "lives": [
                            {**each.to_json(), "watches": [kept.to_json() for kept in watched.get(each.url, ())]}
                            for each in lives(told)
                        ],
                        "moments": list(documents(reader.store, told)),
                    }
                )
                return
            changes = recorded(reader.store, told)
        quiet = {Moment.UNCHANGED, Moment.NOT_SHOWN}
        for each in told:
            if all_ or each.moment not in quiet:
                for line in _moment_lines(each, None if each.index is None else changes[each.index]):
                    out.print(line)
        for life in lives(told):
            for line in (*_life_lines(life), *interval_lines(watched.get(life.url, ()))):
                out.print(line)
        left = 0 if all_ else sum(each.moment in quiet for each in told)
        shown = [each for each in told if each.moment is not Moment.NOT_SHOWN]
        if shown:
            last = max(each.at for each in shown)
            say(f"last looked at with a result on {last:%Y-%m-%d %H:%M} UTC; {len(told)} moments in all")
        if left:
            say(f"{left} captures with nothing new, or that did not show the page: --all lists them")


def _moment_lines(each: "Told", change: "Recorded | None") -> Iterator[Text]:
    words = each.moment.value.replace("_", " ")
    yield Text(f"{each.at:%Y-%m-%d %H:%M:%S}  {words:<16}  {each.entry.capture_id}  {each.url}")
    if each.after is not None:
        yield Text(f"    between {each.after:%Y-%m-%d %H:%M:%S} and {each.at:%Y-%m-%d %H:%M:%S} UTC")
    for name, (old, new) in each.changed.items():
        yield Text(f"    {name}: {_brief(old)} -> {_brief(new)}")
    if change is None:
        return
    if change.trouble:
        yield Text(f"    leaf {change.index}: {change.trouble}")
        return
    yield Text(
        f"    leaf {change.index}: {', '.join(change.kinds)}; last seen as before {change.not_before}, first seen "
        f"otherwise {change.not_after}"
    )
    for one in change.changes:
        yield Text(f"    {one.get('sentence', '')}")


def _life_lines(life: "Life") -> Iterator[Text]:
    yield Text(life.url)
    if life.first_seen is not None and life.last_seen is not None:
        yield Text(f"    seen {life.first_seen:%Y-%m-%d %H:%M} to {life.last_seen:%Y-%m-%d %H:%M} UTC")
    often = "" if life.every is None else f", every {span(life.every)} in the mean"
    yield Text(f"    looked at {life.looks} times, last on {life.last_looked:%Y-%m-%d %H:%M} UTC{often}")


def _brief(value: Any) -> str:
    text = " ".join(str(value).split())
    return f"“{text}”" if len(text) <= _SHOWN else f"“{text[:_SHOWN]}…”"


def _place(each: "Whereabouts") -> str:
    if each.entry is None:
        return f"{each.what}  leaf {each.index}  {each.name} of {each.chain}"
    of = f"{each.role} {each.name}" if each.role else each.name
    length = "" if each.bytes is None else f", {each.bytes} bytes"
    gone = "" if each.entry.disposed_at is None else "; its evidence was disposed of"
    about = each.entry.final_url or each.entry.requested_url
    return f"{each.what}  {of}{length}  of capture {each.entry.capture_id} (leaf {each.index}{gone})  {about}".rstrip()


def _key(run: Callable[[], ModuleType], target: str) -> str:
    """Only an address needs what knows of addresses."""
    if not target.lower().startswith(("http://", "https://")):
        return target
    return str(run().dedupe_key(target))


def _digest(what: str) -> Any:
    import sys

    from archive import disk
    from custody.digest import Digest
    from custody.errors import CustodyError

    if what == "-":
        return Digest.of_stream(sys.stdin.buffer)[0]
    path = Path(what)
    if path.is_file():
        with disk.trouble(path), path.open("rb") as stream:
            return Digest.of_stream(stream)[0]
    try:
        return Digest(what.strip().lower().removeprefix("sha256:"))
    except (CustodyError, ValueError) as error:
        raise UsageError(f"there is no file {what}, and it is no SHA-256 of 64 hex digits") from error


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if len(text) <= 10:  # 2026-11-03
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"a day is 2026-11-03 and a time 2026-11-03T14:00Z, got {text[:40]!r}") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


@contextmanager
def _taken_in(home: Path | None, store: str | None, *, words: bool) -> "Iterator[tuple[Reader, Catalog]]":
    """The catalogue, brought up to date; its words too where they are wanted."""
    from archive.reader import open_catalog, open_reader
    from archive.words import take_words

    config = ArchiveConfig.load(os.environ, home=home, store_url=store)
    with open_reader(config) as reader, open_catalog(config, reader) as catalog:
        if words:
            take_words(catalog.database, reader.store, tell=_progress)
        yield reader, catalog


def _progress(done: int, total: int) -> None:
    if done // _TOLD_EVERY != (done - 128) // _TOLD_EVERY and total > _TOLD_EVERY:
        say(f"{done} of {total} captures taken in for the search")
