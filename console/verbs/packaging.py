"""``counterproof package``: the traffic of whole units as files that a person can replay."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences
from console.units import described
from console.verbs.stewardship import CaseOption, choose, time_of

if TYPE_CHECKING:
    from archive.packaging.packer import Made
    from archive.stewardship.opening import Opened
    from archive.stewardship.survey import Survey


def package(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Units: their ids, or how these begin or end.")
    ] = None,
    *,
    case: CaseOption = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Copies go here, as UNIT.wacz.")
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pack the traffic of a unit (post, hops and listing) into one WACZ, which replays in any browser.

    The package is stored beside the evidence and named in the log, in the unit's own chain, so that it is verified,
    held, exported and disposed of with it. The same captures give the same bytes: done again, nothing new is recorded.

      counterproof package --case acme -o packages

    Exit codes: 0 all packed, 3 a unit or a capture has no traffic to pack, 6 the store, or what it holds is not what
    was recorded.
    """
    from archive.stewardship.opening import open_desk

    with sentences(as_json=as_json):
        if (case is None) == (not ids):
            raise UsageError("say what to pack: the ids of units, or --case NAME")
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_desk(config, clock=now, notify=say, by_person=False) as opened:
            survey = opened.desk.survey()
            chosen = [(case, None)] if case is not None else [(None, each) for each in ids or ()]
            units = dict.fromkeys(
                unit for name, text in chosen for unit in choose(opened, survey, case=name, unit=text).units
            )
            made, refused = _pack(opened, survey, list(units), None if output is None else output.expanduser())
            document = _document(made, refused)
            if any(each.index is not None for each in made):
                document |= time_of(opened)
        code = Exit.PARTIAL if refused or any(each.packed.without for each in made) else Exit.OK
        if as_json:
            print_json({**document, "exit_code": int(code)})
        else:
            _tell(made)
    raise typer.Exit(code)


def _pack(
    opened: "Opened", survey: "Survey", units: Sequence[str], output: Path | None
) -> tuple[list["Made"], dict[str, str]]:
    """What was made, and why the others were not."""
    from archive import disk
    from archive.packaging import packer

    made: list[Made] = []
    refused: dict[str, str] = {}
    if output is not None:
        with disk.trouble(output):
            output.mkdir(parents=True, exist_ok=True)
    for unit in units:
        with tempfile.TemporaryDirectory(prefix="package-", dir=opened.vault.home.cache) as folder:
            try:
                packed = packer.pack(opened.desk, survey, unit, Path(folder))
            except packer.NoTraffic as error:
                refused[unit] = str(error)
                say(f"not packed: {error}")
                continue
            for each in packed.without:
                say(f"capture {each} has no traffic and is not in the package")
            target = None if output is None else output / packed.path.name
            is_there = target is None or _is_there(packed.path, target, packed.bytes)
            made.append(packer.record(opened.desk, survey, packed))
            if target is not None and not is_there:
                _copy(packed.path, target)
    return made, refused


def _is_there(source: Path, target: Path, length: int) -> bool:
    """Raises ``UsageError`` for another file of that name, before anything is recorded."""
    from archive import disk

    with disk.trouble(target):
        if not target.exists() and not target.is_symlink():
            return False
        if target.is_file() and target.stat().st_size == length and _same(source, target):
            return True
    raise UsageError(f"{target} is there already and is another file: take it away, or name another folder")


def _copy(source: Path, target: Path) -> None:
    """Appears whole or not at all."""
    from archive import disk

    beside = target.with_name(f".{target.name}.new")
    with disk.trouble(target):
        shutil.copyfile(source, beside)
        beside.replace(target)


def _same(one: Path, other: Path) -> bool:
    from custody.digest import Digest

    with one.open("rb") as first, other.open("rb") as second:
        return Digest.of_stream(first) == Digest.of_stream(second)


def _document(made: Sequence["Made"], refused: dict[str, str]) -> dict[str, Any]:
    return {
        "schema": 1,
        "packages": [described(each) for each in made],
        "refused": [{"unit": unit, "reason": reason} for unit, reason in refused.items()],
        "time": None,
        "time_detail": None,
    }


def _tell(made: Sequence["Made"]) -> None:
    for each in made:
        packed = each.packed
        where = f"recorded as entry {each.index}" if each.index is not None else "the log has it already: nothing new"
        out.print(Text(f"{packed.path.name}  {packed.bytes} bytes, {len(packed.captures)} captures; {where}"))
        out.print(Text(f"  sha256 {packed.digest.hex}"))
