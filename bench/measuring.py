"""What all benches share: two ways of doing the same thing, in turns, and a line for what came of it."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Took:
    """The best of several rounds: what a busy machine adds is not ours."""

    wall_s: float
    cpu_s: float
    """Of this process, all its threads: hardly changed by what else runs."""


def race(rounds: int, *runners: Callable[[], object], after: Callable[[], object] = lambda: None) -> list[Took]:
    """In turns, so that what slows one down slows down the others. ``after`` each round, untimed: clearing up."""
    best = [Took(float("inf"), float("inf"))] * len(runners)
    for _ in range(rounds):
        for at, run in enumerate(runners):
            took = timed(run)
            best[at] = Took(min(best[at].wall_s, took.wall_s), min(best[at].cpu_s, took.cpu_s))
        after()
    return best


def timed(run: Callable[[], object]) -> Took:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return Took(time.perf_counter() - wall, time.process_time() - cpu)


def tell(what: str, value: float, unit: str, *, at_least: float | None = None, at_most: float | None = None) -> None:
    """One line; the mark says whether it is where it should be. Nothing fails: a laptop is no laboratory."""
    mark, aim = "  ", ""
    if at_least is not None:
        mark, aim = "ok" if value >= at_least else "!!", f"  (at least {at_least:g})"
    if at_most is not None:
        mark, aim = "ok" if value <= at_most else "!!", f"  (at most {at_most:g})"
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    print(f"{mark} {what}: {number} {unit}{aim}", flush=True)
