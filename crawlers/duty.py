"""A worker's duty: what it is told, the job that a look becomes, and what its result is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archive.config import ArchiveConfig
from archive.errors import StoreError
from archive.looked import Begun as Recorded
from archive.observers import Agreement
from archive.reading import Kind as Page
from archive.result import Captured, Result
from archive.watching import pace
from archive.watching.looks import Begun, Ended
from archive.watching.overrides import Override
from archive.watching.watch import Kind
from crawlers import warm
from crawlers.observing import Wishes
from crawlers.policy import parse_network
from crawlers.profile import Profile
from crawlers.resolving import Resolve
from crawlers.session import Job
from crawlers.upstream import Upstream
from custody.model import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """What a worker is told."""

    config: ArchiveConfig
    environment: Mapping[str, str]
    looks: bool = True
    """Whether it carries out looks."""
    schedule: bool = True
    """Whether it releases what is due, and takes up what dead workers have left."""
    concurrency: int = 2
    """Looks at a time."""
    silent_s: float = 60.0
    """A worker that has not been heard of for so long is taken for dead."""
    drain_s: float = 120.0
    """What looks that are under way have to end, once the worker is told to."""
    browser: warm.Limits = field(default_factory=warm.Limits)
    operator: str | None = None
    resolve: tuple[Resolve, ...] = ()
    allow_network: tuple[Any, ...] = ()
    trust_spki: tuple[str, ...] = ()
    upstream: Upstream | None = None
    observer_proxy: str | None = field(default=None, repr=False)
    """The way out of second observers, which may hold a password; None: as ours."""
    timeout_s: float = 45.0
    look_again_s: float = 20.0
    control_pages: tuple[str, ...] = ()
    """Known to be public: where nothing is found at the host of one, it is looked at too."""
    control: bool = True

    @property
    def egress(self) -> str:
        """By which a host counts what comes from us."""
        return pace.DIRECT if self.upstream is None else str(self.upstream)


def networks(texts: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(parse_network(each) for each in texts)


FULL_EVERY_DAYS = 30
"""A look keeps all of a page when the last one that did is so old, though nothing changed."""
MAX_NEW = 10
"""New posts of a profile that one look captures; the next look has the rest."""


def job_of(begun: Begun, setup: Setup, overridden: Sequence[Override], *, control: bool) -> Job:
    """robots.txt stops a scheduled look, unless the case has decided otherwise for a host."""
    watch = begun.watch
    options = watch.options
    return Job(
        urls=(watch.url,),
        case=watch.case,
        follow=bool(options.get("follow", watch.kind not in {Kind.LISTING, Kind.PROFILE})),
        max_links=int(options.get("max_links", 20)),
        depth=int(options.get("depth", 3)),
        robots="obey",
        robots_overrides={each.host: each.to_json() for each in overridden},
        look_ids={watch.url: begun.look},
        light=begun.reason == "scheduled" and second_of(begun) is None,
        full_every_days=int(options.get("full_every_days", FULL_EVERY_DAYS)),
        max_new=int(options.get("max_new", MAX_NEW)) if watch.kind is Kind.PROFILE else 0,
        attempt=begun.attempt,
        operator=setup.operator,
        resolve=setup.resolve,
        allow_network=setup.allow_network,
        trust_spki=setup.trust_spki,
        upstream=setup.upstream,
        timeout_s=setup.timeout_s,
        look_again_s=setup.look_again_s,
        control_pages=setup.control_pages,
        concurrency=1,
        profile=Profile.of(
            device=str(options.get("device", "desktop")),
            build="chromium",
            locale=str(options.get("locale", "en-US")),
            timezone=str(options.get("timezone", "UTC")),
        ),
        consent=str(options.get("consent", "as-found")),
        control=control,
    )


def second_of(begun: Begun, setup: Setup | None = None) -> Wishes | None:
    """What is asked of a second observer; None: there is one alone.

    Two captures are compared, so a look that two make is never a light one.
    """
    options = begun.watch.options
    if int(options.get("observers", 1)) == 1:
        return None
    device = options.get("observer_device")
    return Wishes(device=None if device is None else str(device), proxy=None if setup is None else setup.observer_proxy)


def further(job: Job, looks: Mapping[str, str]) -> Job | None:
    """The job for what a look calls for at once: new posts, and what stands behind a post that begins to vanish.

    ``looks``: by address, the look that it is part of. In full, with all that their links lead to. None: nothing.
    """
    if not looks:
        return None
    return replace(job, urls=tuple(looks), look_ids=looks, light=False, max_new=0, follow=True, control=False)


def judge(result: Result, *, interrupted: bool) -> Ended:
    """A look whose page was recorded, or shown to be what it was, is done; evidence that was lost is tried again."""
    root: Captured | None = next((each for each in result.captures if each.parent is None), None)
    same = next(iter(result.unchanged), None)
    if root is None and same is None:
        if interrupted:
            return Ended(outcome="interrupted", run=result.run)
        lost = next(iter(result.lost), None)
        raise StoreError(lost.reason if lost is not None else "nothing came of the look")
    kinds = tuple(sorted({kind for each in result.changes for kind in each.kinds}))
    outcome, unit = ("", "")
    if root is not None:
        outcome, unit = root.outcome.value, root.unit
    elif same is not None:
        outcome, unit = same.outcome.value, same.capture_id
    return Ended(
        outcome=outcome,
        run=result.run,
        unit=unit,
        changed=True if kinds else False if same is not None else None,
        kinds=kinds,
        captures=len(result.captures),
        bytes=result.cost.sent_bytes,
        requests=result.cost.requests,
        found=None if root is None else found_in(root),
        detail=f"{len(result.lost)} captures of it were lost" if result.lost else "",
    )


def found_in(root: Captured) -> int | None:
    """Fields that the reader of a page that was shown found in it; 0 where it did not know what sort of page it is.

    None: the page was not shown, or not read in the visit.
    """
    told = root.reading
    if root.outcome is not Outcome.OK or told.get("name") is None:
        return None
    fields = told.get("fields")
    known = told.get("kind") not in {Page.OTHER.value, Page.WALL.value}
    return fields if known and isinstance(fields, int) else 0


def gone_on(done: Recorded, *, captures: int, kinds: tuple[str, ...]) -> Ended:
    """A look whose page an earlier attempt had recorded. ``kinds``: in what it had changed."""
    return Ended(
        outcome="recorded before",
        run=done.run,
        unit=done.unit,
        captures=captures,
        changed=True if kinds else None,
        kinds=kinds,
        detail="an earlier attempt had recorded it when its worker died",
    )


def observed(first: Ended, agreements: Sequence[Agreement], trouble: str) -> Ended:
    """A look, and what a second observer made of it."""
    differing = tuple(sorted({kind for each in agreements for kind in each.kinds}))
    said = f"two observers differ: {', '.join(differing)}" if differing else ""
    if not agreements:
        said = f"no second observer: {trouble or 'it has no capture of the page'}"
    return replace(first, differing=differing, detail="; ".join(filter(None, (first.detail, said))))


def together(first: Ended, more: Result) -> Ended:
    """A look, and what it called for."""
    lost = f"{len(more.lost)} captures behind it were lost" if more.lost else ""
    return replace(
        first,
        captures=first.captures + len(more.captures),
        bytes=first.bytes + more.cost.sent_bytes,
        requests=first.requests + more.cost.requests,
        detail="; ".join(filter(None, (first.detail, lost))),
    )
