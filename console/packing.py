"""``capture --package``: each unit of a run into a file that a person can replay, once all of it is recorded."""

import tempfile
from dataclasses import replace
from pathlib import Path

from archive.errors import ArchiveError
from archive.packaging import packer
from archive.result import Result
from archive.stewardship.opening import desk_in
from archive.vault import Vault
from console.screen import now, say
from console.units import Packing


def pack(vault: Vault, result: Result) -> tuple[Result, Packing]:
    """Blocking. What was recorded is recorded: a unit that cannot be packed is told of, and the next one is packed.

    The run's time is that of the packages, too, so it is asked for once more.
    """
    made: dict[str, packer.Made] = {}
    refused: dict[str, str] = {}
    units = dict.fromkeys(each.unit for each in result.captures)
    if result.interrupted:
        return result, Packing(refused=dict.fromkeys(units, "the run was interrupted before"))
    with desk_in(vault, clock=now, notify=say, by_person=False) as opened:
        survey = opened.desk.survey()
        for unit in units:
            if unit not in survey.items:
                refused[unit] = "its captures wait in the inbox, and `counterproof package` packs them later"
                continue
            try:
                with tempfile.TemporaryDirectory(prefix="package-", dir=vault.home.cache) as folder:
                    made[unit] = packer.record(
                        opened.desk, survey, packer.pack(opened.desk, survey, unit, Path(folder))
                    )
            except ArchiveError as error:
                refused[unit] = str(error)
        if any(each.index is not None for each in made.values()):
            result = replace(result, sealing=opened.stamp())
    for unit, why in refused.items():
        say(f"unit {unit} was not packed: {why}")
    return result, Packing(made=made, refused=refused)
