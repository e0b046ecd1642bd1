"""Which looks were due by the schedules of a case until a time: what an export holds against the log."""

from datetime import timedelta

import pytest

from archive.lookid import look_id
from archive.watching import looks, watches
from archive.watching.database import Database
from archive.watching.due import due
from tests.archive.watching.databases import AT, watched

pytestmark = pytest.mark.s3


def test_looks_are_due_by_their_time_their_case_and_a_schedule(database: Database) -> None:
    with database.transaction() as connection:
        ours = watched(connection, "https://a.example/1", case="ours")
        watched(connection, "https://b.example/1", case="theirs")
    later = AT + timedelta(hours=6)
    with database.transaction() as connection:
        assert looks.release(connection, database.queue, now=AT) == 2
        begun = looks.begin(connection, look_id(ours.id, ours.slot), worker="w", now=AT)
        assert begun is not None
        assert looks.finish(connection, begun, looks.Ended(outcome="ok"), now=AT)
    with database.transaction() as connection:
        again = watches.get(connection, ours.id)
        assert looks.release(connection, database.queue, now=later, host="a.example") == 1
        second = looks.begin(connection, look_id(ours.id, again.slot), worker="w", now=later)
        assert second is not None
        assert looks.finish(connection, second, looks.Ended(outcome="ok"), now=later)
        asked, _ = looks.ask(connection, database.queue, again, now=later + timedelta(minutes=1))
    with database.transaction() as connection:
        assert due(connection, "ours", AT - timedelta(seconds=1)) == ()
        assert due(connection, "ours", AT) == (begun.look,)
        assert set(due(connection, "ours", later)) == {begun.look, second.look}
        assert asked not in due(connection, "ours", later + timedelta(days=1))
        assert due(connection, "of nobody", later) == ()
