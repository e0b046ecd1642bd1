"""The real command under a clock that a test moves: ``python -m tests.moved FILE COMMAND…``.

FILE holds by how many seconds our clock is another than the machine's. What is due, what is recorded and what is told
goes by ours; how long something takes, and whether a worker is alive, by the machine's.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console import screen


@dataclass(frozen=True, slots=True)
class Moved:
    """A clock, shared by all processes that are given its file."""

    path: Path

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self.path.read_text(encoding="ascii")))

    def set_apart(self, by: timedelta) -> None:
        beside = self.path.with_suffix(".new")
        beside.write_text(str(by.total_seconds()), encoding="ascii")
        beside.replace(self.path)  # a process that reads has the old one or the new one

    def move(self, by: timedelta) -> None:
        self.set_apart(timedelta(seconds=float(self.path.read_text(encoding="ascii"))) + by)


def main(path: str, *arguments: str) -> None:
    screen.now = Moved(Path(path)).now
    sys.argv[1:] = arguments
    from console import cli  # it takes the clock from where we have put ours

    cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
