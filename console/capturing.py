"""``counterproof capture``: from what was typed to what was recorded."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import typer

from archive.config import ArchiveConfig
from archive.errors import ArchiveError, UsageError
from archive.observers import Agreement
from archive.result import Result
from archive.vault import Vault
from console import observing, progress, promoting, summary
from console.batch import Batch
from console.exits import Exit, of_result
from console.packing import pack
from console.screen import err, now, out, print_json, say
from console.units import Packing
from custody.errors import CustodyError
from custody.model import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a person typed."""

    urls: tuple[str, ...]
    list_file: str | None
    case: str
    options: Mapping[str, Any]
    progress: str
    as_json: bool
    second: Any = None
    """Of a second observer, as ``crawlers.observing.Wishes``; None: there is one alone."""
    again: bool = False
    """Whether what was captured before is looked at again, and compared."""
    package: bool = False
    """Whether each unit is packed once all is recorded."""


def capture(
    asked: Asked,
    config: ArchiveConfig,
    run: ModuleType,
    *,
    interactive: bool,
    attending: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Exit:
    """Blocking. ``run`` is ``crawlers.run``, handed in because only the command line may name it.

    ``attending``: gives the hand of a person while the run lasts; by itself nobody attends.
    """
    if not asked.case.strip() or len(asked.case) > 200:
        raise UsageError("--case needs a name of 1 to 200 characters, such as --case 2026-0142")
    targets = _targets(asked, run)
    watch = progress_of(asked.progress)
    options = dict(asked.options)
    options["control_pages"] = run.control_pages(options["control_pages"], os.environ)
    options["upstream"] = run.Upstream.chosen(options["upstream"], os.environ)
    options["resolve"] = tuple(run.Resolve.parse(text) for text in options["resolve"])
    options["allow_network"] = tuple(run.parse_network(text) for text in options["allow_network"])
    options["profile"] = run.Profile.of(**options["profile"])
    if interactive and config.authorities is None:
        config = _ask_for_time(config)
    result: Result | None = None
    packing = Packing()
    agreements: list[Agreement] = []
    beside: Any = None
    if asked.second is not None:
        beside = run.Second(
            wishes=asked.second,
            case=asked.case,
            urls=targets,
            options=asked.options,
            ours=config.home,
            environment=os.environ,
            notify=say,
            store=config.store_url,
        )
    try:
        with Vault.open(config, clock=now, notify=say) as vault:
            batch = None
            if asked.list_file is not None:
                batch = Batch.open(vault.home.cache / "batches", case=asked.case, urls=targets)
                if batch.done:
                    say(f"{len(batch.done)} of {len(targets)} were captured when this list was last begun; going on")
            todo = [url for url in targets if batch is None or url not in batch.done]
            vault.advance_catalog()
            for url in () if asked.again else todo:
                for earlier in vault.captured_before(run.dedupe_key(url)):
                    say(f"captured before: {url} at {earlier}")
            job = run.Job(urls=tuple(todo), case=asked.case, **options)

            cut: list[str] = []
            """Being looked at when the person interrupted: recorded as such, and looked at again by the next one."""

            def observe(step: str, facts: Mapping[str, Json]) -> None:
                if step in {"recorded", "submitted", "unchanged"} and batch is not None and facts.get("parent") is None:
                    if facts.get("interrupted"):
                        cut.append(str(facts["url"]))
                    else:
                        batch.record(str(facts["url"]))
                watch(step, facts)

            with attending() as hand, beside or nullcontext():
                if beside is not None:
                    beside.begin(vault)
                result = run.run(
                    job,
                    vault=vault,
                    environment=os.environ,
                    progress=observe,
                    on_interrupt=on_interrupt if hand is None else _on_interrupt_attended,
                    hand=hand,
                    again=asked.again,
                )
                if beside is not None:
                    agreements = beside.conclude(vault, result)
            if asked.package:
                result, packing = pack(vault, result)
            if result.submitted:
                say(f"{result.submitted} captures wait in the inbox: run `counterproof sequence` where the log key is")
            if batch is not None and not (result.lost or result.unfinished or cut):
                batch.complete()
    except ArchiveError as error:
        if result is None:
            raise
        # What was recorded is recorded: it is told, and so is what gave out afterwards.
        notices = (*result.notices, f"after all this was recorded: {error}")
        result = replace(result, notices=notices, trouble=result.trouble or str(error))
    code = of_result(result, whole=not packing.refused)
    if result.sealing.time != "trusted":
        some = " over all of it" if result.sealing.sealed_size else ""
        say(f"NO TRUSTED TIME{some}: {result.sealing.detail}")
    if asked.as_json:
        observed = {} if beside is None else {"observers": observing.document(agreements)}
        print_json({**summary.document(result, code, packing), **observed})
    else:
        for line in summary.lines(result, code, packing):
            out.print(line)
        for line in observing.lines(agreements):
            out.print(line)
        _tell_promotions(result, config, run, asked.case)
    return code


def _tell_promotions(result: Result, config: ArchiveConfig, run: ModuleType, case: str) -> None:
    """A look at what was just recorded, for a person; what stands in its way changes nothing of that."""
    units = list(dict.fromkeys(each.unit for each in result.captures))
    if not units or result.submitted or result.trouble:
        return
    try:
        for line in promoting.after_capture(config, run, units, case):
            out.print(line)
    except (ArchiveError, CustodyError) as error:
        say(f"its promotions could not be told: {error}")


def robots_of(text: str) -> str:
    """From what was typed. Raises ``UsageError``."""
    if text not in {"record", "obey"}:
        raise UsageError(f"--robots is record or obey, got {text!r}")
    return text


def _targets(asked: Asked, run: ModuleType) -> list[str]:
    given = list(run.parse_arguments(asked.urls))
    if asked.list_file is not None:
        data, name = _read(asked.list_file)
        given += run.read_list(data, name=name)
    if not given:
        raise UsageError("name at least one URL, or a list with --from FILE; `counterproof capture --help` shows how")
    kept, repeats = run.without_repeats(given)
    for repeat in repeats:
        say(f"skipped: {repeat.target.url} ({repeat.target.source}) is the same page as {repeat.first.source}")
    return [target.url for target in kept]


def _read(name: str) -> tuple[bytes, str]:
    if name == "-":
        return sys.stdin.buffer.read(), "stdin"
    try:
        return Path(name).read_bytes(), name
    except OSError as error:
        raise UsageError(f"--from {name} cannot be read: {error.strerror}") from error


def progress_of(kind: str) -> Any:
    if kind == "lines":
        return progress.Lines(err, clock=now)
    if kind == "json":
        return progress.JsonLines(clock=now)
    if kind == "none":
        return progress.silent
    raise UsageError(f"--progress is lines, json or none, got {kind!r}")


def on_interrupt(times: int) -> None:
    if times == 1:
        say("interrupted: ending what was begun and recording it; press Ctrl-C again to leave at once")
    else:
        say("left at once; the next command ends what was begun")
        os._exit(Exit.INTERRUPTED)


def _on_interrupt_attended(times: int) -> None:
    if times == 1:
        say("ending the visit: keeping what is shown, and recording it; press Ctrl-C again to keep no more")
    else:
        on_interrupt(times - 1)


def _ask_for_time(config: ArchiveConfig) -> ArchiveConfig:
    """Once, on a terminal, on first use: which time-stamp authority to trust."""
    asked = config.home / "authority-asked"
    if asked.exists() or (config.home / "trust.json").exists():
        return config
    say(
        "Trusted time: an RFC 3161 authority signs that your evidence existed then. Without one, everything is\n"
        "recorded but not sealed, and every output says so. Type a name of `counterproof authorities presets`, such\n"
        "as digicert, or a URL (roots: --authority-roots), or Enter for none; `counterproof authorities` changes it"
    )
    url = typer.prompt("Time-stamp authority", default="none", err=True).strip()
    config.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    asked.write_text(f"{url}\n", encoding="utf-8")
    return config if url == "none" else replace(config, authorities=(url,))
