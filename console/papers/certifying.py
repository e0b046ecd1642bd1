"""Drafts of certifications and of a declaration, filled from the record alone; what people have to say is blank."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from console.papers import limits
from console.papers.blocks import Block, Paper, Rows
from console.papers.proffer import Piece, Proffer
from console.papers.report import lines_of
from console.papers.words import section
from console.papers.zones import in_utc, told

_BLANKS_13 = ("Name", "Employer and title", "Qualifications, and experience with this system")
_BLANKS_14 = ("Name", "Employer and title", "Training in digital identification")
MAX_WORDS = 600


def papers(said: Proffer, lacks: Sequence[str], *, specimen: bool) -> list[Paper]:
    mark = section("common")["specimen" if specimen else "draft"]
    return [
        _paper("certification-902-13", "r902_13", mark, [*_opening(said, lacks, specimen=specimen), *_of_13(said)]),
        _paper("certification-902-14", "r902_14", mark, [*_opening(said, lacks, specimen=specimen), *_of_14(said)]),
        _paper("declaration", "declaration", mark, [*_opening(said, lacks, specimen=specimen), *_declaration(said)]),
    ]


def _paper(name: str, part: str, mark: str, blocks: list[Block | Rows]) -> Paper:
    return Paper(name=name, title=section(part)["title"], mark=mark, blocks=tuple(blocks))


def _opening(said: Proffer, lacks: Sequence[str], *, specimen: bool) -> Iterator[Block]:
    words = section("common")
    yield Block("warning", words["draft_note"].format(at=in_utc(said.file.at)))
    if specimen:
        yield Block("warning", words["specimen_note"])
        yield Block("heading", "What the record lacks")
        yield from (Block("point", each) for each in lacks or ["nothing that is looked for"])


def _of_13(said: Proffer) -> Iterator[Block | Rows]:
    words, common = section("r902_13"), section("common")
    yield from _who(_BLANKS_13)
    yield Block("numbered", words["basis"].format(blank=common["blank"]))
    yield Block("blank", "Relation to the parties, and any compensation")
    yield Block("heading", "The system")
    yield Block(
        "numbered",
        words["system"].format(
            version=_each(said.environments("version")),
            build=_each(said.environments("build")),
            code=_each(said.environments("code_sha256")),
            browser=f"Chromium {_each(said.environments('browser_version'))}",
        ),
    )
    yield from (Block("numbered", each) for each in words["how"])
    yield Block("numbered", words["automatic"].format(acts=_acts(said)))
    yield Block("heading", "Why the result is accurate")
    controls = "; ".join(
        f"run {each.id}: at its start {each.control('start')}, at its end {each.control('end')}" for each in said.runs
    )
    clocks = "; ".join(dict.fromkeys(_clock(each) for run in said.runs for each in run.clocks)) or "not recorded"
    yield Block("numbered", words["accuracy"].format(controls=controls or "none is known", clocks=clocks))
    yield Block("heading", "The records")
    yield from (Block("numbered", each) for each in (_told(said, piece) for piece in said.pieces))
    yield Block("heading", "Integrity and custody")
    yield Block(
        "numbered",
        words["integrity"].format(
            at=in_utc(said.file.at),
            verdict=said.verdict.word,
            trust=said.file.trust.digest.hex,
            log=said.file.trust.log.name,
            size=said.file.size,
        ),
    )
    yield Block("numbered", words["custody"])
    yield _events(said)
    yield Block("numbered", words["population"])
    counts = lines_of(said.file.population(len(said.file.promotions)))
    yield Rows(("of this case", "", "what is counted"), tuple((name, str(n), what) for name, n, what in counts))
    yield from _limits(said)
    yield from _attest()


def _of_14(said: Proffer) -> Iterator[Block | Rows]:
    words, common = section("r902_14"), section("common")
    files = [each for piece in said.pieces for each in piece.files]
    yield from _who(_BLANKS_14)
    yield Block("numbered", words["basis"].format(blank=common["blank"]))
    yield Block("numbered", words["method"])
    yield Block(
        "numbered",
        words["rehashed"].format(at=in_utc(said.file.at), same=sum(each.is_same for each in files), all=len(files)),
    )
    yield Block("numbered", words["proffered"].format(blank=common["blank"]))
    for piece in said.pieces:
        yield Block("heading", f"{piece.label}: capture {piece.exhibit.capture}")
        yield Block(
            "text", f"record.json, SHA-256 {piece.exhibit.record.hex}{f' ({piece.wrong})' if piece.wrong else ''}"
        )
        yield Rows(
            ("file", "bytes", "SHA-256 when it was acquired", "SHA-256 just now"),
            tuple(
                (
                    each.artifact.name,
                    str(each.artifact.bytes),
                    each.artifact.digest.hex,
                    "the same" if each.is_same else "NOT THERE" if each.found is None else f"ANOTHER: {each.found.hex}",
                )
                for each in piece.files
            ),
        )
    yield from _limits(said)
    yield from _attest()


def _declaration(said: Proffer) -> Iterator[Block | Rows]:
    words, common = section("declaration"), section("common")
    yield Block("numbered", words["who"].format(blank=common["blank"]))
    yield Block("numbered", words["relation"].format(blank=common["blank"]))
    yield Block("numbered", words["seen"].format(blank=common["blank"]))
    stated = [f"{piece.label}: {one}" for piece in said.pieces for one in said.file.witnesses(piece.exhibit.capture)]
    yield Block("numbered", words["witnessed"].format(count=len(stated)))
    yield from (Block("point", each) for each in stated)
    for piece in said.pieces:
        record = None if piece.look is None else piece.look.record
        if piece.look is None or record is None:
            yield Block("numbered", f"{piece.label}: {piece.wrong}")
            continue
        yield Block(
            "numbered",
            words["shown"].format(
                label=piece.label,
                url=record.final_url or "no address",
                asked=record.requested_url,
                words=_words(piece) or "none were read in the visit",
            ),
        )
    yield Block("numbered", words["not_known"])
    yield from _limits(said)
    yield from _attest()


def _who(blanks: Sequence[str]) -> Iterator[Block]:
    yield from (Block("blank", each) for each in blanks)


def _told(said: Proffer, piece: Piece) -> str:
    """One exhibit, in a paragraph."""
    look, zone = piece.look, said.file.zone
    if look is None or look.record is None:
        return f"{piece.label} (capture {piece.exhibit.capture}): {piece.wrong or 'not at hand'}."
    record, bracket = look.record, look.dated.bracket
    hops = "; ".join(f"{each.n}. {each.kind.value} {each.status or ''} to {each.to_url}" for each in record.hops)
    environment: Any = record.circumstances.get("environment", {})
    egress = environment.get("egress") if isinstance(environment, Mapping) else None
    address = egress.get("address") if isinstance(egress, Mapping) else "not recorded"
    network: Any = record.circumstances.get("network", {})
    refused = network.get("refusals", "not recorded") if isinstance(network, Mapping) else "not recorded"
    missing = "; ".join(f"{each.role}: {each.reason}" for each in record.missing)
    own = "; ".join(f"{name.replace('_', ' ')} {told(at, zone)}" for name, at in record.times.items())
    return (
        f"{piece.label}: capture {look.id}, asked for {record.requested_url}; redirects: {hops or 'none'}; ended at "
        f"{record.final_url or 'no page'}; HTTP status {record.http_status or 'none'}; what was shown: "
        f"{record.outcome.value} ({record.outcome_reason}); origin {record.origin.value}. By time-stamp authorities: "
        f"begun not before {told(bracket.not_before, zone)}, ended not after {told(bracket.not_after, zone)}. By the "
        f"machine's own clock: {own}. From the address {address}, as {environment.get('user_agent', 'not recorded')}, "
        f"language {environment.get('languages', 'not recorded')}. Connections that the program refused: {refused}. "
        f"Missing: {missing or 'nothing that a whole capture has'}. Log entries {look.entry.started_index} (start) and "
        f"{look.entry.index} (end); record, SHA-256 {piece.exhibit.record.hex}."
    )


def _words(piece: Piece) -> str:
    reading: Any = (None if piece.look is None else piece.look.reading) or {}
    fields = (reading.get("reading") or {}).get("fields") or {}
    named = ("author", "handle", "caption", "text", "title", "seller", "price_shown")
    return "; ".join(f"{name}: “{str(fields[name])[:MAX_WORDS]}”" for name in named if fields.get(name))


def _events(said: Proffer) -> Rows:
    return Rows(
        ("entry", "when (signer's clock)", "event", "about", "signed by", "blob, SHA-256"),
        tuple(
            (
                str(each.logged.index),
                in_utc(each.logged.event.occurred_at),
                each.logged.event.type,
                each.capture or str(each.logged.event.body.get("item") or each.logged.event.chain),
                f"{each.by} {each.keyid[:16]}",
                each.logged.event.subjects[0].digest.hex,
            )
            for each in said.deeds
        ),
    )


def _acts(said: Proffer) -> str:
    found = [f"run {each.id} was begun by {each.opened.get('operator') or 'a person not named'}" for each in said.runs]
    for piece in said.pieces:
        record = None if piece.look is None else piece.look.record
        session: Any = {} if record is None else record.circumstances["session"]
        if isinstance(session, Mapping) and session.get("surface") == "attended":
            number = session.get("inputs_total", len(session.get("inputs", ())))
            found.append(
                f"in {piece.label} a person acted in the window ({number} inputs, listed in the record); "
                "whether anybody was signed in there is not recorded"
            )
    found += [
        f"entry {each.logged.index}: {each.logged.event.type}"
        for each in said.deeds
        if each.by in {"person", "root"} and each.logged.event.chain.startswith("work:")
    ]
    return "; ".join(found) or "none"


def _clock(told_: Mapping[str, Any]) -> str:
    source = told_.get("source")
    if source in {None, "none"}:
        return "no program spoke for it"
    return f"{source}, {told_.get('offset_ms')} ms off, ± {told_.get('uncertainty_ms')} ms"


def _limits(said: Proffer) -> Iterator[Block]:
    yield Block("heading", "What this does not prove")
    yield from (Block("point", each) for each in (*limits.of_case(said.file), *limits.ALWAYS))


def _attest() -> Iterator[Block]:
    words = section("common")
    yield Block("heading", "Attestation")
    yield Block("text", words["attest_us"])
    yield Block("text", words["attest_abroad"])
    yield Block("text", words["strike"])
    yield from (Block("blank", each) for each in ("Executed on (date)", "At (place)", "Signature"))


def _each(values: Sequence[str]) -> str:
    return " and ".join(each or "(not recorded)" for each in values) or "(not recorded)"
