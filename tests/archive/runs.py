"""A capture without a browser, for tests of what becomes of it: the real acquisition, the real stages."""

from archive.acquisition import Acquisition
from custody.model import Origin, Outcome, Role, Snapshot, Started, Status, Visit
from pipelines.recording import record
from pipelines.stages import Artifact, Recorded, Stored
from tests.archive.deployment import now


def began(acquisition: Acquisition, unit: str) -> Started:
    return acquisition.start(
        capture_id=unit, unit=unit, url="https://a.example/", parent=None, timeout_s=10, facts={"depth": 1}
    )


def spooled(acquisition: Acquisition, unit: str) -> Snapshot:
    return acquisition.visit_spool(unit).write(Role.VIEWPORT, "viewport.png", "image/png", b"pixels " + unit.encode())


def stored(acquisition: Acquisition, file: Snapshot) -> Artifact:
    return Artifact(snapshot=file, stored=acquisition.store_file(file))


def recorded(
    acquisition: Acquisition, unit: str, started: Started, artifact: Artifact, *, origin: Origin = Origin.PUBLIC
) -> Recorded:
    at = now()
    visit = Visit(
        capture_id=unit, unit=unit, parent=None, via=None, depth=1, run=acquisition.run, scope=acquisition.scope,
        started=started, requested_url="https://a.example/", final_url="https://a.example/", title="A", hops=(),
        http_status=200, status=Status.COMPLETE, outcome=Outcome.OK, outcome_reason="no notice or wall was seen",
        origin=origin, origin_reasons=("as the test says",), snapshots=(artifact.snapshot,), missing=(), candidates=(),
        times={"requested_at": at, "closed_at": at}, circumstances={}, spool=acquisition.visit_spool(unit).path,
    )  # fmt: skip
    return record(acquisition, Stored(visit=visit, artifacts=(artifact,)))


def captured(acquisition: Acquisition, *, origin: Origin = Origin.PUBLIC) -> Recorded:
    """All of it."""
    unit = acquisition.new_id()
    started = began(acquisition, unit)
    return recorded(acquisition, unit, started, stored(acquisition, spooled(acquisition, unit)), origin=origin)
