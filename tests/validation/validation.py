"""One validation: every profile looks at every page, twice, and all of it is compared."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.site.server import Site
from tests.validation.capturing import CouldNotRun, Round, capture, verified
from tests.validation.comparing import Compared, Differs, compare, differences, lost
from tests.validation.corpus import Corpus
from tests.validation.profiles import Setting, screen
from tests.validation.rates import Rate
from tests.validation.reading import Found, read
from tests.validation.truth import Kind, Page

ROUNDS = (1, 2)
Tell = Callable[[str, int, int], object]
"""Told what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """One page, looked at once."""

    page: Page
    n: int
    """Of the round."""
    compared: Compared
    found: Found | None = field(repr=False)
    """None: the archive has no capture of it. Without its pictures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outturn:
    """All that one profile came to."""

    setting: Setting
    judged: Sequence[Judged] = field(repr=False)
    seconds: Mapping[int, float]
    """By round."""
    command: Sequence[str]
    archive_verifies: bool
    controls: Mapping[int, str]
    """By round, what came of the program's own control captures, as ``capture --json`` says it."""

    def rate(self, kind: Kind, family: str | None = None) -> Rate:
        """Of pages: one that was wrong in either round is wrong. Two looks at one page are no two pages."""
        some = [each for each in self.judged if kind in each.compared.facts and family in (None, each.page.family)]
        wrong = {each.page.name for each in some if kind in each.compared.wrong_kinds()}
        return Rate(len(wrong), len({each.page.name for each in some}))

    def facts(self, kind: Kind) -> Rate:
        """Of single facts, over both rounds. They are not independent of each other: no interval is made of them."""
        checked = sum(each.compared.facts[kind] for each in self.judged)
        return Rate(sum(wrong.kind is kind for each in self.judged for wrong in each.compared.wrong), checked)

    def by_round(self, n: int) -> dict[str, Judged]:
        return {each.page.name: each for each in self.judged if each.n == n}

    def repeated(self) -> dict[str, list[Differs]]:
        """Page -> how its two captures differ; a page whose clock is shown has no two pictures alike."""
        first, second = (self.by_round(n) for n in ROUNDS)
        return _compared_pairs(first, second, pixels=lambda page: page.clock is None)

    def against(self, other: "Outturn") -> dict[str, list[Differs]]:
        """The same between two profiles' first rounds, where the page shows both the same."""
        ours, theirs = self.by_round(1), other.by_round(1)
        device, other_device = self.setting.device.value, other.setting.device.value
        alike = {name: each for name, each in ours.items()
                 if each.page.lines_on(device) == each.page.lines_on(other_device)}  # fmt: skip
        # Another screen makes another picture.
        return _compared_pairs(alike, theirs, pixels=lambda page: page.clock is None and device == other_device)

    def confusion(self) -> Counter[tuple[str, str]]:
        """(outcome that is right, outcome that was found) -> looks."""
        return Counter((each.page.outcome.value, each.found.outcome if each.found else "lost") for each in self.judged)


def _compared_pairs(
    ones: Mapping[str, Judged], others: Mapping[str, Judged], *, pixels: Callable[[Page], bool]
) -> dict[str, list[Differs]]:
    """Pages that either lost are errors already, and compared with nothing."""
    found = {}
    for name in ones.keys() & others.keys():
        one, other = ones[name].found, others[name].found
        if one is not None and other is not None:
            page = ones[name].page
            found[name] = list(differences(one, other, clock=page.clock, pixels=pixels(page)))
    return found


def run(
    corpus: Corpus,
    settings: Sequence[Setting],
    *,
    folder: Path,
    clock: Callable[[], datetime],
    tell: Tell,
    rounds: Sequence[int] = ROUNDS,
) -> list[Outturn]:
    """Blocking, for as long as it takes. Raises CouldNotRun."""
    site = Site(clock=clock)
    site.hosts.clear()
    site.hosts.update({host.name: host for host in corpus.network.hosts()})
    with site:
        return [
            _one(corpus, setting, site=site, folder=folder / setting.name, tell=tell, rounds=rounds)
            for setting in settings
        ]


def _one(corpus: Corpus, setting: Setting, *, site: Site, folder: Path, tell: Tell, rounds: Sequence[int]) -> Outturn:
    judged: list[Judged] = []
    done: list[Round] = []
    with screen(setting) as extra:
        for n in rounds:
            pages = corpus.pages if n == 1 else tuple(reversed(corpus.pages))  # so that order decides nothing unseen
            what = f"{setting.name}, round {n} of {len(rounds)}"
            made = capture(
                site,
                [page.url for page in pages],
                setting=setting,
                n=n,
                folder=folder,
                extra=extra,
                progress=lambda done, what=what: tell(what, done, len(corpus.pages)),  # type: ignore[misc]
            )
            done.append(made)
            judged += [_judged(page, made, setting) for page in corpus.pages]
    _of_one_program(judged)
    tell(f"{setting.name}: the archive verifies?", len(corpus.pages), len(corpus.pages))
    return Outturn(
        setting=setting,
        judged=judged,
        seconds={each.n: each.seconds for each in done},
        command=done[0].command,
        archive_verifies=verified(folder),
        controls={each.n: each.control for each in done},
    )


def _judged(page: Page, made: Round, setting: Setting) -> Judged:
    mine = (each for each in made.captures if each["requested_url"] == page.url and each["parent"] is None)
    capture = next(mine, None)
    if capture is None:
        return Judged(page=page, n=made.n, compared=lost(), found=None)
    found = read(capture, made.store)
    compared = compare(page, found, setting=setting, asked_at=made.asked_at())
    return Judged(page=page, n=made.n, compared=compared, found=found.without_pictures())


def _of_one_program(judged: Sequence[Judged]) -> None:
    """Raises CouldNotRun where the program or the browser was another for some captures than for others."""
    for fact in ("code_sha256", "browser_version"):
        said = {str(each.found.environment[fact]) for each in judged if each.found and fact in each.found.environment}
        if len(said) > 1:
            raise CouldNotRun(f"{fact} changed while the validation ran: {', '.join(sorted(said))}")


def environment_of(outturn: Outturn) -> Mapping[str, Any]:
    """What looked, as the records themselves say it: of the first capture that a browser reached a page in."""
    said = [each.found.environment for each in outturn.judged if each.found is not None]
    return next((each for each in said if "browser_version" in each), said[0] if said else {})
