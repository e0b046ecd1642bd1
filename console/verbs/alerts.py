"""``counterproof alerts``: what a person has to hear of, and who is told."""

import os

import typer

from archive.config import ArchiveConfig
from console.exits import Exit
from console.options import DsnOption, HomeOption, JsonOption
from console.screen import now, out, print_json, say, sentences

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "What a person has to hear of: a watched page that changed, a look that was given up, a host that shows only "
        "walls, looks that are late, a log without trusted time.\n\nWho is told stands in alerts.toml in the home; "
        "workers that schedule send it. No alert holds anything that a page said. More: docs/watching.md"
    ),
)


@app.command("list")
def list_(*, dsn: DsnOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the alerts that stand, and those of the last day."""
    from archive.watching import alerts
    from archive.watching.database import open_database

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, dsn=dsn)
        with open_database(config) as database, database.transaction() as connection:
            found = alerts.standing_alerts(connection)
        if as_json:
            print_json({"schema": 1, "alerts": [each.to_json() for each in found]})
            return
        for each in found:
            out.print(f"{each.raised_at.isoformat(timespec='seconds')}  {each.line()}", markup=False)
        if not found:
            say("no alert stands")


@app.command("test")
def try_out(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Send a test to every target of alerts.toml, and say which of them took it. Exit 3 where one did not."""
    from archive.alerting import NotDelivered, targets
    from archive.watching.alerts import Alert, Kind

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home)
        results: dict[str, str | None] = {}
        for target in targets(config.home):
            alert = Alert(id=0, kind=Kind.LATE, subject="a test", facts={"test": True}, raised_at=now())
            try:
                target.tell([alert], now=now())
                results[target.name] = None
            except NotDelivered as error:
                results[target.name] = str(error)
        if as_json:
            print_json({"schema": 1, "targets": [{"name": name, "trouble": why} for name, why in results.items()]})
        for name, why in results.items() if not as_json else ():
            out.print(f"{name}: {why or 'took it'}", markup=False)
        if not results:
            say(f"nobody is told: {config.home / 'alerts.toml'} names no target; docs/watching.md shows how")
    if any(results.values()):
        raise typer.Exit(Exit.PARTIAL)
