"""The licence gate: every distribution in this environment is under a licence that an Apache-2.0 program can live with.

Fails on the GPL and AGPL, on weak copyleft that nobody explained here, and on a licence it cannot read.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions

# Weak copyleft binds changes to its own files. Each is used as released, unmodified, and installed by pip beside us.
EXPLAINED = {
    "certifi": "MPL-2.0: a list of root certificates, read as data",
    "hypothesis": "MPL-2.0: draws examples in the tests; no part of the program",
    "pathspec": "MPL-2.0: finds files for mypy and hatchling; no part of the program",
    "pikepdf": "MPL-2.0: splits and checks PDFs; qpdf in its wheel is Apache-2.0",
    "psycopg": "LGPL-3.0: speaks to PostgreSQL; imported as released, and anybody may put another release in its place",
    "psycopg-binary": "LGPL-3.0: the same, compiled",
    "psycopg-pool": "LGPL-3.0: the same, connections kept open",
    "tqdm": "MPL-2.0 and MIT: comes with the extra `ocr`, whose downloads it would show; nothing is downloaded",
}

# Their metadata names no licence: read in the file that they ship.
READ = {"axe-playwright-python": "MIT", "sigstore-models": "MIT"}

# Whole words, so that LGPL is not GPL.
STRONG = re.compile(
    r"\bA?GPL|\bGNU (Affero )?General Public|\bSSPL|\bServer Side Public|\bBusiness Source", re.IGNORECASE
)
WEAK = re.compile(r"\b(LGPL|Lesser General Public|MPL|Mozilla Public|EPL|Eclipse Public|CDDL|EUPL)", re.IGNORECASE)
PERMISSIVE = re.compile(
    r"\b(MIT|Apache|BSD|ISC|PSF|PSFL|Python Software Foundation|CNRI|ZPL|Zlib|Unlicense|0BSD|Public Domain|CC0|W3C)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a distribution says of its licence: one of these is enough to take it under."""

    name: str
    version: str
    choices: tuple[str, ...]


def claim(distribution: Distribution) -> Claim:
    meta = distribution.metadata
    expressions = meta.get_all("License-Expression", [])
    if expressions:
        # SPDX: OR is a choice, AND binds to both.
        choices = tuple(part.strip(" ()") for part in re.split(r"\bOR\b", expressions[0]))
    else:
        classifiers = [line for line in meta.get_all("Classifier", []) if line.startswith("License ::")]
        words = [line.rpartition("::")[2].strip() for line in classifiers]
        words = [word for word in words if word not in {"OSI Approved", "DFSG approved"}]
        # Some put the whole text into the field: its first line names the licence.
        text = "".join(meta.get_all("License", [])).strip().splitlines()[:1]
        choices = (" AND ".join(words or text),) if words or text else ()
    if not choices and (read := READ.get(meta["Name"].lower())):
        choices = (read,)
    return Claim(meta["Name"], distribution.version, choices)


def kind(choice: str) -> str:
    """The strictest word in it decides."""
    if STRONG.search(choice):
        return "strong"
    if WEAK.search(choice):
        return "weak"
    return "permissive" if PERMISSIVE.search(choice) else "unknown"


def complaint(found: Claim) -> str | None:
    """Why this one may not be here; None when it may."""
    kinds = {kind(choice) for choice in found.choices} or {"unknown"}
    if "permissive" in kinds or ("weak" in kinds and found.name.lower() in EXPLAINED):
        return None
    said = f"{found.name} {found.version} is under {' OR '.join(found.choices) or 'no licence that it names'}"
    if "weak" in kinds:
        return f"{said}: say in .ci/licences.py and NOTICE why that is fine"
    if "unknown" in kinds:
        return f"{said}: read it, and teach .ci/licences.py the word"
    return f"{said}: it may not be in the main environment"


def judge(found: Iterable[Claim]) -> Iterator[str]:
    for one in found:
        if (why := complaint(one)) is not None:
            yield why


def main() -> int:
    found = sorted({claim(one) for one in distributions()}, key=lambda one: one.name.lower())
    complaints = list(judge(found))
    for line in complaints:
        print(line, file=sys.stderr)
    present = {one.name.lower() for one in found}
    for name, why in EXPLAINED.items():
        if name in present:
            print(f"weak copyleft, explained: {name}, {why}")
    print(f"licences: {len(found)} distributions, {len(complaints)} that may not be here")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
