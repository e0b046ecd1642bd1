"""``counterproof hold``, ``release`` and ``holds``: what must not be disposed of, and for which matter."""

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences
from console.verbs.stewardship import (
    CaseOption,
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
    from archive.stewardship.holds import Outcome

_WORDS = {
    "on": "under a legal hold in the store",
    "off": "no longer under a legal hold in the store",
    "unsupported": "locked for longer instead: this store takes no legal holds",
    "none": "held by the log alone: this store keeps neither holds nor locks",
    "absent": "not there: run `counterproof fixity`",
}


def hold(
    *,
    case: CaseOption = None,
    unit: UnitOption = None,
    matter: Annotated[str, typer.Option("--matter", metavar="TEXT", help="What it is held for, such as a docket.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="More, in words; kept in a blob.")] = "",
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold evidence for a matter: nothing of it is disposed of until the hold is released.

    Every blob of the units gets a legal hold in the store where it takes one (S3 PutObjectLegalHold: it has no end and
    no bypass), or a longer lock where it takes none; what the store answered is written down. Then the log says so, in
    one event for each unit, signed by a person. What is captured for the case later is not held by it: hold it again.

      counterproof hold --case acme --matter "12 Cv. 3456"
    """
    from archive.stewardship import holds as holding
    from archive.stewardship.opening import open_desk

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        if not matter.strip():
            raise UsageError("a hold is for a matter: say which by --matter TEXT")
        with open_desk(config, clock=now, notify=say, by_person=True) as opened:
            survey = opened.desk.survey()
            chosen = choose(opened, survey, case=case, unit=unit)
            units = [each for each in chosen.units if survey.is_live(each)]
            if len(units) < len(chosen.units):
                say(f"{len(chosen.units) - len(units)} units were disposed of before and are passed over")
            outcome = holding.hold(opened.desk, survey, units or chosen.units, matter=matter, why=why)
            document = {"schema": 1, "matter": matter, **_document(outcome), **time_of(opened)}
        code = _code(outcome)
        if as_json:
            print_json({**document, "exit_code": int(code)})
        else:
            tell([f"{len(outcome.items)} units are held for {matter}"], style="bold")
            _tell(outcome)
    raise typer.Exit(code)


def release(
    *,
    case: CaseOption = None,
    unit: UnitOption = None,
    matter: Annotated[
        str | None, typer.Option("--matter", metavar="TEXT", help="Only holds for this matter. [all holds]")
    ] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason; kept in a blob.")],
    out_: OutOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Release holds. The store's legal hold goes off every blob that no other hold still needs.

    It takes as many people's signatures as the trust file says (people.threshold). With one, it is done at once. With
    more, --out FILE writes a draft for the others to sign; when it is in the log, run the same command again, and the
    store's holds go off. Running it again is always right.
    """
    from archive.stewardship import holds as holding
    from archive.stewardship.opening import open_desk

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_desk(config, clock=now, notify=say, by_person=False) as opened:
            survey = opened.desk.survey()
            chosen = choose(opened, survey, case=case, unit=unit)
            if any(holding.matching(opened.desk, survey.held(each), matter) for each in chosen.units):
                need_people(opened, out_)
            made = holding.releases(opened.desk, survey, chosen.units, matter=matter, why=why)
            known = {each.item for each in survey.releases}
            if not made and not known & set(chosen.units):
                raise UsageError("nothing of this is held" + (f" for {matter}" if matter else ""))
            done = submit(opened, made, out_)
            outcome = holding.Outcome()
            if done:
                outcome = holding.let_go(opened.desk, opened.desk.survey(), chosen.units)
            document: dict[str, Any] = {
                "schema": 1,
                "released": len(made) if done else 0,
                "draft": None if done else str(out_),
                **_document(outcome),
                **(time_of(opened) if done else {}),
            }
            needed = opened.desk.people_threshold
        code = _code(outcome)
        if as_json:
            print_json({**document, "exit_code": int(code)})
        elif done:
            tell(
                [f"{len(made)} holds released" if made else "released before; the store was looked at again"],
                style="bold",
            )
            _tell(outcome)
        elif out_ is not None:
            tell(drafted(out_, needed, "this command again, to take the store's holds off"))
    raise typer.Exit(code)


def holds(
    *,
    case: CaseOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is held, for which matter, since when."""
    from archive.reader import open_reader
    from archive.stewardship.desk import Shelf
    from custody.instant import format_utc

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_reader(config) as reader:
            shelf = Shelf(store=reader.store, reader=reader.log, tell=say)
            survey = shelf.survey()
            units = None if case is None else set(survey.members.get(reader.cases.resolve(case), ()))
            rows = []
            for each in survey.holds.values():
                if units is None or each.item in units:
                    told = shelf.detail(each.detail)
                    rows.append({
                        "unit": each.item, "matter": told.get("matter"), "why": told.get("why"),
                        "since": format_utc(each.at), "index": each.index,
                    })  # fmt: skip
        if as_json:
            print_json({"schema": 1, "holds": rows})
            return
        for row in rows:
            out.print(
                Text(f"{row['unit']}  since {row['since']}  leaf {row['index']}  {row['matter'] or '(unreadable)'}")
            )
        if not rows:
            say("nothing is held" if case is None else f"nothing of case {case} is held")


def _document(outcome: "Outcome") -> dict[str, Any]:
    return {
        "units": [{"unit": unit, "index": index if index >= 0 else None} for unit, index in outcome.items.items()],
        "blobs": outcome.counted,
        "unread_records": [each.index for each in outcome.unread],
    }


def _code(outcome: "Outcome") -> Exit:
    """3 where something of the units could not be held or let go, since it is not there."""
    return Exit.PARTIAL if outcome.unread or "absent" in outcome.counted else Exit.OK


def _tell(outcome: "Outcome") -> None:
    for state, count in outcome.counted.items():
        tell([f"{count} blobs {_WORDS[state]}"])
    if outcome.unread:
        tell(
            [f"{len(outcome.unread)} records cannot be read, so what they name is not known: run `counterproof fixity`"]
        )
