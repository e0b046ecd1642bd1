"""What the verbs for later work share, and ``counterproof retain`` and ``counterproof correct``."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from archive.errors import Refused, UsageError
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences

if TYPE_CHECKING:
    from archive.stewardship.opening import Opened
    from archive.stewardship.survey import Survey
    from custody.event import Envelope

UnitOption = Annotated[
    str | None, typer.Option("--unit", metavar="ID", help="One unit: its id, or how it begins or ends.")
]
CaseOption = Annotated[str | None, typer.Option("--case", metavar="NAME", help="All units of this case.")]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Where the draft goes, where more people have to sign than one."),
]
_MIN_ID = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """The units that were meant."""

    units: tuple[str, ...]
    shared: tuple[str, ...] = ()
    """Units of the case that belong to another case as well."""


def choose(opened: "Opened", survey: "Survey", *, case: str | None, unit: str | None) -> Chosen:
    """Raises ``UsageError`` when that is none, or not one."""
    if (case is None) == (unit is None):
        raise UsageError("name what is meant: --case NAME or --unit ID")
    if case is not None:
        scope = opened.scope(case)
        units = survey.members.get(scope, [])
        if not units:
            raise UsageError(f"nothing was captured in case {case!r}")
        unique = tuple(dict.fromkeys(units))
        return Chosen(units=unique, shared=tuple(each for each in unique if len(set(survey.items[each].scopes)) > 1))
    text = unit or ""
    if len(text) < _MIN_ID:
        raise UsageError(f"a unit is named by {_MIN_ID} characters of its id at least, got {text!r}")
    found = survey.find(text)
    if not found:
        raise UsageError(f"there is no unit {text!r}; `counterproof captures --json` lists them under unit")
    if len(found) > 1:
        raise UsageError(f"{text!r} names {len(found)} units ({', '.join(found[:5])}, …): type more of it")
    return Chosen(units=tuple(found))


def need_people(opened: "Opened", draft: Path | None) -> None:
    """Before anything is made or stored: may this home sign, and where does it go if others have to sign as well?"""
    opened.vault.home.signers.need_person()
    needed = opened.desk.people_threshold
    if needed > 1 and draft is None:
        raise Refused(
            f"the trust file asks for the signatures of {needed} people: name a file by --out FILE, have the others "
            "sign it with `counterproof keys cosign FILE`, and hand it in with `counterproof keys submit FILE`"
        )
    if needed > 1 and draft is not None and draft.exists():
        raise UsageError(f"{draft} is there already: name another file, or take that one away")


def submit(opened: "Opened", envelopes: Sequence["Envelope"], draft: Path | None) -> bool:
    """Into the log when one signature is enough; else into a draft file for others to sign, and False."""
    if not envelopes:
        return True
    if opened.desk.people_threshold <= 1 or draft is None:
        opened.desk.log.append(envelopes)  # which refuses what has too few signatures
        return True
    from archive.drafts import write_draft
    from custody import keyspace
    from custody.event import Event

    subjects = [subject for each in envelopes for subject in Event.parse(each.payload).subjects]
    blobs = [opened.desk.store.read(keyspace.blob(each.digest)) for each in subjects]
    write_draft(draft, envelopes, blobs, log=opened.vault.sequencer.log)
    return False


def drafted(draft: Path, needed: int, again: str) -> list[str]:
    """What to do next."""
    return [
        f"{draft} holds what is to be signed, with 1 of {needed} signatures: nothing has happened yet",
        f"next:  counterproof keys cosign {draft}    (each of the others, in a home of their own)",
        f"then:  counterproof keys submit {draft}",
        f"then:  {again}",
    ]


def time_of(opened: "Opened") -> dict[str, Any]:
    time = opened.stamp()
    return {"time": time.time, "time_detail": time.detail}


def tell(lines: Sequence[str], *, style: str = "") -> None:
    for line in lines:
        out.print(Text(line, style=style))


def retain(
    *,
    case: Annotated[str, typer.Option("--case", metavar="NAME", help="The case that is to be kept longer.")],
    days: Annotated[int, typer.Option("--days", min=1, max=36_500, help="Counted from each blob's making.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason; kept in a blob, never in the log.")],
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a case longer than the setting says: its locks are lengthened, and later captures start with as much.

    A lock is never shortened, and neither is a retention: a smaller number than before is refused (exit 8). Every lock
    is read back from the store. The log gets retention.set in the case's own chain. Run it again at any time: it
    lengthens what has come since, or what an interruption left.
    """
    from archive.stewardship import retention
    from archive.stewardship.opening import open_desk
    from custody.instant import format_utc

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_desk(config, clock=now, notify=say, by_person=False) as opened:
            scope = opened.scope(case)
            survey = opened.desk.survey()
            retention.refuse_shorter(survey, scope, days, setting=config.retention_days)
            kept = retention.retain(opened.desk, survey, scope, days, why=why)
            document = {
                "schema": 1,
                "case": case,
                "days": days,
                "index": kept.index if kept.index >= 0 else None,
                "blobs": kept.blobs,
                "unlocked": kept.unlocked,
                "missing": kept.missing,
                "unread_records": kept.unread,
                "last_lock_ends": None if kept.lengthened_to is None else format_utc(kept.lengthened_to),
                **time_of(opened),
            }
        whole = not (kept.missing or kept.unread)
        code = Exit.OK if whole else Exit.PARTIAL
        if as_json:
            print_json({**document, "exit_code": int(code)})
        else:
            said = "the log said so already" if kept.index < 0 else f"recorded in leaf {kept.index}"
            tell([f"{case} is kept for {days} days: {kept.blobs} blobs, {said}"], style="bold")
            if kept.unlocked:
                tell([f"this store keeps no lock on {kept.unlocked} of them: only the log says how long they are kept"])
            if kept.lengthened_to is not None:
                tell([f"the last lock ends on {format_utc(kept.lengthened_to)}"])
            if not whole:
                gone = f"{kept.missing} blobs are missing, {kept.unread} records cannot be read"
                tell([f"{gone}: run `counterproof fixity --case`"], style="red")
    raise typer.Exit(code)


def correct(
    capture_id: Annotated[str, typer.Argument(metavar="CAPTURE", help="A capture's id, or how it begins or ends.")],
    *,
    field: Annotated[
        str,
        typer.Option(
            "--field", metavar="NAME", help="asked, shown, title, outcome, … or a path in record.json: target.title"
        ),
    ],
    value: Annotated[str, typer.Option("--is", metavar="TEXT", help="What it ought to say.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="How you know; kept in a blob, never in the log.")],
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that something in a capture's record is wrong. The record itself is never altered.

    The correction is an event of its own, signed by a person, that refers to the capture's end; `counterproof show`
    prints it beside the field. It can be corrected again; all of them stay.

      counterproof correct 9f3c --field title --is "Joan's shop" --why "read aloud from the screenshot"
    """
    from archive.stewardship import corrections
    from archive.stewardship.opening import open_desk

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_desk(config, clock=now, notify=say, by_person=True) as opened:
            survey = opened.desk.survey()
            capture = capture_named(survey, capture_id)
            made = corrections.correct(opened.desk, survey, capture, field=field, value=value, why=why)
            document = {
                "schema": 1, "capture": capture, "field": made.field, "was": made.was, "is": value, "why": why,
                "index": made.index, **time_of(opened), "exit_code": int(Exit.OK),
            }  # fmt: skip
        if as_json:
            print_json(document)
        else:
            tell([f"capture {capture}: {made.field} was {made.was!r}, is {value!r}; recorded in leaf {made.index}"])
            tell(["the record stays as it is; `counterproof show` prints the correction beside it"])


def capture_named(survey: "Survey", text: str) -> str:
    """Raises ``UsageError`` when that is none, or not one."""
    if len(text) < _MIN_ID:
        raise UsageError(f"an id is named by {_MIN_ID} characters at least, got {text!r}")
    wanted = text.lower()
    known = survey.unit_of
    found = (
        [wanted] if wanted in known else [each for each in known if each.startswith(wanted) or each.endswith(wanted)]
    )
    if not found:
        raise UsageError(f"there is no capture {text!r}; `counterproof captures` lists them")
    if len(found) > 1:
        raise UsageError(
            f"{text!r} names {len(found)} captures ({', '.join(found[:5])}, …): type more of it, or its end"
        )
    return found[0]
