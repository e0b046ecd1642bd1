"""``counterproof allow``: a person decides that a quarantined capture may be handed over."""

import os
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, print_json, say, sentences
from console.verbs.stewardship import capture_named, tell, time_of


def allow(
    capture_id: Annotated[str, typer.Argument(metavar="CAPTURE", help="A capture's id, or how it begins or ends.")],
    *,
    case: Annotated[str, typer.Option("--case", metavar="NAME", help="The case that may hand it over.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason; kept in a blob, never in the log.")],
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide that a quarantined capture may be handed over, in one case. It stays marked as it is.

    A capture is quarantined when secrets may be in it: a field for a password took input while a person attended, or
    the browser sent a name and a password. No export or package has it without this decision, which is an event of its
    own, signed by a person; whoever gets the export gets the decision with it.

      counterproof allow 9f3c --case acme --why "the account is our own test account; counsel agreed on 3 March"
    """
    from archive.stewardship import decisions
    from archive.stewardship.opening import open_desk

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        if not why.strip():
            raise UsageError("a decision has a reason: say it by --why TEXT")
        with open_desk(config, clock=now, notify=say, by_person=True) as opened:
            survey = opened.desk.survey()
            capture, scope = capture_named(survey, capture_id), opened.scope(case)
            index = decisions.allow(opened.desk, survey, capture, scope=scope, why=why)
            document = {
                "schema": 1, "capture": capture, "case": case, "why": why, "index": index,
                **time_of(opened), "exit_code": int(Exit.OK),
            }  # fmt: skip
        if as_json:
            print_json(document)
        else:
            tell([f"capture {capture} may be handed over in case {case}; recorded in leaf {index}"], style="bold")
            tell(["it stays marked as quarantined; an export of the case now has it, and this decision"])
