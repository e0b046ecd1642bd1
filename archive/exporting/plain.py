"""README.txt of an export: what this is and how to check it, for a reader who has never heard of any of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from archive.dating import Range
from archive.exporting.population import Population
from custody.bundle.statement import WITHHELD, MissingBlob
from custody.digest import Digest
from custody.instant import format_utc


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is said of one export."""

    log: str
    scope: str | None
    items: int
    captures: int
    entries: int
    blobs: int
    bytes: int
    missing: Sequence[MissingBlob]
    size: int
    seen: int
    """Leaves that were looked at."""
    population: Population
    index: int
    trust: Digest
    tokens: int
    authorities: int
    """Those whose roots are in the trust file."""
    origins: Mapping[str, int]
    received: int
    """Files that others handed over."""
    quarantined: int
    """Captures in which secrets may be."""
    times: Range
    """When the captures happened."""
    at: datetime


def readme(facts: Facts) -> str:
    return "\n".join(_lines(facts)) + "\n"


def _lines(facts: Facts) -> Iterator[str]:
    what = "one case, complete" if facts.scope else f"{facts.items} item{'' if facts.items == 1 else 's'}, complete"
    yield "EVIDENCE EXPORT (Counterproof)"
    yield ""
    yield f"This folder holds {what}: {facts.captures} captures of web pages, {facts.blobs} files"
    yield f"({facts.bytes} bytes), and {facts.entries} entries of the log that recorded every step."
    yield f"It was made at {format_utc(facts.at)} from the log {facts.log},"
    yield f"which has signed {facts.size} entries. The making is itself entry {facts.index} of that log."
    yield ""
    yield f"All that the log held at {facts.seen} entries was looked at: the same choice at that size"
    yield "is this export again, to its last byte."
    yield ""
    yield "READ THIS FIRST"
    yield ""
    yield from (f"* {each}" for each in _warnings(facts))
    yield ""
    yield "OF HOW MUCH THIS IS A PART"
    yield ""
    yield from facts.population.lines()
    yield ""
    yield "HOW TO CHECK IT"
    yield ""
    yield "Everything here rests on one small file, the trust file. You must have it from the"
    yield "operator by another way than this folder (in person, from a court file, by a letter that"
    yield "gives its digest). The copy in data/trust/trust.json has the SHA-256 digest"
    yield ""
    yield f"  {facts.trust.hex}"
    yield ""
    yield "If that is not the digest that you were given, stop: whoever made this folder can have"
    yield "made up everything in it."
    yield ""
    yield "With the program:     counterproof verify THIS-FOLDER --trust trust.json"
    yield "                      or, with the digest alone: --trust-digest sha256:DIGEST"
    yield "Without it:           sh verify.sh THIS-FOLDER trust.json"
    yield "                      or, with the digest alone: sh verify.sh THIS-FOLDER DIGEST"
    yield "With your own hands:  VERIFY.md, which needs openssl and sha256sum and no program of ours"
    yield ""
    yield "verify.sh needs sh, awk, sed, jq, coreutils and OpenSSL 3. It is plain text: read it, or"
    yield "take it from the program's own source rather than from here. Any BagIt tool can check that"
    yield "no file was damaged on the way; that alone says nothing about who wrote the files."
    yield ""
    yield "WHAT IS IN IT"
    yield ""
    yield "data/index.csv                   every file under data/artifacts: what it is, of which page, its digest"
    yield "data/artifacts/item-N/           the files of one promotion; a folder for each page, in the order of capture"
    yield "data/artifacts/ (others)         what the log, the case and the runs say in files of their own"
    yield "data/tables/                     captures, hops and promotions as CSV and XLSX; of each page its first and"
    yield "                                 last look, and what changed between looks; the population; the graph for"
    yield "                                 other case tools (CASE/UCO). All derived from entries and records"
    yield "data/custody/entry-N.json        entry N of the log, byte for byte"
    yield "data/custody/entry-N.tlog-proof  the proof that it is in the log, up to a signed checkpoint"
    yield "data/custody/checkpoint          that checkpoint, and beside it what time-stamp authorities"
    yield "                                 said of it (.tsq is the question, .tsr the answer)"
    yield "data/custody/checkpoint-N        earlier checkpoints that were stamped, nearer to the captures"
    yield "data/custody/consistency-N.txt   the proof that the log of N entries is the beginning of this one:"
    yield "                                 for whoever kept a checkpoint of N entries from before"
    yield "data/custody/scopes.json         which chains of entries are here from their first to which last"
    yield "data/custody/contents.txt        digests of all that was known when the export was recorded"
    yield "data/custody/missing.json        files that entries name and that are not here, each with the reason"
    yield "data/trust/                      the trust file, and its keys as other tools want them"
    yield ""
    yield "Each capture has a record.json, which lists its files with their digests; where a file is that several"
    yield "captures have alike, it lies with the first, and data/index.csv says where. Names are for people: what"
    yield "counts is the digest."
    yield ""
    yield "WHAT IT DOES NOT PROVE"
    yield ""
    yield "That a page was genuine, that its author wrote it, or that nothing was left uncaptured. It proves"
    yield "which bytes were recorded, in which order, by whose key, and (with tokens) by when."


def _range(times: Range, captures: int) -> Iterator[str]:
    """As stored when this was made: the recipient's own check is what counts."""
    if times.not_before is not None:
        some = f", but for {times.unbegun} of {captures} that no token lies before" if times.unbegun else ""
        yield f"By these tokens no capture began before {format_utc(times.not_before)}{some}."
    else:
        yield "No token lies before the captures: when they began is the operator's own word."
    if times.not_after is not None:
        some = f", but for {times.unended} of {captures} that too few tokens lie after" if times.unended else ""
        yield f"By these tokens every capture had ended by {format_utc(times.not_after)}{some}."
    else:
        yield "NO TRUSTED TIME after the captures: too few of these tokens are over their ends."


def _warnings(facts: Facts) -> Iterator[str]:
    if facts.tokens == 0:
        yield "NO TRUSTED TIME. No time-stamp authority has stamped this: its times are the operator's own word."
    elif not facts.authorities:
        yield "NO TRUSTED TIME. There are tokens, and the trust file has no roots to hold them against."
    else:
        yield f"Trusted time: {facts.tokens} tokens of time-stamp authorities. Checking says what they are over."
        yield from _range(facts.times, facts.captures)
    not_public = facts.origins.get("not_public", 0)
    unverified = facts.origins.get("unverified", 0)
    if not_public:
        yield (
            f"NOT PUBLIC: {not_public} captures had something of the operator's own between them and the site "
            "(origin: not_public). They do not show what the public network would have shown."
        )
    if unverified:
        yield (
            f"Origin unverified: {unverified} captures came over plain HTTP or under a certificate that does not hold "
            "(origin: unverified)."
        )
    if public := facts.origins.get("public", 0):
        yield f"Origin public: {public} captures came from the public network on every hop (origin: public)."
    if facts.received:
        yield (
            f"RECEIVED: {facts.received} files came from others and were not captured (data/tables/received.csv says "
            "from whom, how and when). Custody of them begins at receipt: what they were before is their giver's word."
        )
    if facts.quarantined:
        yield (
            f"QUARANTINED: in {facts.quarantined} captures secrets of a person may be (a password was typed while they "
            "were made). Somebody decided that you get them (evidence.allowed): use them for nothing else."
        )
    lost = [each for each in facts.missing if each.reason != WITHHELD]
    if lost:
        kinds = ", ".join(
            f"{sum(each.reason == reason for each in lost)} {reason}" for reason in sorted({e.reason for e in lost})
        )
        yield f"MISSING: {len(lost)} files that the log names are not here ({kinds}): data/custody/missing.json."
    if withheld := len(facts.missing) - len(lost):
        yield f"{withheld} details of other matters were kept back (withheld): data/custody/missing.json."
    yield "Whoever may change this folder may change this page too: check it as follows."
