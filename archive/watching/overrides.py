"""Where a scheduled look goes though robots.txt says no: for one case and host, by whose decision, and why."""

from dataclasses import dataclass
from datetime import datetime

from archive.cases import case_name
from archive.errors import UsageError
from archive.watching.database import Connection
from custody.instant import format_utc
from custody.model import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """A person's decision. It stands in the job of every look that rests on it."""

    case: str
    host: str
    reason: str
    authority: str
    """By what right: a mandate, a court's order, a client's instruction."""
    name: str
    """Who decided it."""
    since: datetime

    def to_json(self) -> dict[str, Json]:
        return {
            "host": self.host,
            "reason": self.reason,
            "authority": self.authority,
            "name": self.name,
            "since": format_utc(self.since),
        }


def put(connection: Connection, override: Override) -> None:
    """Raises ``UsageError`` where one of the three is missing."""
    for what in ("reason", "authority", "name"):
        text = getattr(override, what).strip()
        if not 3 <= len(text) <= 500:
            raise UsageError(f"to look although robots.txt says no, --{what} is needed, in 3 to 500 characters")
    connection.execute(
        "INSERT INTO counterproof.overrides VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (case_name, host) "
        "DO UPDATE SET reason = excluded.reason, authority = excluded.authority, name = excluded.name, "
        "since = excluded.since",
        (case_name(override.case), override.host, override.reason, override.authority, override.name, override.since),
    )


def take_back(connection: Connection, case: str, host: str) -> bool:
    done = connection.execute(
        "DELETE FROM counterproof.overrides WHERE case_name = %s AND host = %s", (case_name(case), host)
    )
    return done.rowcount == 1


def of_case(connection: Connection, case: str) -> list[Override]:
    rows = connection.execute(
        "SELECT case_name, host, reason, authority, name, since FROM counterproof.overrides WHERE case_name = %s "
        "ORDER BY host",
        (case,),
    )
    return [
        Override(case=each[0], host=each[1], reason=each[2], authority=each[3], name=each[4], since=each[5])
        for each in rows
    ]
