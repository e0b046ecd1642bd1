"""``capture --package``: each unit of a run into a file that a person can replay, once all of it is recorded."""

import tempfile
from dataclasses import replace
from pathlib import Path

from archive.errors import ArchiveError
from archive.packaging import packer
from archive.result import Result
from archive.stewardship.opening import Opened, desk_in
from archive.vault import Vault
from console.screen import now, say
from console.units import Packing


def pack(vault: Vault, result: Result) -> tuple[Result, Packing]:
    """Blocking. What was recorded is recorded: a unit that cannot be packed is told of, and the next one is packed.

    The run's time is that of the packages, too, so it is asked for once more.
    """
    made: dict[str, packer.Made] = {}
    refused = dict.fromkeys((each.unit for each in result.captures), "the run was interrupted before")
    if result.interrupted:
        return result, Packing(refused=refused)
    with desk_in(vault, clock=now, notify=say, by_person=False) as opened:
        try:
            _pack(opened, made, refused)
        except KeyboardInterrupt:
            say("interrupted: what was not packed is packed by `counterproof package`")
        if any(each.index is not None for each in made.values()):
            result = replace(result, sealing=opened.stamp())
    for unit, why in refused.items():
        say(f"unit {unit} was not packed: {why}")
    return result, Packing(made=made, refused=refused)


def _pack(opened: Opened, made: dict[str, packer.Made], refused: dict[str, str]) -> None:
    """From ``refused`` into ``made``, where that can be done."""
    survey = opened.desk.survey()
    for unit in [*refused]:
        if unit not in survey.items:
            refused[unit] = "its captures wait in the inbox, and `counterproof package` packs them later"
            continue
        try:
            with tempfile.TemporaryDirectory(prefix="package-", dir=opened.vault.home.cache) as folder:
                packed = packer.pack(opened.desk, survey, unit, Path(folder))
                made[unit] = packer.record(opened.desk, survey, packed)
        except ArchiveError as error:
            refused[unit] = str(error)
        else:
            del refused[unit]
