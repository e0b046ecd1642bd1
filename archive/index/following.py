"""How far the catalogue has followed which log."""

from archive.index.database import Transaction
from archive.log import Position
from custody.digest import Digest


def read_position(transaction: Transaction) -> tuple[str | None, Position]:
    rows = transaction.rows("SELECT log, n, size, commit_sha256 FROM followed")
    if not rows:
        return None, Position()
    ((log, n, size, sha256),) = rows
    return log, Position(n, size, Digest(sha256) if sha256 else None)


def write_position(transaction: Transaction, log: str, position: Position) -> None:
    transaction.run("DELETE FROM followed")
    sha256 = position.commit_sha256.hex if position.commit_sha256 else None
    transaction.run("INSERT INTO followed VALUES (?, ?, ?, ?)", (log, position.n, position.size, sha256))
