"""The pages of one validation: so many of each family, the same for the same seed."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from random import Random

from tests.validation import chains, clocks, postings, renderings, texts, walls
from tests.validation.families import Family, Making
from tests.validation.network import Network
from tests.validation.truth import Page

FAMILIES: Mapping[str, Family] = {
    "text": texts.FAMILY,
    "rendering": renderings.FAMILY,
    "links": postings.FAMILY,
    "times": clocks.FAMILY,
    "hops": chains.FAMILY,
    "outcomes": walls.FAMILY,
}
VARIANTS = sum(map(len, FAMILIES.values()))
_SOCIAL = ("murmuro.example", "www.chatterbox.example", "m.plaza-social.example")
_SHOPS = ("www.velvetcrate.example", "tinybazaar.example", "www.orchidlane.example", "kaufwelt.example")
_OTHERS = ("cdn.stillpics.example", "media.framehost.example", "static.orbitfiles.example")


@dataclass(frozen=True, kw_only=True, slots=True)
class Corpus:
    seed: int
    pages: tuple[Page, ...]
    network: Network

    def sha256(self) -> str:
        """Over every answer that is served, and every truth."""
        truth = json.dumps([each.to_json() for each in self.pages], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(f"{self.network.sha256()}\n{truth}".encode()).hexdigest()


def build(seed: int, count: int, *, only: Collection[str] = ()) -> Corpus:
    """``count`` pages: every variant once, and then again with other words; fewer than there are: some of each family.

    ``only``: of these variants alone, as ``family/variant``. Raises ValueError where there is no such variant.
    """
    known = [(family, variant) for family, variants in FAMILIES.items() for variant in variants]
    if only:
        named = [(family, variant) for family, variant in known if f"{family}/{variant}" in only]
        if len(named) < len(set(only)):
            raise ValueError(f"there is no variant {', '.join(sorted(set(only) - {'/'.join(each) for each in named}))}")
        known = named
    random = Random(f"counterproof validation {seed}")
    chosen = _spread(random, known, count)
    network = Network()
    pages = []
    for number, (family, variant) in enumerate(chosen, start=1):
        own = Random(f"{seed} {number} {family} {variant}")  # so that one page's words do not change the next one's
        making = Making(
            random=own,
            network=network,
            name=f"{family}-{number:03}",
            family=family,
            variant=variant,
            shop=own.choice(_SHOPS),
            social=own.choice(_SOCIAL),
            other=own.choice(_OTHERS),
        )
        pages.append(FAMILIES[family][variant](making))
    return Corpus(seed=seed, pages=tuple(pages), network=network)


def _spread(random: Random, known: list[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """Whole rounds of all; of the last round each family's share, drawn."""
    chosen = known * (count // len(known))
    rest = count % len(known)
    drawn = random.sample(range(len(known)), len(known))
    families = list(dict.fromkeys(family for family, _ in known))
    # Taken in turns by how much of its share each family has had, so that a small sample has some of each.
    left = {family: [at for at in drawn if known[at][0] == family] for family in families}
    size = {family: len(each) for family, each in left.items()}
    taken: list[int] = []
    while len(taken) < rest:
        family = min(
            (each for each in families if left[each]),
            key=lambda each: (size[each] - len(left[each]) + 0.5) / size[each],
        )
        taken.append(left[family].pop())
    return chosen + [known[at] for at in sorted(taken)]
