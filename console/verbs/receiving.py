"""``counterproof receive`` and ``received``: what others hand over, kept as it came."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences
from console.verbs.stewardship import capture_named, time_of

if TYPE_CHECKING:
    from archive.stewardship.desk import Shelf
    from archive.stewardship.survey import Survey
    from custody.received import Received

LIMIT = "custody begins at receipt; what the files were before is the word of whom they came from"


def receive(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="As they came. Nothing in them is opened.")],
    *,
    case: Annotated[str, typer.Option("--case", metavar="NAME", help="The case that they are for.")],
    from_: Annotated[str, typer.Option("--from", metavar="WHO", help="Who handed them over; kept in a blob.")],
    how: Annotated[str, typer.Option("--how", metavar="HOW", help="How they came: by e-mail, on a stick, in person.")],
    about: Annotated[
        str | None, typer.Option("--about", metavar="CAPTURE", help="A capture of the promotion they have to do with.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="photo, recording, mail, web_archive, document, other; of a test purchase: order, parcel, finding. "
            "[by what each looks like]",
        ),
    ] = None,
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="More, in words; kept in a blob.")] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in what somebody hands over: photos, recordings, mails, WACZ or WARC, PDFs, a test purchase's papers.

    Each file is hashed, stored under a lock and read back as it is; then the log says so, signed by a person. It is an
    item of its own in the case, so that another case with the same promotion does not show it. Custody begins with
    that: what the files were before is the word of whom they came from, and every output says so.

      counterproof receive parcel.jpg --kind parcel --case acme --from "R. Roe" --how "by hand" --about 9f3c
    """
    from archive import receiving
    from archive.stewardship.opening import open_desk

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_desk(config, clock=now, notify=say, by_person=True) as opened:
            scope = opened.scope(case)
            survey = opened.desk.survey()
            handed = receiving.Handed(
                files=tuple(files),
                from_whom=from_,
                how=how,
                note=note,
                kind=kind,
                about=None if about is None else capture_named(survey, about),
            )
            kept = receiving.receive(opened.desk, opened.person_for(scope), survey, handed, scope=scope)
            document = {"schema": 1, **described(kept.received, kept.index), **time_of(opened)}
        if as_json:
            print_json({**document, "exit_code": int(Exit.OK)})
        else:
            for line in told(kept.received, kept.index):
                out.print(line)
    raise typer.Exit(Exit.OK)


def received(
    *,
    case: Annotated[str | None, typer.Option("--case", metavar="NAME", help="Only of this case.")] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what others handed over: from whom, how, when, and which files."""
    from archive.reader import open_reader
    from archive.stewardship.desk import Shelf

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_reader(config) as reader:
            scope = None if case is None else reader.cases.resolve(case)
            shelf = Shelf(store=reader.store, reader=reader.log)
            found = list(_received(shelf, shelf.survey(), scope))
        if as_json:
            print_json({"schema": 1, "received": [described(each, index) for index, each in found]})
        else:
            for index, each in found:
                for line in told(each, index):
                    out.print(line)
            if not found:
                out.print("nothing was received: `counterproof receive FILE… --case NAME --from WHO --how HOW`")


def _received(shelf: "Shelf", survey: "Survey", scope: str | None) -> "list[tuple[int, Received]]":
    from archive.errors import NotStored
    from custody.errors import FormatError
    from custody.received import MAX_BYTES, Received

    found = []
    for told_ in survey.received:
        item = told_.chain.partition(":")[2]
        if not survey.is_live(item) or (scope is not None and scope not in survey.items[item].scopes):
            continue
        try:
            found.append((told_.index, Received.parse(shelf.read(told_.detail, MAX_BYTES))))
        except (NotStored, FormatError) as error:
            say(f"the receipt of leaf {told_.index} cannot be read ({error}): run `counterproof verify`")
    return found


def described(kept: "Received", index: int) -> dict[str, Any]:
    """For programs."""
    return {
        "item": kept.item,
        "index": index,
        "surface": "received",
        "custody": LIMIT,
        "from": kept.from_whom,
        "how": kept.how,
        "note": kept.note,
        "received_at": kept.to_json()["received_at"],
        "about": kept.to_json()["about"],
        "files": [each.to_json() for each in kept.files],
    }


def told(kept: "Received", index: int) -> list[Text]:
    """For people."""
    return [
        Text(f"received  {kept.item}", style="bold"),
        Text(f"from      {kept.from_whom}, {kept.how}, at {kept.to_json()['received_at']}"),
        *([Text(f"about     capture {kept.about[1]}")] if kept.about else []),
        *([Text(f"note      {kept.note}")] if kept.note else []),
        *(
            Text(f"kept      {each.kind:<12}{each.artifact.name:<40}{each.artifact.bytes:>12}  {each.artifact.digest}")
            for each in kept.files
        ),
        Text(f"manifest  recorded in leaf {index}"),
        Text(f"NOTE      {LIMIT}", style="yellow"),
    ]
