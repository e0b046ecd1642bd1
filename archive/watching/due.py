"""What the schedules of a case had asked for: ids of looks, which the log has too where a look was begun."""

from datetime import datetime

from archive.watching.database import Connection


def due(connection: Connection, case: str, until: datetime) -> tuple[str, ...]:
    """Looks that were due and released by then, also of watches that are removed now; none that a person asked for."""
    rows = connection.execute(
        "SELECT l.id::text FROM counterproof.looks l JOIN counterproof.watches w ON w.id = l.watch "
        "WHERE w.case_name = %s AND l.reason <> 'asked' AND l.due_at <= %s AND l.released_at <= %s ORDER BY l.id",
        (case, until, until),
    )
    return tuple(str(row[0]) for row in rows)
