"""The composition root: each verb that a person may ask for, from the module that declares it."""

import sys
from types import ModuleType

import typer

from archive.errors import ArchiveError
from console.exits import Exit
from console.screen import has_printed_json, print_json, say
from console.verbs import (
    alerts,
    allowing,
    authorities,
    browse,
    capture,
    captured,
    cases,
    cataloguing,
    certifying,
    comparing,
    disposing,
    exhibits,
    exporting,
    finding,
    fixity,
    holding,
    intake,
    keys,
    looking,
    packaging,
    reading,
    receiving,
    redacting,
    reporting,
    seal,
    searching,
    serve,
    stewardship,
    upkeep,
    users,
    visits,
    watch,
    witnessing,
    work,
)
from console.verbs.sequence import sequence
from console.verbs.subject import subject
from console.verbs.verify import verify

app = typer.Typer(
    name="counterproof",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=(
        "Captures public posts and the storefront pages they link to, as evidence that a stranger can check.\n\n"
        "Start with:  counterproof capture https://… --case NAME\n\n"
        "Exit codes: 0 all recorded and complete, 2 usage, 3 partial, 4 a page that was asked for could not be had, "
        "5 evidence lost, 6 store, disk or key, 7 something is not installed, 8 refused by policy, 130 interrupted. "
        "verify: 0 holds, 1 does not hold, 6 could not be checked. Details: docs/cli.md."
    ),
)


def _picture_type(data: bytes) -> str:
    """For the verbs of ``case``, which may not import what looks at pictures."""
    from crawlers import run

    return run.picture_type(data)


def _crawlers() -> ModuleType:
    from crawlers import run

    return run


_asked = capture.Verbs(_crawlers)
app.command("capture")(_asked.capture)
app.command("attend")(_asked.attend)
app.command("verify")(verify)
_captured = captured.Verbs(_crawlers)
app.command("captures")(_captured.captures)
app.command("reach")(_captured.reach)
app.command("show")(_captured.show)
app.command("get")(_captured.get)
_reading = reading.Verbs(_crawlers)
app.command("read")(_reading.read)
app.command("pictures")(_reading.pictures)
app.command("mirror")(upkeep.mirror)
app.command("doctor")(upkeep.Verbs(_crawlers).doctor)
app.command("seal")(seal.seal)
app.add_typer(cases.app, name="case", context_settings={"obj": _picture_type})
app.add_typer(authorities.app, name="authorities")
app.add_typer(keys.app, name="keys")
app.add_typer(cataloguing.app, name="catalog")


app.command()(sequence)


app.command("export", context_settings={"obj": _crawlers})(exporting.export)
app.command("proof")(exporting.proof)
app.command("package")(packaging.package)
app.command("fixity")(fixity.fixity)
app.command("hold")(holding.hold)
app.command("release")(holding.release)
app.command("holds")(holding.holds)
app.command("retain")(stewardship.retain)
app.command("correct")(stewardship.correct)
app.command("allow")(allowing.allow)
app.command("dispose")(disposing.dispose)
app.command("receive")(receiving.receive)
app.command("received")(receiving.received)
app.command("witness")(witnessing.witness)


def _console_verb() -> str | None:
    return next((each.name for each in app.registered_commands if each.name == "browse"), None)


_found = finding.Verbs(_crawlers)
app.command("findings")(_found.findings)
app.command("graph")(_found.graph)
app.add_typer(users.app, name="users")
app.command("subject")(subject)
app.command("intake")(intake.Verbs(_crawlers).intake)
app.command("look")(looking.Verbs(_crawlers).look)
app.command("compare")(comparing.Verbs(_crawlers).compare)
app.command("browse")(browse.Verbs(_crawlers).browse)
app.command("report")(reporting.Verbs(_crawlers).report)
app.command("certificates")(certifying.Verbs(_crawlers).certificates)
app.command("redact")(redacting.Verbs(_crawlers).redact)
app.add_typer(exhibits.Verbs(_crawlers).app, name="exhibits")
app.add_typer(watch.app, name="watch", context_settings={"obj": _crawlers})
app.command("work")(work.Verb(_crawlers).work)
app.add_typer(alerts.app, name="alerts")
app.command("visits")(visits.visits)
_served = serve.Verbs(_crawlers, console_verb=_console_verb)
app.command("serve")(_served.serve)
app.command("status")(_served.status)
_sought = searching.Verbs(_crawlers)
app.command("search")(_sought.search)
app.command("whereis")(_sought.whereis)
app.command("timeline")(_sought.timeline)


def main() -> None:
    """The console script."""
    try:
        app()
    except SystemExit as left:
        # Typer tells people on stderr what is wrong with the options; a program gets its one document all the same.
        if left.code == Exit.USAGE and "--json" in sys.argv and not has_printed_json():
            what = "the command line is not right: stderr says where, and --help shows how"
            print_json({"schema": 1, "error": what, "kind": "UsageError", "exit_code": int(Exit.USAGE)})
        raise
    except ArchiveError as error:  # raised outside a verb's own door: still a sentence
        say(f"counterproof: {error}")
        sys.exit(Exit.STORE)
