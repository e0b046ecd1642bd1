"""How right the rules of wording and spelling are on labelled sentences, by language; and how long a text takes them.

BENCH_SENTENCES=FILE takes other sentences: TOML, a list of ``text`` and ``says`` for each language code;
BENCH_SPELLINGS=FILE the same with ``text`` and ``names``.
"""

import os
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.measuring import tell
from findings.spelling import Strength, find
from findings.wording import said_in

SENTENCES = Path(os.environ.get("BENCH_SENTENCES", "tests/findings/sentences.toml"))
TERMS = ("Gucci", "Dior", "Cartier", "Chanel", "Hermès", "Louis Vuitton", "Rolex", "Prada", "Van Cleef & Arpels")
SPELLINGS = Path(os.environ.get("BENCH_SPELLINGS", "tests/findings/spellings.toml"))
TURNS = 200


def subjects(text: str) -> set[str]:
    return {each.subject.value for each in said_in(text)}


def terms(text: str) -> set[str]:
    return {each.term for each in find(text, TERMS) if each.strength is not Strength.WEAK}


def judged(some: list[dict[str, Any]], key: str, rule: Callable[[str], set[str]]) -> tuple[Counter[str], list[str]]:
    """What was found and is there, was not found, and is not there; and the sentences that went wrong."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for each in some:
        found, wanted = rule(each["text"]), {*each[key]}
        counts.update(right=len(found & wanted), missed=len(wanted - found), invented=len(found - wanted))
        if found != wanted:
            wrong.append(f"{each['text']}: {sorted(found)} for {sorted(wanted)}")
    return counts, wrong


def table(what: str, file: Path, key: str, rule: Callable[[str], set[str]]) -> dict[str, list[dict[str, Any]]]:
    labelled: dict[str, list[dict[str, Any]]] = tomllib.loads(file.read_text(encoding="utf-8"))
    total: Counter[str] = Counter()
    print(f"   {what}\n   language  sentences  recall  precision")
    for language, some in sorted(labelled.items()):
        counts, wrong = judged(some, key, rule)
        total += counts
        print(f"   {language:8}  {len(some):9}  {share(counts, 'missed'):>6}  {share(counts, 'invented'):>9}")
        for each in wrong:
            print(f"      {each}")
    tell(f"recall of {what}", 100 * total["right"] / max(1, total["right"] + total["missed"]), "%", at_least=95)
    tell(f"precision of {what}", 100 * total["right"] / max(1, total["right"] + total["invented"]), "%", at_least=95)
    return labelled


def main() -> None:
    labelled = table("wording", SENTENCES, "says", subjects)
    table("spelling", SPELLINGS, "names", terms)
    text = " ".join(each["text"] for some in labelled.values() for each in some)[:2000]
    for name, rule in (("wording", said_in), ("spelling of 9 terms", lambda each: find(each, TERMS))):
        rule(text)
        begun = time.process_time()
        for _ in range(TURNS):
            rule(text)
        tell(f"{name}: a text of 2,000 characters", 1000 * (time.process_time() - begun) / TURNS, "ms")


def share(counts: Counter[str], other: str) -> str:
    of = counts["right"] + counts[other]
    return f"{100 * counts['right'] / of:.0f} %" if of else "-"


if __name__ == "__main__":
    main()
