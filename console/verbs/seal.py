"""``counterproof seal``: have the newest checkpoint stamped now, and say what is sealed."""

import os
from typing import Annotated, Any

import typer
from rich.text import Text

from archive.config import ArchiveConfig
from console.exits import Exit
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import now, out, print_json, say, sentences
from custody.model import Json


def seal(
    *,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=1, max=600, help="For all authorities together.")
    ] = 35.0,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have the log's newest checkpoint stamped by the authorities now, and say what is sealed.

    Exit codes: 0 all of the log is under trusted time, 3 it is not yet, 7 no authority is configured.
    """
    from archive.vault import Vault

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with Vault.open(config, clock=now, notify=say) as vault:
            sealed = vault.timekeeper.sealing.seal_log(within_s=wait)
            vault.advance_catalog()
            ended, covered = vault.catalog.count_ended(sealed.proved)
            document = _document(vault, sealed, ended, covered)
    code = Exit(int(str(document["exit_code"])))
    if as_json:
        print_json(document)
    else:
        for line in _lines(document):
            out.print(line)
    raise typer.Exit(code)


def _document(vault: Any, sealed: Any, ended: int, covered: int) -> dict[str, Json]:
    from archive.authority import Stamped
    from archive.timekeeping import told

    said = told(sealed)
    code = Exit.OK if said.time == "trusted" else Exit.SETUP if said.time == "not_configured" else Exit.PARTIAL
    stamps: list[Json] = [
        {
            "authority": each.authority,
            "state": each.state if isinstance(each, Stamped) else "unavailable",
            "size": each.size,
            "reason": each.reason,
        }
        for each in sealed.stamps
    ]
    return {
        "schema": 1,
        "log": vault.sequencer.log,
        "store": vault.store.name,
        "size": vault.sequencer.position.size,
        "time": said.time,
        "time_detail": said.detail,
        "quorum": sealed.quorum or 0,
        "sealed_size": sealed.proved,
        "captures": {"sealed": covered, "recorded": ended - covered},
        "stamps": stamps,
        "exit_code": int(code),
    }


def _lines(document: Any) -> list[Text]:
    counts = document["captures"]
    lines = [
        Text(f"{each['state']:<12}{each['authority']}, over {each['size']} leaves  {each['reason']}".rstrip())
        for each in document["stamps"]
    ]
    word = "SEALED" if document["time"] == "trusted" else "NO TRUSTED TIME"
    if document["time"] != "trusted" and document["sealed_size"]:
        word = "SEALED IN PART"
    style = "bold green" if document["time"] == "trusted" else "bold yellow"
    lines.append(
        Text(
            f"{word}: {document['sealed_size']} of {document['size']} leaves, {counts['sealed']} captures sealed, "
            f"{counts['recorded']} recorded; {document['time_detail']}",
            style=style,
        )
    )
    return lines
