"""``counterproof doctor``: what is well, and what to do about the rest."""

import os
from collections.abc import Callable, Mapping
from typing import cast

from rich.text import Text

from archive.clock import read_clock
from archive.config import ArchiveConfig
from archive.errors import ArchiveError, KeyFileError, StoreError
from archive.health import Finding
from archive.home import Home
from archive.probe import NO_LOCK, probe
from archive.reader import store_of
from console.exits import Exit
from console.screen import now, out, print_json
from custody import keys
from custody.model import Json

_STYLES = {"ok": ("OK      ", "green"), "warning": ("WARNING ", "yellow"), "missing": ("MISSING ", "bold red")}


def diagnose(config: ArchiveConfig, look: Callable[[Mapping[str, str]], list[Finding]], *, as_json: bool) -> Exit:
    """0 also with warnings; 7 when something is missing, 6 when the store or a key is not as it must be."""
    findings = [*look(os.environ), _clock(), *_keys(config), *_store(config)]
    if as_json:
        rows = [{"name": each.name, "state": each.state, "detail": each.detail} for each in findings]
        print_json({"schema": 1, "checks": cast("list[Json]", rows)})
    else:
        for each in findings:
            word, style = _STYLES[each.state]
            out.print(Text.assemble((word, style), f"{each.name:<14}", each.detail))
    missing = [each for each in findings if each.state == "missing"]
    if any(each.name in {"store", "keys"} for each in missing):
        return Exit.STORE
    return Exit.SETUP if missing else Exit.OK


def _keys(config: ArchiveConfig) -> list[Finding]:
    try:
        home = Home.open(config.home, clock=now, key_specs=config.key_specs)
    except ArchiveError as error:
        return [Finding(name="keys", state="missing", detail=str(error))]
    found = [
        Finding(
            name="keys",
            state="ok",
            detail=f"{_held(home)}, log {home.trust.log.name} in {home.path}",
        )
    ]
    if home.trust.authorities:
        names = ", ".join(each.url for each in home.trust.authorities)
        lacking = [each.url for each in home.trust.authorities if not each.roots_pem]
        advice = (
            f"; no roots for {', '.join(lacking)}: its tokens cannot be judged (--authority-roots)" if lacking else ""
        )
        found.append(Finding(name="trusted time", state="warning" if lacking else "ok", detail=names + advice))
    else:
        advice = "NO TRUSTED TIME: no authority is configured (capture --authority URL --authority-roots PEM)"
        found.append(Finding(name="trusted time", state="warning", detail=advice))
    return found


def _held(home: Home) -> str:
    held = home.signers
    found = {"root": held.root, "log": held.log, "worker": held.worker, "person": held.person}
    return ", ".join(f"{role} {keys.keyid(each.public_key)[:16]}…" for role, each in found.items() if each is not None)


def _store(config: ArchiveConfig) -> list[Finding]:
    try:
        with store_of(config) as store:
            report = probe(store, clock=now)
            name = store.name
    except KeyFileError as error:
        return [Finding(name="keys", state="missing", detail=str(error))]
    except (StoreError, ArchiveError) as error:
        return [Finding(name="store", state="missing", detail=str(error))]
    found = [Finding(name="store", state="ok", detail=f"{name} passed the probe")]
    if report.lock == NO_LOCK:
        advice = "this store keeps no locks: whoever may write there may delete there"
        found.append(Finding(name="object lock", state="warning", detail=advice))
    elif report.bypass == "yes":
        advice = "our own credentials can release GOVERNANCE locks; use COMPLIANCE, or credentials without that right"
        found.append(Finding(name="object lock", state="warning", detail=advice))
    elif report.bypass == "unknown":
        advice = "whether our own credentials can release a lock could not be told"
        found.append(Finding(name="object lock", state="warning", detail=advice))
    else:
        found.append(Finding(name="object lock", state="ok", detail="our own credentials cannot release a lock"))
    return found


def _clock() -> Finding:
    """Whether somebody disciplines the clock; trusted time does not rest on it."""
    read = read_clock(os.environ, clock=now)
    if read.source == "none":
        advice = "nothing here disciplines the clock: install chrony; trusted time brackets each event all the same"
        return Finding(name="clock", state="warning", detail=advice)
    offset = "" if read.offset_ms is None else f", offset {read.offset_ms} ms"
    return Finding(name="clock", state="ok", detail=f"{read.source}{offset}")
