"""A case's graph as it is drawn: things in columns, in the order of the way from a post to a seller, and lines between.

Of what was read in the captures now, or, of a case too large for that, of what the catalogue has.
"""

from collections import defaultdict
from dataclasses import dataclass

from archive.index.neighbours import Neighbours
from findings.graph import Graph, Sort

DRAWN = 60
"""Things that are drawn; more are in the tables."""
NAMED = 8
"""Captures that a table names of one relation; more are counted."""
TITLES = ("accounts", "posts and profiles", "hubs, links, pages", "listings", "sellers and tags")
WIDTH, BOX = 230, 200
_COLUMNS = (("account",), ("post", "profile"), ("hub", "link", "page"), ("listing",), ("seller", "tag"))
_ROW, _TOP, _MIDDLE = 46, 40, 17
_LABEL = 26
_SHARED = frozenset({Sort.LISTING, Sort.SELLER, Sort.TAG})
"""What several posts may have in common."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    id: str
    sort: str
    label: str
    captures: int
    """In how many it is, or is named."""
    capture: str | None
    """The newest of them, or the first that is known."""
    url: str = ""
    shared: int = 0
    """How many posts lead to it, where it is more than one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    source: str
    target: str
    name: str
    captures: int
    named: tuple[str, ...] = ()
    """Some of these captures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A thing where it is drawn."""

    thing: Thing
    x: int
    y: int
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    relation: Relation
    path: str
    """SVG path data."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    things: tuple[Thing, ...]
    """Those that are drawn come first."""
    relations: tuple[Relation, ...]
    places: tuple[Placed, ...]
    lines: tuple[Line, ...]
    height: int


def of_graph(graph: Graph) -> Drawing:
    """Shared things first, then those with most captures."""
    captures: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for link in graph.links.values():
        for end in (link.source, link.target):
            captures[end].update(dict.fromkeys(link.captures))
    posts = _posts(graph)
    things = [
        Thing(
            id=each.id,
            sort=each.sort.value,
            label=each.label,
            url=each.url,
            captures=len(captures[each.id]),
            capture=next(iter(captures[each.id]), None),
            shared=posts[each.id] if each.sort in _SHARED and posts[each.id] > 1 else 0,
        )
        for each in graph.nodes.values()
    ]
    relations = [
        Relation(
            source=each.source,
            target=each.target,
            name=each.relation,
            captures=len(each.captures),
            named=each.captures[:NAMED],
        )
        for each in graph.links.values()
    ]
    return _drawn(sorted(things, key=lambda each: (-each.shared, -each.captures, each.id)), relations)


def of_catalogue(known: Neighbours) -> Drawing:
    things = [
        Thing(id=each.id, sort=each.sort, label=each.label, captures=each.captures, capture=each.capture)
        for each in known.nodes
    ]
    relations = [
        Relation(source=each.source, target=each.target, name=each.relation, captures=each.captures)
        for each in known.edges
    ]
    return _drawn(things, relations)


def _posts(graph: Graph) -> dict[str, int]:
    """From how many posts a thing can be come to along the links, but those that the author is named by."""
    onward: defaultdict[str, list[str]] = defaultdict(list)
    for link in graph.links.values():
        if link.relation != "author":
            onward[link.source].append(link.target)
    found: defaultdict[str, int] = defaultdict(int)
    for each in graph.nodes.values():
        if each.sort is not Sort.POST:
            continue
        seen, waiting = {each.id}, [each.id]
        while waiting:
            for target in onward[waiting.pop()]:
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        for target in seen:
            found[target] += 1
    return found


def _drawn(things: list[Thing], relations: list[Relation]) -> Drawing:
    placed: dict[str, Placed] = {}
    rows = [0] * len(_COLUMNS)
    for thing in things[:DRAWN]:
        column = next((at for at, sorts in enumerate(_COLUMNS) if thing.sort in sorts), 2)
        label = thing.label if len(thing.label) <= _LABEL else f"{thing.label[: _LABEL - 1]}…"
        placed[thing.id] = Placed(
            thing=thing, x=column * WIDTH, y=_TOP + rows[column] * _ROW, label=label or "no title"
        )
        rows[column] += 1
    lines = []
    for each in relations:
        source, target = placed.get(each.source), placed.get(each.target)
        if source is not None and target is not None:
            lines.append(Line(relation=each, path=_path(source, target)))
    return Drawing(
        things=tuple(things),
        relations=tuple(relations),
        places=tuple(placed.values()),
        lines=tuple(lines),
        height=_TOP + max(rows, default=0) * _ROW + 10,
    )


def _path(source: Placed, target: Placed) -> str:
    begin, end = (source.x + BOX, source.y + _MIDDLE), (target.x, target.y + _MIDDLE)
    bend = (end[0] - begin[0]) // 2
    across = end[0] - bend
    if target.x <= source.x:  # back, or within a column: round its side
        end, bend = (target.x + BOX, target.y + _MIDDLE), 24
        across = end[0] + bend
    return f"M{begin[0]} {begin[1]} C{begin[0] + bend} {begin[1]} {across} {end[1]} {end[0]} {end[1]}"
