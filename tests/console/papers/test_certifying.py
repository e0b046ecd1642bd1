"""``certificates``: filled from the record alone; each byte behind a figure counts; refused where something lacks."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from docx import Document

from archive import exhibits
from archive.errors import StoreError
from console.papers import certifying, checklist, limits
from console.papers.blocks import Block, to_html
from console.papers.casefile import CaseFile, Look, open_casefile
from console.papers.checking import verdict_of
from console.papers.proffer import Piece, Proffer, lacking, proffered
from custody.bracket import Bracket
from custody.digest import Digest
from custody.model import Origin, Role
from custody.record import Record
from tests.archive.deployment import now
from tests.authority import LocalAuthority
from tests.console.papers.office import CASE, Office, Plan, make
from tests.console.papers.reading_pdf import text_of


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory, authority: LocalAuthority) -> Office:
    office = make(tmp_path_factory.mktemp("certifying"), Plan(authority=authority))
    office.ok("exhibits", "freeze", "--case", CASE)
    return office


def said_of(file: CaseFile) -> Proffer:
    register = exhibits.read(file.kept.reader.log, file.kept.reader.store, file.scope)
    return proffered(file, register, verdict_of(file))


@pytest.fixture
def said(frozen: Office) -> Any:
    with open_casefile(frozen.config, CASE, at=now()) as file:
        yield said_of(file)


def texts(said: Proffer, *, specimen: bool = False) -> dict[str, str]:
    lacks = list(lacking(said))
    made = certifying.papers(said, lacks, specimen=specimen)
    return {each.name: each.text for each in (*made, checklist.paper(said, made[0].mark))}


@pytest.mark.browser
def test_drafts_of_a_public_case_are_filled_from_the_record(frozen: Office, tmp_path: Path) -> None:
    made = frozen.ok("certificates", "--case", CASE, "-o", str(tmp_path / "d"), "--json").document
    names = ["certification-902-13", "certification-902-14", "checklist", "declaration"]
    assert made["files"] == sorted(f"{each}.{kind}" for each in names for kind in ("docx", "pdf"))
    assert (made["lacking"], made["specimen"], made["exhibits"]) == ([], False, 2)
    for name in names:
        document = Document(str(tmp_path / "d" / f"{name}.docx"))
        section = document.sections[0]
        assert section.header.paragraphs[0].text.startswith("DRAFT")
        assert section.footer.paragraphs[0].text.startswith("DRAFT")
        path = tmp_path / "d" / f"{name}.pdf"
        with pikepdf.open(path) as pdf:
            assert pdf.Root.MarkInfo.Marked
            pages = len(pdf.pages)
        assert len(re.findall("DRAFT", text_of(path))) >= 2 * pages
        assert "SPECIMEN" not in text_of(path)
    thirteen = _docx(tmp_path / "d" / "certification-902-13.docx")
    for each in (
        "https://ana.example/p/1",
        frozen.post,
        "J. Doe",
        "ab" * 32,
        "203.0.113.7",
        "What this does not prove",
    ):
        assert each in thirteen, each
    fourteen = _docx(tmp_path / "d" / "certification-902-14.docx")
    for each in frozen.ok("show", frozen.post, "--json").document["record"]["artifacts"]:
        assert each["sha256"] in fourteen
    for each in (thirteen, fourteen, _docx(tmp_path / "d" / "declaration.docx")):
        assert "28 U.S.C. § 1746" in each
        assert "under penalty of perjury under the laws of the United States of America" in each
        assert all(one in each for one in limits.ALWAYS)
        assert "____" in each
    told = frozen.ok("verify", "--json").document
    assert told["facts"]["events"]["certificate.drafted"] == 1


def test_nothing_is_claimed_that_only_a_person_can_say(said: Proffer) -> None:
    for name, text in texts(said).items():
        assert not re.search(r"counterfeit|infring|fake|illegal|fraud", text, re.IGNORECASE), name
        if name != "checklist":
            assert "[to be filled in by the person who signs]" in text


def _docx(path: Path) -> str:
    document = Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(each.text for each in document.paragraphs), *cells])


# Every figure


def _circumstances(record: Record, **changed: Any) -> Record:
    environment: Any = record.circumstances["environment"]
    return replace(record, circumstances={**record.circumstances, "environment": {**environment, **changed}})


FIGURES: Mapping[str, tuple[Callable[[Record], Record], str, str]] = {
    "version": (lambda r: _circumstances(r, version="7.7.7"), "version 7.7.7", "version 0.1.0"),
    "build": (lambda r: _circumstances(r, build="released"), "(released)", "(unreleased)"),
    "code": (lambda r: _circumstances(r, code_sha256="cd" * 32), "cd" * 32, "digest " + "ab" * 32),
    "browser": (lambda r: _circumstances(r, browser_version="99.1"), "Chromium 99.1", "Chromium 156.0"),
    "agent": (lambda r: _circumstances(r, user_agent="Other/2"), "Other/2", "Test/1"),
    "languages": (lambda r: _circumstances(r, languages="pl-PL"), "language pl-PL", "language en-US"),
    "egress": (lambda r: _circumstances(r, egress={"address": "198.51.100.9"}), "198.51.100.9", "203.0.113.7"),
    "asked": (lambda r: replace(r, requested_url="https://other.example/"), "asked for https://other", "asked for https://ana"),
    "shown": (lambda r: replace(r, final_url="https://end.example/"), "ended at https://end", "ended at https://ana"),
    "status": (lambda r: replace(r, http_status=418), "HTTP status 418", "HTTP status 200;"),
    "reason": (lambda r: replace(r, outcome_reason="another"), "ok (another)", "ok (no notice or wall was seen)"),
    "origin": (lambda r: replace(r, origin=Origin.UNVERIFIED), "origin unverified", "origin public"),
}  # fmt: skip


def _with(said: Proffer, change: Callable[[Look], Look]) -> Proffer:
    """The same, of records that are others."""
    looks = {name: change(look) for name, look in said.file.looks.items()}
    file = replace(said.file, looks=looks)
    return replace(
        said, file=file, pieces=tuple(replace(each, look=looks[each.exhibit.capture]) for each in said.pieces)
    )


@pytest.mark.parametrize("figure", FIGURES)
def test_each_figure_is_the_records(said: Proffer, figure: str) -> None:
    change, new, old = FIGURES[figure]
    before = texts(said)["certification-902-13"]
    assert old in before
    assert new not in before

    def changed(look: Look) -> Look:
        assert look.record is not None
        return replace(look, record=change(look.record))

    after = texts(_with(said, changed))["certification-902-13"]
    assert new in after
    assert old not in after


FAST = ("traffic.warc.gz", "record.json", "run-closed.json")
BEHIND = ("screenshot.png", "viewport.png", "dom.html", "text.txt", "traffic.warc.gz", "reading.json")


STORED = (*BEHIND, "record.json", "run.json", "run-closed.json", "job.json", "token.tsr")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        pytest.param(name, what, marks=() if name in FAST and what == "changed" else pytest.mark.slow)
        for name in STORED
        for what in ("changed", "gone")
    ],
)
def test_a_stored_byte_that_is_another_refuses(frozen: Office, tmp_path: Path, name: str, what: str) -> None:
    own = frozen.copied(tmp_path)
    with open_casefile(own.config, CASE, at=now()) as file:
        assert list(lacking(said_of(file))) == []
        blob = _stored(own, file, name)
    if what == "gone":
        blob.unlink()
    else:
        data = bytearray(blob.read_bytes())
        data[len(data) // 2] ^= 1
        blob.chmod(0o600)  # stores make their files read-only
        blob.write_bytes(data)
    with open_casefile(own.config, CASE, at=now()) as file:
        said = said_of(file)
        lacks = list(lacking(said))
        assert any("does not hold" in each for each in lacks), lacks
        if name in BEHIND:
            assert any(name in each for each in lacks), lacks
            text = texts(said, specimen=True)["certification-902-14"]
            assert ("NOT THERE" if what == "gone" else "ANOTHER: ") in text
            assert "11 of 11 have" not in text


def test_the_list_of_exhibits_is_no_other(frozen: Office, tmp_path: Path) -> None:
    own = frozen.copied(tmp_path)
    with open_casefile(own.config, CASE, at=now()) as file:
        register = exhibits.read(file.kept.reader.log, file.kept.reader.store, file.scope)
        blob = own.blob(register.lists[0].digest)
    blob.write_bytes(blob.read_bytes().replace(own.post.encode(), own.listing.encode()))
    with open_casefile(own.config, CASE, at=now()) as file, pytest.raises(StoreError, match="not what its event names"):
        said_of(file)


def _stored(office: Office, file: CaseFile, name: str) -> Path:
    look = file.looks[office.post]
    assert look.record is not None
    for each in look.record.artifacts:
        if each.name == name:
            return office.blob(each.digest)
    if name == "token.tsr":
        return max(office.store.rglob("*.tsr"))  # over the largest tree
    subjects = [one for each in file.deeds for one in each.logged.event.subjects if one.name == name]
    return office.blob(subjects[0].digest)


# What lacks


def _lacks(said: Proffer, change: Callable[[Record], Record]) -> list[str]:
    def changed(look: Look) -> Look:
        assert look.record is not None
        return replace(look, record=change(look.record))

    return list(lacking(_with(said, changed)))


def test_what_lacks_is_named(said: Proffer) -> None:
    assert list(lacking(said)) == []
    post = said.pieces[0]
    assert _named(_lacks(said, lambda r: replace(r, origin=Origin.NOT_PUBLIC)), "origin not_public", 2)
    without = tuple(each for each in _record(post).artifacts if each.role != Role.WARC)
    assert _named(
        _lacks(said, lambda r: replace(r, origin=Origin.PUBLIC, artifacts=without)), "the traffic is not among", 2
    )
    assert _named(_lacks(said, lambda r: _circumstances(r, version="")), "the version of the program", 1)


def _without(role: Role) -> Callable[[Proffer], Proffer]:
    def changed(look: Look) -> Look:
        assert look.record is not None
        kept = tuple(each for each in look.record.artifacts if each.role != role)
        return replace(look, record=replace(look.record, artifacts=kept))

    return lambda said: _with(said, changed)


def _runs(**fields: Any) -> Callable[[Proffer], Proffer]:
    return lambda said: replace(said, runs=tuple(replace(each, **fields) for each in said.runs))


def _first(**fields: Any) -> Callable[[Proffer], Proffer]:
    return lambda said: replace(said, pieces=(replace(said.pieces[0], **fields), *said.pieces[1:]))


def _of_records(change: Callable[[Record], Record]) -> Callable[[Proffer], Proffer]:
    def changed(look: Look) -> Look:
        assert look.record is not None
        return replace(look, record=change(look.record))

    return lambda said: _with(said, changed)


def _quarantined(record: Record) -> Record:
    section: Any = {"reasons": ["session-cookie"], "withheld": []}
    return replace(record, circumstances={**record.circumstances, "quarantine": section})


FACTS: Mapping[str, tuple[Callable[[Proffer], Proffer], str]] = {
    "the picture": (_without(Role.SCREENSHOT), "a picture of the whole page is not among what was kept"),
    "the document": (_without(Role.DOM), "the document (HTML) is not among what was kept"),
    "the traffic": (_without(Role.WARC), "the traffic is not among what was kept"),
    "the capture": (_first(look=None), "its capture is not at hand"),
    "the record as it was frozen": (_first(wrong="its record is another"), "its record is another"),
    "the run's beginning": (_runs(opened={}), "what it was begun with is not at hand"),
    "the run's end": (_runs(closed={}), "it has no end, or its end is not at hand"),
    "the version": (_of_records(lambda r: _circumstances(r, version="")), "the version of the program"),
    "the code": (_of_records(lambda r: _circumstances(r, code_sha256="")), "the code digest of the program"),
    "the browser": (_of_records(lambda r: _circumstances(r, browser_version="")), "the browser of the program"),
    "a decision": (_of_records(_quarantined), "it is quarantined, and nobody has allowed"),
    "an archive that holds": (lambda said: replace(said, verdict=replace(said.verdict, facts={})), "does not hold"),
}


def _network(record: Record, **changed: Any) -> Record:
    return replace(record, circumstances={**record.circumstances, "network": changed})


def _session(record: Record, **changed: Any) -> Record:
    return replace(record, circumstances={**record.circumstances, "session": changed})


def _opened(**changed: Any) -> Callable[[Proffer], Proffer]:
    return lambda said: replace(
        said, runs=tuple(replace(each, opened={**each.opened, **changed}) for each in said.runs)
    )


BLANKS: Mapping[str, tuple[Callable[[Proffer], Proffer], str, int]] = {
    "agent": (_of_records(lambda r: _circumstances(r, user_agent=None)), "as whom the browser asked", 2),
    "languages": (_of_records(lambda r: _circumstances(r, languages="")), "its language", 2),
    "no address": (_of_records(lambda r: _circumstances(r, egress={})), "the address that sites saw", 2),
    "an address that nobody knew": (
        _of_records(lambda r: _circumstances(r, egress={"address": "unknown"})), "COUNTERPROOF_EGRESS_ADDRESS_URL", 2,
    ),
    "refusals": (_of_records(_network), "connections that the program refused", 2),
    "shown": (_of_records(lambda r: replace(r, final_url=None)), "the address that was shown", 2),
    "status": (_of_records(lambda r: replace(r, http_status=None)), "the HTTP status", 2),
    "reason": (_of_records(lambda r: replace(r, outcome_reason=" ")), "why it is taken for what was shown", 2),
    "times": (_of_records(lambda r: replace(r, times={})), "when it was asked for", 2),
    "signed in": (_of_records(lambda r: _session(r, surface="automatic", logged_in=True)), "nobody was signed in", 2),
    "build": (_of_records(lambda r: _circumstances(r, build="")), "the build of the program", 1),
    "operator": (_opened(operator=None), "who began it", 1),
    "clock": (lambda said: _runs(closed={**said.runs[0].closed, "clock": None})(_opened(clock=None)(said)), "clock", 1),
}  # fmt: skip
"""Each is a figure of a draft that would be blank, or a sentence of it that the record does not bear out."""


@pytest.mark.parametrize("figure", BLANKS)
def test_a_figure_that_would_be_blank_refuses(said: Proffer, figure: str) -> None:
    change, sentence, times = BLANKS[figure]
    assert list(lacking(said)) == []
    lacks = list(lacking(change(said)))
    assert len([each for each in lacks if sentence in each]) == times == len(lacks), lacks


def test_no_draft_that_is_let_through_has_a_figure_that_is_not_recorded(said: Proffer) -> None:
    for name, text in texts(said).items():
        if name != "checklist":
            assert not re.search(r"not recorded|unknown|a person not named|None", text), name


@pytest.mark.parametrize("fact", FACTS)
def test_each_fact_that_is_not_there_is_named(said: Proffer, fact: str) -> None:
    change, sentence = FACTS[fact]
    assert list(lacking(said)) == []
    assert [each for each in lacking(change(said)) if sentence in each], list(lacking(change(said)))


@pytest.mark.parametrize(
    ("begun", "ended", "sentence"), [(True, False, "at the latest"), (False, True, "at the earliest")]
)
def test_no_trusted_time_is_named(said: Proffer, begun: bool, ended: bool, sentence: str) -> None:
    def untimed(look: Look) -> Look:
        bracket = look.dated.bracket
        cut = Bracket(not_before=bracket.not_before if begun else None, not_after=bracket.not_after if ended else None)
        return replace(look, dated=replace(look.dated, bracket=cut))

    assert _named(list(lacking(_with(said, untimed))), sentence, 2)


@pytest.mark.parametrize(
    "controls", [{}, {"start": {"result": "passed"}}, {"start": {"result": "passed"}, "end": {"result": "failed"}}]
)
def test_controls_that_did_not_pass_are_named(said: Proffer, controls: dict[str, Any]) -> None:
    runs = tuple(replace(each, closed={**each.closed, "control": controls}) for each in said.runs)
    lacks = list(lacking(replace(said, runs=runs)))
    assert lacks
    assert all("no control capture passed" in each for each in lacks)


def test_a_clock_far_off_is_named(said: Proffer) -> None:
    clock = {"source": "chrony", "offset_ms": -2500, "uncertainty_ms": 3}
    runs = tuple(replace(each, opened={**each.opened, "clock": clock}) for each in said.runs)
    assert _named(list(lacking(replace(said, runs=runs))), "-2500 ms off", 1)


def test_a_file_that_is_another_is_named(said: Proffer) -> None:
    post, *others = said.pieces
    files = (replace(post.files[0], found=Digest.of(b"other")), *post.files[1:])
    changed = replace(said, pieces=(replace(post, files=files), *others))
    assert _named(list(lacking(changed)), "has the digest", 1)
    assert [each.met for each in checklist.points(changed) if "hash value" in each.asks] == [False]


def _named(lacks: list[str], sentence: str, times: int) -> bool:
    return len([each for each in lacks if sentence in each]) == times == len(lacks)


def _record(piece: Piece) -> Record:
    assert piece.look is not None
    assert piece.look.record is not None
    return piece.look.record


# The checklist


def test_each_point_is_met_by_a_fact_or_not_met(said: Proffer) -> None:
    points = {each.asks: each for each in checklist.points(said)}
    met = {asks for asks, each in points.items() if each.met}
    assert "a picture of the whole page" in met
    assert "date and time of collection, by a clock that others can check" in met
    assert "an officer of the court did it" not in met
    assert "a second copy elsewhere" not in met
    assert "metadata that came with the page" not in met  # these captures kept no headers
    assert "caches were emptied before" not in met
    assert {"links that lead to the page", "the time at which it began"} <= met
    assert all(each.fact for each in points.values())


@pytest.mark.parametrize(
    ("change", "asks"),
    [
        (lambda r: replace(r, parent=r.capture_id, via=None), "links that lead to the page"),
        (lambda r: replace(r, times={}), "the time at which it began"),
        (lambda r: _circumstances(r, cookies_at_start=2), "no cookies of earlier visits"),
        (lambda r: _circumstances(r, cookies_at_start=None), "no cookies of earlier visits"),
        (lambda r: _circumstances(r, egress={"address": "unknown"}), "the address under which the machine was seen"),
    ],
)
def test_a_point_whose_fact_is_gone_is_not_met(said: Proffer, change: Callable[[Record], Record], asks: str) -> None:
    said = _of_records(lambda r: _circumstances(r, cookies_at_start=0))(said)
    before = {each.asks: each.met for each in checklist.points(said)}
    after = {each.asks: each for each in checklist.points(_of_records(change)(said))}
    assert before[asks]
    assert not after[asks].met
    assert "Ex. 001: " in after[asks].fact
    assert {name for name, met in before.items() if met and not after[name].met} <= {asks, _COLLECTOR}


_COLLECTOR = "who collected it, with what, from which address"
"""Rests on the address, too."""


@pytest.mark.slow
def test_a_witness_is_told_in_their_own_words(frozen: Office, tmp_path: Path) -> None:
    own = frozen.copied(tmp_path)
    own.ok("witness", own.post, "--name", "Ada <b>", "--fair-and-accurate", "--case", CASE)
    with open_casefile(own.config, CASE, at=now()) as file:
        said = said_of(file)
        text = texts(said)["declaration"]
        assert "Ex. 001: Ada <b> stated on" in text
        assert "Statements in the log of people who compared a live page with its capture: 1." in text
        (point,) = [each for each in checklist.points(said) if "compared" in each.asks]
        assert not point.met
        assert "Ex. 002" in point.fact


def test_a_specimen_says_so_and_what_lacks(said: Proffer) -> None:
    lacks = ["Ex. 001: origin not_public"]
    made = certifying.papers(said, lacks, specimen=True)
    for each in made:
        assert each.mark == "SPECIMEN"
        assert Block("point", lacks[0]) in each.blocks
        assert b"SPECIMEN" in to_html(each)
        assert "must not be signed" in each.text


@pytest.mark.slow
@pytest.mark.browser
def test_a_case_that_is_not_public_is_refused_and_gives_a_specimen(tmp_path: Path) -> None:
    office = make(tmp_path, Plan(origin=Origin.NOT_PUBLIC, controls=None))
    unfrozen = office.run("certificates", "--case", CASE, "-o", str(tmp_path / "d"))
    assert unfrozen.code == 2
    office.ok("exhibits", "freeze", "--case", CASE)
    refused = office.run("certificates", "--case", CASE, "-o", str(tmp_path / "d"))
    assert refused.code == 8
    for each in ("origin not_public", "no trusted time", "no control capture passed"):
        assert each in refused.err
    assert not (tmp_path / "d").exists()
    listed = office.run("certificates", "--case", CASE, "-o", str(tmp_path / "d"), "--json")
    assert listed.code == 8
    assert len(listed.document["lacking"]) >= 8
    made = office.ok("certificates", "--case", CASE, "-o", str(tmp_path / "d"), "--specimen", "--json").document
    assert made["specimen"]
    for each in made["files"]:
        if each.endswith(".pdf"):
            with pikepdf.open(tmp_path / "d" / each) as pdf:
                pages = len(pdf.pages)
            assert text_of(tmp_path / "d" / each).count("SPECIMEN") >= 2 * pages
        else:
            assert Document(str(tmp_path / "d" / each)).sections[0].header.paragraphs[0].text.startswith("SPECIMEN")
