"""Finding: all that is found in a case's captures, in one pass, and the record that each promotion makes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from custody.model import Json
from findings.matter import Matter
from findings.observation import Observation
from findings.observing import Observer
from findings.page import Page
from findings.promotion import Lead, Promotion
from findings.resembling import Resembles
from findings.sharing import shared
from findings.tracing import Addresses, by_unit, trace


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Of one case."""

    promotions: tuple[Promotion, ...]
    observations: tuple[tuple[Observation, ...], ...]
    """Of each promotion, in the same order."""
    leads: tuple[Lead, ...]

    def records(self, matter: Matter) -> Iterator[tuple[str, dict[str, Json], dict[str, Json]]]:
        """Id, record, and the version of the case that it was made under, for each promotion."""
        for promotion, observations in zip(self.promotions, self.observations, strict=True):
            record = {**promotion.to_json(), "observations": [each.to_json() for each in observations]}
            yield promotion.id, record, matter.under(promotion.post.looked_at)


def find(pages: Sequence[Page], matter: Matter, addresses: Addresses, resembles: Resembles | None = None) -> Found:
    """``pages``: all captures of the case. The same pages and matter give the same, in the same order."""
    promotions: list[Promotion] = []
    leads: list[Lead] = []
    for unit in by_unit(pages).values():
        traced = trace(unit, addresses, resembles)
        promotions += traced.promotions
        leads += traced.leads
    observer = Observer(matter, resembles)
    own = [observer.observe(each) for each in promotions]
    beside = shared(promotions)
    return Found(
        promotions=tuple(promotions),
        observations=tuple((*mine, *beside.get(each.id, ())) for each, mine in zip(promotions, own, strict=True)),
        leads=tuple(leads),
    )
