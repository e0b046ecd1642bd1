"""``counterproof watch apply``: the watches as a list in a file says."""

from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from archive.errors import UsageError
from console.options import DsnOption, HomeOption, JsonOption
from console.screen import now, out, print_json, say, sentences
from custody.model import Json


def apply(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="The list; `watch list --toml` writes one.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove watches of the list's cases that it does not name.")
    ] = False,
    dsn: DsnOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the watches to what a list says: all of it, or, where a line is wrong, nothing.

    Every fault is named with its line. Watches that the list does not name are left alone without --remove.
    """
    from archive.watching import watches, watchlist
    from console.watchdesk import new_id, opened

    with sentences(as_json=as_json):
        crawlers: ModuleType = context.obj()
        try:
            data = file.read_bytes()
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}") from error

        def address(text: str) -> tuple[str, str]:
            (target,) = crawlers.parse_arguments([text])
            return target.url, crawlers.dedupe_key(target.url)

        wanted = watchlist.parse(data, name=file.name, address=address)
        with opened(dsn, home) as desk, desk.database.transaction() as connection:
            plan = watchlist.compare(watches.every(connection), wanted)
            if not dry_run:
                for each in (*plan.new, *(asked for _, asked in plan.changed)):
                    watches.put(connection, each, new_id=new_id(), now=now())
                for gone in plan.gone if remove else ():
                    watches.remove(connection, gone.id, f"not in {file.name}", now=now())
        document: dict[str, Json] = {
            "schema": 1,
            "dry_run": dry_run,
            "new": [each.url for each in plan.new],
            "changed": [each.url for _, each in plan.changed],
            "same": len(plan.same),
            "not_in_list": [each.url for each in plan.gone],
            "removed": remove and not dry_run,
        }
        if as_json:
            print_json(document)
            return
        for sign, urls in (
            ("+", document["new"]),
            ("~", document["changed"]),
            ("-", document["not_in_list"] if remove else []),
        ):
            for url in urls if isinstance(urls, list) else []:
                out.print(f"{sign} {url}", markup=False)
        would = "would be " if dry_run else ""
        gone_said = (
            f", {len(plan.gone)} {would}removed"
            if remove
            else f", {len(plan.gone)} not in the list"
            if plan.gone
            else ""
        )
        say(f"{len(plan.new)} {would}added, {len(plan.changed)} {would}changed, {len(plan.same)} the same{gone_said}")
