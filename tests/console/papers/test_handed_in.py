"""What others handed over, in papers: tied to its promotion, with whose word it is; custody begins at receipt."""

from pathlib import Path

from console.papers import limits, report
from console.papers.casefile import open_casefile
from console.papers.seen import seen_of
from console.papers.spreads import Studio
from crawlers import run as crawlers
from custody.digest import Digest
from tests.archive.deployment import now
from tests.console.papers.office import CASE, Office
from tests.console.papers.test_report import html_of, parsed

PARCEL, FINDING = b"\xff\xd8\xff a parcel", b"%PDF-1.7 a finding"


def hand_in(office: Office, folder: Path) -> None:
    (folder / "parcel <b>.jpg").write_bytes(PARCEL)
    (folder / "finding.pdf").write_bytes(FINDING)
    said = ("--case", CASE, "--how", "in person")
    about = ("--about", office.listing)
    office.ok("receive", str(folder / "parcel <b>.jpg"), "--kind", "parcel", "--from", "R. Roe <i>", *said, *about)
    office.ok("receive", str(folder / "finding.pdf"), "--kind", "finding", "--from", "Dr. Poe", *said)


def test_the_report_ties_it_to_its_promotion_and_says_where_custody_begins(own: Office, tmp_path: Path) -> None:
    before = parsed(html_of(own))
    assert "Received from others" not in before.text
    hand_in(own, tmp_path)
    read = parsed(html_of(own))
    text = " ".join(read.text.split())
    assert "i" not in read.tags
    assert "Received from others about this promotion: parcel (parcel-b.jpg), from R. Roe <i>, in person" in text
    told = text.partition("were not captured by this program")[2]
    assert told.count("Custody of them begins at receipt") == 1
    for each in ("R. Roe <i>", "Dr. Poe", "parcel <b>.jpg", "Promotion 1", "no promotion of this report"):
        assert each in told, each
    for data in (PARCEL, FINDING):
        assert Digest.of(data).hex in told
    assert "2 files, custody of which begins at receipt" in text


def test_every_paper_says_that_it_is_not_vouched_for(own: Office, tmp_path: Path) -> None:
    with own.casefile() as file:
        assert "received" not in " ".join(limits.of_case(file))
    hand_in(own, tmp_path)
    with own.casefile() as file:
        (said,) = [each for each in limits.of_case(file) if "handed over by others" in each]
    assert said.startswith("2 files of this case were handed over by others")
    assert "custody begins at receipt" in said


def test_a_receipt_that_is_gone_is_said(own: Office, tmp_path: Path) -> None:
    hand_in(own, tmp_path)
    with own.casefile() as file:
        first = file.receipts[0].digest
    own.blob(first).unlink()
    with open_casefile(own.config, CASE, at=now()) as file:
        assert file.receipts[0].received is None
        studio = Studio(file=file, cutter=crawlers, seen=seen_of(file))
        text = parsed(report.render(studio, report.chosen(file, []), None, program=crawlers.code())).text
    assert "its receipt cannot be read" in text
    assert "Dr. Poe" in text
