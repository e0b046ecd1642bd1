"""Exhibits as PDFs, in as many parts as a court's limits ask for. Labels are on these pages, never on originals."""

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pikepdf

from archive import disk
from archive.errors import Refused, UsageError
from archive.exhibits import Exhibit, List, Register
from console.papers import pages
from console.papers.plates import WIDTH, Cut, Plate, Plates
from console.papers.report import warnings
from console.papers.sheets import Sheet
from console.papers.spreads import Studio
from custody.artifact import OTHERS
from custody.model import Role

_MIB = 1 << 20
_MOST_BYTES = 1 << 16
"""Of a profile: four lines."""
_MOST_MB = 1 << 20
"""A profile that says more than a tebibyte says nothing."""
SLICE_PX = 1_700
"""So much of the picture of a whole page stands on one of paper: with 1366 pixels of width, a sheet's proportions."""
PAPERS = {"A4": "A4", "Letter": "letter"}


class Slicer(Protocol):
    """``crawlers.run``."""

    def slices(self, data: bytes, *, height: int, width: int) -> Sequence[Cut]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """What a court takes. The program knows no court's rules: a person says them."""

    name: str = "35 MiB, A4"
    max_bytes: int = 35 * _MIB
    max_pages: int | None = None
    paper: str = "A4"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """A part of the picture of the whole page."""

    n: int
    of: int
    plate: Plate


@dataclass(frozen=True, kw_only=True, slots=True)
class Volume:
    """One PDF."""

    name: str
    label: str
    pages: int
    bytes: int


def read_profile(path: Path | None) -> Profile:
    """A TOML file with ``name``, ``max_mb``, ``max_pages``, ``paper``. Raises ``UsageError``."""
    if path is None:
        return Profile()
    with disk.trouble(path), path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{path} has more than {_MOST_BYTES} bytes, and is no profile")
    try:
        value = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # besides UTF-8 and TOML: thousands of digits, lists in lists
        raise UsageError(f"{path} is no profile: {error}") from error
    known: dict[str, type | tuple[type, ...]] = {"name": str, "max_mb": (int, float), "max_pages": int, "paper": str}
    for key, each in value.items():
        if not isinstance(each, known.get(key, ())) or isinstance(each, bool):
            raise UsageError(f"{path}: a profile has name, max_mb, max_pages and paper (A4 or Letter); {key} is not so")
    most, paper = value.get("max_mb", 35), value.get("paper", "A4")
    if math.isnan(most) or not 0 < most <= _MOST_MB or value.get("max_pages", 1) < 1 or paper not in PAPERS:
        raise UsageError(f"{path}: max_mb (at most {_MOST_MB}) and max_pages are above 0, and paper is A4 or Letter")
    return Profile(
        name=value.get("name", path.stem),
        max_bytes=max(1, int(most * _MIB)),
        max_pages=value.get("max_pages"),
        paper=paper,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Press:
    """What exhibits are printed with."""

    studio: Studio
    slicer: Slicer
    register: Register
    profile: Profile
    print_pdf: Callable[..., None]
    environment: Mapping[str, str]

    def print(self, exhibit: Exhibit, what: str, folder: Path) -> list[Volume]:
        """Raises ``Refused`` where its capture is not at hand, or one page of it is over the limits."""
        look = self.studio.file.looks.get(exhibit.capture)
        if look is None or look.record is None:
            raise Refused(
                f"{self.register.label(exhibit)} cannot be printed: its capture {exhibit.capture} is not at hand"
            )
        page = self.studio.sheet(look, what)
        shots = self._shots(look)
        most = max(1, len(shots) + 1)
        parts = 1
        while True:
            made = self._print(exhibit, page, what, _dealt(shots, parts), folder)
            over = [each for each in made if not self._fits(each)]
            if not over:
                return made
            if parts >= most:
                raise Refused(
                    f"{over[0].name} has {over[0].pages} pages and {over[0].bytes} bytes, which profile "
                    f"{self.profile.name} does not take, and it cannot be parted further"
                )
            for each in made:
                (folder / each.name).unlink()
            ratio = max(max(each.bytes / self.profile.max_bytes, self._pages(each)) for each in over)
            parts = min(most, max(parts + 1, int(parts * ratio)))

    def _fits(self, volume: Volume) -> bool:
        return volume.bytes <= self.profile.max_bytes and self._pages(volume) <= 1

    def _pages(self, volume: Volume) -> float:
        return 0.0 if self.profile.max_pages is None else volume.pages / self.profile.max_pages

    def _print(self, exhibit: Exhibit, page: Sheet, what: str, dealt: list[list[Shot]], folder: Path) -> list[Volume]:
        label, list_ = self.register.label(exhibit), _list_of(self.register, exhibit)
        file = self.studio.file
        papers: dict[Path, bytes] = {}
        for n, shots in enumerate(dealt, 1):
            part = f" ({n} of {len(dealt)})" if len(dealt) > 1 else ""
            name = f"exhibit-{exhibit.number:03d}" + (f"-part-{n:02d}" if len(dealt) > 1 else "")
            papers[folder / f"{name}.pdf"] = pages.render(
                "exhibit.html", label=label, part=part, name=file.name, first=n == 1, n=n, of=len(dealt), what=what,
                warnings=list(warnings(file)), page=page, list=list_, shots=shots, paper=PAPERS[self.profile.paper],
            )  # fmt: skip
        self.print_pdf(papers, left=f"{label} · derived", right="", environment=self.environment)
        made = []
        for path in papers:
            with pikepdf.open(path) as pdf:
                count = len(pdf.pages)
            made.append(Volume(name=path.name, label=label, pages=count, bytes=path.stat().st_size))
        return made

    def _shots(self, look: Any) -> list[Shot]:
        plates = Plates(file=self.studio.file, cutter=self.studio.cutter)
        artifacts = [
            each for each in look.record.artifacts if each.role == Role.SCREENSHOT and not each.name.startswith(OTHERS)
        ]
        found = [(artifact, cut) for artifact in artifacts for cut in self._cut(plates.pixels(artifact))]
        return [
            Shot(
                n=n,
                of=len(found),
                plate=Plate.of_cut(
                    cut,
                    artifact,
                    f"Picture of the whole page of {look.entry.requested_url}, part {n} of {len(found)}",
                    f"part {n} of {len(found)} of {cut.of_width} × {cut.of_height} pixels",
                ),
            )
            for n, (artifact, cut) in enumerate(found, 1)
        ]

    def _cut(self, data: bytes | None) -> Sequence[Cut]:
        if data is None:
            return ()
        try:
            return self.slicer.slices(data, height=SLICE_PX, width=WIDTH)
        except UsageError:
            return ()


def _list_of(register: Register, exhibit: Exhibit) -> List:
    return next(each for each in register.lists if exhibit in (each.exhibits or ()))


def _dealt(shots: list[Shot], parts: int) -> list[list[Shot]]:
    """The description alone is the first part as soon as there are as many parts as pictures and one more."""
    if parts > len(shots):
        return [[], *([each] for each in shots)]
    size = -(-len(shots) // parts)
    return [shots[n : n + size] for n in range(0, len(shots), size)] or [[]]
