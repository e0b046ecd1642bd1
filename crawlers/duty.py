"""A worker's duty: what it is told, the job that a look becomes, and what its result is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archive.config import ArchiveConfig
from archive.errors import StoreError
from archive.result import Captured, Result
from archive.watching import pace
from archive.watching.looks import Begun, Ended
from archive.watching.overrides import Override
from archive.watching.watch import Kind
from crawlers import warm
from crawlers.policy import parse_network
from crawlers.profile import Profile
from crawlers.resolving import Resolve
from crawlers.session import Job
from crawlers.upstream import Upstream


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
    timeout_s: float = 45.0
    look_again_s: float = 20.0
    control: bool = True

    @property
    def egress(self) -> str:
        """By which a host counts what comes from us."""
        return pace.DIRECT if self.upstream is None else str(self.upstream)


def networks(texts: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(parse_network(each) for each in texts)


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
        attempt=begun.attempt,
        operator=setup.operator,
        resolve=setup.resolve,
        allow_network=setup.allow_network,
        trust_spki=setup.trust_spki,
        upstream=setup.upstream,
        timeout_s=setup.timeout_s,
        look_again_s=setup.look_again_s,
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


def judge(result: Result, *, interrupted: bool) -> Ended:
    """A look whose page was recorded is done; evidence that did not reach the log is tried again."""
    root: Captured | None = next((each for each in result.captures if each.parent is None), None)
    if root is None:
        if interrupted:
            return Ended(outcome="interrupted", run=result.run)
        lost = next(iter(result.lost), None)
        raise StoreError(lost.reason if lost is not None else "nothing came of the look")
    detail = f"{len(result.lost)} captures of it were lost" if result.lost else ""
    return Ended(
        outcome=root.outcome.value,
        run=result.run,
        unit=root.unit,
        captures=len(result.captures),
        bytes=sum(kept.bytes for each in result.captures for kept in each.artifacts),
        detail=detail,
    )
