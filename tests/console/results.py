"""Results of runs, made for tests of what is said about them."""

from dataclasses import replace
from datetime import UTC, datetime

from archive.result import Captured, Kept, Lost, Result, Sealing
from custody.model import Candidate, Hop, HopKind, Missing, Origin, Outcome, Role, Status, Via

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ID = "01956d3c-0000-7000-8000-00000000000{}"


def captured(number: int = 1, **changes: object) -> Captured:
    made = Captured(
        capture_id=ID.format(number),
        unit=ID.format(1),
        parent=None if number == 1 else ID.format(1),
        via=None if number == 1 else Via(href="https://hub.example/x", text="link [bold]", where="profile"),
        looked_at=datetime(2026, 3, 4, 5, 6, number, tzinfo=UTC),
        requested_url=f"https://{number}.example/",
        final_url=f"https://{number}.example/",
        title="A page",
        status=Status.COMPLETE,
        outcome=Outcome.OK,
        outcome_reason="no notice or wall was seen",
        http_status=200,
        origin=Origin.PUBLIC,
        origin_reasons=("public DNS",),
        hops=(
            Hop(n=1, from_url="https://a.example/", to_url="https://b.example/", kind=HopKind.HTTP, status=302, at=AT),
        ),
        artifacts=(Kept(role="dom", name="dom.html", sha256="0" * 64, bytes=3, media_type="text/html", key="v1/x"),),
        missing=(Missing(role=Role.BODY, reason="the answer did not end"),),
        candidates=(
            Candidate(via=Via(href="https://c.example/", text="c", where="page"), follow=False, reason="over_limit"),
        ),
        surface="page",
        shown="content",
        quarantine={},
        reading={},
        wrappers=(),
        record_sha256="1" * 64,
        log="counterproof.example/abc",
        started_index=4,
        index=5 + number,
        tree_size=7,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def lost(*, stage: str = "archiving", of_store: bool = False) -> Lost:
    return Lost(capture_id=ID.format(8), url="https://8.example/", stage=stage, reason="gone", of_store=of_store)


def result(*captures: Captured, **changes: object) -> Result:
    made = Result(
        run=ID.format(9),
        case_id=ID.format(0),
        case_name="2026-0142",
        store="embedded",
        log="counterproof.example/abc",
        sealing=Sealing(time="not_configured", sealed_size=0, detail="no authority"),
        captures=captures,
        lost=(),
        unfinished=(),
        interrupted=False,
        notices=(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]
