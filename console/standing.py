"""How watching stands, in lines for a person."""

from collections.abc import Iterator
from datetime import timedelta

from archive.watching.standing import Standing
from console.intervals import sentence

_WHY = {
    "walled": "shows only walls",
    "failing": "shows only errors",
    "blind": "shows pages in which readers find nothing any more",
}


def lines(now: Standing) -> Iterator[str]:
    watches = ", ".join(f"{count} {state}" for state, count in sorted(now.watches.items())) or "none"
    yield f"watches   {watches}"
    yield f"due       {now.due} not released yet, {now.late} late"
    yield f"looks     {now.waiting} waiting{_age(now)}, {now.running} under way"
    done = ", ".join(f"{count} {outcome}" for outcome, count in now.looks.items()) or "none"
    yield f"last day  {done}"
    looked = sum(now.looks.values())
    if looked:
        yield f"changed   {now.changed} of {looked} looks found a change"
        size, requests = _size(round(now.bytes * 1000 / looked)), round(now.requests * 1000 / looked)
        yield f"stored    {now.captures} captures, {_size(now.bytes)}; for 1,000 looks {size}, {requests:,} requests"
    workers = ", ".join(
        f"{each['id']} ({each['running']} of {each['concurrency']})" for each in now.workers if each["looks"]
    )
    yield f"workers   {workers or 'NONE: `counterproof serve` or `counterproof work` starts one'}"
    if not now.schedulers:
        yield "scheduler NONE: nothing is released"
    for failing in now.failing:
        yield f"failing   {failing.host} {_WHY[failing.why]} ({failing.looks} looks)"
    for host, until in now.left_alone.items():
        yield f"left      {host} asked us to stop; left alone until {until}"
    for host in now.spent:
        yield f"spent     {host}: today's visits are used up"
    if now.compared:
        yield f"intervals {now.on_time} of {now.compared} watches are looked at as often as was asked"
    for behind in now.behind:
        asked, achieved = _span(behind.asked_s), _span(behind.achieved_s)
        yield f"behind    {behind.watch}: asked every {asked}, looked at every {achieved}; {sentence(behind.interval)}"
    for failure in now.kept_failures:
        yield f"failure   {failure['at']} look {failure['look']} of {failure['watch']}: {failure['why']}"
    if now.unsealed_since is not None:
        yield f"unsealed  events wait for trusted time since {now.unsealed_since}"


def _age(now: Standing) -> str:
    return f" (the oldest for {_span(now.oldest_waiting_s)})" if now.oldest_waiting_s > 60 else ""


def _span(seconds: int) -> str:
    return str(timedelta(seconds=seconds))


def _size(count: int) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 10_000 or unit == "GB":
            return f"{count:,} {unit}"
        count = round(count / 1000)
    return f"{count:,} GB"
