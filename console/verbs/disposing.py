"""``counterproof dispose``: evidence that nobody needs any more goes, and the log keeps the word of it."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archive.config import ArchiveConfig
from archive.errors import Refused, UsageError
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, print_json, say, sentences
from console.verbs.stewardship import (
    CaseOption,
    Chosen,
    OutOption,
    UnitOption,
    choose,
    drafted,
    need_people,
    submit,
    tell,
    time_of,
)

if TYPE_CHECKING:
    from archive.stewardship.disposal import Done, Plan
    from archive.stewardship.opening import Opened
    from archive.stewardship.survey import Survey

_SHOWN = 20


def dispose(
    *,
    case: CaseOption = None,
    unit: UnitOption = None,
    brief: Annotated[
        str | None,
        typer.Option("--brief", metavar="NAME", help="What this case says of itself: all versions, pictures."),
    ] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason; kept in a blob, never in the log.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    out_: OutOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Dispose of a unit, or of all units of a case: their files, records and jobs are removed for good.

    Refused (exit 8) while anything of it is held, or while a lock in the store has not run out; no lock is ever got
    round. What a unit that stays still names is spared. The log itself stays, and says what was removed, by digest:
    evidence.disposed is in it before the first blob goes, disposal.completed tells how the store answered. Look first:

      counterproof dispose --unit 9f3c --why "retention is over" --dry-run

    With --brief, not the evidence goes but what was written down about the case; it stays while anything of the case is
    held, and nothing can be written down about the case after that.

    It takes as many people's signatures as the trust file says; with more than one, --out FILE writes a draft, and this
    command again removes the blobs once it is in the log. After an interruption, run it again. Copies made by `mirror`
    are not reached by it.
    """
    from archive.stewardship import disposal
    from archive.stewardship.opening import open_desk

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_desk(config, clock=now, notify=say, by_person=False) as opened:
            survey = opened.desk.survey()
            chosen = _chosen(opened, survey, case=case, unit=unit, brief=brief)
            units = _units(chosen, case)
            plans = disposal.plans(opened.desk, survey, units)
            if not plans:
                raise UsageError("all of this was disposed of before")
            document = _planned(plans, chosen if case else None)
            if not as_json:
                _tell_plans(plans, _what(brief))
            if not dry_run:
                disposal.refuse_locked(plans, now())
                if any(plan.told is None for plan in plans):  # to go on with what the log says takes nobody's word
                    need_people(opened, out_)
                _confirm(plans, _what(brief), yes=yes)
                made = disposal.disposals(opened.desk, plans, why=why)
                if submit(opened, made, out_):
                    wanted = [plan.unit for plan in plans]
                    done = disposal.carry_out(opened.desk, opened.desk.survey(), wanted)
                    opened.vault.advance_catalog()
                    opened.vault.unpack_disposed()
                    document |= _done(done, time_of(opened))
                else:
                    document["draft"] = str(out_)
            needed = opened.desk.people_threshold
        code = Exit.STORE if any(each["refused"] for each in document["done"]) else Exit.OK
        if as_json:
            print_json({**document, "dry_run": dry_run, "exit_code": int(code)})
        elif document["draft"] and out_ is not None:
            tell(drafted(out_, needed, "this command again, to remove the blobs"))
        elif not dry_run:
            _tell_done(document["done"], _what(brief))
    raise typer.Exit(code)


def _chosen(opened: "Opened", survey: "Survey", *, case: str | None, unit: str | None, brief: str | None) -> Chosen:
    if brief is None:
        chosen = choose(opened, survey, case=case, unit=unit)
        if case is not None and survey.briefs.get(scope := opened.scope(case)) and survey.is_live(scope):
            say("what was written down about the case stays: `counterproof dispose --brief` is for that")
        scopes = {scope for each in chosen.units for scope in survey.items[each].scopes}
        if any(claim.name == "findings.jsonl" for scope in scopes for claim in survey.briefs.get(scope, ())):
            say("findings of its case quote what was captured, and stay: `counterproof dispose --brief` takes them too")
        return chosen
    if case is not None or unit is not None:
        raise UsageError("name one of them: --case, --unit or --brief")
    scope = opened.scope(brief)
    if not survey.briefs.get(scope):
        raise UsageError(f"nothing was written down about case {brief!r}")
    return Chosen(units=(scope,))


def _what(brief: str | None) -> str:
    return "unit" if brief is None else "brief"


def _units(chosen: Chosen, case: str | None) -> tuple[str, ...]:
    """Of a case, without those that another case needs as well."""
    if case is None or not chosen.shared:
        return chosen.units
    say(
        f"{len(chosen.shared)} units belong to another case too and are left alone ({', '.join(chosen.shared[:5])}): "
        "name them by --unit if they are to go"
    )
    units = tuple(each for each in chosen.units if each not in chosen.shared)
    if not units:
        raise Refused(f"every unit of case {case!r} belongs to another case too: nothing was disposed of")
    return units


def _confirm(plans: Sequence["Plan"], what: str, *, yes: bool) -> None:
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("what is disposed of is gone: add --yes, or look first with --dry-run")
    blobs = sum(len(plan.goes) for plan in plans)
    if not typer.confirm(f"Remove {blobs} blobs of {len(plans)} {what}s for good?", err=True):
        raise UsageError("nothing was disposed of")


def _planned(plans: Sequence["Plan"], chosen: Chosen | None) -> dict[str, Any]:
    from custody.instant import format_utc

    units = [
        {
            "unit": plan.unit,
            "blobs": len(plan.goes),
            "bytes": plan.bytes,
            "spared": [
                {
                    "sha256": digest.hex,
                    "named_by": {"chain": claim.chain, "capture": claim.capture, "index": claim.index},
                }
                for digest, claim in plan.named_by.items()
            ],
            "locked": plan.locked,
            "locked_until": None if plan.locked_until is None else format_utc(plan.locked_until),
            "legal_holds": plan.held,
            "disposed_in": None if plan.told is None else plan.told.index,
        }
        for plan in plans
    ]
    shared = list(chosen.shared) if chosen else []
    return {"schema": 1, "units": units, "left_alone": shared, "draft": None, "done": []}


def _done(done: Sequence["Done"], time: dict[str, Any]) -> dict[str, Any]:
    rows = [
        {
            "unit": each.unit,
            "removed": each.removed,
            "refused": each.refused,
            "index": each.index,
            "answers": list(each.answers),
        }
        for each in done
    ]
    return {"done": rows, **time}


def _tell_plans(plans: Sequence["Plan"], what: str) -> None:
    from custody.instant import format_utc

    for plan in plans[:_SHOWN]:
        again = " (the log says so already; this goes on with it)" if plan.told is not None else ""
        tell([f"{what} {plan.unit}: {len(plan.goes)} blobs, {plan.bytes} bytes would go{again}"])
        if plan.spared:
            tell([f"    {len(plan.spared)} blobs are spared, since others name them:"])
            for digest, claim in list(plan.named_by.items())[:_SHOWN]:
                by = f"capture {claim.capture}" if claim.capture else claim.chain
                tell([f"    {digest.hex}  {claim.name} of {by} (leaf {claim.index})"])
        if plan.locked_until is not None:
            tell([f"    {plan.locked} are locked, the last until {format_utc(plan.locked_until)}"], style="yellow")
        if plan.held:
            tell([f"    {plan.held} are under a legal hold in the store"], style="yellow")
    if len(plans) > _SHOWN:
        tell([f"… and {len(plans) - _SHOWN} units more: --json lists them all"])


def _tell_done(rows: Sequence[dict[str, Any]], what: str) -> None:
    for row in rows:
        tell([f"{what} {row['unit']}: {row['removed']} blobs removed, recorded in leaf {row['index']}"], style="bold")
        if row["refused"]:
            said = ", ".join(row["answers"])
            tell([f"    the store kept {row['refused']} ({said}): see to it, then run this again"], style="red")
