"""``make validation``: how often captures of pages whose truth is known are wrong, by kind of error and profile.

Exit codes: 0 it ran (whatever it found), 1 an error rate is above its --at-most, 2 usage, 7 no profile can be run here,
70 a capture did not get far enough to be judged, or its archive is damaged; 130 interrupted.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from tests.validation import report
from tests.validation.capturing import CouldNotRun
from tests.validation.corpus import VARIANTS, build
from tests.validation.profiles import SETTINGS, lacking
from tests.validation.reading import NotAsStored
from tests.validation.truth import Kind
from tests.validation.validation import Outturn, run

ROOT = Path(__file__).parents[2]
OUTPUT = ROOT / ".state" / "validation"
SEED = 20260
_MARK = ".counterproof-validation"
_EVERY_S = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parsed(arguments)
    screen = Console(stderr=True, highlight=False)
    wanted = asked.profiles or [each.name for each in SETTINGS]
    not_run = {each.name: lacking(each, os.environ) for each in SETTINGS if each.name in wanted}
    settings = [each for each in SETTINGS if each.name in wanted and not_run[each.name] is None]
    for name, why in not_run.items():
        if why is not None:
            screen.print(f"not run: {name}: {why}")
    if not settings:
        screen.print("no profile can be run here: nothing was validated")
        return 7
    try:
        corpus = build(asked.seed, asked.pages, only=asked.only)
    except ValueError as error:
        screen.print(str(error))
        return 2
    if not _cleared(asked.output):
        screen.print(f"{asked.output} holds something that no validation made: name another folder with --output")
        return 2
    screen.print(
        f"{len(corpus.pages)} pages, {len(settings)} profiles, two rounds; about "
        f"{len(corpus.pages) * len(settings) * 2 / 60:.0f} to {len(corpus.pages) * len(settings) * 4 / 60:.0f} minutes"
    )
    begun, method = _now(), report.method_sha256()
    try:
        outturns = run(corpus, settings, folder=asked.output / "evidence", clock=_now, tell=_Progress(screen))
    except (CouldNotRun, NotAsStored) as error:
        screen.print(str(error), markup=False)
        return 70
    except KeyboardInterrupt:
        screen.print(f"interrupted: nothing is reported; what was captured so far is in {asked.output / 'evidence'}")
        return 130
    said = report.document(
        corpus,
        outturns,
        method=method,
        not_run={name: why for name, why in not_run.items() if why is not None},
        begun=begun,
        ended=_now(),
    )
    _write(asked.output / "validation.json", said)
    _write(asked.output / "corpus.json", [each.to_json() for each in corpus.pages])
    (asked.output / "validation.md").write_text(report.markdown(said), encoding="utf-8")
    Console(width=max(100, screen.width)).print(report.table(outturns))
    screen.print(f"every error, and what made it: {asked.output / 'validation.md'} (and validation.json, corpus.json)")
    above = over(outturns, asked.at_most)
    for line in above:
        screen.print(f"ABOVE ITS LIMIT: {line}")
    return 1 if above else 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.validation", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--pages", type=int, default=VARIANTS, metavar="N",
                        help="so many pages (default: %(default)s, every variant once)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=SEED, help="decides every word and colour (default: %(default)s)")
    parser.add_argument("--profiles", nargs="*", choices=[each.name for each in SETTINGS], default=[],
                        help="only these (default: all that this machine can run)")  # fmt: skip
    parser.add_argument("--only", nargs="*", default=[], metavar="FAMILY/VARIANT", help="only pages of these variants")
    parser.add_argument("--at-most", nargs="*", type=_limit, default=[], metavar="KIND=SHARE",
                        help="leave with 1 where more pages have such an error: outcome=0.05")  # fmt: skip
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="DIR", help="wiped first (default: %(default)s)")
    asked = parser.parse_args(arguments)
    if not 1 <= asked.pages <= 5000:
        parser.error("--pages is between 1 and 5000")
    asked.output = asked.output.absolute()
    return asked


def _limit(text: str) -> tuple[Kind, float]:
    name, _, share = text.partition("=")
    try:
        limit = (Kind(name), float(share))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"write one of {', '.join(Kind)}, = and a share, such as text=0.02") from error
    return limit


def over(outturns: Sequence[Outturn], limits: Sequence[tuple[Kind, float]]) -> list[str]:
    """A kind that was not judged at all is above any limit: it was not shown to be below."""
    found = []
    for each in outturns:
        for kind, share in limits:
            rate = each.rate(kind)
            if rate.judged == 0 or rate.share > share:
                found.append(f"{each.setting.name}, {kind.value}: {rate}, at most {share:g}")
    return found


def _cleared(folder: Path) -> bool:
    """Empty, and ours; anybody else's folder is left alone."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        return False
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()
    return True


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _now() -> datetime:
    return datetime.now(UTC)


class _Progress:
    """A line every few seconds, and one at each end."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._begun = self._told = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        at = time.monotonic()
        if done < total and at - self._told < _EVERY_S:
            return
        self._told = at
        self._screen.print(f"{at - self._begun:6.0f} s  {what}: {done} of {total}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
