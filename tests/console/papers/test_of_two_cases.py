"""An item that two cases share: a paper of one tells nothing of what the other decided, held or had witnessed."""

from pathlib import Path

import pytest

from archive import cases
from archive.stewardship.opening import open_desk
from archive.vault import Vault
from console.papers.casefile import open_casefile
from tests.archive.deployment import now
from tests.console.papers.office import CASE, Office

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
