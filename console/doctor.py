"""``counterproof doctor``: what is well, and what to do about the rest."""

import os
from collections.abc import Callable, Mapping
from typing import cast

from rich.text import Text

from archive import authorities, timekeeping
from archive.clock import SNTP_SERVER, read_clock
from archive.config import ArchiveConfig
from archive.errors import ArchiveError, KeyDeviceError, KeyFileError, StoreError
from archive.health import Finding
from archive.home import Home
from archive.probe import NO_LOCK, probe
from archive.reader import store_of
from console.exits import Exit
from console.screen import now, out, print_json
from custody import keys
from custody.model import Json

MAX_OFFSET_MS = 2000
"""As far as a clock may be off without a word of explanation."""

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
        held = _held(home)  # asks the devices that hold keys, too
    except ArchiveError as error:
        return [Finding(name="keys", state="missing", detail=str(error))]
    found = [
        Finding(
            name="keys",
            state="ok",
            detail=f"{held}, log {home.trust.log.name} in {home.path}",
        )
    ]
    found.append(_time(home))
    return found


def _time(home: Home) -> Finding:
    """Who tells the time, and what is amiss with it; the ends of certificates are known long before."""
    name, believed = "trusted time", home.trust.authorities
    if not believed:
        advice = "NO TRUSTED TIME: no authority is configured (`counterproof authorities presets` lists public ones)"
        return Finding(name=name, state="warning", detail=advice)
    known = timekeeping.acquaintances(home, now)
    amiss = []
    for each in believed:
        if not each.roots_pem:
            amiss.append(f"no roots for {each.url}: its tokens cannot be judged (`counterproof authorities add`)")
        amiss += [f"{each.url}: {said}" for said in authorities.ending(each, now(), known.of(each.id).signer_ends)]
    names = f"{home.trust.quorum} of {len(believed)}: {', '.join(each.url for each in believed)}"
    return Finding(name=name, state="warning" if amiss else "ok", detail="; ".join([names, *amiss]))


def _held(home: Home) -> str:
    """Raises ``KeyDeviceError`` where a device is not there; a root key may lie in a safe."""
    held = home.signers
    found = {"log": held.log, "worker": held.worker, "person": held.person}
    words = [f"{role} {keys.keyid(each.public_key)[:16]}…" for role, each in found.items() if each is not None]
    if held.root is not None:
        try:
            words.insert(0, f"root {keys.keyid(held.root.public_key)[:16]}…")
        except KeyDeviceError as error:
            words.insert(0, f"root not at hand ({error})")
    return ", ".join(words)


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
    """Whether somebody keeps the clock, by what was read just now; trusted time does not rest on it."""
    read = read_clock(os.environ, clock=now)
    failed = read.server is not None and read.source in {"none", "unnamed"}
    asked = f"; {read.server} ({SNTP_SERVER}) did not answer" if failed else ""
    if read.source == "none":
        advice = f"nothing here says that it keeps the clock: install chrony{asked}; events are bracketed anyway"
        return Finding(name="clock", state="warning", detail=advice)
    if read.source == "unnamed":
        said = f"the system says that its clock is kept, and neither by what nor how well{asked}"
        return Finding(name="clock", state="ok", detail=said)
    offset = ", offset not said" if read.offset_ms is None else f", {read.offset_ms:+d} ms off"
    within = "" if read.uncertainty_ms is None else f" (within {read.uncertainty_ms} ms)"
    detail = f"{read.source}{offset}{within}"
    if read.offset_ms is not None and abs(read.offset_ms) > MAX_OFFSET_MS:
        return Finding(name="clock", state="warning", detail=f"{detail}: put it right, or explain it when it matters")
    return Finding(name="clock", state="ok", detail=detail)
