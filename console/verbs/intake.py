"""``counterproof intake``: capture what a spreadsheet lists, and give the sheet back with what became of each row."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.exits import Exit, of_result
from console.options import (
    AllowNetworkOption,
    AuthorityOption,
    AuthorityRootsOption,
    ConcurrencyOption,
    ControlOption,
    DelayOption,
    DepthOption,
    DeviceOption,
    HomeOption,
    JsonOption,
    LocaleOption,
    MatterOption,
    MaxLinksOption,
    OperatorOption,
    PerHostOption,
    ProgressOption,
    ProxyOption,
    ResolveOption,
    RobotsOption,
    StoreOption,
    TimeoutOption,
    TimezoneOption,
    TrustSpkiOption,
)
from console.screen import now, out, print_json, say, sentences

if TYPE_CHECKING:
    from console.intake import Judged

_SHOWN = 20


class Verbs:
    """``run`` gives ``crawlers.run``, which only the composition root may import."""

    def __init__(self, run: Callable[[], ModuleType]) -> None:
        self._run = run

    def intake(
        self,
        file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, XLSX, or a text with one address a line.")],
        *,
        case: MatterOption,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Say what would be done with each row; nothing is recorded.")
        ] = False,
        map_: Annotated[
            list[str] | None,
            typer.Option("--map", metavar="url=COLUMN", help="The column of addresses, by name or letter. [guessed]"),
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option("-o", "--output", metavar="FILE", help="The sheet given back. [FILE.intake.xlsx or .csv]"),
        ] = None,
        force: Annotated[bool, typer.Option("--force", help="Write over it where it is there.")] = False,
        follow: Annotated[
            bool, typer.Option("--follow/--no-follow", help="Follow the links of each page, as capture does.")
        ] = True,
        max_links: MaxLinksOption = 20,
        depth: DepthOption = 3,
        operator: OperatorOption = None,
        robots: RobotsOption = "record",
        authority: AuthorityOption = None,
        authority_roots: AuthorityRootsOption = None,
        timeout: TimeoutOption = 45.0,
        resolve: ResolveOption = None,
        allow_network: AllowNetworkOption = None,
        trust_spki: TrustSpkiOption = None,
        look_again: Annotated[
            float,
            typer.Option("--look-again", min=0, max=3600, metavar="SECONDS", help="Where a page is not there."),
        ] = 20.0,
        proxy: ProxyOption = None,
        device: DeviceOption = "desktop",
        locale: LocaleOption = "en-US",
        timezone: TimezoneOption = "UTC",
        concurrency: ConcurrencyOption = 2,
        delay: DelayOption = 1.0,
        per_host: PerHostOption = 1,
        control: ControlOption = True,
        progress: ProgressOption = "lines",
        home: HomeOption = None,
        store: StoreOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Capture what somebody's spreadsheet lists, and give the sheet back with capture, outcome and time added.

        The file is kept byte for byte, as evidence of what was asked for, and an event of the case tells of it. Each
        row is new (and captured now), already there, repeated, or bad, with its number as the file counts. The same
        command again goes on where it stopped, and records nothing twice. Files are read in a process of its own,
        within limits; what is given back holds no formula.

          counterproof intake vendor.xlsx --case acme --dry-run
          counterproof intake vendor.xlsx --case acme --map "url=Post link" -o vendor-done.xlsx

        Exit codes: those of capture; 3 too where a row is bad or was not captured.
        """
        from console import capturing, intake

        with sentences(as_json=as_json):
            config = ArchiveConfig.load(
                os.environ, home=home, store_url=store, authorities=authority, authority_roots=authority_roots
            )
            run = self._run()
            data, sheet = intake.read(file.expanduser(), run)
            rows = intake.judge(sheet, intake.mapped(sheet, tuple(map_ or ())), run)
            for note in sheet.notes:
                say(f"{file.name}: {note}")
            if dry_run:
                _tell_dry(config, rows, case, as_json=as_json)
                raise typer.Exit(Exit.OK)
            place = (output or intake.place_of(file.expanduser(), sheet.form)).expanduser()
            if place.exists() and not force:
                raise UsageError(f"{place} is there already: name another by --output, or add --force")
            options = {
                "follow": follow,
                "max_links": max_links,
                "depth": depth,
                "operator": operator,
                "robots": capturing.robots_of(robots),
                "timeout_s": timeout,
                "concurrency": concurrency,
                "delay_s": delay,
                "per_host": per_host,
                "control": control,
                "look_again_s": look_again,
                "control_pages": run.control_pages((), os.environ),
                "upstream": run.Upstream.chosen(proxy, os.environ),
                "resolve": tuple(run.Resolve.parse(each) for each in resolve or ()),
                "allow_network": tuple(run.parse_network(each) for each in allow_network or ()),
                "trust_spki": tuple(trust_spki or ()),
                "profile": run.Profile.of(device=device, build="chromium", locale=locale, timezone=timezone),
            }
            asked = _Asked(case=case, options=options, progress=progress, place=place, as_json=as_json)
            code = _carry_out(config, run, asked, data, sheet, rows)
        raise typer.Exit(code)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    case: str
    options: dict[str, Any]
    progress: str
    place: Path
    as_json: bool


def _carry_out(  # noqa: PLR0917  # what was typed, what was read, and with what
    config: ArchiveConfig, run: ModuleType, asked: _Asked, data: bytes, sheet: Any, rows: "list[Judged]"
) -> Exit:
    from archive.vault import Vault
    from console import capturing, intake

    with Vault.open(config, clock=now, notify=say) as vault:

        def conduct(job: Any) -> Any:
            return run.run(
                job,
                vault=vault,
                environment=os.environ,
                progress=capturing.progress_of(asked.progress),
                on_interrupt=capturing.on_interrupt,
            )

        done, received, is_new, result = intake.carry_out(
            rows, data, vault, run, case=asked.case, options=asked.options, conduct=conduct
        )
        intake.write(asked.place, intake.returned(sheet, done))
    whole = not any(each.state in {intake.State.BAD, intake.State.NOT_CAPTURED} for each in done)
    code = of_result(result, whole=whole) if result is not None else (Exit.OK if whole else Exit.PARTIAL)
    if asked.as_json:
        print_json(
            {
                "schema": 1,
                "case": asked.case,
                "instruction": {"sha256": received.digest.hex, "index": received.index, "new": is_new},
                "rows": [each.to_json() for each in done],
                "counts": dict(intake.counts(done)),
                "returned": str(asked.place),
                "run": None if result is None else result.run,
                "time": None if result is None else result.sealing.time,
                "exit_code": int(code),
            }
        )
        return code
    _tell(done)
    again = "" if is_new else ", as it was before"
    out.print(Text(f"the list is recorded in leaf {received.index}{again}; sha256 {received.digest.hex}"))
    out.print(Text(f"given back as {asked.place}", style="bold"))
    return code


def _tell_dry(config: ArchiveConfig, rows: "list[Judged]", case: str, *, as_json: bool) -> None:
    from console import intake
    from console.kept import open_kept

    known = rows
    if (config.home / "trust.json").is_file():
        with open_kept(config) as kept:
            scope = kept.reader.cases.find(case)
            if scope is not None:
                known = intake.looked_up(rows, kept.catalog, scope, None)
    if as_json:
        print_json(
            {
                "schema": 1,
                "case": case,
                "dry_run": True,
                "rows": [each.to_json() for each in known],
                "counts": dict(intake.counts(known)),
                "exit_code": int(Exit.OK),
            }
        )
        return
    _tell(known)
    out.print(Text("nothing was recorded: without --dry-run, the new ones are captured", style="bold"))


def _tell(rows: "list[Judged]") -> None:
    from console import intake

    odd = [each for each in rows if each.state not in {intake.State.NEW, intake.State.CAPTURED, intake.State.THERE}]
    for each in odd[:_SHOWN]:
        out.print(Text(f"row {each.n}: {each.state.value}: {each.note}", style="yellow"))
    if len(odd) > _SHOWN:
        out.print(Text(f"and {len(odd) - _SHOWN} more rows; the sheet, or --json, has them all", style="yellow"))
    out.print(Text(f"{len(rows)} rows: {', '.join(f'{n} {name}' for name, n in intake.counts(rows))}"))
