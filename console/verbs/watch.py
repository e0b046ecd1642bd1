"""``counterproof watch``: what is looked at again and again: add, list, show, pause, resume, remove, run, apply."""

from types import ModuleType
from typing import Annotated

import typer

from archive.errors import UsageError
from console.options import DsnOption, HomeOption, JsonOption
from console.screen import now, out, print_json, say, sentences
from console.verbs import watched_hosts, watched_list
from custody.ids import is_uuid7
from custody.model import Json

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Look at pages again and again: accounts for new posts, posts, link pages and listings for what became of them."
        "\n\nStart with:  counterproof watch add https://… --case NAME --every 6h\n\n"
        "Then `counterproof serve` carries it out, until it is stopped. What is due, late or failing: "
        "`counterproof status`. More: docs/watching.md"
    ),
)

WatchArgument = Annotated[
    str, typer.Argument(metavar="WATCH", help="A watch's id, how it begins or ends, or its address.")
]
EveryOption = Annotated[
    str | None, typer.Option("--every", metavar="TIME", help="How often: 30m, 6h, 1d, 2w; a minute is the least.")
]
CronOption = Annotated[
    str | None,
    typer.Option("--cron", metavar="EXPRESSION", help="Or when: minute hour day month weekday, as '0 9 * * MON'."),
]
ZoneOption = Annotated[
    str | None, typer.Option("--zone", metavar="NAME", help="The time zone of --cron, such as Europe/Paris. [UTC]")
]
JitterOption = Annotated[
    str | None,
    typer.Option("--jitter", metavar="TIME", help="Put off by up to so long. [a tenth of the interval, 10m at most]"),
]
KindOption = Annotated[
    str, typer.Option("--kind", metavar="KIND", help="profile, post, hub, listing or page: what is at the address.")
]
PriorityOption = Annotated[
    int, typer.Option("--priority", min=0, max=9, help="Which go first where a host allows fewer than are due.")
]


@app.command()
def add(
    context: typer.Context,
    urls: Annotated[list[str], typer.Argument(metavar="URL...", help="Public pages, http or https.")],
    *,
    case: Annotated[str, typer.Option("--case", metavar="NAME", help="The matter they are watched for.")],
    every: EveryOption = None,
    cron: CronOption = None,
    zone: ZoneOption = None,
    jitter: JitterOption = None,
    kind: KindOption = "page",
    priority: PriorityOption = 5,
    follow: Annotated[
        bool | None,
        typer.Option("--follow/--no-follow", help="Links to where they end. [yes; not of a profile or a listing]"),
    ] = None,
    max_links: Annotated[int | None, typer.Option("--max-links", help="At most so many links of each page.")] = None,
    depth: Annotated[int | None, typer.Option("--depth", help="Links in a row.")] = None,
    device: Annotated[str | None, typer.Option("--device", metavar="desktop|phone", help="Whose screen.")] = None,
    locale: Annotated[str | None, typer.Option("--locale", metavar="TAG", help="The language asked for.")] = None,
    consent: Annotated[
        str | None, typer.Option("--consent", metavar="as-found|reject", help="What is done about cookie banners.")
    ] = None,
    observers: Annotated[
        int | None,
        typer.Option("--observers", min=1, max=2, help="2: another process looks too, each time; both in full."),
    ] = None,
    observer_device: Annotated[
        str | None, typer.Option("--observer-device", metavar="desktop|phone", help="Whose screen the second one has.")
    ] = None,
    full_every: Annotated[
        int | None, typer.Option("--full-every", metavar="DAYS", help="Capture in full after so many days.")
    ] = None,
    max_new: Annotated[
        int | None, typer.Option("--max-new", metavar="N", help="Of a profile: new posts captured in one look.")
    ] = None,
    dsn: DsnOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Watch pages for a case. The first look is due at once; one that is watched already is brought to what is asked.

    It says at once what interval the host's budget really allows (`counterproof watch host`).
    """
    from archive.watching import watches
    from archive.watching.timing import Timing
    from archive.watching.watch import asked
    from console.watchdesk import new_id, opened, told_of, warn_of_budget

    with sentences(as_json=as_json), opened(dsn, home) as desk:
        timing = Timing.of(every=every, cron=cron, zone=zone, jitter=jitter)
        options = {
            "follow": follow,
            "max_links": max_links,
            "depth": depth,
            "device": device,
            "locale": locale,
            "consent": consent,
            "observers": observers,
            "observer_device": observer_device,
            "full_every_days": full_every,
            "max_new": max_new,
        }
        run: ModuleType = context.obj()
        wanted = [
            asked(
                case=case,
                url=target.url,
                key=run.dedupe_key(target.url),
                kind=kind,
                timing=timing,
                priority=priority,
                options=options,
            )
            for target in run.parse_arguments(urls)
        ]
        with desk.database.transaction() as connection:
            added = [watches.put(connection, each, new_id=new_id(), now=now()) for each in wanted]
            told = [told_of(connection, each.watch, what=each.what) for each in added]
        if as_json:
            print_json({"schema": 1, "watches": told})
            return
        for each, document in zip(added, told, strict=True):
            out.print(f"{each.what:<8} {each.watch.id}  {each.watch.timing.describe()}  {each.watch.url}")
            warn_of_budget(document)


@app.command("list")
def list_(
    *,
    case: Annotated[str | None, typer.Option("--case", metavar="NAME", help="Only of this case.")] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="active|paused|removed", help="Only in this state.")
    ] = None,
    toml: Annotated[bool, typer.Option("--toml", help="As a list that `watch apply` takes.")] = False,
    dsn: DsnOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the watches: when each was looked at, what came of it, when it is due again."""
    from archive.watching import watches, watchlist
    from archive.watching.watch import State
    from console.watchdesk import ago, ahead, document_of, opened

    with sentences(as_json=as_json), opened(dsn, home) as desk:
        if state is not None and state not in set(State):
            raise UsageError(f"--state is {', '.join(State)}, got {state!r:.40}")
        with desk.database.transaction() as connection:
            found = watches.every(connection, case=case, state=None if state is None else State(state))
        if toml:
            out.print(watchlist.format_list(found), end="", markup=False)
        elif as_json:
            print_json({"schema": 1, "watches": [document_of(each) for each in found]})
        else:
            for each in found:
                last = "never looked at" if each.looked_at is None else f"{each.last_outcome}, {ago(each.looked_at)}"
                due = (
                    f"due {ahead(each.due_at)}"
                    if each.state is State.ACTIVE
                    else f"{each.state}: {each.why or 'by hand'}"
                )
                out.print(f"{each.id}  {each.case}  {each.kind}  {each.timing.describe()}; {last}; {due}", markup=False)
                out.print(f"    {each.url}", markup=False)
            say(f"{len(found)} watches" if found else "nothing is watched: `counterproof watch add --help`")


@app.command()
def show(
    watch: WatchArgument,
    *,
    newest: Annotated[int, typer.Option("--looks", min=1, help="The newest so many looks.")] = 20,
    dsn: DsnOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one watch: how often it is looked at, beside how often that was asked for, and what came of each look."""
    from archive.watching import intervals, looks, watches
    from console.intervals import sentence
    from console.watchdesk import opened, plain, told_of

    with sentences(as_json=as_json), opened(dsn, home) as desk:
        with desk.database.transaction() as connection:
            found = watches.resolve(connection, watch)
            document = told_of(connection, found)
            (kept,) = intervals.of_watches(connection, [found], now=now())
            history = looks.of_watch(connection, found.id, limit=newest)
        document["history"] = [{name: plain(value) for name, value in each.items()} for each in history]
        if as_json:
            print_json({"schema": 1, "watch": document})
            return
        out.print(f"{found.url}\n  case     {found.case}\n  kind     {found.kind}", markup=False)
        out.print(f"  state    {found.state}{f': {found.why}' if found.why else ''}", markup=False)
        out.print(f"  asked    {found.timing.describe()}, jitter {found.timing.jitter}, priority {found.priority}")
        out.print(f"  achieved {document['achieved'] or 'not known yet: fewer than two looks'}")
        out.print(f"  allowed  {document['allowed']} by the budget of {found.host}", markup=False)
        out.print(f"  due      {found.due_at.isoformat()}")
        out.print(f"  looks    {sentence(kept.interval)}", markup=False)
        for each in history:
            what = each["outcome"] or each["state"]
            unit = f", unit {each['unit']}" if each["unit"] else ""
            detail = f"; {each['detail']}" if each["detail"] else ""
            slot = each["slot"].isoformat(timespec="seconds")
            out.print(f"  {slot}  {each['reason']:<9} {what}{unit}{detail}", markup=False)


@app.command()
def pause(
    watch: Annotated[list[str], typer.Argument(metavar="WATCH...", help="Ids, or addresses.")],
    *,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept with it, and shown.")] = "by hand",
    dsn: DsnOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at these no more until they are resumed."""
    from archive.watching import watches
    from console.watchdesk import each_of

    each_of(
        watch,
        lambda _, connection, each: watches.pause(connection, each.id, why, now=now()),
        done="paused",
        already="was not active",
        where=(dsn, home),
        as_json=as_json,
    )


@app.command()
def resume(
    watch: Annotated[list[str], typer.Argument(metavar="WATCH...", help="Ids, or addresses.")],
    *,
    dsn: DsnOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at these again, from their next time on; what was missed is not made up for."""
    from archive.watching import watches
    from console.watchdesk import each_of

    each_of(
        watch,
        lambda _, connection, each: watches.resume(connection, each.id, now=now()),
        done="resumed",
        already="was not paused",
        where=(dsn, home),
        as_json=as_json,
    )


@app.command()
def remove(
    watch: Annotated[list[str], typer.Argument(metavar="WATCH...", help="Ids, or addresses.")],
    *,
    dsn: DsnOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Watch these no more. What was captured stays evidence, and the looks stay known."""
    from archive.watching import watches
    from console.watchdesk import each_of

    each_of(
        watch,
        lambda _, connection, each: watches.remove(connection, each.id, now=now()),
        done="removed",
        already="was removed before",
        where=(dsn, home),
        as_json=as_json,
    )


@app.command()
def run(
    watch: Annotated[list[str], typer.Argument(metavar="WATCH...", help="Ids, or addresses.")],
    *,
    dsn: DsnOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at these now, before everything that is scheduled. A worker has to be there (`counterproof serve`)."""
    from archive.watching import looks, watches
    from console.watchdesk import opened

    with sentences(as_json=as_json), opened(dsn, home) as desk:
        with desk.database.transaction() as connection:
            queued = [
                (each, *looks.ask(connection, desk.database.queue, each, now=now()))
                for each in (watches.resolve(connection, text) for text in watch)
            ]
        told: list[Json] = [{"watch": each.id, "look": look, "new": new} for each, look, new in queued]
        if as_json:
            print_json({"schema": 1, "looks": told})
            return
        for each, look, new in queued:
            out.print(
                f"{'queued' if new else 'was waiting already, and goes first now'}: {look}  {each.url}", markup=False
            )


@app.command()
def cancel(
    look: Annotated[str, typer.Argument(metavar="LOOK", help="A look's id, as `watch run` and `watch show` print it.")],
    *,
    dsn: DsnOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel one look. One that is under way ends with what it has, which stays recorded."""
    from archive.watching import looks
    from console.watchdesk import opened

    with sentences(as_json=as_json), opened(dsn, home) as desk:
        if not is_uuid7(look):
            raise UsageError(f"a look is named by its id, got {look[:60]!r}: `counterproof watch show WATCH` has them")
        with desk.database.transaction() as connection:
            what = looks.cancel(connection, desk.database.queue, look, now=now())
        if as_json:
            print_json({"schema": 1, "look": look, "result": what})
        else:
            said = {"cancelled": "cancelled", "told": "its worker is told to stop", "over": "it is over, or never was"}
            out.print(said[what])


app.command("apply")(watched_list.apply)
app.command("host")(watched_hosts.host)
app.command("robots")(watched_hosts.robots)
