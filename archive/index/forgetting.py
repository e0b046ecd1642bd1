"""What was disposed of is forgotten here as well: addresses, titles, words, names, and the digests that led to it."""

from collections.abc import Iterable
from dataclasses import dataclass

from archive.index.database import Database, Transaction
from archive.index.rows import kept_of, prefix_of
from archive.index.tables import ARTIFACT, CHUNK_LEAVES, LABELS
from archive.index.tokens import joined, labelled, unfolded

HELD = (
    "SELECT {columns} FROM acts AS held WHERE held.type = 'evidence.held' AND held.unit = ? AND NOT EXISTS"
    " (SELECT 1 FROM acts AS released WHERE released.type = 'evidence.released' AND released.refers_to = held.payload)"
)
"""Holds on a unit that nothing has released."""
_GOING = f"unit = ? AND disposed_at IS NULL AND NOT EXISTS ({HELD.format(columns='1')})"
_PERSONAL = (
    "final_url", "title", "url_key", "host", "platform", "reader", "kind", "trouble",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Disposal:
    """What is known of a unit's captures is to be forgotten, unless a hold came first."""

    unit: str
    at: str


def written(transaction: Transaction, place: int, texts: Iterable[str]) -> str:
    """What is searched of one capture, as long as its row is as it was when its texts were taken in."""
    ((*told,),) = transaction.rows(
        f"SELECT {', '.join(LABELS.values())} FROM captures WHERE started_index = ?",  # noqa: S608  # names of ours
        (place,),
    )
    return labelled(dict(zip(LABELS, told, strict=True)), joined(texts))


def forget(database: Database, transaction: Transaction, disposal: Disposal) -> None:
    """The records' own digests stay: the log has them for ever."""
    of = (disposal.unit, disposal.unit)
    going = transaction.rows(f"SELECT started_index FROM captures WHERE {_GOING}", of)  # noqa: S608  # ours
    for (place,) in going:
        kept = transaction.rows("SELECT artifacts FROM kept WHERE started_index = ?", (place,))
        prefixes = {prefix_of(each.digest.hex) for (artifacts,) in kept for each in kept_of(artifacts)}
        transaction.run_each(
            "DELETE FROM digests WHERE prefix = ? AND what = ? AND place = ?",
            [(prefix, ARTIFACT, place) for prefix in sorted(prefixes)],
        )
        for (words,) in transaction.rows("SELECT words FROM readings WHERE started_index = ?", (place,)):
            database.forget_words(transaction, place, written(transaction, place, unfolded(words)))
        for table in ("kept", "readings", "names", "unread"):
            transaction.run(f"DELETE FROM {table} WHERE started_index = ?", (place,))  # noqa: S608  # names of ours
        transaction.run("DELETE FROM packed WHERE chunk = ?", (place // CHUNK_LEAVES,))
    emptied = ", ".join(f"{name} = NULL" for name in _PERSONAL)
    transaction.run(
        f"UPDATE captures SET disposed_at = ?, requested_url = '', {emptied} WHERE {_GOING}",  # noqa: S608  # ours
        (disposal.at, *of),
    )
