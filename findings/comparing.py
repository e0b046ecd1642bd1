"""Two captures of one address held against each other: what became another, and what could not be compared. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from archive.absence import Absence, is_absent, sentence
from archive.reading import Kind as PageKind
from archive.surface import Shown as Came
from archive.surface import shown_by
from custody.instant import format_utc
from custody.model import Json, Outcome, Status
from findings import fields as told
from findings.change import Change, Comparison, Incomparable, Kind, Passage, cut
from findings.fields import Link
from findings.page import Page
from findings.resembling import Match, Resembles
from findings.settled import settled

_SHOPS = frozenset({PageKind.LISTING, PageKind.STOREFRONT})
_SHIFTY = frozenset({"price", "availability", "pictures"})
"""What sites show otherwise to other visitors at the same time."""
_LEAST_LINES = 20
"""Lines of a difference in words that are quoted."""


def compare(
    before: Page,
    after: Page,
    *,
    key: Callable[[str], str],
    resembles: Resembles | None = None,
    absence: Absence | None = None,
    words: bool = True,
    observers: tuple[str, str] | None = None,
) -> Comparison:
    """``before`` was looked at first. ``key``: the same for two spellings of one address (``Addresses.key``).

    ``resembles``: None: pictures are not compared. ``absence``: what is concluded of ``after`` where it shows nothing
    there. ``words``: whether words outside of the reading's fields count, where nothing else is another. ``observers``:
    who looked, where it was two at one time (``to the first observer``).
    """
    work = _Work(before, after, key, resembles, absence, observers)
    if not before.was_seen or not after.was_seen:
        work.outcomes()
    else:
        work.pages()
        if words and not work.changes:
            work.words()
    return Comparison(
        before=before, after=after, changes=tuple(work.changes), not_compared=tuple(dict.fromkeys(work.not_compared))
    )


@dataclass(slots=True)
class _Work:
    before: Page
    after: Page
    key: Callable[[str], str]
    resembles: Resembles | None
    absence: Absence | None
    observers: tuple[str, str] | None
    changes: list[Change] = field(default_factory=list)
    not_compared: list[Incomparable] = field(default_factory=list)

    # What was shown at all

    def outcomes(self) -> None:
        """One of the two looks, or both, did not show the page."""
        before, after = self.before, self.after
        self._skip(
            "page", f"{self._shown(before if not before.was_seen else after)}: its fields are not there to compare"
        )
        for each, when in ((before, "the earlier"), (after, "the later")):
            if each.status is Status.FAILED or shown_by(each.outcome, each.http_status) is Came.FAILED:
                self._skip("outcome", f"{when} look reached no page ({each.outcome.value}), which says nothing of it")
                return
        if before.outcome is after.outcome and _wall(before) == _wall(after):
            return
        sides = (self._outcome(before), self._outcome(after))
        if after.was_seen:
            self._add(
                Kind.SHOWN_AGAIN, *sides, f"{self._on(before)} {self._said(before)}; {self._on(after)} it was shown."
            )
        elif after.outcome is Outcome.PRIVATE:
            self._add(Kind.ACCOUNT_PRIVATE, *sides, f"{self._then()} {self._said(after)}.")
        elif _is_absent(after):
            self._absent(sides)
        else:
            self._add(Kind.OUTCOME_CHANGED, *sides, f"{self._then()} {self._said(after)}.")

    def _absent(self, sides: tuple[Passage, Passage]) -> None:
        kind = Kind.PAGE_REMOVED
        if self.before.kind is PageKind.POST:
            kind = Kind.POST_REMOVED
        elif self.before.kind in _SHOPS:
            kind = Kind.LISTING_UNAVAILABLE
        facts: dict[str, Json] = {"absence": None if self.absence is None else self.absence.to_json()}
        said = "; it was looked at once" if self.absence is None else f"; {sentence(self.absence)}"
        gone = self.absence is not None and self.absence.gone
        doubts = (
            ()
            if gone
            else ("two looks and a control page of the same host did not come together, so it is not said to be gone",)
        )
        self._add(kind, *sides, f"{self._then()} {self._said(self.after)}{said}.", doubts=doubts, facts=facts)

    # What was shown on both

    def pages(self) -> None:
        self._readings()
        self._redirects()
        for each in told.of(self.after.kind):
            self._field(each)
        self._links()
        self._disclosures()
        self._pictures()

    def _readings(self) -> None:
        before, after = self.before, self.after
        for each, when in ((before, "the earlier"), (after, "the later")):
            if not each.reading.was_ended:
                self._skip("reading", f"{when} page's reader came to no end: what it lacks says nothing")
            if each.status is Status.PARTIAL:
                self._skip("capture", f"{when} capture is partial: something of it was not kept")
        if (before.kind, before.reading.platform) != (after.kind, after.reading.platform):
            self._skip(
                "kind",
                f"read as {before.kind.value} ({before.reading.platform}) and then as {after.kind.value} "
                f"({after.reading.platform}): fields of the one may have no counterpart",
            )

    def _field(self, each: told.Compared) -> None:
        one, other = each.value(self.before.reading), each.value(self.after.reading)
        if one is None and other is None:
            return
        if one is None or other is None:
            when = "earlier" if one is None else "later"
            if self.before.kind is self.after.kind:
                self._skip(each.name, f"the {when} page does not carry it, which is not the same as empty")
            return
        if each.same(one, other):
            return
        name = each.words
        self._add(
            each.kind,
            self._passage(self.before, each.name, one),
            self._passage(self.after, each.name, other),
            f"{self._on(self.before)} the {name} was {_quoted(one)}; {self._on(self.after)} it was {_quoted(other)}.",
            doubts=self._doubts(each.topic),
        )

    def _links(self) -> None:
        one, other = told.links(self.before.reading), told.links(self.after.reading)
        if one is None or other is None:
            if one != other:
                when = "earlier" if one is None else "later"
                self._skip("links", f"the {when} page's reading says nothing of links")
            return
        ours, theirs = self._by_key(one), self._by_key(other)
        place = "bio" if self.after.kind is PageKind.PROFILE else "page"
        for name, link in theirs.items():
            if name not in ours:
                said = self._there(self.after, self.before, f"a link to {link.url} stood on the {place}")
                self._add(Kind.LINK_ADDED, None, self._link(self.after, link), said, facts={"url": link.url})
        if not self.after.reading.was_ended:
            return  # what its reader did not come to may be there
        for name, link in ours.items():
            if name not in theirs:
                said = self._there(self.before, self.after, f"a link to {link.url} stood on the {place}")
                self._add(Kind.LINK_GONE, self._link(self.before, link), None, said, facts={"url": link.url})

    def _by_key(self, links: Sequence[Link]) -> dict[str, Link]:
        found: dict[str, Link] = {}
        for each in links:
            found.setdefault(self.key(each.url), each)
        return found

    def _disclosures(self) -> None:
        for by in ("platform", "author"):
            one, other = (told.disclosures(each.reading, by) for each in (self.before, self.after))
            if one is None or other is None:
                if one or other:
                    when = "earlier" if one is None else "later"
                    self._skip("disclosures", f"the {when} page's reading says nothing of those by the {by}")
                continue
            for each in other:
                if each not in one:
                    said = self._there(self.after, self.before, f"a mark by the {by} said {_quoted(each)}")
                    self._add(Kind.DISCLOSURE_ADDED, None, self._passage(self.after, "disclosures", each), said)
            for each in one:
                if each not in other:
                    said = self._there(self.before, self.after, f"a mark by the {by} said {_quoted(each)}")
                    self._add(Kind.DISCLOSURE_REMOVED, self._passage(self.before, "disclosures", each), None, said)

    def _redirects(self) -> None:
        before, after = self.before, self.after
        if not (before.hops or after.hops) or before.key == after.key:
            return
        said = f"{self._on(before)} the address led to {before.url}; {self._on(after)} it led to {after.url}."
        self._add(
            Kind.REDIRECT_CHANGED,
            Passage(capture=before.capture, words="address", text=_chain(before)),
            Passage(capture=after.capture, words="address", text=_chain(after)),
            said,
            doubts=self._doubts("address"),
        )

    def _pictures(self) -> None:
        one, other = self.before.own_pictures, self.after.own_pictures
        if self.resembles is None:
            self._skip("pictures", "they were not compared")
            return
        if not one or not other:
            if told.has_pictures(self.before.reading) or told.has_pictures(self.after.reading):
                self._skip("pictures", "of one of the two pages no picture of its own could be looked at")
            return
        known = {each.sha256 for each in one}
        new = [each for each in other if each.sha256 not in known]
        unlike, near = [], list[Match]()
        for each in new:
            match = next((found for mine in one if (found := self.resembles.same(mine, each))), None)
            if match is None:
                unlike.append(each)
            else:
                near.append(match)
        if not unlike:
            return
        there = {each.sha256 for each in other}
        left = [
            each for each in one if each.sha256 not in there and each.sha256 not in {match.one.sha256 for match in near}
        ]
        self._add(
            Kind.PICTURE_CHANGED,
            Passage(capture=self.before.capture, words="pictures", text="\n".join(each.url for each in left or one)),
            Passage(capture=self.after.capture, words="pictures", text="\n".join(each.url for each in unlike)),
            f"Of the page's own pictures {self._on(self.after)}, {len(unlike)} looked like none of those "
            f"{self._on(self.before)}.",
            doubts=self._doubts("pictures"),
            facts={
                "before": [each.sha256 for each in left or one],
                "after": [each.sha256 for each in unlike],
                "alike": [{"distance": each.distance, "threshold": each.threshold} for each in near],
            },
        )

    def words(self) -> None:
        """What the page shows besides; where nothing that has a name became another."""
        if self.before.is_cut or self.after.is_cut:
            self._skip("visible text", "one of the two is longer than is compared")
            return
        if bool(self.before.visible) != bool(self.after.visible):
            self._skip("visible text", "one of the two pages has none")
            return
        one, other = settled(self.before.visible).splitlines(), settled(self.after.visible).splitlines()
        gone, come = _without(one, other), _without(other, one)
        if not gone and not come:
            return
        self._add(
            Kind.WORDS_CHANGED,
            Passage(capture=self.before.capture, words="visible text", text="\n".join(gone[:_LEAST_LINES])),
            Passage(capture=self.after.capture, words="visible text", text="\n".join(come[:_LEAST_LINES])),
            f"{_counted(len(gone), 'line')} of {self._on(self.before)} stood there no more {self._on(self.after)}, and "
            f"{_counted(len(come), 'line')} stood there anew. Counts, ages and clock times were not compared.",
            doubts=("pages show other people's words and goods by turns", *self._doubts("words")),
            facts={"gone": len(gone), "come": len(come)},
        )

    # Words

    def _doubts(self, topic: str) -> tuple[str, ...]:
        one, other = self.before.vantage, self.after.vantage
        differs = sorted(
            name for name in {*one, *other} if one.get(name) != other.get(name) and name != "browser_version"
        )
        found = []
        if differs:
            found.append(f"the two looks differ in {', '.join(each.replace('_', ' ') for each in differs)}")
        elif topic in _SHIFTY and one.get("egress_address") in {None, "unknown"}:
            found.append("nobody knows from which address either look came, and sites show this otherwise elsewhere")
        return tuple(found)

    def _add(
        self,
        kind: Kind,
        before: Passage | None,
        after: Passage | None,
        said: str,
        *,
        doubts: tuple[str, ...] | None = None,
        facts: Mapping[str, Json] | None = None,
    ) -> None:
        self.changes.append(
            Change(
                kind=kind,
                sentence=said[:1].upper() + said[1:],
                before=before,
                after=after,
                doubts=self._doubts("") if doubts is None else doubts,
                facts=facts or {},
            )
        )

    def _skip(self, what: str, why: str) -> None:
        self.not_compared.append(Incomparable(what=what, why=why))

    def _passage(self, page: Page, name: str, text: str) -> Passage:
        source = page.reading.sources.get(name)
        return Passage(capture=page.capture, words=name, text=cut(text), where=source.where if source else "")

    def _link(self, page: Page, link: Link) -> Passage:
        source = page.reading.sources.get(link.field)
        text = f"{link.text} → {link.url}" if link.text else link.url
        return Passage(capture=page.capture, words=link.field, text=cut(text), where=source.where if source else "")

    def _outcome(self, page: Page) -> Passage:
        return Passage(capture=page.capture, words="outcome", text=self._shown(page))

    def _shown(self, page: Page) -> str:
        wall = page.reading.wall
        other = f" ({wall})" if wall and wall != page.outcome.value else ""
        return f"shown was: {page.outcome.value}{other}"

    def _on(self, page: Page) -> str:
        if self.observers is not None:
            return self.observers[0 if page is self.before else 1]
        return f"on {format_utc(page.looked_at)[:16].replace('T', ' ')} UTC"

    def _there(self, one: Page, other: Page, what: str) -> str:
        return f"{self._on(one)} {what}; {self._on(other)} it did not."

    def _then(self) -> str:
        return f"{self._on(self.before)} the page was shown; {self._on(self.after)}"

    def _said(self, page: Page) -> str:
        words = _OUTCOMES.get(page.outcome)
        return words or f"something else stood in its place ({page.outcome.value.replace('_', ' ')})"


_OUTCOMES: Mapping[Outcome, str] = {
    Outcome.PRIVATE: "the site said that the account is private",
    Outcome.REMOVED: "the site said that it was removed",
    Outcome.UNAVAILABLE: "the site said that it is not available",
    Outcome.HTTP_ERROR: "the site answered that it is not there",
    Outcome.LOGIN_WALL: "the site asked for a login",
}


def _is_absent(page: Page) -> bool:
    return is_absent(page.outcome, page.http_status)


def _wall(page: Page) -> str | None:
    return page.reading.wall


def _chain(page: Page) -> str:
    if not page.hops:
        return page.url
    return "\n→ ".join([page.hops[0].from_url, *(each.to_url for each in page.hops)])


def _quoted(text: str) -> str:
    said = " ".join(text.split())
    return f"“{said[:160]}{'…' if len(said) > 160 else ''}”"


def _counted(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def _without(lines: Sequence[str], others: Sequence[str]) -> list[str]:
    there = set(others)
    return list(dict.fromkeys(each for each in lines if each not in there))
