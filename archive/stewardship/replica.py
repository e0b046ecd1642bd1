"""Replicas: that a copy was made, of what and where, as an event of the log that was copied."""

from datetime import datetime

from archive.mirror import MirrorReport
from archive.stewardship.desk import Desk
from custody import keyspace
from custody.instant import format_utc
from custody.model import Json


def record(desk: Desk, report: MirrorReport, *, target: str, started_at: datetime) -> int:
    """``artifact.archived``; the index of its leaf, which the next copy has."""
    told = {name: value for name, value in report.to_json().items() if name not in {"schema", "problems"}}
    subject = desk.worker.detail(
        "replica.json",
        {
            "target": target,
            "started_at": format_utc(started_at),
            "ended_at": format_utc(desk.clock()),
            **told,
            "problems": len(report.problems),
        },
    )
    blobs = [length for key, length in report.objects.items() if key.startswith(keyspace.BLOBS)]
    body: dict[str, Json] = {"blobs": len(blobs), "bytes": sum(blobs)}
    envelope = desk.worker.event("artifact.archived", chain=desk.new_chain(), subject=subject, body=body)
    return desk.log.append([envelope])[0].index
