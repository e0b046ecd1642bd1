"""Alerts: what a person has to hear of, raised once, cleared when it is over. Ids, counts, our words; no evidence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from psycopg.types.json import Jsonb

from archive.watching.database import Connection
from archive.watching.standing import Standing
from custody.model import Json

KEPT = timedelta(days=30)
UNSEALED = timedelta(minutes=30)
"""Events without trusted time are told of after so long."""


class Kind(StrEnum):
    """What there is to hear of."""

    CHANGED = "changed"
    """What a watch looks at has changed."""
    OBSERVERS_DIFFER = "observers_differ"
    """Two who looked at the same time were not shown the same."""
    KEPT_FAILURE = "kept_failure"
    HOST_WALLED = "host_walled"
    HOST_FAILING = "host_failing"
    HOST_BLIND = "host_blind"
    """Its pages are shown, and readers find nothing in them any more."""
    LATE = "late"
    NO_TRUSTED_TIME = "no_trusted_time"


MOMENTARY = frozenset({Kind.CHANGED, Kind.OBSERVERS_DIFFER, Kind.KEPT_FAILURE})
"""They happened, and are over; the others last, and are cleared when they end."""
_OF_HOSTS = {"walled": Kind.HOST_WALLED, "failing": Kind.HOST_FAILING, "blind": Kind.HOST_BLIND}
"""By ``archive.watching.standing.Failing.why``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """One of them."""

    id: int
    kind: Kind
    subject: str
    """A watch, a look, or a host."""
    facts: Mapping[str, Json]
    raised_at: datetime

    def line(self) -> str:
        facts = ", ".join(f"{name} {_said(value)}" for name, value in sorted(self.facts.items()))
        return f"{self.kind}: {self.subject}{f' ({facts})' if facts else ''}"

    def to_json(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "kind": self.kind.value,
            "subject": self.subject,
            "facts": dict(self.facts),
            "raised_at": self.raised_at.isoformat(),
        }


def watch_over(connection: Connection, standing: Standing, *, now: datetime) -> int:
    """Raise what a deployment's standing gives cause for, and clear what is over. How many are new."""
    lasting: dict[tuple[Kind, str], Mapping[str, Json]] = {}
    for each in standing.failing:
        lasting[_OF_HOSTS[each.why], each.host] = {"looks": each.looks}
    if standing.late:
        lasting[Kind.LATE, "looks"] = {"late": standing.late, "workers": len(standing.workers)}
    since = standing.unsealed_since
    if since is not None and now - datetime.fromisoformat(since) > UNSEALED:
        lasting[Kind.NO_TRUSTED_TIME, "log"] = {"since": since}
    new = sum(raise_alert(connection, kind, subject, facts, now=now) for (kind, subject), facts in lasting.items())
    for failure in standing.kept_failures:
        new += raise_alert(connection, Kind.KEPT_FAILURE, failure["look"], {"watch": failure["watch"]}, now=now)
    kinds = [each.value for each in Kind if each not in MOMENTARY]
    for row in connection.execute(
        "SELECT id, kind, subject FROM counterproof.alerts WHERE cleared_at IS NULL AND kind = ANY(%s)", (kinds,)
    ).fetchall():
        if (Kind(row[1]), row[2]) not in lasting:
            connection.execute("UPDATE counterproof.alerts SET cleared_at = %s WHERE id = %s", (now, row[0]))
    connection.execute("DELETE FROM counterproof.alerts WHERE raised_at < %s", (now - KEPT,))
    return new


def raise_alert(connection: Connection, kind: Kind, subject: str, facts: Mapping[str, Json], *, now: datetime) -> bool:
    """False: it stands already."""
    done = connection.execute(
        "INSERT INTO counterproof.alerts (kind, subject, facts, raised_at) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING",
        (kind.value, subject, Jsonb(dict(facts)), now),
    )
    return done.rowcount == 1


def unsent(connection: Connection, target: str, kinds: Iterable[Kind]) -> list[Alert]:
    """What a target has not been told yet, oldest first."""
    rows = connection.execute(
        "SELECT id, kind, subject, facts, raised_at FROM counterproof.alerts a WHERE kind = ANY(%s) AND NOT EXISTS "
        "(SELECT FROM counterproof.alerts_sent s WHERE s.alert = a.id AND s.target = %s) ORDER BY id LIMIT 500",
        ([each.value for each in kinds], target),
    )
    return [Alert(id=each[0], kind=Kind(each[1]), subject=each[2], facts=each[3], raised_at=each[4]) for each in rows]


def last_sent(connection: Connection, target: str) -> datetime | None:
    row = connection.execute(
        "SELECT max(sent_at) FROM counterproof.alerts_sent WHERE target = %s", (target,)
    ).fetchone()
    return None if row is None else row[0]


def note_sent(connection: Connection, target: str, alerts: Sequence[Alert], *, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO counterproof.alerts_sent VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [(each.id, target, now) for each in alerts],
        )


def standing_alerts(connection: Connection) -> list[Alert]:
    """Those that last and are not over, and what happened in the last day."""
    rows = connection.execute(
        "SELECT id, kind, subject, facts, raised_at FROM counterproof.alerts WHERE cleared_at IS NULL "
        "AND (kind <> ALL(%s) OR raised_at > now() - interval '1 day') ORDER BY id",
        ([each.value for each in MOMENTARY],),
    )
    return [Alert(id=each[0], kind=Kind(each[1]), subject=each[2], facts=each[3], raised_at=each[4]) for each in rows]


def _said(value: Json) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
