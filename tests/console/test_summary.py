"""The JSON document and the lines for a person say the same, and nothing that was not checked."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from archive.packaging.packer import Made, Packed
from archive.result import Result, Sealing
from console import summary
from console.exits import Exit, of_result
from console.units import Packing
from custody.digest import Digest
from custody.model import Json, Status
from tests.console.results import ID, captured, lost, result

CAPTURE_KEYS = {
    "id", "capture_id", "unit", "parent", "via", "requested_url", "final_url", "title", "status", "outcome",
    "outcome_reason", "http_status", "origin", "origin_reasons", "hops", "artifacts", "missing", "links",
    "surface", "shown", "quarantine", "reading", "wrappers", "record_sha256", "manifest", "state", "absence",
}  # fmt: skip


def told(came: Result, packing: Packing = summary.NOT_PACKED) -> str:
    screen = Console(file=StringIO(), width=200, soft_wrap=True, highlight=False)
    for line in summary.lines(came, of_result(came), packing):
        screen.print(line)
    file = screen.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def packed(unit: str) -> Made:
    made = Packed(
        unit=unit, path=Path("x.wacz"), digest=Digest("2" * 64), bytes=9, members=(), rests_on=Digest("3" * 64),
        captures=(ID.format(1),), without=(ID.format(2),),
    )  # fmt: skip
    return Made(packed=made, index=12)


def test_units_have_their_captures_and_their_package() -> None:
    other = captured(3, unit=ID.format(3), parent=None)
    came = result(captured(), captured(2), other)
    packing = Packing(made={ID.format(1): packed(ID.format(1))}, refused={ID.format(3): "it has no [traffic]"})
    code = of_result(came, whole=False)
    assert code == Exit.PARTIAL
    first, second = json.loads(json.dumps(summary.document(came, code, packing)))["units"]
    assert first == {
        "id": ID.format(1),
        "captures": [ID.format(1), ID.format(2)],
        "package": {
            "unit": ID.format(1), "sha256": "2" * 64, "bytes": 9, "members": 0, "captures": [ID.format(1)],
            "without_traffic": [ID.format(2)], "index": 12,
        },
        "not_packed": None,
    }  # fmt: skip
    assert (second["package"], second["not_packed"]) == (None, "it has no [traffic]")
    said = told(came, packing)
    assert "packed   sha256:" + "2" * 64 in said
    assert f"not packed unit {ID.format(3)}: it has no [traffic]" in said


def test_where_nobody_asked_for_packages_there_is_no_word_of_them() -> None:
    came = result(captured())
    (unit,) = json.loads(json.dumps(summary.document(came, of_result(came))))["units"]
    assert unit == {"id": ID.format(1), "captures": [ID.format(1)], "package": None, "not_packed": None}
    assert "packed" not in told(came)


def test_the_document_has_the_promised_keys() -> None:
    came = result(captured(), captured(2), lost=(lost(),), unfinished=("https://9.example/",))
    document = json.loads(json.dumps(summary.document(came, of_result(came))))
    assert document.keys() == {
        "schema", "run", "case", "store", "time", "time_detail", "captures", "units", "lost", "unfinished", "notices",
        "control", "exit_code",
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


def test_a_link_that_led_elsewhere_than_it_says_is_told() -> None:
    lie: dict[str, Json] = {"destination": "https://a.example/", "result": "disagrees", "led_to": "https://b.example/"}
    said = told(result(captured(wrappers=(lie,))))
    assert "names https://a.example/, and LED ELSEWHERE: https://b.example/" in said


def test_what_was_read_in_the_visit_is_told() -> None:
    read: dict[str, Json] = {
        "role": "reading", "name": "reading.json", "by": {}, "of": [], "platform": "amazon", "kind": "listing",
        "wall": None, "fields": 14, "boxes": 6,
    }  # fmt: skip
    came = result(captured(reading=read))
    assert "reading  listing (amazon): 14 fields, 6 of them with a box on the picture" in told(came)
    document: Any = summary.document(came, of_result(came))
    assert document["captures"][0]["reading"].keys() == {"name", "platform", "kind", "wall", "fields", "boxes"}
    lacking: dict[str, Json] = {"role": "reading", "name": None, "why": "its reader had not ended"}
    assert "not made in the visit: its reader had not ended" in told(result(captured(reading=lacking)))
