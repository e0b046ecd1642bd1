"""``counterproof catalog``: the index for browsing, made again from log and store, packed for others, or looked at."""

import os
import time
from typing import Annotated

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help=(
        "The index for browsing: made of log and store alone, never evidence. Other commands bring it up to date by "
        "themselves; `rebuild` makes it again, `pack` lets other machines do so in a minute."
    ),
)
_TOLD_EVERY = 1_000


@app.command("rebuild")
def rebuild(
    *,
    from_log: Annotated[
        bool, typer.Option("--from-log", help="Believe no packed rows: read every event and every record.")
    ] = False,
    words: Annotated[
        bool, typer.Option("--words/--no-words", help="Take the captures' texts in too, for `search`.")
    ] = True,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the catalogue again from the log and the store. Nothing is lost by it, and nothing of yours is in it.

    Packed rows are used where they lie in the store, signed with the log's key; each is held against its record when
    the texts are taken in. Interrupted, the next command goes on.
    """
    from archive.index.listing import count_unread
    from archive.reader import open_catalog, open_reader
    from archive.words import take_words

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        begun = time.monotonic()
        with open_reader(config) as reader, open_catalog(config, reader, packed=not from_log, anew=True) as catalog:
            captures = catalog.count()
            rows_s = time.monotonic() - begun
            say(f"{captures} captures catalogued in {rows_s:.1f} s")
            taken = take_words(catalog.database, reader.store, tell=_progress) if words else 0
            unread = count_unread(catalog.database)
        if as_json:
            document = {"captures": captures, "words_of": taken, "unread": unread, "rows_ms": round(rows_s * 1000)}
            print_json({"schema": 1, **document})
            return
    out.print(Text(f"{captures} captures, the texts of {taken} taken in; {unread} still to be taken in by `search`"))


@app.command("pack")
def pack(*, home: HomeOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Put the catalogue's rows into the store, so that it is made again without asking for each record.

    Done by itself at the end of a run when enough has come. It takes the log's key. Packed rows are a cache: a disposal
    makes them anew without what was disposed of, and no mirror or export has them. A bucket that locks whatever is put
    there takes none (exit 8).
    """
    from archive.vault import Vault

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with Vault.open(config, clock=now, notify=say) as vault:
            vault.advance_catalog()
            written = vault.packs.write(vault.catalog.database)
        if as_json:
            document = {"commit": written.n, "packs": written.packs, "made": written.made, "bytes": written.bytes}
            print_json({"schema": 1, **document})
            return
    out.print(Text(f"{written.packs} packs at commit {written.n}; {written.made} made now, {written.bytes} bytes"))


@app.command("status")
def status(*, home: HomeOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Bring the catalogue up to date, and say how far it goes and what of it is not searched yet."""
    from archive.index.listing import count_believed, count_unread
    from archive.reader import open_catalog, open_reader

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_reader(config) as reader, open_catalog(config, reader) as catalog:
            position = catalog.position()
            captures, unread = catalog.count(), count_unread(catalog.database)
            believed = count_believed(catalog.database)
            name = catalog.database.name
        if as_json:
            document = {"captures": captures, "unread": unread, "believed": believed}
            document |= {"commit": position.n, "size": position.size}
            print_json({"schema": 1, **document, "where": name})
            return
    out.print(Text(f"{captures} captures up to commit {position.n} ({position.size} leaves), in {name}"))
    out.print(Text(f"{unread} captures whose texts `search` has not taken in yet"))
    if believed:
        out.print(
            Text(f"{believed} of them are as packed rows say, which the log's key signed: not held against records yet")
        )


def _progress(done: int, total: int) -> None:
    if total > _TOLD_EVERY and (done % _TOLD_EVERY < 128 or done == total):
        say(f"{done} of {total} captures taken in for the search")
