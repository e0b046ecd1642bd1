"""How long leaves are, in the archives that released versions made."""

import statistics
from pathlib import Path

from bench.measuring import tell
from custody.commit import Commit

GOLDEN = Path(__file__).parent.parent / "tests/fixtures/golden"


def main() -> None:
    for folder in sorted(GOLDEN.iterdir()):
        commits = sorted((folder / "archive/v1/log").glob("*/commit/*"))
        lengths = [len(leaf) for path in commits for leaf in Commit.parse(path.read_bytes()).leaves]
        tell(f"version {folder.name}, {len(lengths)} leaves: median", statistics.median(lengths), "bytes", at_most=1500)
        tell(f"version {folder.name}: longest", max(lengths), "bytes")


if __name__ == "__main__":
    main()
