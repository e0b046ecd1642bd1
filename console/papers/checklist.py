"""The checklist: points of the Berkeley Protocol and of NF Z67-147, each met, with the fact, or not met."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.papers.blocks import Block, Paper, Rows
from console.papers.proffer import FAIR, Hashed, Proffer
from console.papers.words import section
from console.papers.zones import in_utc
from custody.model import Role
from custody.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One point."""

    source: str
    asks: str
    met: bool
    fact: str
    """What meets it, or what is not there."""


def points(said: Proffer) -> list[Point]:
    return [*_berkeley(said), *_afnor(said)]


def paper(said: Proffer, mark: str) -> Paper:
    words = section("checklist")
    found = points(said)
    met = sum(each.met for each in found)
    return Paper(
        name="checklist",
        title=words["title"],
        mark=mark,
        blocks=(
            Block("text", words["note"]),
            Block("text", f"{met} of {len(found)} points are met by the record, on {in_utc(said.file.at)}."),
            Rows(
                ("source", "point, in our words", "met?", "fact, in the record"),
                tuple((each.source, each.asks, "met" if each.met else "NOT MET", each.fact) for each in found),
            ),
        ),
    )


_AIX = "4.2.1-4.2.2"
"""As the cour d'appel d'Aix-en-Provence is reported to quote it, 15 September 2016; the standard itself is sold."""
_OURS = "point as worded by this program"
"""No text was at hand that gives it a section of its own, and the paper says so beside it."""
_PARIS = f"section not named: {_OURS}"
"""As the cour d'appel de Paris is reported to tell it, 12 January 2016, without sections."""
_TITLE = f"its title: {_OURS}"


def _berkeley(said: Proffer) -> Iterator[Point]:
    def point(where: str, asks: str, fact: tuple[bool, str]) -> Point:
        return Point(source=f"Berkeley Protocol, {where}", asks=asks, met=fact[0], fact=fact[1])

    yield point(
        "para. 155 (a)",
        "the address that was asked for, and the one that was shown",
        _all(said, _addresses, "both addresses"),
    )
    yield point(
        "para. 155 (b)",
        "the source of the page (HTML)",
        _all(said, _has(Role.DOM), "the document as the browser had it"),
    )
    yield point(
        "para. 155 (c)", "a picture of the whole page", _all(said, _has(Role.SCREENSHOT), "a picture of the whole page")
    )
    yield point(
        "para. 155 (d)",
        "media that are part of the page",
        _all(said, _has(Role.WARC), "the page's traffic, pictures in it"),
    )
    yield point("para. 155", "metadata that came with the page", _all(said, _has(Role.HEADERS), "the answer's headers"))
    yield point(
        "para. 155",
        "who collected it, with what, from which address",
        _all(said, _collector, "program, digest, address"),
    )
    yield point("para. 155", "a hash value, taken at collection and checked again", _hashes(said))
    yield point("paras. 153-155", "date and time of collection, by a clock that others can check", _timed(said))
    yield point(
        "para. 167",
        "a record of custody without a gap",
        (said.verdict.holds, f"the archive was verified: {said.verdict.word}"),
    )
    yield point(
        f"its chapter on preservation: {_OURS}",
        "an evidentiary copy that cannot be changed",
        _all(said, _locked, "every file was locked by the store"),
    )
    yield point(f"its chapter on preservation: {_OURS}", "a second copy elsewhere", _replica(said))
    yield point(
        f"its chapter on verification: {_OURS}", "that a person compared the capture with the page", _witness(said)
    )


def _afnor(said: Proffer) -> Iterator[Point]:
    def point(where: str, asks: str, fact: tuple[bool, str]) -> Point:
        return Point(source=f"NF Z67-147, {where}", asks=asks, met=fact[0], fact=fact[1])

    yield point(
        _PARIS, "the machine, its system and the browser are described", _all(said, _machine, "system and browser")
    )
    yield point(_AIX, "the address under which the machine was seen", _all(said, _egress, "the egress address"))
    yield point(_AIX, "no proxy stood in between", _proxy(said))
    yield point(_AIX, "no cookies of earlier visits", _all(said, _fresh, "no cookies when the visit began"))
    yield point(_AIX, "caches were emptied before", (False, "nothing of that is recorded"))
    yield point(_PARIS, "the clock was held against a reference", _clock(said))
    yield point(_PARIS, "names were resolved by the public DNS", _all(said, _resolved, "each host resolved publicly"))
    yield point(_AIX, "links that lead to the page", _all(said, _led, "its link, or its address that was asked for"))
    yield point(_AIX, "the time at which it began", _all(said, _times, "when each page was asked for and left"))
    yield point(_PARIS, "pictures and source were kept", _all(said, _kept, "pictures and document"))
    yield point(_PARIS, "the machine was checked for malicious programs", (False, "nothing of that is recorded"))
    yield point(_TITLE, "an officer of the court did it", (False, "the record names no such officer"))


def _all(said: Proffer, check: Callable[[Record], str], fact: str) -> tuple[bool, str]:
    """``check`` says what is not there, or nothing. Met where each exhibit has it."""
    lacks = []
    for each in said.pieces:
        record = None if each.look is None else each.look.record
        wrong = "its record is not at hand" if record is None else check(record)
        if wrong:
            lacks.append(f"{each.label}: {wrong}")
    if lacks or not said.pieces:
        return False, "; ".join(lacks[:8]) + ("; …" if len(lacks) > 8 else "")
    return True, f"{fact}, in each of {len(said.pieces)} exhibits"


def _has(role: Role) -> Callable[[Record], str]:
    def check(record: Record) -> str:
        found = [each for each in record.artifacts if each.role == role]
        return "" if found else f"nothing was kept as {role.value}"

    return check


def _addresses(record: Record) -> str:
    return "" if record.requested_url and record.final_url else "no page was reached"


def _collector(record: Record) -> str:
    missing = [name for name in ("software", "version", "code_sha256") if not _environment(record).get(name)]
    return f"{missing[0]} is not recorded" if missing else _egress(record)


def _egress(record: Record) -> str:
    egress = _environment(record).get("egress")
    address = egress.get("address") if isinstance(egress, Mapping) else None
    return "" if address not in {None, "unknown"} else "the address that sites saw is not known"


def _machine(record: Record) -> str:
    missing = [name for name in ("system", "browser_version", "user_agent") if not _environment(record).get(name)]
    return f"{missing[0]} is not recorded" if missing else ""


def _fresh(record: Record) -> str:
    cookies = _environment(record).get("cookies_at_start")
    return "" if cookies == 0 else "cookies at the start are not recorded" if cookies is None else f"{cookies} cookies"


def _resolved(record: Record) -> str:
    network: Any = record.circumstances.get("network", {})
    met = [each for each in network.get("connections", ()) if each.get("connected_at")]
    odd = [str(each.get("host")) for each in met if not each.get("is_public") or each.get("resolved_by") == "resolve"]
    if not met:
        return "no connection is recorded"
    return f"{odd[0]} was not resolved publicly" if odd else ""


def _led(record: Record) -> str:
    """A page that was reached from another one has to say by which link."""
    return "" if record.parent is None or record.via is not None else "the link that led there is not recorded"


def _times(record: Record) -> str:
    return "" if {"requested_at", "closed_at"} <= record.times.keys() else "its times are not recorded"


def _kept(record: Record) -> str:
    return _has(Role.VIEWPORT)(record) or _has(Role.DOM)(record)


def _timed(said: Proffer) -> tuple[bool, str]:
    brackets = [(each.label, None if each.look is None else each.look.dated.bracket) for each in said.pieces]
    lacks = [label for label, each in brackets if each is None or each.not_after is None or each.not_before is None]
    if lacks or not brackets:
        return False, f"time-stamp authorities do not bound {', '.join(lacks[:8])} on both sides"
    return True, "tokens of time-stamp authorities before and after each"


def _locked(record: Record) -> str:
    loose = [each.name for each in record.artifacts if each.lock is None]
    return f"{loose[0]} was under no lock" if loose else ""


def _hashes(said: Proffer) -> tuple[bool, str]:
    files: list[Hashed] = [each for piece in said.pieces for each in piece.files]
    same = sum(each.is_same for each in files)
    return bool(files) and same == len(files), f"{same} of {len(files)} files have the SHA-256 of their acquisition now"


def _replica(said: Proffer) -> tuple[bool, str]:
    made = [each.index for each in said.file.kept.reader.log.events("artifact.archived")]
    if made:
        return True, f"the log tells of a replica (entry {made[-1]})"
    return False, "the log tells of no replica"


def _witness(said: Proffer) -> tuple[bool, str]:
    words = said.statements
    differs = [each.label for each in said.pieces if "differs" in words.get(each.exhibit.capture, ())]
    missing = [each.label for each in said.pieces if FAIR not in words.get(each.exhibit.capture, ())]
    if differs:
        return False, f"a witness found differences in {', '.join(differs[:8])}"
    if missing:
        return False, f"no witness said that it is fair and accurate: {', '.join(missing[:8])}"
    return True, "a witness said of each exhibit that it is fair and accurate"


def _proxy(said: Proffer) -> tuple[bool, str]:
    told = [(run.id, (run.opened.get("settings") or {})) for run in said.runs]
    odd = [run for run, settings in told if "proxy" not in settings or settings["proxy"] is not None]
    if odd or not told:
        return False, f"run {odd[0]}: a proxy was used, or it is not recorded" if odd else "no run is known"
    return True, "the settings of each run name none"


def _clock(said: Proffer) -> tuple[bool, str]:
    clocks = [each for run in said.runs for each in run.clocks]
    if not clocks or any(each.get("offset_ms") is None for each in clocks):
        return False, "no program spoke for the clock in at least one run"
    return True, f"at most {max(abs(int(each['offset_ms'])) for each in clocks)} ms off, as the machine said"


def _environment(record: Record) -> Mapping[str, Any]:
    found: Any = record.circumstances.get("environment", {})
    return found if isinstance(found, Mapping) else {}
