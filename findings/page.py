"""A page as it was captured, with what was read from it: all that findings know of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from archive.reading import Kind, Reading
from custody.digest import Digest
from custody.model import Candidate, Hop, Json, Origin, Outcome, Status, Via

_OWN_NAME = 12
"""Characters: ``1.jpg`` is a name of many."""
WORDS_OF_SHOPS = ("title", "brand", "description", "category", "variation", "seller")


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """One text of a page."""

    name: str
    """A field of the reading (``caption``), ``visible text``, ``page title`` or ``address``."""
    text: str
    where: str = ""
    """Where on the page it stands, as the reading says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A picture that the page loaded, and how it looks to a machine."""

    sha256: str
    url: str
    print: str
    """A perceptual print, as ``findings.resemblance`` writes it; empty where none could be made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One capture. Nothing in it is compared with anything yet."""

    capture: str
    unit: str
    parent: str | None
    via: Via | None
    url: str
    """Where the browser ended up; what was asked for where it got nowhere."""
    key: str
    """The same for two spellings of one address (tracking dropped): for comparing only."""
    title: str | None
    hops: tuple[Hop, ...]
    candidates: tuple[Candidate, ...] = field(repr=False)
    looked_at: datetime
    status: Status
    outcome: Outcome
    origin: Origin
    record: Digest
    reading: Reading
    visible: str = field(default="", repr=False)
    """All text that the page showed."""
    behind: str = field(default="", repr=False)
    """Words of its source that are not shown: in closed parts, and the names of pictures and buttons."""
    pictures: tuple[Shown, ...] = field(default=(), repr=False)
    is_cut: bool = False
    """A text of it was longer than is taken: what is not found may stand in the rest."""
    pictures_left: int = 0
    """Pictures that were not looked at: too small, unreadable, or over the limit."""
    vantage: Mapping[str, Json] = field(default_factory=dict, repr=False)
    """As whom, and from where: device, language, time zone, egress address, as far as the record says."""
    surface: str = "page"
    http_status: int | None = None

    @property
    def own_pictures(self) -> tuple[Shown, ...]:
        """Those that the page's reading names as the post's or the thing's own; the rest may be anybody's."""
        names = {file_of(text) for field in ("media", "images") for text in _texts(self.reading.fields.get(field))}
        return tuple(each for each in self.pictures if file_of(each.url) in names)

    @property
    def kind(self) -> Kind:
        return self.reading.kind

    @property
    def was_seen(self) -> bool:
        """Whether the page itself was shown, and no wall, notice or error in its place."""
        return self.outcome is Outcome.OK and self.status is not Status.FAILED and self.kind is not Kind.WALL

    def words(self, *names: str) -> Iterator[Words]:
        """The reading's texts of these names, those that the page has."""
        for name in names:
            for value in _texts(self.reading.fields.get(name)):
                source = self.reading.sources.get(name)
                yield Words(name=name, text=value, where=source.where if source else "")

    def text(self, name: str) -> str | None:
        """A field of the reading where it is a text with something in it."""
        value = self.reading.fields.get(name)
        return value if isinstance(value, str) and value.strip() else None


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)


def file_of(url: str) -> str:
    """What is the same of a picture's addresses: its file's name, where that is one of its own; else all but scheme."""
    path = url.partition("?")[0].partition("#")[0]
    name = path.rpartition("/")[2]
    return name if len(name) >= _OWN_NAME else path.partition("://")[2]
