"""What a validation says: a document for programs, a page for people, a table for the terminal."""

import hashlib
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from custody.instant import format_utc
from tests.validation.comparing import Differs
from tests.validation.corpus import Corpus
from tests.validation.rates import Rate
from tests.validation.truth import Kind
from tests.validation.validation import ROUNDS, Outturn, environment_of

SCHEMA = 1
ROOT = Path(__file__).parents[2]
_DIFFER = (Kind.TEXT, Kind.IMAGE, Kind.LINK, Kind.HOP, Kind.OUTCOME)
_FACTS = ("version", "code_sha256", "build", "browser_version", "playwright", "scrapy", "python", "system", "sandbox")


def document(
    corpus: Corpus,
    outturns: Sequence[Outturn],
    *,
    method: str,
    not_run: Mapping[str, str],
    begun: datetime,
    ended: datetime,
) -> dict[str, Any]:
    """``validation.json``; docs/validation.md says what each member means. ``method``: what `method_sha256` was."""
    first = outturns[0]
    return {
        "schema": SCHEMA,
        "begun_at": format_utc(begun),
        "ended_at": format_utc(ended),
        "seed": corpus.seed,
        "pages": len(corpus.pages),
        "rounds": len(ROUNDS),
        "corpus_sha256": corpus.sha256(),
        "method_sha256": method,
        "machine": {"system": platform.platform(), "cpus": os.cpu_count(), "python": platform.python_version()},
        "families": {
            family: sum(page.family == family for page in corpus.pages)
            for family in dict.fromkeys(page.family for page in corpus.pages)
        },
        "profiles": {each.setting.name: _profile(each, first) for each in outturns},
        "not_run": dict(not_run),
    }


def _profile(outturn: Outturn, first: Outturn) -> dict[str, Any]:
    repeated, against = outturn.repeated(), outturn.against(first)
    families = dict.fromkeys(each.page.family for each in outturn.judged)
    return {
        "command": list(outturn.command),
        "environment": dict(environment_of(outturn)),
        "seconds": {str(n): round(seconds, 1) for n, seconds in outturn.seconds.items()},
        "archive_verifies": outturn.archive_verifies,
        "control": {str(n): said for n, said in outturn.controls.items()},
        "kinds": {
            kind.value: {
                "pages": outturn.rate(kind).to_json(),
                "facts": {"wrong": outturn.facts(kind).wrong, "checked": outturn.facts(kind).judged},
                "families": {
                    family: {"wrong": rate.wrong, "judged": rate.judged}
                    for family in families
                    if (rate := outturn.rate(kind, family)).judged
                },
            }
            for kind in Kind
        },
        "outcomes": [
            {"is": right, "found": found, "looks": count}
            for (right, found), count in sorted(outturn.confusion().items())
        ],
        "repeatability": {kind.value: _differing(repeated, kind).to_json() for kind in _DIFFER},
        "compared_with": first.setting.name,
        "profile_differences": {kind.value: _differing(against, kind).to_json() for kind in _DIFFER},
        "errors": list(_errors(outturn)),
        "repeat_differences": list(_named(repeated)),
        "profile_differences_listed": [] if outturn is first else list(_named(against)),
    }


def _differing(pairs: Mapping[str, Sequence[Differs]], kind: Kind) -> Rate:
    return Rate(sum(any(each.kind is kind for each in found) for found in pairs.values()), len(pairs))


def _errors(outturn: Outturn) -> Iterator[dict[str, Any]]:
    for each in outturn.judged:
        for wrong in each.compared.wrong:
            yield {
                "page": each.page.name,
                "variant": f"{each.page.family}/{each.page.variant}",
                "url": each.page.url,
                "round": each.n,
                "capture": each.found.capture_id if each.found else None,
                "kind": wrong.kind.value,
                "expected": wrong.expected,
                "got": wrong.got,
            }


def _named(pairs: Mapping[str, Sequence[Differs]]) -> Iterator[dict[str, str]]:
    for name, found in sorted(pairs.items()):
        for each in found:
            yield {"page": name, "kind": each.kind.value, "one": each.one, "other": each.other}


def method_sha256() -> str:
    """One digest over this method itself: the generator, the comparer and the make-believe network that serves it."""
    hasher = hashlib.sha256()
    for folder in ("tests/validation", "tests/site"):
        for path in sorted(each for each in (ROOT / folder).iterdir() if each.suffix in {".py", ".toml"}):
            data = path.read_bytes()
            hasher.update(f"{path.relative_to(ROOT).as_posix()}\n{len(data)}\n".encode() + data)
    return hasher.hexdigest()


def table(outturns: Sequence[Outturn]) -> Table:
    """Pages with an error of each kind, of pages judged, and the 95 % interval."""
    made = Table(title="Pages with an error, of pages judged (95 % interval); single facts in brackets")
    made.add_column("kind")
    for each in outturns:
        made.add_column(each.setting.name)
    for kind in Kind:
        made.add_row(kind.value, *(f"{each.rate(kind)}\n{_facts(each, kind)}" for each in outturns))
    made.add_section()
    repeated = {each.setting.name: each.repeated() for each in outturns}
    for kind in _DIFFER:
        made.add_row(
            f"repeat: {kind.value}", *(str(_differing(repeated[each.setting.name], kind)) for each in outturns)
        )
    if len(outturns) > 1:
        made.add_section()
        against = {each.setting.name: each.against(outturns[0]) for each in outturns[1:]}
        for kind in _DIFFER:
            made.add_row(
                f"unlike {outturns[0].setting.name}: {kind.value}",
                "",
                *(str(_differing(against[each.setting.name], kind)) for each in outturns[1:]),
            )
    return made


def _facts(outturn: Outturn, kind: Kind) -> str:
    facts = outturn.facts(kind)
    return f"[dim]({facts.wrong} of {facts.judged})[/dim]"


def markdown(said: Mapping[str, Any]) -> str:
    """For people, from the document alone."""
    return "\n".join(_markdown(said)) + "\n"


def _markdown(said: Mapping[str, Any]) -> Iterator[str]:
    profiles: Mapping[str, Any] = said["profiles"]
    yield "# Validation of Counterproof\n"
    yield (
        f"{said['pages']} pages whose truth is known, each captured {said['rounds']} times by each of {len(profiles)} "
        f"browser profiles, between {said['begun_at']} and {said['ended_at']}. What this shows and what it does not: "
        "docs/validation.md.\n"
    )
    families = ", ".join(f"{n} {name}" for name, n in said["families"].items())
    yield from _rows(("", ""), [("seed", said["seed"]), ("corpus sha256", f"`{said['corpus_sha256']}`"),
                               ("method sha256", f"`{said['method_sha256']}`"), ("machine", said["machine"]["system"]),
                               ("pages by family", families)])  # fmt: skip
    yield "\n## Errors\n"
    yield "Pages with an error in either round, of pages judged; 95 % interval (Wilson); facts, wrong of checked.\n"
    kinds = list(next(iter(profiles.values()))["kinds"])
    yield from _rows(
        ("kind", *profiles), [(kind, *(_cell(each["kinds"][kind]) for each in profiles.values())) for kind in kinds]
    )
    yield "\n## Repeatability\n"
    yield "Pages whose two captures differ, of pages captured twice. Image: any pixel of the whole page's picture.\n"
    yield from _shares(profiles, "repeatability")
    if len(profiles) > 1:
        name = next(iter(profiles.values()))["compared_with"]
        yield f"\n## Differences from the profile {name}\n"
        yield "Pages that show both profiles the same, and whose captures differ. Whole pictures are compared where"
        yield "the screen is the same; known places in them are compared with the truth above, in any case.\n"
        yield from _shares({key: each for key, each in profiles.items() if key != name}, "profile_differences")
    for name, each in profiles.items():
        yield f"\n## Profile {name}\n"
        facts = each["environment"]
        yield from _rows(("", ""), [
            *((fact, f"`{facts[fact]}`") for fact in _FACTS if fact in facts),
            ("browser flags", f"`{' '.join(facts.get('browser', {}).get('flags', ()))}`"),
            ("seconds by round", ", ".join(str(n) for n in each["seconds"].values())),
            ("control captures by round", "; ".join(each["control"].values())),
            ("the archive of its captures verifies", "yes" if each["archive_verifies"] else "NO"),
        ])  # fmt: skip
        yield "\nOutcomes that were not what the page is (looks):\n"
        off = [(row["is"], row["found"], row["looks"]) for row in each["outcomes"] if row["is"] != row["found"]]
        yield from _rows(("is", "found", "looks"), off) if off else ["none"]
        yield "\nEvery error:\n"
        yield from _listed(each["errors"])
        if each["repeat_differences"]:
            yield "\nDifferences between its rounds:\n"
            yield from _rows(
                ("page", "kind", "round 1", "round 2"), [tuple(row.values()) for row in each["repeat_differences"]]
            )
    if said["not_run"]:
        yield "\n## Profiles that were not run\n"
        yield from (f"- {name}: {why}" for name, why in said["not_run"].items())


def _cell(kind: Mapping[str, Any]) -> str:
    pages, facts = kind["pages"], kind["facts"]
    return f"{Rate(pages['wrong'], pages['judged'])}; {facts['wrong']} of {facts['checked']}"


def _shares(profiles: Mapping[str, Any], key: str) -> Iterator[str]:
    rows = [
        (
            kind.value,
            *(str(Rate(each[key][kind.value]["wrong"], each[key][kind.value]["judged"])) for each in profiles.values()),
        )
        for kind in _DIFFER
    ]
    yield from _rows(("kind", *profiles), rows)


def _listed(errors: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The same error in both rounds is one line."""
    rounds: dict[tuple[str, ...], list[str]] = {}
    for each in errors:
        key = (each["page"], each["variant"], each["kind"], each["expected"], each["got"])
        rounds.setdefault(key, []).append(str(each["round"]))
    if not rounds:
        yield "none"
        return
    rows = [(*key, ", ".join(dict.fromkeys(which))) for key, which in sorted(rounds.items())]
    yield from _rows(("page", "variant", "kind", "expected", "got", "rounds"), rows)


def _rows(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_escaped(str(each)) for each in row)} |"


def _escaped(text: str) -> str:
    """A page's words may hold whatever they like."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
