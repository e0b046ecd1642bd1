"""What is held on whom: found by address, by the reading, by the words; by case, with what the case is for."""

import json
from pathlib import Path
from typing import Any

import pytest

from archive.config import ArchiveConfig
from archive.errors import UsageError
from archive.vault import Vault
from console import subject
from console.kept import open_kept
from custody.model import Json, Origin, Outcome, Role, Snapshot, Status, Visit
from pipelines.recording import record
from pipelines.stages import Artifact, Stored
from tests.archive.deployment import now


@pytest.mark.parametrize(
    "text", ["@Mirabelle.Finds", "mirabelle.finds", "https://www.social.example/mirabelle.finds/", " mirabelle.finds "]
)
def test_one_account_is_named_in_several_ways(text: str) -> None:
    assert subject.name_of(text) == "mirabelle.finds"


@pytest.mark.parametrize("text", ["", "@a", "https://www.social.example/"])
def test_too_little_names_nobody(text: str) -> None:
    with pytest.raises(UsageError):
        subject.name_of(text)


def kept(vault: Vault, case: str, url: str, words: str, fields: dict[str, Json]) -> None:
    """A capture with words and a reading, by the real stages."""
    acquisition = vault.begin(case, {}, None)
    unit = acquisition.new_id()
    started = acquisition.start(capture_id=unit, unit=unit, url=url, parent=None, timeout_s=10, facts={"url_key": url})
    spool = acquisition.visit_spool(unit)
    reading: dict[str, Any] = {
        "platform": "x", "kind": "profile", "wall": None, "fields": fields,
        "sources": dict.fromkeys(fields, "css a"), "seen": dict.fromkeys(fields, "shown"), "notes": [],
    }  # fmt: skip
    files: tuple[Snapshot, ...] = (
        spool.write(Role.TEXT, "text.txt", "text/plain", words.encode()),
        spool.write(Role.READING, "reading.json", "application/json", json.dumps({"reading": reading}).encode()),
    )
    at = now()
    visit = Visit(
        capture_id=unit, unit=unit, parent=None, via=None, depth=1, run=acquisition.run, scope=acquisition.scope,
        started=started, requested_url=url, final_url=url, title="A", hops=(), http_status=200, status=Status.COMPLETE,
        outcome=Outcome.OK, outcome_reason="no wall", origin=Origin.PUBLIC, origin_reasons=("as the test says",),
        snapshots=files, missing=(), candidates=(), times={"requested_at": at, "closed_at": at}, circumstances={},
        spool=spool.path,
    )  # fmt: skip
    artifacts = tuple(Artifact(snapshot=each, stored=acquisition.store_file(each)) for each in files)
    record(acquisition, Stored(visit=visit, artifacts=artifacts))
    vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=())


def test_it_is_found_by_case_and_what_says_so(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    config = ArchiveConfig.load({}, settings={}, home=tmp_path / "home", store_url=f"file:{tmp_path / 'store'}")
    with Vault.open(config, clock=now) as vault:
        kept(vault, "one", "https://social.example/mirabelle.finds/", "posts", {"bio": "finds"})
        kept(vault, "one", "https://social.example/p/1/", "a post", {"handle": "Mirabelle.Finds", "caption": "x"})
        kept(vault, "two", "https://social.example/p/2/", "with @mirabelle.finds", {"handle": "ana"})
        kept(vault, "two", "https://social.example/p/3/", "nobody", {"handle": "ana", "caption": "mirabelle.finds"})
    with open_kept(config) as opened:
        matters, unread = subject.find(opened, "@mirabelle.finds")
        nobody, _ = subject.find(opened, "somebody.else")
    assert nobody == []
    assert unread == {}
    assert {each.name: [held.found_as for held in each.held] for each in matters} == {
        "one": [("address",), ("handle",)],
        "two": [("words",)],
    }
    told = subject.document("@mirabelle.finds", matters, unread)
    assert told["captures"] == 3
    assert told["cases"][0]["purpose"] == ""
    assert told["cases"][0]["overdue"] is False
