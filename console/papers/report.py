"""The report of a case: cover, a spread for each promotion, population, what is not proved, custody events, digests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archive.errors import UsageError
from archive.filing import Filed
from console.papers import limits, pages
from console.papers.casefile import CaseFile, Deed, Receipt
from console.papers.population import Population
from console.papers.sheets import Sheet
from console.papers.spreads import Spread, Studio
from console.papers.zones import in_utc, told
from console.telling import counted
from custody.model import Origin
from custody.verdict import Verdict

_SHORT = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedIn:
    """One receipt, as the report tells of it."""

    receipt: Receipt
    at: str
    """When it was received; empty where it cannot be read."""
    spreads: tuple[int, ...]
    """Numbers of the promotions that it is about."""


def chosen(file: CaseFile, only: Sequence[str]) -> list[Filed]:
    """The promotions that are to be shown: all, or those named by id or how it begins. Raises ``UsageError``."""
    if file.findings is None:
        raise UsageError(
            f"nothing was found in case {file.name} yet: run `counterproof findings {file.name}` first, which records "
            "what the report tells of"
        )
    if not only:
        return file.promotions
    found: list[Filed] = []
    for name in only:
        some = [each for each in file.promotions if each.id.startswith(name.lower())]
        if len(some) != 1:
            raise UsageError(
                f"{name!r} names {len(some)} promotions of this case: `counterproof findings` shows their ids"
            )
        found += some
    return list({each.id: each for each in found}.values())


def render(
    studio: Studio,
    promotions: Sequence[Filed],
    verdict: Verdict | None,
    *,
    program: Mapping[str, str],
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> bytes:
    """HTML. ``program``: ``crawlers.run.code()``, which made it; ``tell``: spreads done, of all."""
    file = studio.file
    spreads: list[Spread] = []
    for n, each in enumerate(promotions, 1):
        spreads.append(studio.spread(n, each))
        tell(n, len(promotions))
    population = file.population(len(spreads))
    sheets: dict[str, Sheet] = {page.id: page for spread in spreads for page in spread.sheets}
    return pages.render(
        "report.html",
        cover=_cover(file, len(spreads), verdict, program),
        spreads=spreads,
        receipts=list(handed_in(file, spreads)),
        population=list(lines_of(population)),
        breakdowns=[
            ("What was shown", population.outcomes),
            ("Surfaces", population.surfaces),
            ("Links that were seen and not followed, by reason", population.left),
        ],
        case_limits=list(limits.of_case(file)),
        limits=limits.ALWAYS,
        custody_note=_checked(verdict),
        deeds=[_deed(each) for each in file.deeds],
        all_sheets=list(sheets.values()),
    )


def lines_of(counts: Population) -> Iterator[tuple[str, int, str]]:
    """The population in words: name, number, what it counts."""
    yield "looks begun", counts.begun, "captures that were begun; each is in the log before the browser goes anywhere"
    yield "asked for", counts.asked, "of them, by somebody; the others were led to by links"
    yield "due", counts.due, "of them, by a schedule; what was due and never begun leaves nothing in the log"
    yield "done, complete", counts.complete, "with all that a capture has"
    yield "done, in part", counts.partial, "something is missing, as each says"
    yield "failed", counts.failed, "the page, or what is needed of it, could not be had"
    yield "abandoned", counts.abandoned, "begun, and ended without a record, with the reason in the log"
    yield "unchanged", counts.unchanged, "looks that showed what an earlier capture had shown, and kept nothing more"
    yield "without an end", counts.open, "begun, and the log has no end yet"
    yield "the page was shown", counts.content, "of those with a record"
    yield "walled", counts.walled, "the site answered with a login, a puzzle, a refusal or an empty page instead"
    yield "not there", counts.absent, "the site said that it is not there"
    yield "disposed of", counts.disposed, "their evidence was disposed of, as the log says"
    yield "quarantined", counts.quarantined, "secrets may be in them"
    yield "links seen", counts.links_seen, f"on all pages; {counts.links_followed} of them were followed"
    yield "promotions", counts.promotions, "posts that point at a listing, as findings were last recorded"
    yield "listings seen", counts.listings_seen, "of these promotions"
    yield "candidates", counts.candidates, "links that may be a post's and were not shown to be: for a person to decide"
    yield "shown here", counts.shown, "promotions in this paper"


def _cover(file: CaseFile, shown: int, verdict: Verdict | None, program: Mapping[str, str]) -> dict[str, Any]:
    brief = None if file.described is None else file.described.brief
    facts = [("case", file.name)]
    if brief is not None:
        facts += [(name, text) for name, text in (("title", brief.title), ("matter", brief.matter)) if text]
        if brief.terms:
            facts.append(("looked for", ", ".join(each.text for each in brief.terms)))
        facts.append(
            ("brief", f"version {file.described.version}, sha256 {file.described.digest.hex}" if file.described else "")
        )
    zone = "UTC" if file.zone is None else f"UTC, and {file.zone.key} as the case says"
    findings = file.findings
    facts += [
        ("made", told(file.at, file.zone)),
        ("times", zone),
        ("promotions shown", f"{shown} of {len(file.promotions)}"),
        ("captures", str(len(file.looks))),
    ]
    if number := sum(1 if each.received is None else len(each.received.files) for each in file.receipts):
        facts.append(("received from others", f"{counted(number, 'file')}, custody of which begins at receipt"))
    if findings is not None:
        made = f"entry {findings.index}, {in_utc(findings.at)}, sha256 {findings.digest.hex}"
        facts.append(("findings", f"{made}, by code {findings.head['code_sha256']}"))
    facts += [
        ("log", f"{file.trust.log.name}, {file.size} entries"),
        ("trust file", f"sha256 {file.trust.digest.hex}: get it another way than this report"),
        ("verification", _checked(verdict)),
        ("made by", f"Counterproof {program['version']}, code sha256 {program['code_sha256']}"),
    ]
    return {"name": file.name, "facts": facts, "warnings": list(warnings(file))}


def handed_in(file: CaseFile, spreads: Sequence[Spread]) -> Iterator[HandedIn]:
    """What others handed over, each with the promotions of this paper that it is said to be about."""
    for each in file.receipts:
        about = None if each.received is None else each.received.about
        yield HandedIn(
            receipt=each,
            at="" if each.received is None else told(each.received.received_at, file.zone),
            spreads=tuple(one.n for one in spreads if about is not None and about[0] in one.units),
        )


def warnings(file: CaseFile) -> Iterator[str]:
    """What has to stand on top."""
    records = [each for each in file.looks.values() if each.record is not None]
    not_public = sum(each.record is not None and each.record.origin is Origin.NOT_PUBLIC for each in records)
    if not_public:
        yield (
            f"NOT PUBLIC: {not_public} of {len(records)} captures had something of the operator's own between them "
            "and the site"
        )
    if any(each.dated.bracket.not_after is None for each in records):
        yield "NO TRUSTED TIME over at least one capture"


def _checked(verdict: Verdict | None) -> str:
    if verdict is None:
        return "The archive was not verified for this paper: `counterproof verify` does it."
    return f"The archive was verified when this was made: {verdict.word}."


def _deed(deed: Deed) -> dict[str, Any]:
    event = deed.logged.event
    subject = event.subjects[0]
    about = deed.capture or str(event.body.get("item") or event.chain)
    return {
        "index": deed.logged.index,
        "at": in_utc(event.occurred_at),
        "type": event.type,
        "about": about,
        "by": deed.by,
        "keyid": deed.keyid[:_SHORT],
        "sha256": subject.digest.hex,
    }
