"""An item that two cases share: a paper of one tells nothing of what the other decided, held or had witnessed."""

from pathlib import Path

import pytest

from archive import cases
from archive.accounts import Accounts, Right
from archive.catalog import Act
from archive.stewardship.opening import open_desk
from archive.vault import Vault
from console.later import Later
from console.papers.casefile import open_casefile
from custody.digest import Digest
from tests.archive.deployment import now
from tests.console.papers.office import CASE, Office
from tests.console.web.opened import serving
from tests.console.web.test_access import WORD, signed_in

OTHER = "Quiet Matter of Others"


@pytest.fixture
def shared(own: Office) -> Office:
    """The post belongs to another case as well."""
    with Vault.open(own.config, clock=now) as vault:
        scope = vault.open_case(OTHER)
    with open_desk(own.config, clock=now, notify=lambda _: None, by_person=False) as opened:
        opened.desk.log.append([cases.assign(own.post, scope, opened.desk.worker)])
    return own


def test_what_the_other_case_said_is_in_no_paper(shared: Office, tmp_path: Path) -> None:
    shared.ok("witness", shared.post, "--name", "Jane Theirs", "--differs", "their price", "--case", OTHER, code=3)
    shared.ok("witness", shared.post, "--name", "Joan Ours", "--fair-and-accurate", "--case", CASE)
    shared.ok("hold", "--unit", shared.post, "--matter", "their matter")
    with open_casefile(shared.config, CASE, at=now()) as file:
        (said,) = file.witnesses(shared.post)
        assert said.startswith("Joan Ours stated on")
        types = [each.logged.event.type for each in file.deeds]
        assert types.count("capture.witnessed") == 1
        assert "evidence.held" not in types
    shared.ok("report", "--case", CASE, "-o", str(tmp_path / "r"), "--no-pdf", "--no-check")
    told = (tmp_path / "r" / "report.html").read_text()
    assert "Joan Ours" in told
    assert "Jane Theirs" not in told
    assert "their price" not in told


def test_who_may_see_one_case_sees_what_was_said_and_received_in_that_one(shared: Office, tmp_path: Path) -> None:
    for case, whom in ((CASE, "R. Ours"), (OTHER, "R. Theirs")):
        (tmp_path / "parcel.jpg").write_bytes(f"\xff\xd8\xff of {whom}".encode("latin-1"))
        about = ("--about", shared.post, "--case", case, "--from", whom, "--how", "in person")
        shared.ok("receive", str(tmp_path / "parcel.jpg"), "--kind", "parcel", *about)
    with serving(shared.config, is_local=False) as office:
        accounts: Accounts = office.app.state.accounts
        (ours,) = [each for each in office.app.state.archive.catalog.listed(None) if each.name == CASE]
        accounts.add("ada", WORD)
        accounts.grant("ada", ours.scope, Right.VIEWER)
        with signed_in(office, "ada") as client:
            page = client.get(f"/captures/{shared.post}").text
    assert "from R. Ours, in person: parcel.jpg" in page
    assert "custody begins at receipt" in page
    assert "R. Theirs" not in page


def test_a_decision_is_of_the_case_that_it_was_made_in() -> None:
    act = Act(index=7, at=now(), detail=Digest.of(b"x"), type="evidence.allowed")
    decisions = tuple((act, {"scope": each, "why": f"why of {each}"}) for each in ("ours", "theirs"))
    later = Later(corrections=(), holds=(), disposal=None, decisions=decisions, witnesses=decisions)
    seen = later.within({"ours"}, lambda _: False)
    assert [told["why"] for _, told in (*seen.decisions, *seen.witnesses)] == ["why of ours"] * 2
