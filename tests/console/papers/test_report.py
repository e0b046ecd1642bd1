"""``report``: what it says; strangers' words stay words; the PDF is tagged, can be searched, and is signed."""

import csv
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from archive.vault import Vault
from console.papers import limits, pages, report
from console.papers.passages import direction, mark, wants_translation
from console.papers.seen import seen_of
from console.papers.spreads import Studio
from crawlers import run as crawlers
from tests.archive.deployment import now
from tests.console.papers.office import CASE, FOREIGN, Office, Plan, acquire
from tests.console.papers.reading_pdf import text_of


class _Reader(HTMLParser):
    """Tags, what they load, and text as a browser would show it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.marked: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [str(value) for name, value in attrs if name in {"src", "srcset", "data", "action"}]
        self.loads += [str(value) for name, value in attrs if name == "href" and not str(value).startswith("#")]
        if tag == "mark":
            self.marked.append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.marked and "mark" in self.tags[-3:]:
            self.marked[-1] += data


def parsed(data: bytes) -> _Reader:
    reader = _Reader()
    reader.feed(data.decode())
    return reader


def html_of(office: Office) -> bytes:
    with office.casefile() as file:
        studio = Studio(file=file, cutter=crawlers, seen=seen_of(file))
        return report.render(studio, report.chosen(file, []), None, program=crawlers.code())


def test_the_html_says_what_was_seen_and_loads_nothing(office: Office) -> None:
    data = html_of(office)
    read = parsed(data)
    assert {"script", "iframe", "object", "link", "form"} & set(read.tags) == set()
    assert all(each.startswith("data:image/") for each in read.loads), read.loads
    text = " ".join(read.text.split())
    for said in (
        "My Love bracelet </script><b>never</b> leaves my wrist", "“Love bracelet” stands in the post",
        "https://shop.example/item/77", "a link in the post's own words", "@Sunny Factory", "12.90",
        "What is not proved",
        "1 look of this case asked for this address. First seen",
        "token of", "Europe/Paris", office.post, office.listing, "capture.completed",
    ):  # fmt: skip
        assert said in text, said
    assert read.marked[0].startswith("Love bracelet")
    assert b"\xe2\x80\xae" not in data  # U+202E would turn the line around
    with office.casefile() as file:
        for look in file.looks.values():
            assert look.record is not None
            assert str(look.entry.record_sha256) in text
            assert all(each.digest.hex in text for each in look.record.artifacts)
        deeds = [each.logged.index for each in file.deeds]
        assert {int(n) for n in re.findall(r'<td class="num">(\d+)</td><td>\d{4}-', data.decode())} == set(deeds)
    assert all(each in text for each in limits.ALWAYS)


def test_a_passage_is_marked_on_the_picture_that_it_stands_on(office: Office) -> None:
    with office.casefile() as file:
        studio = Studio(file=file, cutter=crawlers)
        (filed,) = file.promotions
        passage = studio.spread(1, filed).observations[0].passages[0]
        assert passage.marked.in_context
        assert passage.picture is not None, passage.unpictured
        assert passage.picture.of.name == "screenshot.png"
        assert "x 40, y 120, 300 × 40" in passage.picture.note
        assert passage.picture.uri.startswith("data:image/png;base64,")


def test_the_population_counts_what_the_log_has(office: Office) -> None:
    with office.casefile() as file:
        counts = file.population(1)
    assert (counts.begun, counts.asked, counts.complete, counts.content, counts.walled) == (2, 1, 2, 2, 0)
    assert (counts.links_seen, counts.links_followed, counts.promotions, counts.shown) == (1, 1, 1, 1)
    assert counts.listings_seen == 1


@pytest.mark.browser
def test_the_pdf_is_tagged_has_an_outline_and_can_be_searched(office: Office, tmp_path: Path) -> None:
    key, password = tmp_path / "key.p12", "a word"
    key.write_bytes(_pkcs12(password))
    ran = office.run(
        "report", "--case", CASE, "-o", str(tmp_path / "r"), "--sign", str(key), "--json",
        env={"COUNTERPROOF_PDF_KEY_PASSWORD": password},
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.document["verdict"] == "holds"
    assert "Counsel" in ran.document["signed_by"]
    path = tmp_path / "r" / "report.pdf"
    with pikepdf.open(path) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.StructTreeRoot.K is not None
        assert str(pdf.Root.Lang) == "en"
        with pdf.open_outline() as outline:
            titles = [each.title for one in outline.root for each in (one, *one.children)]
        assert any("Promotion 1" in each for each in titles), titles
        assert len(pdf.pages) > 3
        assert pdf.Root.AcroForm.Fields[0].FT == "/Sig"
    text = text_of(path)
    assert "Love bracelet" in text
    assert office.post in text
    _check_signature(path)


def test_what_does_not_hold_is_written_and_said(own: Office, tmp_path: Path) -> None:
    warc = own.blob(own.artifact(own.listing, "traffic.warc.gz")["sha256"])
    warc.write_bytes(warc.read_bytes()[:-1] + b"?")
    ran = own.run("report", "--case", CASE, "-o", str(tmp_path / "r"), "--no-pdf")
    assert ran.code == 1, ran.err
    assert "does not hold" in (tmp_path / "r" / "report.html").read_text()


def test_without_trusted_time_and_public_origin_the_cover_says_so(office: Office) -> None:
    with office.casefile() as file:
        assert list(report.warnings(file)) == []
        said = " ".join(limits.of_case(file))
    assert "NO TRUSTED TIME" not in said
    assert "No look of this case was made by a schedule" in said


def test_it_refuses_before_anything_was_found_and_what_is_there(own: Office, tmp_path: Path) -> None:
    with Vault.open(own.config, clock=now) as vault:
        vault.open_case("empty")
    ran = own.run("report", "--case", "empty", "-o", str(tmp_path / "r"))
    assert ran.code == 2
    assert "counterproof findings empty" in ran.err
    assert not (tmp_path / "r").exists()
    (tmp_path / "there").mkdir()
    again = own.run("report", "--case", CASE, "-o", str(tmp_path / "there"), "--no-check", "--no-pdf")
    assert again.code == 2
    assert list((tmp_path / "there").iterdir()) == []


def test_foreign_passages_have_slots_bound_to_their_digest(own: Office, tmp_path: Path) -> None:
    caption = f"{FOREIGN} LOVE 手镯 https://shop.example/item/77"
    with Vault.open(own.config, clock=now) as vault:
        acquire(vault, own, Plan(caption=caption))
    own.ok("case", "edit", CASE, "--term", "LOVE 手镯")
    own.ok("findings", CASE, "--no-pictures")
    with own.casefile() as file:
        studio = Studio(file=file, cutter=crawlers)
        spreads = [studio.spread(n, each) for n, each in enumerate(file.promotions)]
        passages = [one for each in spreads for seen in each.observations for one in seen.passages]
        digest = next(each.marked.digest.hex for each in passages if each.wants_translation)
    table = tmp_path / "said.csv"
    with table.open("w", newline="", encoding="utf-8") as file_:
        writer = csv.writer(file_)
        writer.writerow(["sha256", "kind", "by", "text"])
        writer.writerow([digest, "aid", "a <machine>", "the same\nas the real one"])
        writer.writerow(["ab" * 32, "aid", "a <machine>", "of something else"])
    told = own.ok(
        "report", "--case", CASE, "-o", str(tmp_path / "r"), "--no-pdf", "--no-check", "--translations", str(table)
    )  # fmt: skip
    assert f"no passage of this report has the sha256 {'ab' * 32}" in told.err
    assert digest not in told.err
    whole = parsed((tmp_path / "r" / "report.html").read_bytes())
    assert "the same\nas the real one" in whole.text, "a translation keeps its lines"
    text = " ".join(whole.text.split())
    assert "WORKING AID, not certified (by a <machine>): the same as the real one" in text
    assert f"Certified translation of the passage whose UTF-8 has the sha256 {digest}" in text
    table.write_text("sha256,kind\nx,aid\n")
    refused = own.run("report", "--case", CASE, "-o", str(tmp_path / "q"), "--no-pdf", "--translations", str(table))
    assert refused.code == 2
    assert "columns sha256, kind, by, text" in refused.err


def test_marking_and_directions() -> None:
    assert mark("a cat sat", 2, 5, "cat") == mark("a cat sat", 2, 5, "cat")
    assert mark("a dog sat", 2, 5, "cat").in_context is False
    long = "x" * 500 + "cat" + "y" * 500
    cut = mark(long, 500, 503, "cat")
    assert cut.before.startswith("… x")
    assert cut.after.endswith("y …")
    assert direction("سوار Love") == "rtl"
    assert direction("123 Love سوار") == "ltr"
    assert wants_translation("café", None) is False
    assert wants_translation("café", "fr-FR") is True
    assert wants_translation("手镯", None) is True
    assert pages.visible("a\u202eb\x00c\u200dd") == "a\ufffdb\ufffdc\u200dd"


def _pkcs12(password: str) -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Counsel")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=30))
        .add_extension(x509.KeyUsage(True, True, False, False, False, False, False, False, False), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = serialization.BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(b"counsel", key, made, None, secret)


def _check_signature(path: Path) -> None:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature

    with path.open("rb") as file:
        (signature,) = PdfFileReader(file).embedded_signatures
        status = validate_pdf_signature(signature)
        assert status.intact
        assert status.valid
        assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
