"""``counterproof watch host`` and ``robots``: how hosts are spared, and where robots.txt does not stop a case."""

from typing import Annotated

import typer

from archive.errors import UsageError
from console.options import DsnOption, HomeOption, JsonOption
from console.screen import now, out, print_json, say, sentences
from custody.model import Json


def host(
    name: Annotated[str | None, typer.Argument(metavar="HOST", help="Such as www.example.com; none: all.")] = None,
    *,
    slots: Annotated[int | None, typer.Option("--slots", min=1, max=64, help="Visits at a time.")] = None,
    delay: Annotated[
        float | None, typer.Option("--delay", min=0, max=86_400, metavar="SECONDS", help="Between two visits.")
    ] = None,
    per_day: Annotated[int | None, typer.Option("--per-day", min=0, help="Visits a day; 0: none.")] = None,
    egress: Annotated[str, typer.Option("--egress", metavar="NAME", help="direct, or a worker's proxy.")] = "direct",
    dsn: DsnOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show, or set, what a host takes of us: across all workers that go out the same way."""
    from archive.watching import pace
    from console.watchdesk import opened

    with sentences(as_json=as_json), opened(dsn, home) as desk:
        wanted = None if name is None else name.rstrip(".").casefold()
        setting = slots is not None or delay is not None or per_day is not None
        if setting and wanted is None:
            raise UsageError("name the host whose budget is set")
        with desk.database.transaction() as connection:
            if wanted is not None and setting:
                delay_ms = None if delay is None else round(delay * 1000)
                pace.allow(connection, wanted, egress, slots=slots, delay_ms=delay_ms, per_day=per_day)
            found = pace.budgets(connection, now=now(), host=wanted)
            told: list[dict[str, Json]] = [
                {
                    "host": each.host,
                    "egress": each.egress,
                    "slots": each.slots,
                    "delay_s": str(each.delay_ms / 1000),
                    "per_day": each.per_day,
                    "used_today": each.used,
                    "left_alone_until": None if each.back_at is None else each.back_at.isoformat(),
                    "asked_a_day": round(pace.asked_a_day(connection, each.host)),
                    "allowed_a_day": round(each.a_day),
                }
                for each in found
            ]
        if as_json:
            print_json({"schema": 1, "hosts": [*told]})
            return
        for each in told:
            away = f"; left alone until {each['left_alone_until']}" if each["left_alone_until"] else ""
            out.print(
                f"{each['host']} ({each['egress']}): {each['slots']} at a time, {each['delay_s']} s apart, "
                f"{each['used_today']} of {each['per_day']} today; watches ask for {each['asked_a_day']} looks a day, "
                f"{each['allowed_a_day']} are possible{away}",
                markup=False,
            )
        if not told:
            say(
                "no host was visited yet"
                if wanted is None
                else f"{wanted}: as every host: 1 at a time, 5 s apart, 2000 a day"
            )


def robots(
    host: Annotated[str, typer.Argument(metavar="HOST", help="Such as www.example.com.")],
    *,
    case: Annotated[str, typer.Option("--case", metavar="NAME", help="For which matter.")],
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why robots.txt is not followed.")
    ] = None,
    authority: Annotated[
        str | None, typer.Option("--authority", metavar="TEXT", help="By what right: a mandate, an order.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Who decides it.")] = None,
    follow_again: Annotated[bool, typer.Option("--follow", help="Follow robots.txt there again.")] = False,
    dsn: DsnOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a case's scheduled looks go to a host whose robots.txt forbids it: a decision with reason, right and name.

    It stands in the job of every look that rests on it, as evidence. Without it, robots.txt stops scheduled looks.
    """
    from archive.watching import overrides
    from console.watchdesk import opened

    with sentences(as_json=as_json), opened(dsn, home) as desk:
        wanted = host.rstrip(".").casefold()
        with desk.database.transaction() as connection:
            if follow_again:
                overrides.take_back(connection, case, wanted)
            else:
                overrides.put(
                    connection,
                    overrides.Override(
                        case=case,
                        host=wanted,
                        reason=reason or "",
                        authority=authority or "",
                        name=name or "",
                        since=now(),
                    ),
                )
        said = "robots.txt is followed" if follow_again else "robots.txt is not followed, as decided"
        if as_json:
            print_json({"schema": 1, "host": wanted, "case": case, "followed": follow_again})
        else:
            out.print(f"{wanted}, case {case}: {said}", markup=False)
