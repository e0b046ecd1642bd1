"""``counterproof exhibits``: numbers that never change, the tables that go with them, and labelled pages."""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences
from console.verbs.reporting import NamedCaseOption, OutputOption, SignOption

if TYPE_CHECKING:
    from archive.exhibits import List, Register

PrefixOption = Annotated[
    str, typer.Option("--prefix", metavar="TEXT", help="What stands before the numbers, such as 'Ex. ' or CARTIER-.")
]
_DEFAULT = "Ex. "


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run
        self.app = typer.Typer(
            no_args_is_help=True,
            help="Number a case's captures as exhibits, once and for ever; index, schedule and labelled pages.",
        )
        self.app.command("freeze")(self.freeze)
        self.app.command("supplement")(self.supplement)
        self.app.command("list")(self.list_)
        self.app.command("schedule")(self.schedule)
        self.app.command("pages")(self.pages)

    def freeze(
        self,
        *,
        case: NamedCaseOption,
        prefix: PrefixOption = _DEFAULT,
        first: Annotated[int, typer.Option("--first", metavar="N", min=1, help="The first number.")] = 1,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Give each capture that has a part in a promotion its number: post, pages on the way, listing, in order.

        A number is pinned to one capture, the digest of its record and the reader's version, by an event in the log
        that a person signs. It never changes, and is never given to anything else; what comes later gets the numbers
        behind it, by `supplement`.

          counterproof exhibits freeze --case acme --prefix 'Ex. '
        """
        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            _freeze(config, case, prefix=prefix, first=first, again=False, as_json=as_json)

    def supplement(
        self,
        *,
        case: NamedCaseOption,
        first: Annotated[
            int | None, typer.Option("--first", metavar="N", min=1, help="Leave a gap: begin with this number.")
        ] = None,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Number what has come since, going on where the numbers ended; what has a number keeps it.

        counterproof findings acme && counterproof exhibits supplement --case acme
        """
        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            _freeze(config, case, prefix=None, first=first, again=True, as_json=as_json)

    def list_(
        self,
        *,
        case: NamedCaseOption,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """List the exhibits, each held against the record that it was frozen with.

        Exit codes: 0 each is as it was frozen, 1 one is not.
        """
        from console.papers.casefile import open_casefile
        from console.papers.numbering import check, need

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            with open_casefile(config, case, at=now()) as file:
                register = need(register_of(file), case)
                checked = list(check(file, register))
                code = Exit.DOES_NOT_HOLD if any(wrong for _, wrong in checked) else Exit.OK
                if as_json:
                    print_json({
                        "schema": 1, "prefix": register.prefix, "next": register.next,
                        "lists": [_list(each) for each in register.lists],
                        "exhibits": [
                            {**each.to_json(), "label": register.label(each), "wrong": wrong or None}
                            for each, wrong in checked
                        ],
                        "exit_code": int(code),
                    })  # fmt: skip
                else:
                    for each, wrong in checked:
                        look = file.looks.get(each.capture)
                        where = look.entry.requested_url if look is not None else ""
                        out.print(Text(f"{register.label(each):<12} {each.capture}  {where}"))
                        if wrong:
                            out.print(Text(f"             NOT AS FROZEN: {wrong}", style="bold red"))
        raise typer.Exit(code)

    def schedule(
        self,
        *,
        case: NamedCaseOption,
        output: OutputOption,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write the index of exhibits, and the schedule of accounts, sellers, items, prices, dates and posts.

        As exhibits.xlsx (both), index.docx and schedule.docx. Who is a defendant is left blank for people to fill in.

          counterproof exhibits schedule --case acme -o schedule
        """
        from console.papers import delivery, tables
        from console.papers.casefile import open_casefile
        from console.papers.numbering import need
        from console.papers.schedule import index_of, schedule_of

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            with open_casefile(config, case, at=now()) as file:
                register = need(register_of(file), case)
                made = [index_of(file, register), schedule_of(file, register)]
                with delivery.folder(output.expanduser()) as folder:
                    delivery.write(folder / "exhibits.xlsx", tables.to_xlsx(made, file.at))
                    for name, table in zip(("index", "schedule"), made, strict=True):
                        delivery.write(folder / f"{name}.docx", tables.to_docx(table, file.at))
                    files = sorted(each.name for each in folder.iterdir())
            rows = {"exhibits": len(made[0].rows), "promotions": len(made[1].rows)}
            if as_json:
                print_json({"schema": 1, "path": str(output), "files": files, **rows})
            else:
                for each in files:
                    out.print(str(output / each), markup=False)
                out.print(f"{rows['exhibits']} exhibits, {rows['promotions']} promotions", markup=False)

    def pages(
        self,
        *,
        case: NamedCaseOption,
        output: OutputOption,
        number: Annotated[
            list[int] | None, typer.Option("--number", metavar="N", help="Only this exhibit. Repeatable.")
        ] = None,
        profile: Annotated[
            Path | None,
            typer.Option(
                "--profile", metavar="FILE", help="TOML: name, max_mb, max_pages, paper (A4 or Letter). [35 MiB, A4]"
            ),
        ] = None,
        sign: SignOption = None,
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Print each exhibit as PDF, labelled on every page, in parts where the court's limits ask for it.

        The pages are derived: a description with digests, and the picture of the whole page. Originals bear no label.

          counterproof exhibits pages --case acme --profile court.toml -o exhibits
        """
        from console.papers import delivery, signature, volumes
        from console.papers.casefile import open_casefile
        from console.papers.numbering import need
        from console.papers.schedule import what_of
        from console.papers.spreads import Studio

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(os.environ, home=home, store_url=store)
            limits, run = volumes.read_profile(profile), self._run()
            with open_casefile(config, case, at=now()) as file:
                register = need(register_of(file), case)
                chosen = [each for each in register.exhibits if not number or each.number in number]
                if missing := sorted(set(number or ()) - {each.number for each in chosen}):
                    raise UsageError(f"there is no exhibit {missing[0]} in case {case}: `exhibits list` shows them")
                press = volumes.Press(
                    studio=Studio(file=file, cutter=run, exhibits=register.labels), slicer=run, register=register,
                    profile=limits, print_pdf=run.print_pdf, environment=os.environ,
                )  # fmt: skip
                made: list[volumes.Volume] = []
                with delivery.folder(output.expanduser()) as folder:
                    for each in chosen:
                        made += press.print(each, what_of(file, each), folder)
                        say(f"{register.label(each)} printed")
                    if sign is not None:
                        signature.sign([folder / each.name for each in made], sign, os.environ)
            if as_json:
                files: list[dict[str, Any]] = [
                    {"name": e.name, "exhibit": e.label, "pages": e.pages, "bytes": e.bytes} for e in made
                ]
                print_json({"schema": 1, "path": str(output), "profile": limits.name, "files": files})
            else:
                for one in made:
                    out.print(f"{output / one.name}  {one.pages} pages, {one.bytes} bytes", markup=False)


def register_of(file: Any) -> "Register":
    """All lists of a case; ``file``: its ``CaseFile``."""
    from archive import exhibits

    return exhibits.read(file.kept.reader.log, file.kept.reader.store, file.scope)


def _freeze(
    config: ArchiveConfig, case: str, *, prefix: str | None, first: int | None, again: bool, as_json: bool
) -> None:
    from archive import exhibits
    from archive.stewardship.opening import open_desk
    from console.papers.casefile import open_casefile
    from console.papers.numbering import numberable
    from console.papers.report import chosen

    with open_casefile(config, case, at=now()) as file:
        before = register_of(file)
        if again and not before.lists:
            raise UsageError(f"nothing was frozen in case {case} yet: `counterproof exhibits freeze --case {case}`")
        if not again and before.lists:
            raise UsageError(
                f"the exhibits of case {case} are frozen, up to {exhibits.label(before.prefix, before.next - 1)}: "
                "`exhibits supplement` numbers what has come since"
            )
        found = numberable(file, chosen(file, []))
        findings = None if file.findings is None else file.findings.digest
        scope = file.scope
    with open_desk(config, clock=now, notify=say, by_person=True) as opened:
        made = exhibits.freeze(
            before, found, prefix=before.prefix if prefix is None else prefix,
            first=before.next if first is None else first, findings=findings, scope=scope,
            scribe=opened.person_for(scope), log=opened.desk.log,
        )  # fmt: skip
        opened.stamp()
    if as_json:
        print_json({"schema": 1, "prefix": made.prefix, **_list(made)})
        return
    for each in made.exhibits or ():
        out.print(Text(f"{exhibits.label(made.prefix, each.number):<12} {each.capture}"))
    out.print(f"{made.count} exhibits frozen as entry {made.index}: these numbers never change", markup=False)


def _list(frozen: "List") -> dict[str, Any]:
    numbers = None if frozen.exhibits is None else [each.to_json() for each in frozen.exhibits]
    return {
        "version": frozen.version,
        "index": frozen.index,
        "sha256": frozen.digest.hex,
        "first": frozen.first,
        "count": frozen.count,
        "exhibits": numbers,
    }
