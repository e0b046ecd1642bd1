"""The JSON document and the lines for a person say the same, and nothing that was not checked."""

import json
from io import StringIO

from rich.console import Console

from archive.result import Result, Sealing
from console import summary
from console.exits import of_result
from custody.model import Status
from tests.console.results import ID, captured, lost, result

CAPTURE_KEYS = {
    "id", "unit", "parent", "via", "requested_url", "final_url", "title", "status", "outcome", "outcome_reason",
    "http_status", "origin", "origin_reasons", "hops", "artifacts", "missing", "links", "surface", "shown",
    "quarantine", "record_sha256", "manifest",
    "state",
    "absence",
}  # fmt: skip


def told(came: Result) -> str:
    screen = Console(file=StringIO(), width=200, soft_wrap=True, highlight=False)
    for line in summary.lines(came, of_result(came)):
        screen.print(line)
    file = screen.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def test_the_document_has_the_promised_keys() -> None:
    came = result(captured(), captured(2), lost=(lost(),), unfinished=("https://9.example/",))
    document = json.loads(json.dumps(summary.document(came, of_result(came))))
    assert document.keys() == {
        "schema", "run", "case", "store", "time", "time_detail", "captures", "lost", "unfinished", "notices", "control",
        "exit_code",
    }  # fmt: skip
    assert document["schema"] == 1
    assert document["case"] == {"id": ID.format(0), "name": "2026-0142"}
    assert document["exit_code"] == 5
    first = document["captures"][0]
    assert first.keys() == CAPTURE_KEYS
    assert first["hops"] == [
        {"n": 1, "from": "https://a.example/", "to": "https://b.example/", "kind": "http", "status": 302,
         "at": "2026-03-01T12:00:00.000Z"}
    ]  # fmt: skip
    assert first["manifest"] == {"log": "counterproof.example/abc", "started_index": 4, "index": 6, "tree_size": 7}
    assert document["lost"][0]["stage"] == "archiving"


def test_sealed_is_said_of_leaves_below_the_stamped_size_alone() -> None:
    stamped = Sealing(time="trusted", sealed_size=7, detail="stamped")
    came = result(captured(), captured(2), sealing=stamped)  # indexes 6 and 7
    document = json.loads(json.dumps(summary.document(came, of_result(came))))
    assert [each["state"] for each in document["captures"]] == ["sealed", "recorded"]


def test_without_trusted_time_every_output_says_so() -> None:
    assert "NO TRUSTED TIME" in told(result(captured()))
    assert "recorded, no trusted time" in told(result(captured()))
    assert "NO TRUSTED TIME" not in told(result(captured(), sealing=Sealing(time="trusted", sealed_size=9, detail="")))


def test_what_a_page_says_is_never_read_as_markup() -> None:
    said = told(result(captured(title="[red]pay[/red]", requested_url="https://x.example/[bold]a[/bold]"), captured(2)))
    assert "[red]pay[/red]" in said
    assert "https://x.example/[bold]a[/bold]" in said
    assert "link [bold]" in said


def test_a_surface_that_is_not_the_page_is_told() -> None:
    said = told(result(captured(surface="embed", shown="content"), captured(2, shown="shell"), captured(3)))
    assert "surface  embed: content" in said
    assert "surface  page: shell" in said
    assert said.count("surface  ") == 2


def test_losses_and_what_was_not_looked_at_are_named() -> None:
    said = told(result(captured(status=Status.PARTIAL), lost=(lost(),), unfinished=("https://9.example/",)))
    assert "LOST https://8.example/ in archiving: gone" in said
    assert "not looked at https://9.example/" in said
    assert "missing  body: the answer did not end" in said


def test_a_control_that_did_not_pass_is_told_with_what_differed() -> None:
    failed = {"result": "failed", "differences": ["title: expected a, got b"], "kept": [{"base64": "…"}]}
    came = result(captured(), controls={"start": {"result": "passed", "differences": []}, "end": failed})
    said = told(came)
    assert "start passed, end failed" in said
    assert "end: title: expected a, got b" in said
    document = summary.document(came, of_result(came))
    assert document["control"] == {
        "start": {"result": "passed", "differences": []},
        "end": {"result": "failed", "differences": ["title: expected a, got b"]},
    }
